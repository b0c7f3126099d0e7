import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { poseidon3 } from 'poseidon-lite'
import {
  createZkEngine,
  WITHDRAW_SLOTS,
  withdrawInput,
  withdrawSignals,
  type WithdrawWitness,
} from '@byway/zk'
import type { SignalInput } from 'snarkjs'
import { SCALAR_ORDER } from '../src/proof.ts'
import { libraryAccepts } from './library-kit.ts'
import { DOMAIN, leafOf, pathOf, signalsOf, TAG, treeOf, UNITS_PER_SLOT } from './tree-kit.ts'

/** SPEC §14.4, from the text. */
const REST = BigInt(`0x${createHash('sha256').update('byway rest v1').digest('hex')}`) >> 8n
const SIGNALS = 23
const SECRET = 0x5ec2e7n
/** Eight slots and three units. */
const LIMIT = 43
const tree = treeOf([
  ...Array.from({ length: 10 }, (_, i) => leafOf(BigInt(1000 + i), 40)),
  leafOf(SECRET, LIMIT),
])
const witness: WithdrawWitness = {
  domain: DOMAIN,
  x: 777n,
  tag: TAG,
  unitsPerSlot: UNITS_PER_SLOT,
  secret: SECRET,
  limit: LIMIT,
  slots: [7, 0, 3],
  withRest: true,
  path: pathOf(tree, 10),
}
const nullifierOf = (j: number): bigint => poseidon3([SECRET, DOMAIN, BigInt(j)])
const NULLIFIERS = Array.from({ length: WITHDRAW_SLOTS }, (_, i) =>
  i < 3 ? nullifierOf([7, 0, 3][i] ?? 0) : 0n,
)
const REST_NULLIFIER = poseidon3([SECRET, REST, 0n])

const input = withdrawInput(witness)
const changed = (name: string, place: number, value: bigint): SignalInput => ({
  ...input,
  [name]: (input[name] as readonly bigint[]).with(place, value),
})
const publish = (some: SignalInput) => signalsOf('withdraw-unused', some, SIGNALS)
const refuses = (some: SignalInput) => assert.rejects(publish(some))

describe('the withdrawal program (SPEC §14.4)', () => {
  it('proves chosen slots of one leaf and the units beyond them, for this x only', async () => {
    using engine = createZkEngine()
    const { signals, proof } = await engine.prove('withdraw-unused', input)
    const shown = { ...witness, root: tree.root, nullifiers: NULLIFIERS }
    assert.deepEqual(signals, withdrawSignals({ ...shown, rest: REST_NULLIFIER, restUnits: 3n }))
    assert.equal(signals.length, SIGNALS)
    assert.equal(await engine.verify('withdraw-unused', signals, proof), true)
    assert.equal(await libraryAccepts('withdraw-unused', { signals, proof }), true)
    for (const i of signals.keys()) {
      const other = signals.map((signal, at) => (at === i ? signal + 1n : signal))
      assert.equal(await engine.verify('withdraw-unused', other, proof), false, `signal ${i}`)
    }
    const aliased = signals.map((signal) => signal + SCALAR_ORDER)
    assert.equal(await engine.verify('withdraw-unused', aliased, proof), false)
  })

  it('shows the rest only where asked', async () => {
    const signals = await publish(withdrawInput({ ...witness, withRest: false }))
    assert.deepEqual(signals.slice(0, 19), [tree.root, ...NULLIFIERS, 0n, 0n])
    for (const value of [2n, SCALAR_ORDER - 1n]) await refuses({ ...input, isRestUsed: value })
  })

  it('refuses a slot beyond the deposit, or one whose number has more bits', async () => {
    for (const j of [8n, 65_535n, 65_536n, SCALAR_ORDER - 1n]) await refuses(changed('js', 1, j))
    // In a place that is not used such a number counts for nothing.
    assert.deepEqual(await publish(changed('js', 5, 8n)), await publish(input))
    await refuses(changed('js', 5, 65_536n))
  })

  it('refuses another split of the deposit: more slots, a rest with a slot in it, values that wrap round', async () => {
    for (const [slotCount, restCount] of [
      [7n, 8n],
      [9n, SCALAR_ORDER - 2n],
      [8n, 4n],
      [0n, 43n],
      // slotCount · 5 + 0 = 43 in the field.
      [(43n + SCALAR_ORDER) / 5n, 0n],
    ] as const)
      await refuses({ ...input, slotCount, restCount })
    await refuses({ ...input, unitsPerSlot: 0n })
    await refuses({ ...input, unitsPerSlot: 4n })
  })

  it('gives another root for what was not deposited: another limit, tag, secret or place', async () => {
    for (const change of [
      { limit: 48 },
      { tag: TAG + 1n },
      { secret: SECRET + 1n },
      { path: pathOf(tree, 3) },
      { path: witness.path.slice(1) },
    ]) {
      const [root] = await publish(withdrawInput({ ...witness, ...change }))
      assert.notEqual(root, tree.root)
    }
  })

  it('counts nothing in a place that is not used, and refuses a half-used one', async () => {
    for (const value of [2n, SCALAR_ORDER - 1n]) await refuses(changed('isUsed', 0, value))
    const [, first, second] = await publish(changed('isUsed', 0, 0n))
    assert.deepEqual([first, second], [0n, NULLIFIERS[1]])
  })

  it('shows one slot in two places under one nullifier, which the contract takes once', async () => {
    const [, a, b] = await publish(withdrawInput({ ...witness, slots: [4, 4] }))
    assert.deepEqual([a, b], [nullifierOf(4), nullifierOf(4)])
  })

  it('refuses paths that begin again after their end, and choices that are neither 0 nor 1', async () => {
    const depth = witness.path.length
    for (const [name, at, value] of [
      ['active', depth + 1, 1n],
      ['active', 0, 2n],
      ['isRight', 0, 2n],
      ['isRight', 0, SCALAR_ORDER - 1n],
    ] as const)
      await refuses(changed(name, at, value))
  })
})
