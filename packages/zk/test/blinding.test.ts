/**
 * Proofs of one statement show nothing in common: each is blinded anew, so that all three of its points are as good as random whatever the witness is. Without it two proofs from one witness are
 * the same bytes, and those of witnesses that share a part may be recognised by it.
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  createZkEngine,
  joinInput,
  type ProgramName,
  slotInput,
  withdrawInput,
  type ZkEngine,
} from '@byway/zk'
import type { SignalInput } from 'snarkjs'
import { readProvingFiles } from '../src/artefacts.ts'
import { createGroth16 } from '../src/groth16.ts'
import { createWitnessMaker } from '../src/witness.ts'
import { DOMAIN, leafOf, pathOf, TAG, treeOf, UNITS_PER_SLOT } from './tree-kit.ts'

const SECRET = 0x5ec2e7n
const LIMIT = 43
const tree = treeOf([...[1n, 2n, 3n].map((other) => leafOf(other, 4)), leafOf(SECRET, LIMIT)])
const owned = { secret: SECRET, limit: LIMIT, path: pathOf(tree, 3) }
const shown = { x: 777n, tag: TAG, unitsPerSlot: UNITS_PER_SLOT }

/** A witness of each program that speaks for a payer. */
const INPUTS: readonly (readonly [ProgramName, SignalInput])[] = [
  ['slot', slotInput({ ...owned, ...shown, j: 7, domain: DOMAIN })],
  ['join', joinInput({ ...shown, leaves: [owned], root: tree.root })],
  [
    'withdraw-unused',
    withdrawInput({ ...owned, ...shown, slots: [7, 0, 3], withRest: true, domain: DOMAIN }),
  ],
]
/** Where each point stands in a proof. */
const POINTS = [
  ['A', 0, 64],
  ['B', 64, 192],
  ['C', 192, 256],
] as const

function sharedPoints(one: Uint8Array, other: Uint8Array): readonly string[] {
  return POINTS.filter(
    ([, from, to]) => Buffer.compare(one.slice(from, to), other.slice(from, to)) === 0,
  ).map(([name]) => name)
}

describe('two proofs of one witness (SPEC §13.2, §14.4, §14.6)', () => {
  let engine: ZkEngine
  before(() => {
    engine = createZkEngine({ provers: 1 })
  })
  after(() => engine[Symbol.dispose]())

  for (const [program, input] of INPUTS) {
    it(`hold, and have no point in common: ${program}`, async () => {
      const one = await engine.prove(program, input)
      const other = await engine.prove(program, input)
      assert.deepEqual(one.signals, other.signals)
      for (const { signals, proof } of [one, other])
        assert.equal(await engine.verify(program, signals, proof), true)
      assert.deepEqual(sharedPoints(one.proof, other.proof), [])
    })
  }

  it('would be the same bytes if the blinds were', async () => {
    const [program, input] = INPUTS[0] ?? assert.fail()
    const { wasm, zkey } = await readProvingFiles(program)
    const witness = createWitnessMaker(wasm)(input)
    const prove = createGroth16(program, zkey, () => ({ r: 1n, s: 1n }))
    const [one, other] = [prove(witness), prove(witness)]
    assert.equal(await engine.verify(program, one.signals, one.proof), true)
    assert.deepEqual(sharedPoints(one.proof, other.proof), ['A', 'B', 'C'])
  })
})
