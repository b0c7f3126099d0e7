/**
 * What the tries of one circuit have shown (SPEC §10.3, ADR-0046). A hop that fails circuits would choose the nodes behind it if each failure had them drawn anew; so what comes after it is
 * kept and reached over another hop in its place, until two hops that have nothing in common say that a node is not there.
 * @module
 */
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import type { Trial } from './guard-trials.ts'

export type PathTriesDeps = {
  /** Nodes that are on no path of this circuit. */
  readonly excludeNodes: ReadonlySet<NodeKey> | undefined
  /** True for a node that is not there, whoever asks. */
  readonly isAbsent: (key: NodeKey) => boolean
  /** True for two nodes that may share a circuit. */
  readonly areApart: (a: PathNode, b: PathNode) => boolean
  /** Told of each guard once it is known whether the circuit failed by it. */
  readonly onTrial: (guard: NodeKey, trial: Trial) => void
}

/** How a circuit failed. */
export type FailedTry = {
  /** The place on the path of the node that was not reached, counted from 0; 0 where the guard itself failed. */
  readonly at: number
  /** False where no circuit was asked of the guard. */
  readonly isAsked: boolean
  /** It took a hop's whole time to say so. */
  readonly isSlow: boolean
  /** The hop before it is the wrong one, and says nothing against the node. */
  readonly isDetached: boolean
}

/** The tries of one circuit. */
export interface PathTries {
  readonly excluded: ReadonlySet<NodeKey>
  /** False for a node in whose place another is kept. */
  allows(key: NodeKey, isExit: boolean): boolean
  /** False where these tries have shown that the one does not reach the other. @param isStrict - nor is a guard to be had through which that was said */
  mayReach(from: NodeKey, to: NodeKey, isStrict: boolean): boolean
  /** There is no other guard: words that came through one will do. */
  takeOneGuard(): void
  /** Takes in a try that failed. True when the node that was not reached is given up by two words, or is the guard. */
  onFailed(path: readonly PathNode[], failed: FailedTry): boolean
  onBuilt(path: readonly PathNode[]): void
  /** No path reaches what is kept: gives up the first of it. False when nothing is kept. */
  release(): boolean
  /** Takes back what was released: there is nothing in its place. False when nothing was. */
  restore(): boolean
}

/** Whose word it is that a node was not reached, and the guard through which that came: it may choose who says it. */
type Word = { readonly before: PathNode; readonly guard: PathNode }

/** Creates the tries of a new circuit. */
export function createPathTries(deps: PathTriesDeps): PathTries {
  const excluded = new Set<NodeKey>(deps.excludeNodes)
  const pairs = new Set<string>()
  const guardPairs = new Set<string>()
  let isOneGuard = false
  const words = new Map<NodeKey, readonly Word[]>()
  let kept: readonly PathNode[] = []
  const released = new Set<NodeKey>()
  /** Guards that did not reach what is kept. */
  let accused = new Set<NodeKey>()

  /** Whoever did not reach a node that is given up has done nothing wrong. */
  function giveUp(key: NodeKey): void {
    excluded.add(key)
    kept = kept.slice(kept.findIndex((node) => node.key === key) + 1)
    accused = new Set()
  }

  function isConfirmed(key: NodeKey): boolean {
    if (deps.isAbsent(key)) return true
    return hasTwoVoices(words.get(key) ?? [], deps.areApart, isOneGuard)
  }

  function onGuardFailed(path: readonly PathNode[], guard: PathNode, isAsked: boolean): void {
    excluded.add(guard.key)
    kept = path.slice(1)
    if (isAsked) accused.add(guard.key)
  }

  return {
    excluded,
    allows(key, isExit) {
      const place = isExit ? kept.at(-1) : kept.at(-2)
      return !place || place.key === key
    },
    mayReach: (from, to, isStrict) =>
      !pairs.has(pairOf(from, to)) && !(isStrict && guardPairs.has(pairOf(from, to))),
    takeOneGuard: () => void (isOneGuard = true),
    onFailed(path, { at, isAsked, isSlow, isDetached }) {
      const [guard] = path
      const [before, node] = [path[at - 1], path[at]]
      if (!guard || !node) return false
      if (!before) {
        onGuardFailed(path, guard, isAsked)
        return true
      }
      pairs.add(pairOf(before.key, node.key))
      kept = path.slice(at)
      if (isDetached) return false
      guardPairs.add(pairOf(guard.key, node.key))
      words.set(node.key, [...(words.get(node.key) ?? []), { before, guard }])
      if (before === guard) accused.add(guard.key)
      const isKnown = isConfirmed(node.key)
      // A middle is not worth the time of a second wait, and the exit stays as it is.
      if (isKnown || (isSlow && at < path.length - 1)) giveUp(node.key)
      return isKnown
    },
    onBuilt([guard]) {
      for (const other of accused) deps.onTrial(other, 'failed')
      if (guard) deps.onTrial(guard.key, 'built')
    },
    release() {
      const [first] = kept
      if (!first) return false
      if (!excluded.has(first.key)) released.add(first.key)
      giveUp(first.key)
      return true
    },
    restore() {
      const keys = [...released]
      released.clear()
      return keys.filter((key) => excluded.delete(key)).length > 0
    },
  }
}

/** True where two words are of hops, and came through guards, that have nothing in common. @param isOneGuard - one guard will do */
function hasTwoVoices(
  said: readonly Word[],
  areApart: PathTriesDeps['areApart'],
  isOneGuard: boolean,
): boolean {
  const areTwo = (a: Word, b: Word): boolean =>
    areApart(a.before, b.before) && (isOneGuard || areApart(a.guard, b.guard))
  return said.some((a) => said.some((b) => areTwo(a, b)))
}

function pairOf(from: NodeKey, to: NodeKey): string {
  return `${from} ${to}`
}
