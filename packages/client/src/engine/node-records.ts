/**
 * What this client has seen of the nodes it used, on disk between runs: growth of a weight is bounded by the day (THREAT-MODEL T10), which means nothing to a client that
 * forgets at night. Holds no time of use, no destination, and no node that was never used.
 * @module
 */
import { observeNode } from '@byway/protocol/directory'
import type { NodeKey, NodeRecord, Observation } from '@byway/protocol/directory'
import { createNodeFile, type NodeFile, type NodeFileDeps } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes remembered; those seen longest ago are forgotten first. */
const MAX_RECORDS = 4096
/** Between two times that what was seen is stored. */
const STORE_EVERY_MS = 600_000

/** Observations of nodes. */
export interface NodeRecords extends Pick<NodeFile<NodeRecord>, 'load' | 'get' | 'flush'> {
  observe(key: NodeKey, observation: Observation): void
}

/** Creates empty records. */
export function createNodeRecords(deps: NodeFileDeps): NodeRecords {
  const file = createNodeFile<NodeRecord>(deps, {
    most: MAX_RECORDS,
    storeEveryMs: STORE_EVERY_MS,
    format: ({ goodputKbps, success, dayStartMs, dayStartKbps }) => [
      goodputKbps,
      success,
      dayStartMs,
      dayStartKbps,
    ],
    parse: recordOf,
  })
  return {
    ...file,
    observe: (key, observation) =>
      file.set(key, observeNode(file.get(key), observation, deps.nowMs())),
  }
}

function recordOf(numbers: readonly number[]): NodeRecord | undefined {
  const [goodputKbps, success, dayStartMs, dayStartKbps] = numbers
  if (goodputKbps === undefined || success === undefined || success > 1) return undefined
  if (dayStartMs === undefined || dayStartKbps === undefined) return undefined
  return { goodputKbps, success, dayStartMs, dayStartKbps }
}
