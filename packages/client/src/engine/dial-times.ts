/**
 * Which exits connect later than others of their country: perhaps they send connections on to elsewhere (docs/PLACE.md). From BEGIN to CONNECTED passes the circuit's round trip and the exit's
 * own dial. What is left without the round trip is small for what is near, and most of what people open is near to everybody; a further way behind the exit is in all of it.
 * Of a stream only that time stays, without its destination, and in memory alone.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { type LateReason, mayShareCircuit } from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { setNewest } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Exits of which times are kept; those used longest ago are forgotten first. */
const MAX_EXITS = 1024
/** The newest times of an exit. */
const MAX_TIMES = 64
/** An exit of which fewer are known is held against nobody. */
const LEAST_TIMES = 32
/** Tunnels that these came in: one application may have far destinations alone. */
const LEAST_TUNNELS = 2
/** A tunnel counts from so many destinations on: one that leads to a single far one says nothing of its exit. */
const LEAST_DESTINATIONS = 4
/** Of an exit's times the one below which so large a part lies: names that are known already, places that are near. */
const LOW_PART = 0.125
/** Other exits of a country, at least. */
const LEAST_OTHERS = 3
/** A slow line's own part: cables of copper, mobile. */
const LEAST_LATE_MS = 25
/** Where the others differ among themselves, so many times as much as they do. */
const SPREADS = 3

/** A tunnel as its streams are timed. */
export type TimedTunnel = {
  readonly path: readonly PathNode[]
  /** How often it has moved to another circuit. */
  readonly rejoins: number
  /** The least round trip of its present circuit, ms. */
  readonly baseRttMs: number
}

/** What exits need beyond the round trip to them. */
export interface DialTimes {
  /** Times a stream that was just begun. @param connected - resolves when the exit says so */
  watch(tunnel: TimedTunnel, host: string, connected: Promise<unknown>): void
  /** Takes one time beyond the round trip, of a tunnel's stream to a destination that the tunnel has not had yet. */
  note(exit: NodeKey, tunnel: object, extraMs: number): void
  /** Those that connect clearly later than others of their country. */
  late(nodes: readonly PathNode[]): ReadonlyMap<NodeKey, LateReason>
}

type Times = {
  readonly extraMs: readonly number[]
  /** Up to {@link LEAST_TUNNELS}. */
  readonly tunnels: number
}
/** Destinations of a living tunnel as six bits each, under a salt that goes with the tunnel. */
type Marks = { readonly salt: Uint8Array; readonly seen: Set<number>; held: number[] }

/** @param nowMs - monotonic */
export function createDialTimes(nowMs: () => number): DialTimes {
  const exits = new Map<NodeKey, Times>()
  const marks = new WeakMap<object, Marks>()
  const counted = new WeakSet<object>()

  function note(exit: NodeKey, tunnel: object, extraMs: number): void {
    const { extraMs: before = [], tunnels = 0 } = exits.get(exit) ?? {}
    const isNew = !counted.has(tunnel)
    counted.add(tunnel)
    setNewest(
      exits,
      exit,
      {
        extraMs: [...before, Math.max(0, extraMs)].slice(-MAX_TIMES),
        tunnels: Math.min(LEAST_TUNNELS, tunnels + Number(isNew)),
      },
      MAX_EXITS,
    )
  }

  function lowOf(key: NodeKey): number | undefined {
    const times = exits.get(key)
    if (!times || times.tunnels < LEAST_TUNNELS || times.extraMs.length < LEAST_TIMES) {
      return undefined
    }
    return quantile(times.extraMs, LOW_PART)
  }

  return {
    watch(tunnel, host, connected) {
      const exit = tunnel.path.at(-1)?.key
      const beganMs = nowMs()
      const { rejoins } = tunnel
      const onConnected = (): void => {
        // What moved to another circuit meanwhile took longer for that.
        if (exit === undefined || tunnel.rejoins !== rejoins) return
        const mine = marksOf(marks, tunnel)
        const mark = markOf(mine.salt, host)
        if (mine.seen.has(mark)) return
        mine.seen.add(mark)
        mine.held.push(nowMs() - beganMs - tunnel.baseRttMs)
        if (mine.seen.size < LEAST_DESTINATIONS) return
        for (const extraMs of mine.held.splice(0)) note(exit, tunnel, extraMs)
      }
      connected.then(onConnected, () => {})
    },
    note,
    late(nodes) {
      const known = nodes.flatMap((node) => {
        const lowMs = node.country === '' ? undefined : lowOf(node.key)
        return lowMs === undefined ? [] : [{ node, lowMs }]
      })
      return new Map(
        known.flatMap(({ node, lowMs }) => {
          // Friends could be late together.
          const others = known.filter(
            (other) => other.node.country === node.country && mayShareCircuit(other.node, node),
          )
          const byMs = lateBy(
            lowMs,
            others.map((other) => other.lowMs),
          )
          if (byMs === undefined) return []
          const { country } = node
          return [[node.key, { reason: 'connects-late', byMs, country, others: others.length }]]
        }),
      )
    },
  }
}

/** How much later than the middle one of the others, where that is clear. */
function lateBy(lowMs: number, others: readonly number[]): number | undefined {
  if (others.length < LEAST_OTHERS) return undefined
  const usual = quantile(others, 0.5)
  const spread = quantile(
    others.map((each) => Math.abs(each - usual)),
    0.5,
  )
  const byMs = lowMs - usual
  return byMs > Math.max(LEAST_LATE_MS, SPREADS * spread) ? byMs : undefined
}

/** The value at that part of the sorted values, of which there is one at least. */
function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(part * (sorted.length - 1))] ?? 0
}

function marksOf(marks: WeakMap<object, Marks>, tunnel: object): Marks {
  const known = marks.get(tunnel)
  if (known) return known
  const fresh: Marks = { salt: randomBytes(16), seen: new Set(), held: [] }
  marks.set(tunnel, fresh)
  return fresh
}

function markOf(salt: Uint8Array, host: string): number {
  const [first = 0] = createHash('sha256').update(salt).update(host).digest()
  return first & 63
}
