import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import {
  createZkEngine,
  JOIN_LEAVES,
  joinInput,
  joinSignals,
  type JoinWitness,
  type JoinedLeaf,
} from '@byway/zk'
import type { SignalInput } from 'snarkjs'
import { SCALAR_ORDER } from '../src/proof.ts'
import { libraryAccepts } from './library-kit.ts'
import { leafOf, pathOf, signalsOf, TAG, treeOf, UNITS_PER_SLOT } from './tree-kit.ts'

/** SPEC §14.6, from the text. */
const REST = BigInt(`0x${createHash('sha256').update('byway rest v1').digest('hex')}`) >> 8n
const SIGNALS = 9

const SMALL = [
  { secret: 501n, limit: 3 },
  { secret: 502n, limit: 4 },
  { secret: 503n, limit: 1 },
]
const LARGE = { secret: 504n, limit: 7 }
const tree = treeOf([
  ...Array.from({ length: 6 }, (_, i) => leafOf(BigInt(1000 + i), 40)),
  ...[...SMALL, LARGE].map(({ secret, limit }) => leafOf(secret, limit)),
])
const leaves: readonly JoinedLeaf[] = [...SMALL, LARGE].map((leaf, i) => ({
  ...leaf,
  path: pathOf(tree, 6 + i),
}))
const witness: JoinWitness = {
  leaves: leaves.slice(0, 3),
  root: tree.root,
  x: 777n,
  tag: TAG,
  unitsPerSlot: UNITS_PER_SLOT,
}
const restOf = (secret: bigint): bigint => poseidon3([secret, REST, 0n])
const RESTS = [...SMALL.map(({ secret }) => restOf(secret)), 0n]

const input = joinInput(witness)
/** One place of an input with other values. */
function changed(name: string, place: number, value: bigint): SignalInput {
  const before = input[name] as readonly bigint[]
  return { ...input, [name]: before.with(place, value) }
}
const publish = (some: SignalInput) => signalsOf('join', some, SIGNALS)
const refuses = (some: SignalInput) => assert.rejects(publish(some))

describe('the join program (SPEC §14.6)', () => {
  it('proves the sum of rests under their nullifiers, for this x only', async () => {
    using engine = createZkEngine()
    const { signals, proof } = await engine.prove('join', input)
    assert.deepEqual(signals, joinSignals({ ...witness, rests: RESTS, units: 8n }))
    assert.equal(signals.length, SIGNALS)
    assert.equal(await engine.verify('join', signals, proof), true)
    assert.equal(await libraryAccepts('join', { signals, proof }), true)
    for (const i of signals.keys()) {
      const other = signals.map((signal, at) => (at === i ? signal + 1n : signal))
      assert.equal(await engine.verify('join', other, proof), false, `signal ${i}`)
      const aliased = signals.map((signal, at) => (at === i ? signal + SCALAR_ORDER : signal))
      assert.equal(await engine.verify('join', aliased, proof), false, `signal ${i} aliased`)
    }
  })

  it('takes of a leaf with slots what it has beyond them, and nothing of one without a rest', async () => {
    const all = joinInput({ ...witness, leaves })
    assert.deepEqual((await publish(all)).slice(3, 5), [restOf(LARGE.secret), 10n])
    const exact = treeOf([leafOf(9n, 5)])
    const leaf = { secret: 9n, limit: 5, path: pathOf(exact, 0) }
    const none = await publish(joinInput({ ...witness, leaves: [leaf], root: exact.root }))
    assert.deepEqual([none[0], none[4]], [restOf(9n), 0n])
  })

  it('refuses to count units of a slot: its slots would outlive them', async () => {
    const all = joinInput({ ...witness, leaves })
    const split = (slots: bigint, rest: bigint): SignalInput => ({
      ...all,
      slotCounts: [0n, 0n, 0n, slots],
      restCounts: [3n, 4n, 1n, rest],
    })
    assert.deepEqual(await publish(split(1n, 2n)), await publish(all))
    for (const [slots, rest] of [
      [0n, 7n],
      [0n, 2n],
      [1n, 3n],
      [2n, SCALAR_ORDER - 3n],
      [SCALAR_ORDER - 1n, 12n],
      [2n ** 16n, 7n - 5n * 2n ** 16n + SCALAR_ORDER],
    ] as const)
      await refuses(split(slots, rest))
  })

  it('refuses a limit, a secret or a place that is not the leaf’s, and another root or tag', async () => {
    await refuses(changed('limits', 0, 4n))
    await refuses(changed('secrets', 0, 502n))
    await refuses(changed('secrets', 1, 501n))
    const [first, second] = witness.leaves
    assert.ok(first && second)
    const misplaced = [{ ...first, path: second.path }]
    await refuses(joinInput({ ...witness, leaves: misplaced }))
    await refuses(joinInput({ ...witness, root: tree.root + 1n }))
    await refuses(joinInput({ ...witness, tag: TAG + 1n }))
  })

  it('refuses limits that wrap round, or that another size of a slot would let pass', async () => {
    for (const value of [SCALAR_ORDER - 1n, 2n ** 16n, 2n ** 32n + 3n])
      await refuses(changed('limits', 3, value))
    await refuses({ ...input, unitsPerSlot: 0n })
    await refuses({ ...input, unitsPerSlot: SCALAR_ORDER - 1n })
  })

  it('counts nothing in a place that is not used, and refuses a half-used one', async () => {
    const [limits, restCounts] = [
      [3n, 4n, 1n, 4n],
      [3n, 4n, 1n, 4n],
    ]
    const filled = { ...changed('secrets', 3, 99n), limits, restCounts }
    assert.deepEqual(await publish(filled), await publish(input))
    // Used, and of no tree.
    await refuses({ ...filled, isUsed: [1n, 1n, 1n, 1n] })
    for (const value of [2n, SCALAR_ORDER - 1n]) await refuses(changed('isUsed', 0, value))
    const fewer = await publish(changed('isUsed', 0, 0n))
    assert.deepEqual(fewer.slice(0, 5), [0n, ...RESTS.slice(1), 5n])
  })

  it('shows one leaf in two places under one nullifier, which the contract takes once', async () => {
    const [first] = witness.leaves
    assert.ok(first)
    const [a, b] = await publish(joinInput({ ...witness, leaves: [first, first] }))
    assert.equal(a, b)
    assert.equal(a, restOf(first.secret))
  })

  it('does not let inner values of the tree pass for a leaf (the forgery of the two-input leaf)', async () => {
    const evil = 424_242n
    const forged = treeOf([
      leafOf(1n, 40),
      poseidon3([poseidon2([poseidon1([evil]), 4n]), 3n, TAG]),
    ])
    const path = pathOf(forged, 1)
    for (const sibling of [3n, TAG])
      for (const isLeft of [false, true]) {
        const deeper = [{ sibling, isLeft }, ...path]
        const leaf = { secret: evil, limit: 4, path: deeper }
        await refuses(joinInput({ ...witness, leaves: [leaf], root: forged.root }))
      }
  })

  it('refuses paths that begin again after their end, and choices that are neither 0 nor 1', async () => {
    const { path } = leaves[0] ?? assert.fail()
    const depth = path.length
    for (const [name, at, value] of [
      ['active', depth + 1, 1n],
      ['active', 0, 2n],
      ['isRight', 0, 2n],
      ['isRight', 0, SCALAR_ORDER - 1n],
    ] as const) {
      const rows = input[name] as readonly (readonly bigint[])[]
      const row = (rows[0] ?? assert.fail()).with(at, value)
      await refuses({ ...input, [name]: rows.with(0, row) })
    }
    assert.equal(JOIN_LEAVES, 4)
  })
})
