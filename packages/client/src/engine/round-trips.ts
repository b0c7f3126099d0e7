/**
 * Who answered sooner than light comes from where it says it is (docs/PLACE.md). A circuit that was built is a round trip to its last hop over all hops before: no hop, and not the client, is
 * farther from it than light goes in that time, there and back. Nothing is asked of anybody, and nobody's word is taken but that of tables about addresses.
 * @module
 */
import { KM_PER_RTT_MS, leastKmBetween } from '@byway/protocol/directory'
import type { NodeKey, PathNode, PlaceAuthority } from '@byway/protocol/directory'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes of which round trips are remembered; those seen longest ago are forgotten first. */
const MAX_NODES = 4096
/** Observers of one node. */
const MAX_OBSERVERS = 16
/** One alone may be where its table does not know. */
const ENOUGH_OBSERVERS = 2
/** The coarse table that comes with the program is wrong more often: one more. */
const ENOUGH_COARSE = 3
/** From each side of the measurement: tables take borders a little otherwise. */
const SLACK_KM = 100

/** This client, as an observer. */
export const SELF = 'self'

/** Somebody whose place is known by a table. */
export type Observer = {
  readonly key: NodeKey | typeof SELF
  readonly country: string
  readonly by: PlaceAuthority
}

/** Why a node is not where it says. */
export type TooNear = {
  /** How many observers it is too near to. */
  readonly observers: number
  /** Of the clearest of them: where it is, the least time in which the node answered, and the least kilometres between. */
  readonly country: string
  readonly rttMs: number
  readonly km: number
}

/** The least times. */
export interface RoundTrips {
  /** A circuit over these nodes, entry first, was built in this time. @param own - where this client is; undefined when nobody says */
  onBuilt(path: readonly PathNode[], buildMs: number, own: Observer | undefined): void
  /** What speaks against the country that a node claims; undefined while that is possible. */
  tooNear(node: PathNode): TooNear | undefined
}

type Least = { readonly rttMs: number; readonly country: string; readonly by: PlaceAuthority }

/** Creates an empty record, which lives in memory: a liar shows itself again. */
export function createRoundTrips(): RoundTrips {
  const records = new Map<NodeKey, Map<Observer['key'], Least>>()

  function note(key: NodeKey, observer: Observer, rttMs: number): void {
    const seen = records.get(key) ?? new Map<Observer['key'], Least>()
    records.delete(key)
    records.set(key, seen)
    const { country, by } = observer
    const last = seen.get(observer.key)
    // Whoever moved, or of whom the tables say another place now, begins anew.
    if (last && last.country === country && last.rttMs <= rttMs) return
    seen.delete(observer.key)
    seen.set(observer.key, { rttMs, country, by })
    forgetFirst(seen, MAX_OBSERVERS)
    forgetFirst(records, MAX_NODES)
  }

  return {
    onBuilt(path, buildMs, own) {
      const observers = [own, ...path.map(observerOf)]
      // Where the observers themselves cannot be that near one of them is not where its table says.
      if (!isPossible(observers, buildMs)) return
      for (const [at, { key }] of path.entries()) {
        for (const observer of observers.slice(0, at + 1))
          if (observer) note(key, observer, buildMs)
      }
    },
    tooNear({ key, entry }) {
      const claimed = entry.descriptor.country
      const seen = records.get(key)
      if (claimed === '' || !seen) return undefined
      const against = [...seen.values()].flatMap((least) => {
        const km = leastKmBetween(least.country, claimed) ?? 0
        return isTooFar(km, least.rttMs) ? [{ ...least, km }] : []
      })
      const strong = against.filter(({ by }) => by !== 'built-in').length
      if (strong < ENOUGH_OBSERVERS && against.length < ENOUGH_COARSE) return undefined
      const [clearest] = against.toSorted((a, b) => spareKm(b) - spareKm(a))
      if (!clearest) return undefined
      const { country, rttMs, km } = clearest
      return { observers: against.length, country, rttMs, km }
    },
  }
}

/** A node is an observer where a table knows its address: its own word would let two liars accuse a third. */
function observerOf({ key, country, countryBy, isMisplaced }: PathNode): Observer | undefined {
  if (countryBy === undefined || countryBy === 'claim' || countryBy === 'relays') return undefined
  if (isMisplaced) return undefined
  return { key, country, by: countryBy }
}

/** The way from one to the next is no longer than light goes. */
function isPossible(observers: readonly (Observer | undefined)[], rttMs: number): boolean {
  const known = observers.filter((each) => each !== undefined)
  const km = known.reduce((sum, { country }, at) => {
    const next = known[at + 1]
    return next ? sum + (leastKmBetween(country, next.country) ?? 0) : sum
  }, 0)
  return !isTooFar(km, rttMs)
}

function isTooFar(km: number, rttMs: number): boolean {
  return km > rttMs * KM_PER_RTT_MS + 2 * SLACK_KM
}

function spareKm({ km, rttMs }: { readonly km: number; readonly rttMs: number }): number {
  return km - rttMs * KM_PER_RTT_MS
}

function forgetFirst<K, V>(map: Map<K, V>, most: number): void {
  const [first] = map.keys()
  if (map.size > most && first !== undefined) map.delete(first)
}
