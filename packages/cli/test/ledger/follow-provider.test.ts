import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainEvent, ChainNews } from '@byway/chain'
import { createLedger, type MoneyEvent } from '@byway/protocol/ledger'
import { followProvider } from '../../src/ledger/follow-provider.ts'

const OWN = new Uint8Array(20).fill(1)
const OTHER = new Uint8Array(20).fill(2)
const SLOT = new Uint8Array(32).fill(3)
const LOCK_FEE = 20n

type Body = Pick<ChainEvent, 'name'> & Readonly<Record<string, unknown>>

/** An event in a block of its own number; those of one transaction share it. */
function at(block: number, logIndex: number, body: Body, transaction = block): ChainEvent {
  const hex = (number: number) => `0x${number.toString(16).padStart(64, '0')}` as const
  const place = { block, blockHash: hex(block), transaction: hex(transaction), logIndex }
  return { ...place, provider: OWN, ...body } as ChainEvent
}

const head = (number: number): ChainNews => ({
  type: 'head',
  head: { number, hash: '0x00', timeS: number },
  isNewest: true,
})

/** The books after some news; transactions below 100 are our own. */
async function booksAfter(news: readonly ChainNews[], confirmations = 1) {
  const events: MoneyEvent[] = []
  const chain = {
    async *events() {
      yield* news
    },
    senderOf: async (transaction: string) => (BigInt(transaction) < 100n ? OWN : OTHER),
  }
  const ledger = {
    async *read() {
      for (const one of events) yield { event: one }
    },
    record: async (one: MoneyEvent) => void events.push(one),
  }
  const rest = { fromBlock: 0, provider: OWN, lockFee: LOCK_FEE, nowMs: () => 5 }
  await followProvider({ ledger, chain, confirmations, ...rest }, new AbortController().signal)
  const books = createLedger('node', {})
  for (const event of events) assert.equal(books.post(event).type, 'posted')
  const of = (name: string): bigint => books.balances.total('money', name)
  return { of, events }
}

const registered = at(1, 0, {
  name: 'registry',
  change: { type: 'registered', nodeId: SLOT, owner: OWN, stake: 1000n },
})
const locked = (block: number, transaction = block): ChainEvent =>
  at(block, 1, { name: 'locked', nullifier: SLOT }, transaction)
const slashed = (block: number, stake: bigint, transaction = block): ChainEvent =>
  at(block, 2, { name: 'registry', change: { type: 'stake', stake } }, transaction)
const event = (one: ChainEvent): ChainNews => ({ type: 'event', event: one })

test('books the stake when it is put in, raised, taken from and taken back', async () => {
  const raised = at(2, 0, { name: 'registry', change: { type: 'stake', stake: 1500n } })
  const lapsed = at(3, 1, { name: 'lapsed', nullifier: SLOT, penalty: 10n })
  const gone = at(4, 0, { name: 'registry', change: { type: 'left' } })
  const before = [event(registered), event(raised), event(lapsed), event(slashed(3, 1490n))]
  const during = await booksAfter([...before, head(3)])
  assert.deepEqual([during.of('stake'), during.of('slashed'), during.of('purse')], [1490n, 10n, 0n])
  const after = await booksAfter([...before, event(gone), head(4)])
  assert.deepEqual([after.of('stake'), after.of('outside'), after.of('purse')], [0n, -10n, 0n])
})

test('books the fee of a lock that a redeemer sent, out of winnings and out of the stake (SPEC §14.5)', async () => {
  const ownLock = await booksAfter([event(registered), event(locked(2)), head(2)])
  assert.equal(ownLock.of('redeemer fees'), 0n)
  const foreign = [event(registered), event(locked(2, 200)), event(slashed(2, 985n, 200)), head(2)]
  const { of } = await booksAfter(foreign)
  assert.deepEqual(
    [of('redeemer fees'), of('stake'), of('slashed'), of('purse')],
    [LOCK_FEE, 985n, 0n, -5n],
  )
})

test('books what was paid out, ignores other providers, and waits for depth', async () => {
  const paid = at(2, 0, { name: 'paid-out', to: OTHER, amount: 70n })
  const strange = at(2, 1, { name: 'paid-out', provider: OTHER, to: OTHER, amount: 70n })
  const news = [event(paid), event(strange), head(3)]
  assert.equal((await booksAfter(news, 3)).events.length, 0)
  const { of } = await booksAfter([...news, head(4)], 3)
  assert.equal(of('outside'), 70n)
})

test('books what redeemers got of what was held back, and the rest when it is paid (SPEC §17.5)', async () => {
  const fee = (block: number, logIndex: number, to = OTHER): ChainEvent =>
    at(block, logIndex, { name: 'held-fee', epoch: 7, to, amount: 3n })
  const released = at(3, 0, { name: 'held-released', epoch: 7, amount: 94n, held: 100n })
  const answered = at(2, 1, { name: 'answer-fee', epoch: 7, to: OTHER, amount: 50n })
  const news = [event(fee(2, 0)), event(answered), event(released), event(fee(3, 1)), head(3)]
  const { of } = await booksAfter(news)
  assert.deepEqual(
    [of('held back'), of('redeemer fees'), of('outside'), of('purse')],
    [-100n, 6n, 94n, 0n],
  )
})

test('takes back what a reorganisation undid, and what the stake was', async () => {
  const raised = at(2, 0, { name: 'registry', change: { type: 'stake', stake: 1500n } })
  const again = at(3, 0, { name: 'registry', change: { type: 'stake', stake: 1200n } })
  const { of } = await booksAfter([
    event(registered),
    event(raised),
    head(2),
    { type: 'removed', event: raised },
    event(again),
    head(3),
  ])
  assert.deepEqual([of('stake'), of('outside')], [1200n, -1200n])
})
