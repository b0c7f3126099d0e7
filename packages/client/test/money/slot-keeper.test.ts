/** Which slot is shown where: one for a hop and a use, on the disk before it is shown, and none twice whatever happens in between. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@byway/protocol/base'
import type { NodeKey } from '@byway/protocol/directory'
import { createSlotKeeper } from '../../src/money/slot-keeper.ts'
import type { SlotKeeper } from '../../src/money/slot-keeper-types.ts'
import { createTestAuthoriser, createTestJournal, slotOf } from './money-world.ts'
import type { TestAuthoriser, TestJournal } from './money-world.ts'

const NEVER = new AbortController().signal
const [A, B, C] = ['a', 'b', 'c'] as unknown as [NodeKey, NodeKey, NodeKey]

type World = {
  readonly keeper: SlotKeeper
  readonly journal: TestJournal
  readonly authoriser: TestAuthoriser
  readonly shown: string[]
  readonly lows: number[]
  readonly unknown: number[]
  nowMs: number
}

async function createWorld(
  slots: number,
  options: {
    journal?: TestJournal
    random?: () => number
    known?: boolean
    isReturning?: (nullifier: Uint8Array) => boolean
  } = {},
): Promise<World> {
  const { isReturning = () => false } = options
  const journal = options.journal ?? createTestJournal()
  const list = Array.from({ length: slots }, (_, i) => slotOf(i + 1, options.known ?? true))
  const authoriser = createTestAuthoriser(list, options.random)
  const lows: number[] = []
  const unknown: number[] = []
  const shown: string[] = []
  const world = { journal, authoriser, shown, lows, unknown, nowMs: 1_000_000 }
  const keeper = createSlotKeeper({
    authoriser,
    journal,
    onShown: (hop) => void shown.push(hop),
    nowMs: () => world.nowMs,
    onUnknown: (count) => void unknown.push(count),
    onOlder: () => Promise.resolve(),
    isReturning,
    onLow: (unshown) => void lows.push(unshown),
    closing: NEVER,
  })
  await keeper.load()
  await keeper.refresh(NEVER)
  return Object.assign(world, { keeper })
}

describe('slot keeper', () => {
  it('gives each hop and use a slot of its own, and the same one each time', async () => {
    const { keeper } = await createWorld(5)
    const first = await keeper.slotFor(A, 'tokens', NEVER)
    const again = await keeper.slotFor(A, 'tokens', NEVER)
    const [asEntry, other] = [
      await keeper.slotFor(A, 'link', NEVER),
      await keeper.slotFor(B, 'tokens', NEVER),
    ]
    assert.deepEqual(again, first)
    const all = [first, asEntry, other].map(({ nullifier }) => toHex(nullifier))
    assert.equal(new Set(all).size, 3)
  })

  it('gives two who ask for one hop at once one slot', async () => {
    const { keeper, journal } = await createWorld(5)
    const [one, two] = await Promise.all([
      keeper.slotFor(A, 'tokens', NEVER),
      keeper.slotFor(A, 'tokens', NEVER),
    ])
    assert.deepEqual(one, two)
    assert.equal(journal.records.length, 1)
  })

  it('has the slot that follows ready for its hop alone, on the disk, and gives it when the one before is over', async () => {
    const { keeper, journal, authoriser } = await createWorld(12)
    authoriser.prepared = 4
    assert.equal(await keeper.nextFor(A, 'link'), undefined, 'there is nothing to follow')
    const first = await keeper.slotFor(A, 'link', NEVER)
    const [one, two] = await Promise.all([keeper.nextFor(A, 'link'), keeper.nextFor(A, 'link')])
    assert.ok(one)
    assert.deepEqual(two, one)
    assert.deepEqual(await keeper.nextFor(A, 'link'), one)
    assert.deepEqual(
      journal.records.map(({ standing }) => standing),
      ['shown', 'shown'],
    )
    assert.deepEqual((await keeper.slotFor(A, 'link', NEVER)).nullifier, first.nullifier)
    assert.notDeepEqual((await keeper.slotFor(B, 'link', NEVER)).nullifier, one.nullifier)
    await keeper.retire(first.nullifier, 'full')
    assert.deepEqual((await keeper.slotFor(A, 'link', NEVER)).nullifier, one.nullifier)
    assert.equal(keeper.counts.inUse, 2)
  })

  it('keeps none to follow while few are proved, or few are left', async () => {
    const { keeper, authoriser } = await createWorld(12)
    await keeper.slotFor(A, 'link', NEVER)
    authoriser.prepared = 1
    assert.equal(await keeper.nextFor(A, 'link'), undefined)
    const few = await createWorld(8)
    few.authoriser.prepared = 4
    await few.keeper.slotFor(A, 'link', NEVER)
    assert.equal(await few.keeper.nextFor(A, 'link'), undefined)
  })

  it('goes on after a restart with the slot that was paid with, before the one that was to follow', async () => {
    const { keeper, journal, authoriser } = await createWorld(12)
    authoriser.prepared = 4
    const first = await keeper.slotFor(A, 'link', NEVER)
    const next = await keeper.nextFor(A, 'link')
    assert.ok(next)
    const records = journal.records.map((record) => ({
      ...record,
      floor: record.nullifier === first.nullifier ? 16 : 0,
    }))
    const again = await createWorld(12, { journal: createTestJournal(records.toReversed()) })
    assert.deepEqual((await again.keeper.slotFor(A, 'link', NEVER)).nullifier, first.nullifier)
    assert.deepEqual((await again.keeper.nextFor(A, 'link'))?.nullifier, next.nullifier)
  })

  it('uses no slot that was queued to come back before a stop, while the journal still had it as shown', async () => {
    const { keeper, journal } = await createWorld(5)
    const [queued, other] = [
      await keeper.slotFor(A, 'link', NEVER),
      await keeper.slotFor(B, 'link', NEVER),
    ]
    const again = await createWorld(5, {
      journal: createTestJournal(journal.records),
      isReturning: (nullifier) => toHex(nullifier) === toHex(queued.nullifier),
    })
    assert.deepEqual([again.keeper.counts.inUse, again.keeper.counts.over], [1, 1])
    const standings = again.journal.records.map(({ nullifier, standing }) => [
      toHex(nullifier) === toHex(queued.nullifier),
      standing,
    ])
    assert.deepEqual(Object.fromEntries(standings), { true: 'refused', false: 'shown' })
    const next = await again.keeper.slotFor(A, 'link', NEVER)
    assert.notDeepEqual(next.nullifier, queued.nullifier)
    assert.deepEqual((await again.keeper.slotFor(B, 'link', NEVER)).nullifier, other.nullifier)
  })

  it('never gives two hops one slot, however they race', async () => {
    const { keeper } = await createWorld(3, { random: () => 0 })
    const given = await Promise.all([A, B, C].map((hop) => keeper.slotFor(hop, 'tokens', NEVER)))
    assert.equal(new Set(given.map(({ nullifier }) => toHex(nullifier))).size, 3)
  })

  it('shows nothing before the disk has it', async () => {
    const world = await createWorld(2)
    const disk = Promise.withResolvers<void>()
    world.journal.onPut = () => disk.promise
    let isGiven = false
    const giving = world.keeper.slotFor(A, 'link', NEVER).then(() => void (isGiven = true))
    await new Promise(setImmediate)
    assert.equal(isGiven, false)
    disk.resolve()
    await giving
    assert.equal(world.journal.records.length, 1)
  })

  it('shows nothing when the disk fails, and gives the slot to the next', async () => {
    const world = await createWorld(1)
    world.journal.onPut = () => Promise.reject(new Error('EIO'))
    await assert.rejects(world.keeper.slotFor(A, 'link', NEVER), /EIO/)
    world.journal.onPut = () => Promise.resolve()
    assert.equal((await world.keeper.slotFor(B, 'link', NEVER)).nullifier[0], 1)
  })

  it('takes slots in an order that chance decides', async () => {
    const draws = [0.99, 0.5, 0]
    const { keeper } = await createWorld(10, { random: () => draws.shift() ?? 0 })
    const order: (number | undefined)[] = []
    for (const hop of [A, B, C]) order.push((await keeper.slotFor(hop, 'link', NEVER)).nullifier[0])
    assert.deepEqual(order, [10, 5, 1])
  })

  it('goes on after a restart with the slots already shown, even while the chain is down', async () => {
    const before = await createWorld(4)
    const given = await before.keeper.slotFor(A, 'tokens', NEVER)
    const after = await createWorld(0, { journal: createTestJournal(before.journal.records) })
    after.authoriser.fails = new Error('chain down')
    const { nullifier, opening } = await after.keeper.slotFor(A, 'tokens', NEVER)
    assert.deepEqual({ nullifier, opening }, { nullifier: given.nullifier, opening: given.opening })
    await assert.rejects(after.keeper.slotFor(B, 'tokens', NEVER), { code: 'DEPOSIT_SPENT' })
  })

  it('counts every slot of an unknown past as shown', async () => {
    const { keeper, unknown } = await createWorld(4, { known: false })
    assert.deepEqual(keeper.counts, {
      total: 4,
      unshown: 0,
      ready: 0,
      inUse: 0,
      unknown: 4,
      over: 0,
    })
    await keeper.refresh(NEVER)
    assert.deepEqual(unknown, [4], 'says once what is lost')
    await assert.rejects(keeper.slotFor(A, 'link', NEVER), { code: 'DEPOSIT_SPENT' })
  })

  it('goes to the next slot once one is full, and never back', async () => {
    const { keeper, journal } = await createWorld(2)
    const first = await keeper.slotFor(A, 'link', NEVER)
    await keeper.retire(first.nullifier, 'full')
    const second = await keeper.slotFor(A, 'link', NEVER)
    assert.notDeepEqual(second.nullifier, first.nullifier)
    await keeper.retire(second.nullifier, 'full')
    await assert.rejects(keeper.slotFor(B, 'link', NEVER), { code: 'DEPOSIT_SPENT' })
    assert.deepEqual(
      journal.records.map(({ standing }) => standing),
      ['full', 'full'],
    )
  })

  it('finds a top-up when the last slot is given, but does not ask the chain all the time', async () => {
    const world = await createWorld(1)
    await world.keeper.slotFor(A, 'link', NEVER)
    world.authoriser.list = [1, 2, 3].map((number) => slotOf(number))
    await assert.rejects(world.keeper.slotFor(B, 'link', NEVER), { code: 'DEPOSIT_SPENT' })
    world.nowMs += 5001
    assert.notEqual((await world.keeper.slotFor(B, 'link', NEVER)).nullifier[0], 1)
  })

  it('warns once when few slots are left, and again after a top-up is used', async () => {
    const world = await createWorld(4)
    await world.keeper.slotFor(A, 'link', NEVER)
    assert.deepEqual(world.lows, [])
    await world.keeper.slotFor(B, 'link', NEVER)
    await world.keeper.slotFor(C, 'link', NEVER)
    assert.deepEqual(world.lows, [2])
    world.authoriser.list = [1, 2, 3, 4, 5, 6].map((number) => slotOf(number))
    await world.keeper.refresh(NEVER)
    await world.keeper.slotFor(A, 'tokens', NEVER)
    assert.deepEqual(world.lows, [2, 2])
  })

  it('makes an opening anew for a hop that does not take the root, with the same key', async () => {
    const { keeper } = await createWorld(2)
    const before = await keeper.slotFor(A, 'link', NEVER)
    await keeper.renew(before.nullifier, NEVER)
    const after = await keeper.slotFor(A, 'link', NEVER)
    assert.notDeepEqual(after.opening.root, before.opening.root)
    assert.deepEqual(after.sessionKey, before.sessionKey)
    assert.deepEqual(after.nullifier, before.nullifier)
  })
})
