/**
 * Links that a node without a public port keeps open, so that circuits can reach it: of up to six relays named in its
 * descriptor, three are live. A dead one is replaced at once, a failing one left alone for a while. Which ones is attachment-choice.ts.
 * @module
 */
import type { Link } from '@byway/protocol/link'
import type { LinkRuntime } from '@byway/net'
import type { DirectoryEntry, NodeKey, PathNode, UnitRandom } from '@byway/protocol/directory'
import { chooseCandidates, LIVE_ATTACHMENTS, nextToDial } from './attachment-choice.ts'

// Local limits (tunable).
/** Between dials of one relay that fail, doubling. */
const RETRY_MIN_MS = 500
const RETRY_MAX_MS = 60_000
/** Shorter than a client's: another candidate can be tried instead. */
const DIAL_TIMEOUT_MS = 5000
/** A link that lived shorter counts as a failed dial: a relay that takes links and drops them must not be dialled in a circle. */
const STEADY_MS = 60_000
/** A candidate that fails for minutes makes way for another relay, one at a time: each change is an edition of the descriptor, of which others take six at once and then one in two hours (THREAT-MODEL T12). */
const REPLACE_MS = 600_000
/** After this long without a dial a relay that failed may be tried again. */
const FORGIVEN_MS = 3_600_000

export type AttachmentDeps = {
  /** Public relays that this node may attach to, in any order: it is others who made it. */
  readonly relays: () => readonly PathNode[]
  readonly random: UnitRandom
  readonly linkOf: (nodeId: Uint8Array) => Link | undefined
  readonly dial: (entry: DirectoryEntry, signal: AbortSignal) => Promise<Link>
  /** The candidates changed: a new edition of the descriptor is due. */
  readonly onCandidates: (nodeIds: readonly Uint8Array[]) => void
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  readonly setTimer: LinkRuntime['setTimer']
}

/** The attachments of one node. */
export interface Attachments {
  readonly candidates: readonly DirectoryEntry[]
  readonly liveCount: number
  /** Looks again, once in this turn however often it is called: after start, when a link has closed, when the directory has grown. */
  maintain(): void
  stop(): void
}

/** Creates the keeper; nothing is dialled before the first `maintain`. */
export function createAttachments(deps: AttachmentDeps): Attachments {
  return new Keeper(deps)
}

type Rest = { readonly delayMs: number; readonly untilMs: number }

class Keeper implements Attachments {
  #nodes: readonly PathNode[] = []
  readonly #deps: AttachmentDeps
  readonly #stop = new AbortController()
  readonly #dialling = new Set<NodeKey>()
  readonly #rests = new Map<NodeKey, Rest>()
  /** Since when the links stand that were dialled here. */
  readonly #upSinceMs = new Map<NodeKey, number>()
  #replacedAtMs = Number.NEGATIVE_INFINITY
  #timer: ReturnType<LinkRuntime['setTimer']> | undefined
  #isScheduled = false

  constructor(deps: AttachmentDeps) {
    this.#deps = deps
  }

  get candidates(): readonly DirectoryEntry[] {
    return this.#nodes.map(({ entry }) => entry)
  }

  get liveCount(): number {
    return this.#nodes.filter((node) => this.#isLive(node)).length
  }

  maintain(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      this.#look()
    })
  }

  stop(): void {
    this.#stop.abort()
    this.#timer?.cancel()
  }

  #look(): void {
    if (this.#stop.signal.aborted) return
    const nowMs = this.#deps.nowMs()
    this.#noteClosed(nowMs)
    this.#choose(nowMs)
    const busy = this.#nodes.filter((node) => this.#dialling.has(node.key) || this.#isLive(node))
    const others = this.#nodes.filter((node) => !busy.includes(node))
    let idle = others.filter(({ key }) => (this.#rests.get(key)?.untilMs ?? 0) <= nowMs)
    for (let next = nextToDial(busy, idle); next; next = nextToDial(busy, idle)) {
      const { key, entry } = next
      busy.push(next)
      idle = idle.filter((node) => node.key !== key)
      void this.#dial(entry)
    }
    const resting = others.filter((node) => !busy.includes(node))
    if (busy.length < LIVE_ATTACHMENTS || nextToDial(busy, resting)) this.#lookAgain()
  }

  #isLive({ entry }: PathNode): boolean {
    return this.#deps.linkOf(entry.descriptor.nodeId) !== undefined
  }

  #noteClosed(nowMs: number): void {
    for (const node of this.#nodes) {
      const sinceMs = this.#upSinceMs.get(node.key)
      if (sinceMs === undefined || this.#isLive(node)) continue
      this.#upSinceMs.delete(node.key)
      if (nowMs - sinceMs < STEADY_MS) this.#rest(node.key, nowMs)
      else this.#rests.delete(node.key)
    }
  }

  #rest(key: NodeKey, nowMs: number): void {
    const doubled = (this.#rests.get(key)?.delayMs ?? RETRY_MIN_MS / 2) * 2
    const delayMs = Math.min(RETRY_MAX_MS, doubled)
    this.#rests.set(key, { delayMs, untilMs: nowMs + delayMs })
  }

  /** Keeps those that are still listed and stand apart; fills up from the rest. Publishes only when the list changed. */
  #choose(nowMs: number): void {
    const relays = this.#deps.relays()
    const known = new Set(this.#nodes.map(({ key }) => key))
    const fresh = relays.filter(({ key }) => !known.has(key) && !this.#isHopeless(key, nowMs))
    const kept = this.#keptFirst(relays)
    const { random } = this.#deps
    const isNew = ({ key }: PathNode): boolean => !known.has(key)
    let chosen = chooseCandidates({ kept, fresh, random })
    if (!chosen.some(isNew) && this.#mayReplace(nowMs)) {
      for (const hopeless of kept.filter((node) => this.#isLost(node, nowMs))) {
        const others = kept.filter((node) => node !== hopeless)
        const replaced = chooseCandidates({ kept: others, fresh, random })
        if (!replaced.some(isNew)) continue
        chosen = replaced
        this.#replacedAtMs = nowMs
        break
      }
    }
    const isSame = chosen.length === known.size && !chosen.some(isNew)
    this.#nodes = chosen
    if (!isSame) this.#deps.onCandidates(chosen.map(({ entry }) => entry.descriptor.nodeId))
  }

  /**
   * Candidates that are still listed, as they are listed now. First those that say of themselves what they said before, or one could push out another by taking
   * its family for its own; then those with a link.
   */
  #keptFirst(relays: readonly PathNode[]): readonly PathNode[] {
    const listed = new Map(relays.map((node) => [node.key, node]))
    const kept = this.#nodes.flatMap((old) => {
      const node = listed.get(old.key)
      if (!node) return []
      const rank = (isSamePlace(old, node) ? 0 : 2) + (this.#isLive(node) ? 0 : 1)
      return [{ node, rank }]
    })
    return kept.toSorted((one, other) => one.rank - other.rank).map(({ node }) => node)
  }

  #mayReplace(nowMs: number): boolean {
    return this.liveCount < LIVE_ATTACHMENTS && nowMs - this.#replacedAtMs >= REPLACE_MS
  }

  #isLost(node: PathNode, nowMs: number): boolean {
    return this.#isHopeless(node.key, nowMs) && !this.#isLive(node)
  }

  #isHopeless(key: NodeKey, nowMs: number): boolean {
    const rest = this.#rests.get(key)
    return rest?.delayMs === RETRY_MAX_MS && nowMs - rest.untilMs < FORGIVEN_MS
  }

  async #dial(entry: DirectoryEntry): Promise<void> {
    this.#dialling.add(entry.key)
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      await this.#deps.dial(entry, signal)
      this.#upSinceMs.set(entry.key, this.#deps.nowMs())
    } catch {
      this.#rest(entry.key, this.#deps.nowMs())
    } finally {
      this.#dialling.delete(entry.key)
      this.maintain()
    }
  }

  #lookAgain(): void {
    this.#timer?.cancel()
    this.#timer = this.#deps.setTimer(() => this.maintain(), RETRY_MIN_MS)
  }
}

function isSamePlace(a: PathNode, b: PathNode): boolean {
  const groupsOf = ({ prefixGroups, asns, owners }: PathNode): string =>
    [...prefixGroups, ...asns, ...owners].join()
  return a === b || groupsOf(a) === groupsOf(b)
}
