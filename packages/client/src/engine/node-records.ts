/**
 * What this client has seen of the nodes it used, on disk between runs. How fast they are beside others, as each guard shows it, is guard-speeds.ts. Holds no time of use, no destination, and no node that was never used.
 * @module
 */
import { observeNode, parseNodeKey } from '@byway/protocol/directory'
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
  const file = createNodeFile<NodeRecord, NodeKey>(deps, {
    parseKey: parseNodeKey,
    most: MAX_RECORDS,
    storeEveryMs: STORE_EVERY_MS,
    format: ({ goodputKbps, success }) => [goodputKbps, success],
    parse: recordOf,
  })
  return {
    ...file,
    observe: (key, observation) => file.set(key, observeNode(file.get(key), observation)),
  }
}

function recordOf([goodputKbps, success]: readonly number[]): NodeRecord | undefined {
  if (goodputKbps === undefined || success === undefined || success > 1) return undefined
  return { goodputKbps, success }
}
