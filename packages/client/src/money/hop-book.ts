/**
 * Which nodes a paying client prefers (DESIGN §7.2): those that hold a slot of its already, since each further one locks money for days; none that asks too much, and for a
 * while none that took pay and broke its side of it.
 * @module
 */
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import type { TrafficClass } from '@byway/protocol/wire'
import type { PathPlace } from '../engine/circuit-source.ts'
import type { SlotKeeper } from './slot-keeper-types.ts'
import { priceStepOf } from './tariff.ts'
import type { Tariff } from './tariff.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Hops after the entry that a client spreads its circuits over: a few exits and the relays before them. */
const FAMILIAR_HOPS = 6
/** How much less another one weighs then: chosen when the request leaves no other, or chance will have it. */
const STRANGER_SHARE = 0.001
/** How much less a hop weighs of which no tokens are in stock, when somebody waits: a purchase takes the issue delay. */
const UNPROVIDED_SHARE = 1e-6
/** A hop that cheated is left alone for so long. */
const SHUN_MS = 6 * 3_600_000
/** One that would not sell, or could not be reached to; four times as long each further time within a shunning. */
const AVOID_MS = 60_000
const AVOID_FACTOR = 4
const MAX_SHUNNED = 4096

export type HopBookDeps = {
  readonly slots: Pick<SlotKeeper, 'has' | 'left'>
  readonly nodeOf: (key: NodeKey) => PathNode | undefined
  /** Tokens of it are in stock. */
  readonly isStocked: (key: NodeKey) => boolean
  readonly tariffOf: (node: PathNode) => Tariff | undefined
  /** The dearest price step that is paid. */
  readonly maxPriceStep: number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** What a payer makes of a hop for a while. */
export type HopStanding =
  /** No less than of others. */
  | 'usual'
  /** It took pay and broke its side of it, or sold nothing when it was asked. */
  | 'left'
  | 'too-dear'
  /** It has no slot of this client's, and there is none left to show. */
  | 'no-slot'
  /** It has none, and as many others have as circuits are spread over. */
  | 'beyond'

/** How much less a hop weighs for what it is to a payer. */
export const STANDING_FACTORS: Readonly<Record<HopStanding, number>> = {
  usual: 1,
  left: 0,
  'too-dear': 0,
  'no-slot': 0,
  beyond: STRANGER_SHARE,
}

/** Judges nodes. */
export interface HopBook {
  /** How much less than its weight a node has in a place on a path, 0 to 1, among those that are paid; undefined for one that asks nothing. */
  preferenceOf(key: NodeKey, place: PathPlace): number | undefined
  /** What that rests on, but for tokens in stock. @param trafficClass - at an exit; undefined for a middle */
  standingOf(key: NodeKey, trafficClass: TrafficClass | undefined): HopStanding
  /** It asks for more than is paid for traffic of this class. */
  isTooDear(key: NodeKey, trafficClass: TrafficClass | undefined): boolean
  /** It took pay and broke its side of it. */
  shun(key: NodeKey): void
  /** It sells nothing at the moment. */
  avoid(key: NodeKey): void
  /** It is left alone now. */
  isLeft(key: NodeKey): boolean
}

/** Creates an empty book. */
export function createHopBook(deps: HopBookDeps): HopBook {
  const untilMs = new Map<NodeKey, number>()
  /** How long each was avoided the last time, and when that was. */
  const avoided = new Map<NodeKey, { readonly forMs: number; readonly atMs: number }>()

  function leave(key: NodeKey, forMs: number): void {
    const endMs = deps.nowMs() + forMs
    untilMs.set(key, Math.max(untilMs.get(key) ?? 0, endMs))
    for (const [other, atMs] of untilMs) {
      if (untilMs.size <= MAX_SHUNNED && atMs > deps.nowMs()) break
      untilMs.delete(other)
    }
  }

  function isLeft(key: NodeKey): boolean {
    return (untilMs.get(key) ?? 0) > deps.nowMs()
  }

  function avoid(key: NodeKey): void {
    const nowMs = deps.nowMs()
    const last = avoided.get(key)
    const isRepeated = last !== undefined && nowMs - last.atMs < SHUN_MS
    // Several purchases that fail together are one refusal.
    if (isRepeated && nowMs - last.atMs < last.forMs) return
    const forMs = isRepeated ? Math.min(SHUN_MS, last.forMs * AVOID_FACTOR) : AVOID_MS
    avoided.delete(key)
    avoided.set(key, { forMs, atMs: nowMs })
    const [oldest] = avoided.keys()
    if (avoided.size > MAX_SHUNNED && oldest !== undefined) avoided.delete(oldest)
    leave(key, forMs)
  }

  function isTooDear(key: NodeKey, trafficClass: TrafficClass | undefined): boolean {
    const node = deps.nodeOf(key)
    if (!node || !isPaid(key)) return false
    return priceStepOf(node, trafficClass) > deps.maxPriceStep
  }

  function isPaid(key: NodeKey): boolean {
    const node = deps.nodeOf(key)
    return node !== undefined && deps.tariffOf(node) !== undefined
  }

  function standingOf(key: NodeKey, trafficClass: TrafficClass | undefined): HopStanding {
    if (isLeft(key)) return 'left'
    if (!isPaid(key)) return 'usual'
    if (isTooDear(key, trafficClass)) return 'too-dear'
    if (deps.slots.has(key, 'tokens')) return 'usual'
    const { unshown, inUse } = deps.slots.left
    if (unshown === 0) return 'no-slot'
    return inUse < FAMILIAR_HOPS ? 'usual' : 'beyond'
  }

  function preferenceOf(key: NodeKey, { isAhead, trafficClass }: PathPlace): number | undefined {
    const standing = standingOf(key, trafficClass)
    if (standing === 'usual' && !isPaid(key)) return undefined
    const isReady = isAhead || deps.isStocked(key)
    return STANDING_FACTORS[standing] * (isReady ? 1 : UNPROVIDED_SHARE)
  }

  return {
    preferenceOf,
    standingOf,
    isTooDear,
    shun: (key) => leave(key, SHUN_MS),
    avoid,
    isLeft,
  }
}
