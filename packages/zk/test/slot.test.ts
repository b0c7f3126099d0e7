import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { poseidon3 } from 'poseidon-lite'
import {
  assertSetUpServes,
  createZkEngine,
  MAX_SLOT_DEPTH,
  type Proved,
  slotInput,
  slotSignals,
  type SlotWitness,
  type ZkEngine,
} from '@byway/zk'
import type { SignalInput } from 'snarkjs'
import { SCALAR_ORDER } from '../src/proof.ts'
import { FORGED_LIMIT, FORGER, forgeLeaves } from './forged-leaves.ts'
import { libraryAccepts } from './library-kit.ts'
import {
  DOMAIN,
  leafOf,
  pathOf,
  signalsOf as programSignals,
  TAG,
  treeOf,
  UNITS_PER_SLOT,
} from './tree-kit.ts'

const SECRET = 0x5ec2e7n

const others = Array.from({ length: 10 }, (_, i) => leafOf(BigInt(1000 + i), 40))
/** Eleven leaves, so that a path has levels without a sibling. */
const tree = treeOf([...others, leafOf(SECRET, 40)])

const witness: SlotWitness = {
  secret: SECRET,
  limit: 40,
  j: 7,
  path: pathOf(tree, 10),
  domain: DOMAIN,
  x: 777n,
  tag: TAG,
  unitsPerSlot: UNITS_PER_SLOT,
}

const signalsOf = (input: SignalInput): Promise<readonly bigint[]> =>
  programSignals('slot', input, 6)

describe('the slot program (SPEC §13.2)', () => {
  let engine: ZkEngine
  let made: Proved
  before(async () => {
    engine = createZkEngine()
    made = await engine.prove('slot', slotInput(witness))
  })
  after(() => engine[Symbol.dispose]())
  const refuses = (change: Partial<SlotWitness>) =>
    assert.rejects(engine.prove('slot', slotInput({ ...witness, ...change })), {
      code: 'ZK_FALSE_STATEMENT',
    })

  it('proves the last slot of a deposit, with the root and the nullifier that everybody computes', async () => {
    const { root } = tree
    const nullifier = poseidon3([SECRET, DOMAIN, 7n])
    assert.deepEqual(await signalsOf(slotInput(witness)), made.signals)
    const expected = slotSignals({ ...witness, root, nullifier })
    assert.deepEqual(made.signals, expected)
    assert.equal(made.proof.length, 256)
    assert.equal(await engine.verify('slot', made.signals, made.proof), true)
    assert.equal(await libraryAccepts('slot', made), true)
  })

  it('refuses a slot that reaches over the end of the deposit', async () => {
    await refuses({ j: 8 })
    // Forty-four units hold eight slots; the ninth begins inside.
    const wide = treeOf([...others, leafOf(SECRET, 44)])
    const inside = { ...witness, limit: 44, path: pathOf(wide, 10) }
    assert.equal((await signalsOf(slotInput({ ...inside, j: 7 })))[0], wide.root)
    await assert.rejects(signalsOf(slotInput({ ...inside, j: 8 })))
  })

  it('refuses slot numbers and limits that do not have 32 bits', async () => {
    const input = slotInput(witness)
    // The slot whose end wraps round to 5.
    const wrapping = (5n * 123n - 1n) % SCALAR_ORDER
    for (const change of [
      { j: SCALAR_ORDER - 1n },
      { j: 2n ** 32n },
      { j: wrapping << 40n },
      { limit: 2n ** 32n },
    ]) {
      await assert.rejects(engine.prove('slot', { ...input, ...change }), {
        code: 'ZK_FALSE_STATEMENT',
      })
    }
  })

  it('gives another root for what was not deposited: another limit, tag, secret or place', async () => {
    const changes: Partial<SlotWitness>[] = [
      { limit: 4000 },
      { tag: TAG + 1n },
      { secret: SECRET + 1n },
      { path: pathOf(tree, 3) },
      { path: witness.path.slice(1) },
    ]
    for (const change of changes) {
      const [root] = await signalsOf(slotInput({ ...witness, ...change }))
      assert.notEqual(root, tree.root)
    }
  })

  it('does not let a depositor of one slot pass inner values off as a leaf (the forgery of the two-input leaf)', async () => {
    // zk-programs/test/forged-leaves.test.ts shows that it succeeds where a leaf has two.
    const forged = forgeLeaves((idc, limit, tag) => poseidon3([idc, limit, tag]))
    for (const path of forged.paths) {
      const claim = { ...witness, secret: FORGER, limit: FORGED_LIMIT, j: 13_000, path }
      const [root] = await signalsOf(slotInput(claim))
      assert.notEqual(root, forged.root)
    }
  })

  it('refuses a path that begins again after its end, and choices that are neither 0 nor 1', async () => {
    const input = slotInput(witness)
    const pad = (values: readonly bigint[]): bigint[] =>
      Array.from({ length: MAX_SLOT_DEPTH }, (_, i) => values[i] ?? 0n)
    for (const change of [
      { active: pad([1n, 0n, 1n]) },
      { active: pad([0n, 1n]) },
      { active: pad([2n]) },
      { active: pad([1n, 1n, SCALAR_ORDER - 1n]) },
      { isRight: pad([2n]) },
      { isRight: pad([SCALAR_ORDER - 1n]) },
    ]) {
      await assert.rejects(engine.prove('slot', { ...input, ...change }), {
        code: 'ZK_FALSE_STATEMENT',
      })
    }
  })

  it('verifies nothing but this proof for these signals', async () => {
    for (let i = 0; i < made.signals.length; i++) {
      const other = made.signals.map((signal, at) => (at === i ? signal + 1n : signal))
      assert.equal(await engine.verify('slot', other, made.proof), false, `signal ${i}`)
      // The same value in another form.
      const aliased = made.signals.map((signal, at) => (at === i ? signal + SCALAR_ORDER : signal))
      assert.equal(await engine.verify('slot', aliased, made.proof), false, `signal ${i} aliased`)
    }
    for (let at = 0; at < made.proof.length; at += 13) {
      const changed = made.proof.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.equal(await engine.verify('slot', made.signals, changed), false, `byte ${at}`)
    }
    // A point at infinity in the place of A, of B and of C; groth16-verify.test.ts has those of proofs that hold otherwise.
    for (const [from, to] of [
      [0, 64],
      [64, 192],
      [192, 256],
    ]) {
      const identity = made.proof.slice()
      identity.fill(0, from, to)
      assert.equal(await engine.verify('slot', made.signals, identity), false)
    }
    for (const bytes of [
      new Uint8Array(0),
      new Uint8Array(256),
      new Uint8Array(256).fill(255),
      made.proof.subarray(1),
    ]) {
      assert.equal(await engine.verify('slot', made.signals, bytes), false)
    }
  })

  it('refuses to guard money under the development set-up anywhere but on the local chain', async () => {
    await assertSetUpServes(31_337)
    for (const chainId of [1, 10, 42_161, 8453]) {
      await assert.rejects(assertSetUpServes(chainId), { code: 'ZK_DEVELOPMENT_SET_UP' })
    }
  })
})
