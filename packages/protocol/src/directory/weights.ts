/**
 * How much a node is chosen: what this client measured of it, never what it claims (THREAT-MODEL T10). Moving
 * averages of goodput and success; what guards make of speed is speed-voice.ts. Pure.
 * @module
 */

/** What is kept of one node; plain data, may be stored. */
export type NodeRecord = {
  /** Moving average, kbit/s: told to people, and in no weight, since it is what guards let through. */
  readonly goodputKbps: number
  /** Moving average of successes, 0 to 1. */
  readonly success: number
}

/** One thing that this client saw of a node. */
export type Observation =
  | { readonly type: 'transfer'; readonly bytes: number; readonly durationMs: number }
  | { readonly type: 'success' }
  | { readonly type: 'failure' }

/** Takes in one observation. @param record - undefined for a node never used */
export function observeNode(record: NodeRecord | undefined, observation: Observation): NodeRecord {
  const { goodputKbps, success } = record ?? NEW_RECORD
  if (observation.type !== 'transfer') {
    const outcome = observation.type === 'success' ? 1 : 0
    return { goodputKbps, success: mix(success, outcome, SUCCESS_SHARE) }
  }
  const kbps = goodputOf(observation)
  if (kbps === undefined) return { goodputKbps, success }
  const share = goodputKbps > 0 ? GOODPUT_SHARE : 1
  return { goodputKbps: mix(goodputKbps, kbps, share), success }
}

/** Goodput of a transfer in kbit/s; undefined where it was too short to say. */
export function goodputOf({
  bytes,
  durationMs,
}: {
  readonly bytes: number
  readonly durationMs: number
}): number | undefined {
  if (!(bytes >= MIN_TRANSFER_BYTES) || !(durationMs > 0)) return undefined
  return Math.min((bytes * 8) / durationMs, MAX_KBPS)
}

/**
 * Returns the weight of a node, always positive: a node that failed is chosen rarely, not never, or it could not
 * recover. Success counts squared.
 * @param speed - beside other nodes, as guards agree (`agreedRatio`), times what they agree on of its latency
 */
export function weightOfNode(record: NodeRecord | undefined, speed = 1): number {
  return Math.max(MIN_WEIGHT, NEW_NODE_WEIGHT * speed * successFactor(record))
}

/** What success makes of a node's weight. */
export function successFactor(record: NodeRecord | undefined): number {
  return (record?.success ?? 1) ** 2
}

const NEW_RECORD: NodeRecord = { goodputKbps: 0, success: 1 }

function mix(old: number, now: number, share: number): number {
  return old + (now - old) * share
}

/** The weight of a node that this client knows nothing about. */
export const NEW_NODE_WEIGHT = 1

// Local limits (tunable).

/** A faster measurement says more about a burst than about a line. */
const MAX_KBPS = 1_000_000
/** A quarter for the newest. */
const GOODPUT_SHARE = 0.25
const SUCCESS_SHARE = 0.1
const MIN_WEIGHT = 0.01
/** Shorter transfers measure the round trip, not the goodput. */
const MIN_TRANSFER_BYTES = 65_536
