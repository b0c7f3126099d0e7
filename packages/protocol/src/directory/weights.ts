/**
 * How much a node is chosen: what this client measured of it, never what it claims (THREAT-MODEL T10). Moving
 * averages of goodput and success, with growth bounded per day so that a burst of good service buys little. Pure.
 * @module
 */

/** What is kept of one node; plain data, may be stored. */
export type NodeRecord = {
  /** Moving average, kbit/s. */
  readonly goodputKbps: number
  /** Moving average of successes, 0 to 1. */
  readonly success: number
  /** Start of the day that growth is counted in. */
  readonly dayStartMs: number
  /** The goodput counted at the start of that day; it may at most double within it. */
  readonly dayStartKbps: number
}

/** One thing that this client saw of a node. */
export type Observation =
  | { readonly type: 'transfer'; readonly bytes: number; readonly durationMs: number }
  | { readonly type: 'success' }
  | { readonly type: 'failure' }

/** Takes in one observation. @param record - undefined for a node never used */
export function observeNode(
  record: NodeRecord | undefined,
  observation: Observation,
  nowMs: number,
): NodeRecord {
  const today = startDay(record ?? newRecord(nowMs), nowMs)
  if (observation.type !== 'transfer') {
    const outcome = observation.type === 'success' ? 1 : 0
    return { ...today, success: mix(today.success, outcome, SUCCESS_SHARE) }
  }
  if (!(observation.bytes >= MIN_TRANSFER_BYTES) || !(observation.durationMs > 0)) return today
  const kbps = (observation.bytes * 8) / observation.durationMs
  const goodputKbps = mix(today.goodputKbps, Math.min(kbps, MAX_KBPS), GOODPUT_SHARE)
  return { ...today, goodputKbps: Math.min(goodputKbps, GROWTH_PER_DAY * today.dayStartKbps) }
}

/**
 * Returns the weight of a node, always positive: a node that failed is chosen rarely, not never, or it could not
 * recover. A new node weighs {@link NEW_NODE_WEIGHT}; success counts squared.
 */
export function weightOfNode(record: NodeRecord | undefined): number {
  if (!record) return NEW_NODE_WEIGHT
  const { speed, success } = measuredFactors(record)
  return Math.max(MIN_WEIGHT, speed * success)
}

/** What speed and success make of a node that was used; their product is its weight unless that is below the least. */
export function measuredFactors(record: NodeRecord | undefined): {
  readonly speed: number
  readonly success: number
} {
  if (!record) return { speed: NEW_NODE_WEIGHT, success: 1 }
  return { speed: record.goodputKbps / NEW_NODE_KBPS, success: record.success ** 2 }
}

function newRecord(nowMs: number): NodeRecord {
  return { goodputKbps: NEW_NODE_KBPS, success: 1, dayStartMs: nowMs, dayStartKbps: NEW_NODE_KBPS }
}

/** Growth in idle days is not saved up: however long ago the day began, the next starts from what is counted now. */
function startDay(record: NodeRecord, nowMs: number): NodeRecord {
  if (nowMs - record.dayStartMs < DAY_MS) return record
  const dayStartKbps = Math.max(record.goodputKbps, FLOOR_KBPS)
  return { ...record, dayStartMs: nowMs, dayStartKbps }
}

function mix(old: number, now: number, share: number): number {
  return old + (now - old) * share
}

/** The weight of a node that this client knows nothing about. */
export const NEW_NODE_WEIGHT = 1

// Local limits (tunable).

/** A new node counts as a slow home line until it has shown more. */
const NEW_NODE_KBPS = 1000
/** Below this nothing could double its way back within a week. */
const FLOOR_KBPS = 50
/** A faster measurement says more about a burst than about a line. */
const MAX_KBPS = 1_000_000
/** THREAT-MODEL T10: "clipped at ×2 per day". */
const GROWTH_PER_DAY = 2
/** A quarter for the newest: four slow transfers of a liar outweigh its past. */
const GOODPUT_SHARE = 0.25
const SUCCESS_SHARE = 0.1
const MIN_WEIGHT = 0.01
/** Shorter transfers measure the round trip, not the goodput. */
const MIN_TRANSFER_BYTES = 65_536
const DAY_MS = 86_400_000
