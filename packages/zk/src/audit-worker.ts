/**
 * The program of a thread that hashes a part of an audit tree: some leaves, or some nodes, and the levels above them.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { type AuditLeaf, type AuditNode, leafNode, levelsOver } from './audit-levels.ts'
import { createFastPoseidon } from './fast-poseidon.ts'

/** What a thread is asked. */
export type HashTask = {
  readonly lowest:
    | { readonly of: 'leaves'; readonly leaves: readonly AuditLeaf[] }
    | { readonly of: 'nodes'; readonly nodes: readonly AuditNode[] }
  /** Levels above the lowest. */
  readonly height: number
}

const hashes = createFastPoseidon()

parentPort?.on('message', ({ lowest, height }: HashTask) => {
  const { of } = lowest
  const nodes = of === 'leaves' ? lowest.leaves.map((leaf) => leafNode(leaf, hashes)) : lowest.nodes
  parentPort?.postMessage(levelsOver(nodes, height, hashes) satisfies AuditNode[][])
})
