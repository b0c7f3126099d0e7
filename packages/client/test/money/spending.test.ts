/** Sums, the budget of a calendar month, and what the ledger is told. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { NodeKey } from '@byway/protocol/directory'
import type { ClientMoneyEvent } from '@byway/protocol/ledger'
import { createSpending } from '../../src/money/spending.ts'
import { createHandTimers } from '../engine/hand-timers.ts'

const [A, B] = ['a', 'b'] as unknown as [NodeKey, NodeKey]
const GIB = 1024 ** 3
/** The last minute of a month. */
const LATE_NOVEMBER = Date.UTC(2026, 10, 30, 23, 59)

function open(budget?: bigint) {
  const timers = createHandTimers(LATE_NOVEMBER)
  const events: ClientMoneyEvent[] = []
  const months = new Map<string, bigint>([['2026-11', 100n]])
  const stops: string[] = []
  const spending = createSpending({
    winValue: 1000n,
    slotValue: 2500n,
    budget,
    book: {
      load: async (month) => months.get(month) ?? 0n,
      add: async (month, amount) => void months.set(month, (months.get(month) ?? 0n) + amount),
    },
    record: async (event) => void events.push(event),
    run: 'r1',
    nowMs: timers.nowMs,
    onBudgetSpent: ({ message }) => void stops.push(message),
    timers,
  })
  return { spending, timers, events, months, stops }
}

describe('spending', () => {
  it('adds up by hop, by session, by month and by GiB', async () => {
    const { spending } = open()
    await spending.load()
    spending.onTicket(A, 'link', 1, 10n)
    spending.onTicket(B, 'tokens', 16, 160n)
    spending.onTicket(B, 'tokens', 16, 160n)
    spending.follow(A, 'link', { countedBytes: 2 * GIB, carriedBytes: 2 * GIB, paidBytes: GIB })
    // A dearer class: a quarter of what is counted passed.
    const dear = { countedBytes: GIB, carriedBytes: GIB / 4, paidBytes: 2 * GIB }
    spending.follow(B, 'tokens', dear)
    const { session, month, perGib, hops } = spending.status
    assert.deepEqual([session, month, perGib], [330n, 430n, 165n])
    assert.deepEqual(
      hops.map(({ hop, amount, units, tickets, bytes }) => [hop, amount, units, tickets, bytes]),
      [
        [B, 320n, 32, 2, GIB / 4],
        [A, 10n, 1, 1, 2 * GIB],
      ],
    )
  })

  it('tells the ledger sums of a minute, each once', async () => {
    const { spending, timers, events } = open()
    for (let i = 0; i < 5; i++) spending.onTicket(A, 'link', 1, 10n)
    spending.onTokensBought(B, 'bandwidth', 4, 16)
    spending.onTokens('tokens-spent', B, 'bandwidth', 1)
    assert.equal(events.length, 0)
    await timers.pass(60_000)
    const tickets = events.flatMap((event) => (event.type === 'tickets-sent' ? [event] : []))
    assert.deepEqual(
      tickets.map((sum) => [sum.tickets, sum.units, sum.amount, sum.variance]),
      [[5, 5, 50n, 5n * 10n * 990n]],
    )
    assert.equal(events.length, 3)
    assert.equal(new Set(events.map(({ id }) => id)).size, 3)
    await timers.pass(60_000)
    assert.equal(events.length, 3)
    await spending.stop()
  })

  it('tells of a slot at once, under its own name', async () => {
    const { spending, events } = open()
    spending.onSlotShown(A, new Uint8Array(32).fill(1))
    await spending.stop()
    const [event] = events
    assert.deepEqual(event?.type === 'slot-shown' && [event.id, event.hop, event.amount], [
      `slot:${'01'.repeat(32)}`,
      A,
      2500n,
    ])
  })

  it('keeps the month between runs', async () => {
    const { spending, months } = open()
    await spending.load()
    spending.onTicket(A, 'link', 1, 10n)
    await spending.stop()
    assert.equal(months.get('2026-11'), 110n)
  })

  it('refuses everything once something was beyond the budget, says so once, and begins anew with the month', async () => {
    const { spending, timers, stops, months } = open(120n)
    await spending.load()
    spending.requireLeft(20n)
    spending.onTicket(A, 'link', 2, 20n)
    for (const amount of [16n, 1n])
      assert.throws(() => spending.requireLeft(amount), { code: 'BUDGET_SPENT' })
    assert.equal(stops.length, 1)
    assert.equal(spending.status.isBudgetLeft, false)
    await timers.pass(60_000)
    spending.requireLeft(120n)
    assert.deepEqual([spending.status.month, spending.status.isBudgetLeft], [0n, true])
    spending.onTicket(A, 'link', 1, 5n)
    await spending.stop()
    assert.deepEqual([...months.values()], [120n, 5n])
  })

  it('spends what it likes without a budget', () => {
    open().spending.requireLeft(10n ** 30n)
  })
})
