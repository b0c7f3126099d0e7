/** Leaves, trees and paths as the contract makes them, and what a program publishes for an input. */
import { LeanIMT } from '@zk-kit/lean-imt'
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite'
import { wtns, type SignalInput } from 'snarkjs'
import type { LeafPath, ProgramName } from '@byway/zk'
import { readProvingFiles } from '../src/artefacts.ts'

export const TAG = 7001n
export const DOMAIN = 42n
export const UNITS_PER_SLOT = 5n

export const leafOf = (secret: bigint, limit: number): bigint =>
  poseidon3([poseidon1([secret]), BigInt(limit), TAG])

export function treeOf(leaves: readonly bigint[]): LeanIMT {
  const tree = new LeanIMT((left, right) => poseidon2([left, right]))
  tree.insertMany([...leaves])
  return tree
}

export function pathOf(in_: LeanIMT, index: number): LeafPath {
  const { siblings, index: bits } = in_.generateProof(index)
  return siblings.map((sibling, i) => ({ sibling, isLeft: ((bits >> i) & 1) === 1 }))
}

/** The first public signals of an input, without a proof: forty times as fast. Rejects where a constraint breaks. */
export async function signalsOf(
  program: ProgramName,
  input: SignalInput,
  count: number,
): Promise<readonly bigint[]> {
  const { wasm } = await readProvingFiles(program)
  const witnessFile: { type: 'mem'; data?: Uint8Array } = { type: 'mem' }
  await wtns.calculate(input, wasm, witnessFile)
  return (await wtns.exportJson(witnessFile)).slice(1, 1 + count)
}
