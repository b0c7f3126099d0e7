/** Deposits in the client's books, over reorganisations deeper than what counts as deep enough. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainNews } from '@byway/chain'
import type { PaymentParameters } from '@byway/protocol/directory'
import { createLedger, type MoneyEvent } from '@byway/protocol/ledger'
import type { FoundDeposit } from '@byway/purse'
import type { Store } from '@byway/store'
import { createClientBooks, type ClientBooks } from '../../src/ledger/client-books.ts'

const UNIT = 500n
const PAYMENT = {
  winValue: 1000n,
  winsPerSlot: 2,
  bond: 500n,
  unit: UNIT,
  confirmations: 3,
  deployBlock: 0,
} as PaymentParameters

const depositAt = (leafIndex: number, limit: number): FoundDeposit =>
  ({ kind: 'deposit', number: 0, leafIndex, limit, owner: { secret: 5n } }) as FoundDeposit

function leafAt(block: number, index: number, limit: number): ChainNews {
  const blockHash = `0x${`${block}`.padStart(64, '0')}` as const
  const place = { block, blockHash, transaction: blockHash, logIndex: index }
  return { type: 'event', event: { name: 'leaf', index, leaf: 1n, idc: 2n, limit, ...place } }
}

function gone(one: ChainNews): ChainNews {
  return one.type === 'event' ? { type: 'removed', event: one.event } : assert.fail('an event')
}

const headAt = (number: number): ChainNews => ({
  type: 'head',
  head: { number, hash: `0x${'0'.repeat(64)}`, timeS: number },
  isNewest: true,
})

type Step = ChainNews | ((books: ClientBooks) => void)
const finds =
  (...deposits: readonly FoundDeposit[]): Step =>
  (books) =>
    books.found(deposits)

/** What is deposited once all has happened; and again after each restart, over the chain as it is then. */
async function depositedAfter(steps: readonly Step[], ...restarts: readonly (readonly Step[])[]) {
  const events: MoneyEvent[] = []
  const ledger = {
    async *read(after = 0) {
      for (const [at, event] of [...events].entries())
        if (at + 1 > after) yield { sequence: at + 1, event }
    },
    record: async (event: MoneyEvent) =>
      void (events.some(({ id }) => id === event.id) || events.push(event)),
  } as Store['ledger']
  for (const life of [steps, ...restarts]) {
    const chain = {
      async *events() {
        for (const step of life)
          if (typeof step === 'function') step(books)
          else yield step
      },
    }
    const books = createClientBooks({ ledger, chain, payment: PAYMENT, nowMs: () => 1 })
    await books.follow(new AbortController().signal)
  }
  const sums = createLedger('client')
  for (const event of events) assert.equal(sums.post(event).type, 'posted', event.id)
  return sums.balances.total('money', 'deposit')
}

const leaf = leafAt(10, 0, 8)
const before: readonly Step[] = [finds(depositAt(0, 8)), leaf, headAt(12)]
const undone: readonly Step[] = [...before, gone(leaf), headAt(12)]

test('a deposit counts when it is deep enough, and no more once it is undone', async () => {
  assert.equal(await depositedAfter(before), 8n * UNIT)
  assert.equal(await depositedAfter(undone), 0n)
})

test('a deposit that comes again counts again: at its place, or at another where somebody else has its place', async () => {
  const same = [...undone, finds(depositAt(0, 8)), leafAt(11, 0, 8), headAt(14)]
  assert.equal(await depositedAfter(same), 8n * UNIT)
  const other = [leafAt(11, 0, 30), leafAt(11, 1, 8)]
  const late = [...undone, ...other, headAt(14), finds(depositAt(1, 8)), headAt(15)]
  assert.equal(await depositedAfter(late), 8n * UNIT)
})

test('and once only after a restart, whatever was undone before', async () => {
  const same = [...undone, finds(depositAt(0, 8)), leafAt(11, 0, 8), headAt(14)]
  const again: readonly Step[] = [finds(depositAt(0, 8)), leafAt(11, 0, 8), headAt(14)]
  assert.equal(await depositedAfter(same, again, again), 8n * UNIT)
})
