/**
 * What each guard gives as a whole (SPEC §10.3, ADR-0048): the middle one of what came lately over paths with different nodes behind it. A node's goodput is read beside that, for a guard's own line
 * says nothing of nodes; and a guard that gives clearly less than another is found out.
 * @module
 */
import { parseNodeKey } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'
import { createNewestNumbers, type NewestNumbers } from './newest-numbers.ts'
import { setNewest, type NodeFileDeps } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes behind each guard whose newest goodput is held against other guards. */
const MAX_NODES = 24
/** More than are in use at a time. */
const MAX_GUARDS = 6
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
export interface GuardLevels extends Pick<NewestNumbers<NodeKey>, 'load' | 'flush'> {
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
  const goodputs = createNewestNumbers<NodeKey>(deps, { parseKey: parseNodeKey, most: MAX_GUARDS })
  const guards = new Map<NodeKey, Map<NodeKey, Measured>>()

  function levelOf(guard: NodeKey): number | undefined {
    const sorted = goodputs.sorted(guard)
    return sorted && middleOf(sorted)
  }

  return {
    load: () => goodputs.load(),
    flush: () => goodputs.flush(),
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
      goodputs.note(guard, node, kbps)
    },
    of: levelOf,
    slowness(guard, other) {
      const sinceMs = monotonicMs() - FRESH_MS
      const parts = [...(guards.get(other)?.values() ?? [])].flatMap(({ kbps, atMs, levels }) => {
        const level = levels.get(guard)
        return level === undefined || atMs <= sinceMs ? [] : [level / kbps]
      })
      const part = middleOf(parts.toSorted((a, b) => a - b))
      return parts.length >= LEAST_BESIDE && part < SLOW_PART
        ? { nodes: parts.length, part }
        : undefined
    },
  }
}

/** The lower one of two in the middle; 1 of none. */
function middleOf(sorted: readonly number[]): number {
  return sorted[(sorted.length - 1) >> 1] ?? 1
}
