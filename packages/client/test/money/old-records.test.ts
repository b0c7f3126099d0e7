/** A client whose records were put back to an older copy: what the chain says more than they do shows it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@byway/protocol/base'
import type { NodeKey } from '@byway/protocol/directory'
import { createSlotKeeper } from '../../src/money/slot-keeper.ts'
import type { SlotKeeper } from '../../src/money/slot-keeper-types.ts'
import type { Slot } from '../../src/money/ports.ts'
import type { SlotFact } from '../../src/returns/ports.ts'
import { createTestAuthoriser, createTestJournal, slotOf } from './money-world.ts'

const NEVER = new AbortController().signal
const [A, B] = ['a', 'b'] as unknown as [NodeKey, NodeKey]
const PROVIDER = new Uint8Array(20).fill(8)

type World = {
  readonly keeper: SlotKeeper
  readonly slots: Slot[]
  readonly facts: Map<string, SlotFact>
  /** What `onOlder` was called with, in numbers of slots. */
  readonly older: number[][]
  readonly returning: Set<string>
  isRead: boolean
  fails: Error | undefined
}

async function createWorld(slots: readonly Slot[]): Promise<World> {
  const list = [...slots]
  const authoriser = createTestAuthoriser(list, () => 0)
  const facts = new Map<string, SlotFact>()
  const older: number[][] = []
  const returning = new Set<string>()
  const keeper = createSlotKeeper({
    authoriser,
    journal: createTestJournal(),
    onShown: () => {},
    nowMs: () => 1_000_000,
    onUnknown: () => {},
    onLow: () => {},
    closing: NEVER,
    isReturning: (nullifier) => returning.has(toHex(nullifier)),
    facts: {
      of: (nullifier) =>
        world.isRead
          ? (facts.get(toHex(nullifier)) ?? { state: 'none', provider: undefined })
          : undefined,
    },
    async onOlder(unrecorded) {
      older.push(unrecorded.map(([first = 0]) => first))
      if (world.fails) throw world.fails
    },
  })
  const world: World = {
    keeper,
    slots: list,
    facts,
    older,
    returning,
    isRead: true,
    fails: undefined,
  }
  await keeper.load()
  await keeper.refresh(NEVER)
  return world
}

const five = (): readonly Slot[] => [1, 2, 3, 4, 5].map((number) => slotOf(number))
const tell = (
  { facts }: Pick<World, 'facts'>,
  { nullifier }: Pick<Slot, 'nullifier'>,
  fact: Omit<SlotFact, 'provider'>,
): void => void facts.set(toHex(nullifier), { provider: PROVIDER, ...fact })

describe('records older than the chain', () => {
  for (const state of ['locked', 'lapsed', 'bound', 'refunding', 'closed'] as const) {
    it(`show by a slot that is ${state} and has no record: every slot of until now counts as shown, once`, async () => {
      const world = await createWorld(five())
      const { keeper, older, slots } = world
      const shown = await keeper.slotFor(A, 'link', NEVER)
      tell(world, slotOf(4), { state })
      await keeper.refresh(NEVER)
      await keeper.refresh(NEVER)
      assert.deepEqual(older, [[4]])
      const { unshown, unknown, inUse, over } = keeper.counts
      assert.deepEqual(
        { unshown, unknown, inUse, over },
        // What has come back is not among them.
        { unshown: 0, unknown: state === 'closed' ? 3 : 4, inUse: 0, over: 1 },
      )
      await assert.rejects(keeper.slotFor(A, 'link', NEVER), { code: 'DEPOSIT_SPENT' })
      // What is deposited after that is as good as ever.
      slots.push(slotOf(6))
      await keeper.refresh(NEVER)
      const fresh = await keeper.slotFor(A, 'link', NEVER)
      assert.notDeepEqual(fresh.nullifier, shown.nullifier)
      assert.deepEqual(fresh.nullifier, slotOf(6).nullifier)
      assert.equal(older.length, 1)
    })
  }

  it('show by a win of an index that they do not know to be signed', async () => {
    const world = await createWorld(five())
    const { keeper, older } = world
    const slot = await keeper.slotFor(A, 'tokens', NEVER)
    keeper.onSigned(slot.nullifier, 6)
    tell(world, slot, { state: 'bound', lastWin: 6 })
    await keeper.refresh(NEVER)
    assert.deepEqual(older, [], 'that one was signed by this client')
    tell(world, slot, { state: 'bound', lastWin: 7 })
    await keeper.compare()
    assert.deepEqual(older, [[]])
    assert.equal(keeper.has(A, 'tokens'), false)
    assert.equal(keeper.counts.unshown, 0)
  })

  it('are not told from what others do with a name that they know', async () => {
    const given = { ...slotOf(9), isOwnersAlone: false }
    const world = await createWorld([...five(), given])
    const { keeper, older, returning } = world
    // Withdrawn by a command; told to a relayer, which locks it; used by who gave the voucher; of a past that nobody knows.
    tell(world, slotOf(1), { state: 'withdrawn' })
    tell(world, slotOf(2), { state: 'withdrawing' })
    returning.add(toHex(slotOf(3).nullifier))
    tell(world, slotOf(3), { state: 'locked' })
    tell(world, given, { state: 'bound', lastWin: 3 })
    world.slots.push(slotOf(7, false))
    tell(world, slotOf(7), { state: 'locked' })
    await keeper.refresh(NEVER)
    assert.deepEqual(older, [])
    // None of them is shown to anybody all the same.
    assert.equal(keeper.counts.unshown, 2)
    const shown = [await keeper.slotFor(A, 'link', NEVER), await keeper.slotFor(B, 'link', NEVER)]
    assert.deepEqual(
      shown.map(({ nullifier }) => nullifier[0]),
      [4, 5],
    )
  })

  it('are not looked for while the chain is not read, and are found once it is', async () => {
    const world = await createWorld(five())
    const { keeper, older } = world
    world.isRead = false
    tell(world, slotOf(4), { state: 'locked' })
    await keeper.refresh(NEVER)
    assert.deepEqual(older, [])
    world.isRead = true
    await keeper.compare()
    assert.deepEqual(older, [[4]])
  })

  it('stay found until everybody has heard of it', async () => {
    const world = await createWorld(five())
    const { keeper, older } = world
    tell(world, slotOf(4), { state: 'locked' })
    world.fails = new Error('the disk is full')
    await assert.rejects(keeper.compare(), world.fails)
    assert.equal(keeper.counts.unshown, 0, 'nothing is shown meanwhile')
    world.fails = undefined
    await keeper.compare()
    await keeper.compare()
    assert.deepEqual(older, [[4], [4]])
  })
})
