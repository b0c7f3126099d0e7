/**
 * Nodes that a circuit has just not reached. For a while they are chosen last: a node that is gone would cost every other circuit the time of finding that out again.
 *
 * Who says that a node is not there is the hop before it, and may lie (THREAT-MODEL T7): its word holds for paths through itself. For all paths it takes two hops that have nothing in
 * common and whose words came through two such guards, what this client saw itself, or the node's own word.
 * @module
 */
import type { Doubter, NodeKey } from '@byway/protocol/directory'
import { setNewest } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A node that was started again is back sooner; one that has gone is asked for again at growing distances. */
const REST_MIN_MS = 30_000
const MAX_REST_MS = 600_000
/** Nodes remembered; those heard of longest ago are forgotten first. */
const MAX_ABSENT = 4096
/** Hops whose word about one node is remembered: guards, and relays that it is attached to. */
const MAX_WORDS = 16

/** Who was not there lately. */
export interface AbsentNodes {
  /** A circuit has not reached a node, by the word of the hop before it, of this client, or of the node itself. @param guard - through which that came, where it is a hop's word */
  missed(key: NodeKey, by: Doubter, guard?: NodeKey): void
  /** A circuit has reached it over this hop, or at once. What others said of it holds for paths through them. */
  reached(key: NodeKey, over: Doubter): void
  /** True for a node that is not there, whoever asks. */
  isAbsent(key: NodeKey): boolean
  /** True when this hop said lately that it does not reach the node. */
  isAbsentFor(key: NodeKey, by: Doubter): boolean
}

type Word = {
  /** Through which it came: a guard may choose who says it. */
  readonly guard: Doubter
  readonly restMs: number
  readonly untilMs: number
  /** False once the node was reached over somebody else. */
  readonly isOpen: boolean
}

type Said = readonly [by: Doubter, word: Word]

export type AbsentNodesDeps = {
  /** Monotonic. */
  readonly nowMs: () => number
  /** True for two nodes that may share a circuit: one party's are one voice. */
  readonly areApart: (a: NodeKey, b: NodeKey) => boolean
}

/** Creates an empty record, which lives in memory. */
export function createAbsentNodes({ nowMs, areApart }: AbsentNodesDeps): AbsentNodes {
  const records = new Map<NodeKey, Map<Doubter, Word>>()

  const isAbsentFor = (key: NodeKey, by: Doubter): boolean =>
    (records.get(key)?.get(by)?.untilMs ?? 0) > nowMs()

  return {
    missed(key, by, guard) {
      // Circuits that were under way together show one absence.
      if (isAbsentFor(key, by)) return
      const words = records.get(key) ?? new Map<Doubter, Word>()
      const last = words.get(by)
      const restMs = last ? Math.min(MAX_REST_MS, 2 * last.restMs) : REST_MIN_MS
      setNewest(
        words,
        by,
        { guard: guard ?? by, restMs, untilMs: nowMs() + restMs, isOpen: true },
        MAX_WORDS,
      )
      setNewest(records, key, words, MAX_ABSENT)
    },
    reached(key, over) {
      const words = records.get(key)
      if (!words) return
      for (const [by, word] of words) {
        if (by === over || standsAlone(key, by)) words.delete(by)
        else words.set(by, { ...word, isOpen: false })
      }
      if (words.size === 0) records.delete(key)
    },
    isAbsent(key) {
      const words = [...(records.get(key) ?? [])].filter(
        ([, { isOpen, untilMs }]) => isOpen && untilMs > nowMs(),
      )
      const areTwo = ([a, said]: Said, [b, saidToo]: Said): boolean =>
        areVoices(a, b) && areVoices(said.guard, saidToo.guard)
      return words.some((a) => standsAlone(key, a[0]) || words.some((b) => areTwo(a, b)))
    },
    isAbsentFor,
  }

  function areVoices(a: Doubter, b: Doubter): boolean {
    return a !== 'self' && b !== 'self' && areApart(a, b)
  }
}

/** What needs nobody who agrees. */
function standsAlone(key: NodeKey, by: Doubter): boolean {
  return by === 'self' || by === key
}
