/**
 * Links that a node without a public port keeps open, so that circuits can reach it: of up to six relays named in its
 * descriptor, three are live. A dead one is replaced at once, a failing one left alone for a while.
 * @module
 */
import type { Link } from '@byway/protocol/link'
import type { LinkRuntime } from '@byway/net'
import type { DirectoryEntry, NodeKey } from '@byway/protocol/directory'

// Local limits (tunable).
/** One relay may die while another restarts, and a circuit still finds a way. */
const LIVE_ATTACHMENTS = 3
/** As many as a descriptor has room for (SPEC §10.1), so that losing a relay needs no new edition. */
const MAX_CANDIDATES = 6
/** Between dials of one relay that fail, doubling. */
const RETRY_MIN_MS = 500
const RETRY_MAX_MS = 60_000
/** Shorter than a client's: another candidate can be tried instead. */
const DIAL_TIMEOUT_MS = 5000
/** A link that lived shorter counts as a failed dial: a relay that takes links and drops them must not be dialled in a circle. */
const STEADY_MS = 60_000
/** A candidate that fails for minutes makes way for another relay, one at a time: each change is an edition of the descriptor (THREAT-MODEL T12: one in ten minutes). */
const REPLACE_MS = 600_000
/** After this long without a dial a relay that failed may be tried again. */
const FORGIVEN_MS = 3_600_000

export type AttachmentDeps = {
  /** Public relays that this node may attach to, in the order in which they should be tried. */
  readonly relays: () => readonly DirectoryEntry[]
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
  candidates: readonly DirectoryEntry[] = []
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

  get liveCount(): number {
    return this.candidates.filter((entry) => this.#isLive(entry)).length
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
    this.#chooseCandidates(nowMs)
    let wanted = LIVE_ATTACHMENTS - this.liveCount - this.#dialling.size
    for (const entry of this.candidates) {
      if (wanted <= 0) break
      if (this.#dialling.has(entry.key) || this.#isLive(entry)) continue
      if ((this.#rests.get(entry.key)?.untilMs ?? 0) > nowMs) continue
      wanted--
      void this.#dial(entry)
    }
    if (wanted > 0) this.#lookAgain()
  }

  #isLive({ descriptor }: DirectoryEntry): boolean {
    return this.#deps.linkOf(descriptor.nodeId) !== undefined
  }

  #noteClosed(nowMs: number): void {
    for (const entry of this.candidates) {
      const sinceMs = this.#upSinceMs.get(entry.key)
      if (sinceMs === undefined || this.#isLive(entry)) continue
      this.#upSinceMs.delete(entry.key)
      if (nowMs - sinceMs < STEADY_MS) this.#rest(entry.key, nowMs)
      else this.#rests.delete(entry.key)
    }
  }

  #rest(key: NodeKey, nowMs: number): void {
    const doubled = (this.#rests.get(key)?.delayMs ?? RETRY_MIN_MS / 2) * 2
    const delayMs = Math.min(RETRY_MAX_MS, doubled)
    this.#rests.set(key, { delayMs, untilMs: nowMs + delayMs })
  }

  /** Keeps those that are still listed; fills up from the rest. Publishes only when the list changed. */
  #chooseCandidates(nowMs: number): void {
    const relays = this.#deps.relays()
    const listed = new Set(relays.map(({ key }) => key))
    const known = new Set(this.candidates.map(({ key }) => key))
    const fresh = relays.filter(({ key }) => !known.has(key) && !this.#isHopeless(key, nowMs))
    const stillListed = this.candidates.filter(({ key }) => listed.has(key))
    const kept = this.#withoutHopeless(stillListed, fresh.length, nowMs)
    const added = fresh.slice(0, MAX_CANDIDATES - kept.length)
    const isSame = added.length === 0 && kept.length === this.candidates.length
    this.candidates = [...kept, ...added]
    if (!isSame) this.#deps.onCandidates(this.candidates.map(({ descriptor }) => descriptor.nodeId))
  }

  #withoutHopeless(
    candidates: readonly DirectoryEntry[],
    freshCount: number,
    nowMs: number,
  ): readonly DirectoryEntry[] {
    const isFull = candidates.length >= MAX_CANDIDATES && this.liveCount < LIVE_ATTACHMENTS
    const isTime = nowMs - this.#replacedAtMs >= REPLACE_MS
    if (!isFull || !isTime || freshCount === 0) return candidates
    const hopeless = candidates.find((entry) => {
      return this.#isHopeless(entry.key, nowMs) && !this.#isLive(entry)
    })
    if (!hopeless) return candidates
    this.#replacedAtMs = nowMs
    return candidates.filter((entry) => entry !== hopeless)
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
