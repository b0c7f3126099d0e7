/**
 * What each guard gives as a whole (SPEC §10.3, ADR-0048): the middle one of what came lately over paths with different nodes behind it. A node's goodput is read beside that, for a guard's own line
 * says nothing of nodes; and a guard that gives clearly less than another is found out. On disk between runs, as bare numbers: behind a guard that is seldom used a level takes days.
 * @module
 */
import { parseNodeKey } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'
import { createNodeFile, setNewest, type NodeFile, type NodeFileDeps } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes of which the newest goodput is kept, for each guard: few, so that a client that comes to another line has another level soon. */
const MAX_NODES = 24
/** Between two times that levels are stored. */
const STORE_EVERY_MS = 600_000
/** More than are in use at a time. */
const MAX_GUARDS = 6
/** Nodes that make a level: one alone would be measured by itself. */
const LEAST_NODES = 5
/** Nodes behind another guard that a guard must have given less than: lines are now fast, now slow. */
const LEAST_BESIDE = 12
/** A guard is slow that gives less than this part of what comes through another at the same time. */
const SLOW_PART = 0.25
/** What is older says nothing of a guard's line today. */
const FRESH_MS: number = 12 * 3_600_000

/** How much less than another a guard gives. */
export type SlowGuard = {
  /** Nodes behind the other one. */
  readonly nodes: number
  /** The middle one of the parts, 0 to 1. */
  readonly part: number
}

/** The levels. */
export interface GuardLevels extends Pick<NodeFile<number>, 'load' | 'flush'> {
  /** Takes in what came over a path with this node behind this guard. */
  note(guard: NodeKey, node: NodeKey, kbps: number): void
  /** kbit/s; undefined while too few nodes were used behind it. */
  of(guard: NodeKey): number | undefined
  /** Undefined unless clearly more came through this other guard than the guard gave at that time. Meant for one that is in use: the level of another is old. */
  slowness(guard: NodeKey, other: NodeKey): SlowGuard | undefined
}

type Measured = {
  readonly kbps: number
  readonly atMs: number
  /** What each guard gave then: this client's own line may be another by now. */
  readonly levels: ReadonlyMap<NodeKey, number>
}

export type GuardLevelsDeps = NodeFileDeps & { readonly monotonicMs: () => number }

/** Creates levels of nobody. */
export function createGuardLevels(deps: GuardLevelsDeps): GuardLevels {
  const { monotonicMs } = deps
  const file = createNodeFile<readonly number[], NodeKey>(deps, {
    parseKey: parseNodeKey,
    most: MAX_GUARDS,
    storeEveryMs: STORE_EVERY_MS,
    format: (goodputs) => goodputs.map(Math.round),
    parse: (goodputs) => (goodputs.length <= MAX_NODES ? goodputs : undefined),
  })
  const guards = new Map<NodeKey, Map<NodeKey, Measured>>()
  /** Of the run before, until there are enough of this one. */
  const earlier = new Map<NodeKey, readonly number[]>()

  /** The newest last. */
  function goodputsOf(guard: NodeKey): readonly number[] {
    const now = [...(guards.get(guard)?.values() ?? [])].map(({ kbps }) => kbps)
    return [...(earlier.get(guard) ?? []), ...now].slice(-MAX_NODES)
  }

  function levelOf(guard: NodeKey): number | undefined {
    const goodputs = goodputsOf(guard)
    return goodputs.length < LEAST_NODES ? undefined : middleOf(goodputs)
  }

  return {
    async load() {
      await file.load()
      for (const key of file.keys()) earlier.set(key, file.get(key) ?? [])
    },
    flush: () => file.flush(),
    note(guard, node, kbps) {
      const nodes = guards.get(guard) ?? new Map<NodeKey, Measured>()
      const levels = new Map(
        [...guards.keys()].flatMap((key) => {
          const level = levelOf(key)
          return key === guard || level === undefined ? [] : [[key, level] as const]
        }),
      )
      setNewest(nodes, node, { kbps, atMs: monotonicMs(), levels }, MAX_NODES)
      setNewest(guards, guard, nodes, MAX_GUARDS)
      file.set(guard, goodputsOf(guard))
    },
    of: levelOf,
    slowness(guard, other) {
      const sinceMs = monotonicMs() - FRESH_MS
      const parts = [...(guards.get(other)?.values() ?? [])].flatMap(({ kbps, atMs, levels }) => {
        const level = levels.get(guard)
        return level === undefined || atMs <= sinceMs ? [] : [level / kbps]
      })
      const part = middleOf(parts)
      return parts.length >= LEAST_BESIDE && part < SLOW_PART
        ? { nodes: parts.length, part }
        : undefined
    },
  }
}

/** The lower one of two in the middle; 1 of none. */
function middleOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[(numbers.length - 1) >> 1] ?? 1
}
