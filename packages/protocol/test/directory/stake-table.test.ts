import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createStakeTable,
  ownersIn,
  type ProvenChange,
  type StakeChange,
} from '@byway/protocol/directory'
import { id } from './registry.ts'

const provider = (number: number): Uint8Array => new Uint8Array(20).fill(number)
const OWNER = new Uint8Array(20).fill(99)
const registered = (node: number, stake: bigint): StakeChange => ({
  type: 'registered',
  nodeId: id(node),
  owner: OWNER,
  stake,
})

test('a stake counts for the one node that its provider registered (SPEC §14.7)', () => {
  const table = createStakeTable(100n)
  table.apply(provider(1), registered(1, 150n), 5)
  assert.equal(table.stakeOf({ provider: provider(1), nodeId: id(1) }), 150n)
  assert.equal(table.stakeOf({ provider: provider(1), nodeId: id(2) }), 0n)
  assert.equal(table.stakeOf({ provider: provider(2), nodeId: id(1) }), 0n)
  assert.equal(table.stakeOf({ provider: undefined, nodeId: id(1) }), 0n)
  assert.deepEqual([table.hasNode(id(1)), table.hasNode(id(2))], [true, false])
})

test('says who put a stake down', () => {
  const table = createStakeTable(100n)
  const claim = { provider: provider(1), nodeId: id(1) }
  const listeners: (() => void)[] = []
  const onChange = (listener: () => void) => {
    listeners.push(listener)
    return () => {}
  }
  const ownerOf = ownersIn({ view: table, onChange })
  assert.equal(ownerOf?.(claim), undefined)
  table.apply(provider(1), registered(1, 150n), 5)
  for (const listener of listeners) listener()
  assert.deepEqual(ownerOf?.(claim), OWNER)
  assert.equal(ownerOf({ ...claim, nodeId: id(2) }), undefined)
  table.apply(provider(1), { type: 'unbonding' }, 6)
  assert.deepEqual(ownerOf(claim), OWNER, 'until it is told of the change')
  for (const listener of listeners) listener()
  assert.equal(ownerOf(claim), undefined)
  assert.equal(ownersIn(undefined), undefined)
})

test('active is what has nine tenths of the smallest stake and does not leave', () => {
  const table = createStakeTable(100n)
  const claim = { provider: provider(1), nodeId: id(1) }
  table.apply(provider(1), registered(1, 100n), 1)
  table.apply(provider(1), { type: 'stake', stake: 90n }, 2)
  assert.equal(table.stakeOf(claim), 90n)
  table.apply(provider(1), { type: 'stake', stake: 89n }, 3)
  assert.deepEqual([table.stakeOf(claim), table.activeCount], [0n, 0])
  table.apply(provider(1), { type: 'stake', stake: 100n }, 4)
  table.apply(provider(1), { type: 'unbonding' }, 5)
  assert.deepEqual([table.stakeOf(claim), table.activeStake, table.hasNode(id(1))], [0n, 0n, false])
  table.apply(provider(1), { type: 'left' }, 6)
  assert.deepEqual(table.records(), [])
})

test('two registrations of one node id: it is known until the last has gone', () => {
  const table = createStakeTable(1n)
  table.apply(provider(1), registered(7, 5n), 1)
  table.apply(provider(2), registered(7, 5n), 1)
  table.apply(provider(1), { type: 'unbonding' }, 2)
  assert.equal(table.hasNode(id(7)), true)
  table.apply(provider(2), { type: 'unbonding' }, 3)
  assert.equal(table.hasNode(id(7)), false)
})

test('starts from stored records', () => {
  const table = createStakeTable(1n)
  table.apply(provider(1), registered(1, 5n), 1)
  table.apply(provider(2), registered(2, 7n), 1)
  table.apply(provider(2), { type: 'unbonding' }, 2)
  const again = createStakeTable(1n, table.records())
  assert.deepEqual(again.records(), table.records())
  assert.deepEqual([again.activeStake, again.activeCount], [5n, 1])
})

test('what was proven goes with the stake behind it, the newest epochs only', () => {
  const table = createStakeTable(1n)
  const claim = { provider: provider(1), nodeId: id(1) }
  table.apply(provider(1), { type: 'proven', epoch: 1, fees: 3n }, 1)
  assert.deepEqual(table.provenOf(claim), [], 'of nobody who is registered')
  table.apply(provider(1), registered(1, 5n), 1)
  for (let epoch = 2; epoch < 12; epoch++)
    table.apply(provider(1), { type: 'proven', epoch, fees: BigInt(epoch) }, epoch)
  assert.deepEqual(
    table.provenOf(claim).map(({ epoch }) => epoch),
    [4, 5, 6, 7, 8, 9, 10, 11],
  )
  table.undo(provider(1))
  assert.equal(table.provenOf(claim).at(-1)?.epoch, 10)
  assert.deepEqual(table.provenOf({ ...claim, nodeId: id(2) }), [])
  table.apply(provider(1), { type: 'unbonding' }, 12)
  assert.deepEqual(table.provenOf(claim), [])
})

const change: fc.Arbitrary<StakeChange | ProvenChange> = fc.oneof(
  fc.tuple(fc.nat(3), fc.bigInt(0n, 200n)).map(([node, stake]) => registered(node, stake)),
  fc.bigInt(0n, 200n).map((stake): StakeChange => ({ type: 'stake', stake })),
  fc.nat(20).map((epoch): ProvenChange => ({ type: 'proven', epoch, fees: 1n })),
  fc.constantFrom<StakeChange>({ type: 'unbonding' }, { type: 'left' }),
)

test('taking back what a reorganisation took back leaves what was before, with its sums', () => {
  const changes = fc.array(fc.tuple(fc.nat(3), change), { maxLength: 30 })
  fc.assert(
    fc.property(changes, changes, fc.nat(40), (kept, undone, settledAt) => {
      const table = createStakeTable(100n)
      const expected = createStakeTable(100n)
      let block = 0
      for (const [who, what] of kept) {
        block++
        table.apply(provider(who), what, block)
        expected.apply(provider(who), what, block)
      }
      for (const [who, what] of undone) table.apply(provider(who), what, ++block)
      table.settle(Math.min(settledAt, kept.length))
      for (const [who] of undone.toReversed()) table.undo(provider(who))
      const sorted = (of: typeof table) =>
        of.records().toSorted((a, b) => (a.provider[0] ?? 0) - (b.provider[0] ?? 0))
      assert.deepEqual(sorted(table), sorted(expected))
      assert.deepEqual(
        [table.activeStake, table.activeCount],
        [expected.activeStake, expected.activeCount],
      )
    }),
    { numRuns: 500 },
  )
})
