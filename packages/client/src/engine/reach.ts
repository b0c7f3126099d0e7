/**
 * What circuits show of who is there and by whose word, and how they fare behind each guard (SPEC §10.3): the records that learn from them, in one place.
 * @module
 */
import type { Logger } from '@byway/protocol/base'
import { mayShareCircuit } from '@byway/protocol/directory'
import type { Doubter, NodeKey, PathNode } from '@byway/protocol/directory'
import { createAbsentNodes, type AbsentNodes } from './absent-nodes.ts'
import { createGuardTrials, type GuardTrials } from './guard-trials.ts'
import { setNewest } from './node-file.ts'
import type { NodeUptimes } from './node-uptimes.ts'

export type ReachDeps = {
  readonly nodeOf: (key: NodeKey) => PathNode | undefined
  readonly primary: () => readonly NodeKey[]
  readonly uptimes: Pick<NodeUptimes, 'note'>
  /** True for a guard that gives clearly less than another. @default none does */
  readonly isSlow?: ((guard: NodeKey) => boolean) | undefined
  readonly log: Pick<Logger, 'warn'>
  /** Monotonic. */
  readonly monotonicMs: () => number
  /** Wall clock. */
  readonly nowMs: () => number
}

/** The records. */
export interface Reach {
  readonly absent: AbsentNodes
  readonly trials: GuardTrials
  /** True for a guard that is used last: more fails behind it than behind the others, or less comes. */
  isSuspect(guard: NodeKey): boolean
  /** The primary guards, those that are used last at the end. */
  guards(): readonly NodeKey[]
  /** A circuit reached a node over the hop before it, or at once. */
  reached(key: NodeKey, over: Doubter): void
  /** A circuit through this guard did not, by whose word. */
  missed(key: NodeKey, by: Doubter, guard: NodeKey): void
  /** A tunnel was refused at the end of this path, entry first. */
  onRefused(path: readonly PathNode[]): void
  /** A circuit over these nodes, entry first, was ended, and its exit was reached again. */
  onEnded(path: readonly PathNode[]): void
}

// Local limits (tunable): docs/LIMITS.md.
/** Circuits between one guard and one exit that end within so long count as one: their link has broken. */
const ENDED_TOGETHER_MS = 60_000
/** Such pairs that are remembered. */
const MAX_ENDED = 256

/** Creates empty records. */
export function createReach(deps: ReachDeps): Reach {
  const { nodeOf, primary, uptimes, log, monotonicMs, nowMs } = deps
  const absent = createAbsentNodes({
    nowMs: monotonicMs,
    areApart(a, b) {
      const [first, second] = [nodeOf(a), nodeOf(b)]
      return first !== undefined && second !== undefined && mayShareCircuit(first, second)
    },
  })
  const trials = createGuardTrials({
    primary,
    nowMs: monotonicMs,
    onSuspect: ({ tried, failed }) =>
      log.warn('circuits fail behind one guard more than behind the others: it is used last', {
        count: failed,
        circuits: tried,
      }),
  })
  const isSuspect = (guard: NodeKey): boolean =>
    trials.isSuspect(guard) || deps.isSlow?.(guard) === true
  const endedAtMs = new Map<string, number>()
  return {
    absent,
    trials,
    isSuspect,
    guards: () => primary().toSorted((a, b) => Number(isSuspect(a)) - Number(isSuspect(b))),
    reached(key, over) {
      absent.reached(key, over)
      uptimes.note(key, { type: 'seen', atMs: nowMs() })
    },
    missed(key, by, guard) {
      // Where there is one guard only, nobody else can be asked.
      absent.missed(key, by, primary().length < 2 ? undefined : guard)
      const isOwnWord = by === key
      uptimes.note(key, isOwnWord ? { type: 'gone', atMs: nowMs() } : { type: 'doubt', by })
    },
    onRefused([guard, ...others]) {
      const exit = others.at(-1) ?? guard
      // What ended the circuit came in the clear: it is the guard's word, whatever it says.
      if (guard && exit) absent.missed(exit.key, guard.key)
    },
    onEnded([guard, exit, ...others]) {
      // Of three hops nobody knows which it was.
      if (!guard || !exit || others.length > 0) return
      const pair = `${guard.key} ${exit.key}`
      const sinceMs = monotonicMs() - (endedAtMs.get(pair) ?? Number.NEGATIVE_INFINITY)
      if (sinceMs < ENDED_TOGETHER_MS) return
      setNewest(endedAtMs, pair, monotonicMs(), MAX_ENDED)
      trials.note(guard.key, 'ended')
    },
  }
}
