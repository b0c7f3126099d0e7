/** Wins of hops in the client's books: counted once, when they are deep enough, and taken back with their block. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainNews } from '@byway/chain'
import { fromHex } from '@byway/protocol/base'
import { createLedger, type MoneyEvent } from '@byway/protocol/ledger'
import { createMadeLeaves } from '../../src/ledger/made-leaves.ts'
import { followSlots } from '../../src/ledger/follow-slots.ts'
import { createRetold } from '../../src/ledger/retold.ts'

const OURS = 'aa'.repeat(32)
const HOP = '11'.repeat(32)
const V = 1000n

type Told = Extract<ChainNews, { readonly type: 'event' }>['event']

const PLACE = { transaction: `0x${'0'.repeat(64)}`, blockHash: `0x${'0'.repeat(64)}` } as const

/** A slot that ends in a state, and the leaf of so many bond units that is made of it. */
function wentBack(
  block: number,
  state: 'refunded' | 'closed',
  limit: number,
): readonly ChainNews[] {
  const nullifier = fromHex(OURS) ?? assert.fail('hexadecimal')
  const slot: Told = { name: 'slot', nullifier, state, block, ...PLACE, logIndex: 5 }
  const leaf: Told = {
    name: 'leaf',
    index: 1,
    leaf: 1n,
    idc: 2n,
    limit,
    block,
    ...PLACE,
    logIndex: 6,
  }
  return [
    { type: 'event', event: slot },
    { type: 'event', event: leaf },
  ]
}

function won(slot: string, block: number, branch = '0'): Told {
  return {
    name: 'won',
    nullifier: fromHex(slot) ?? assert.fail('hexadecimal'),
    provider: new Uint8Array(20),
    index: 3,
    wins: 1,
    paid: 950n,
    block,
    blockHash: `0x${`${branch}${block}`.padStart(64, '0')}`,
    transaction: `0x${'0'.repeat(64)}`,
    logIndex: slot === OURS ? 0 : 1,
  }
}

const headAt = (number: number): ChainNews => ({
  type: 'head',
  head: { number, hash: `0x${'0'.repeat(64)}`, timeS: number },
  isNewest: true,
})

/** Follows what the chain tells, after the slot was shown; resolves with the books. */
async function booksAfter(...news: readonly ChainNews[]) {
  const head = { atMs: 1 }
  const events: MoneyEvent[] = [
    { ...head, id: 'in', type: 'purse-received', amount: 9000n },
    { ...head, id: 'leaf:0', type: 'deposited', amount: 9000n },
    { ...head, id: `slot:${OURS}`, type: 'slot-shown', hop: HOP, amount: 2500n },
  ]
  const deps = {
    ledger: {
      async *read(after = 0) {
        for (const [at, event] of events.entries()) {
          if (at + 1 > after) yield { sequence: at + 1, event }
        }
      },
      record: async (event: MoneyEvent) => void events.push(event),
    },
    chain: {
      async *events() {
        yield* news
      },
    },
    fromBlock: 0,
    confirmations: 3,
    winValue: V,
    winsPerSlot: 2,
    bond: 500n,
    unit: 500n,
    nowMs: () => 2,
  }
  const retold = createRetold(deps.ledger)
  await followSlots({ ...deps, retold }, new AbortController().signal)
  const books = createLedger('client')
  for (const event of events) assert.equal(books.post(event).type, 'posted')
  const of = (name: string): bigint => books.balances.of({ commodity: 'money', name, hop: HOP })
  const sum = (name: string): bigint => books.balances.total('money', name)
  assert.equal(books.overdrafts().length, 0)
  return {
    won: of('won by hops'),
    slots: of('slots'),
    ...(sum('purse') > 0n ? { purse: sum('purse') } : {}),
    ...(sum('relayer fees') > 0n ? { fees: sum('relayer fees') } : {}),
    ...(sum('bonds burned') > 0n ? { burned: sum('bonds burned') } : {}),
  }
}

test('counts a win of a slot of ours when it is deep enough, and nobody else’s', async () => {
  const told = { type: 'event', event: won(OURS, 10) } as const
  const other = { type: 'event', event: won('bb'.repeat(32), 10) } as const
  assert.deepEqual(await booksAfter(told, other, headAt(11)), { won: 0n, slots: 2500n })
  assert.deepEqual(await booksAfter(told, other, headAt(12)), { won: V, slots: 1500n })
})

test('takes back a win whose block is gone, and counts it again where it comes back', async () => {
  const first = won(OURS, 10)
  const again = won(OURS, 11, '1')
  const before: readonly ChainNews[] = [
    { type: 'event', event: first },
    headAt(12),
    { type: 'removed', event: first },
  ]
  assert.deepEqual(await booksAfter(...before, headAt(12)), { won: 0n, slots: 2500n })
  const replayed: ChainNews = { type: 'event', event: again }
  assert.deepEqual(await booksAfter(...before, replayed, headAt(13)), { won: V, slots: 1500n })
})

test('tells again what a reorganisation brings back: the same block, and the same leaf of another', async () => {
  const win: ChainNews = { type: 'event', event: won(OURS, 9) }
  const back = wentBack(10, 'closed', 2)
  const gone = back.toReversed().flatMap((one): readonly ChainNews[] => {
    return one.type === 'event' ? [{ type: 'removed', event: one.event }] : []
  })
  const whole = { won: V, slots: 0n, purse: 1000n, fees: 500n }
  const once = [win, ...back, headAt(12)]
  assert.deepEqual(await booksAfter(...once), whole)
  assert.deepEqual(await booksAfter(...once, ...gone, headAt(12)), { won: V, slots: 1500n })
  assert.deepEqual(
    await booksAfter(...once, ...gone, ...wentBack(11, 'closed', 2), headAt(14)),
    whole,
  )
  const again = [...once, ...gone, ...back, headAt(14)]
  assert.deepEqual(await booksAfter(...again), whole)
  assert.deepEqual(await booksAfter(...again, ...gone, ...back, headAt(16)), whole, 'any often')
})

test('forgets a win that went before it was deep enough', async () => {
  const event = won(OURS, 10)
  const gone: readonly ChainNews[] = [
    { type: 'event', event },
    headAt(10),
    { type: 'removed', event },
  ]
  assert.deepEqual(await booksAfter(...gone, headAt(20)), { won: 0n, slots: 2500n })
})

test('counts what came back of a slot, and the unit that its sender got (SPEC §14.4)', async () => {
  assert.deepEqual(await booksAfter(...wentBack(10, 'refunded', 5), headAt(12)), {
    won: 0n,
    slots: 0n,
    purse: 2500n,
  })
  const wonOnce = { type: 'event', event: won(OURS, 9) } as const
  assert.deepEqual(await booksAfter(wonOnce, ...wentBack(10, 'closed', 2), headAt(12)), {
    won: V,
    slots: 0n,
    purse: 1000n,
    fees: 500n,
  })
})

test('counts a bond that was burned for conflicting openings', async () => {
  const nullifier = fromHex(OURS) ?? assert.fail('hexadecimal')
  const reporter = new Uint8Array(20)
  const place = { block: 10, ...PLACE, logIndex: 3 }
  const event: Told = { name: 'bond-burned', nullifier, reporter, reward: 50n, ...place }
  const burned: ChainNews = { type: 'event', event }
  assert.deepEqual(await booksAfter(burned, headAt(12)), { won: 0n, slots: 2000n, burned: 500n })
})

test('knows of what each leaf was made, and counts leaves that are deep enough', () => {
  const made = createMadeLeaves()
  const place = (block: number, transaction: string) => ({
    ...PLACE,
    block,
    transaction: `0x${transaction.padStart(64, '0')}` as const,
    logIndex: 0,
  })
  const named = (byte: number) => new Uint8Array(32).fill(byte)
  const slot = (byte: number, at: ReturnType<typeof place>): Told => ({
    name: 'slot',
    nullifier: named(byte),
    state: 'refunded',
    ...at,
  })
  const leaf = (index: number, at: ReturnType<typeof place>): Told => ({
    name: 'leaf',
    index,
    leaf: 1n,
    idc: 2n,
    limit: 94,
    ...at,
  })
  const take = (...events: readonly Told[]): void => {
    for (const event of events)
      made.take(event, event.name === 'slot' ? { event, leaf: undefined } : undefined)
  }
  const [deposit, call, other] = [place(5, 'a'), place(6, 'b'), place(7, 'c')]
  // A deposit; two joinings and a slot's way back in one call; and somebody's slot that left nothing.
  take(leaf(0, deposit), slot(1, call), slot(2, call), leaf(1, call))
  take(slot(3, call), leaf(2, call), slot(4, call), leaf(3, other))
  assert.deepEqual(
    [...made.madeOf],
    [
      [1, [named(1), named(2)]],
      [2, [named(3)]],
    ],
  )
  assert.deepEqual([made.countAt(4), made.countAt(5), made.countAt(6)], [0, 1, 3])
  made.undo(leaf(2, call))
  made.undo(leaf(1, call))
  made.undo(slot(1, call))
  assert.deepEqual([...made.madeOf], [])
  assert.equal(made.countAt(9), 1)
  take(slot(1, other), slot(2, other), leaf(1, other))
  assert.deepEqual([...made.madeOf], [[1, [named(1), named(2)]]])
  assert.equal(made.countAt(9), 2)
})
