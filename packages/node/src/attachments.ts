/**
 * Links that a node without a public port keeps open, so that circuits can reach it (DESIGN §2): of up to six relays named in its
 * descriptor, three are live. A dead one is replaced at once, a failing one left alone for a while.
 * @module
 */
import type { Link } from '@byway/protocol/link'
import type { DirectoryEntry, NodeKey } from '@byway/protocol/directory'

// Local limits (tunable): docs/LIMITS.md.
const LIVE_ATTACHMENTS = 3
const MAX_CANDIDATES = 6
const RETRY_MIN_MS = 500
const RETRY_MAX_MS = 60_000
const DIAL_TIMEOUT_MS = 5000

export type AttachmentDeps = {
  /** Public relays that this node may attach to, in the order in which they should be tried. */
  readonly relays: () => readonly DirectoryEntry[]
  readonly linkOf: (nodeId: Uint8Array) => Link | undefined
  readonly dial: (entry: DirectoryEntry, signal: AbortSignal) => Promise<Link>
  /** The candidates changed: a new edition of the descriptor is due. */
  readonly onCandidates: (nodeIds: readonly Uint8Array[]) => void
  readonly nowMs: () => number
}

/** The attachments of one node. */
export interface Attachments {
  readonly candidates: readonly DirectoryEntry[]
  readonly liveCount: number
  /** Looks again: after start, when a link has closed, when the directory has grown. */
  maintain(): void
  stop(): void
}

/** Creates the keeper; nothing is dialled before the first `maintain`. */
export function createAttachments(deps: AttachmentDeps): Attachments {
  return new Keeper(deps)
}

class Keeper implements Attachments {
  candidates: readonly DirectoryEntry[] = []
  readonly #deps: AttachmentDeps
  readonly #stop = new AbortController()
  readonly #dialling = new Set<NodeKey>()
  readonly #failures = new Map<NodeKey, { delayMs: number; untilMs: number }>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: AttachmentDeps) {
    this.#deps = deps
  }

  get liveCount(): number {
    return this.candidates.filter((entry) => this.#deps.linkOf(entry.descriptor.nodeId)).length
  }

  maintain(): void {
    if (this.#stop.signal.aborted) return
    this.#chooseCandidates()
    const now = this.#deps.nowMs()
    let wanted = LIVE_ATTACHMENTS - this.liveCount - this.#dialling.size
    for (const entry of this.candidates) {
      if (wanted <= 0) break
      if (this.#dialling.has(entry.key) || this.#deps.linkOf(entry.descriptor.nodeId)) continue
      if ((this.#failures.get(entry.key)?.untilMs ?? 0) > now) continue
      wanted--
      void this.#dial(entry)
    }
    if (wanted > 0) this.#lookAgain()
  }

  stop(): void {
    this.#stop.abort()
    clearTimeout(this.#timer)
  }

  /** Keeps those that are still listed; fills up from the rest. Publishes only when the list changed. */
  #chooseCandidates(): void {
    const relays = this.#deps.relays()
    const listed = new Set(relays.map(({ key }) => key))
    const kept = this.candidates.filter(({ key }) => listed.has(key))
    const keptKeys = new Set(kept.map(({ key }) => key))
    const added = relays
      .filter(({ key }) => !keptKeys.has(key))
      .slice(0, MAX_CANDIDATES - kept.length)
    const isSame = added.length === 0 && kept.length === this.candidates.length
    this.candidates = [...kept, ...added]
    if (!isSame) this.#deps.onCandidates(this.candidates.map(({ descriptor }) => descriptor.nodeId))
  }

  async #dial(entry: DirectoryEntry): Promise<void> {
    this.#dialling.add(entry.key)
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    try {
      await this.#deps.dial(entry, signal)
      this.#failures.delete(entry.key)
    } catch {
      const delayMs = Math.min(
        RETRY_MAX_MS,
        (this.#failures.get(entry.key)?.delayMs ?? RETRY_MIN_MS / 2) * 2,
      )
      this.#failures.set(entry.key, { delayMs, untilMs: this.#deps.nowMs() + delayMs })
    } finally {
      this.#dialling.delete(entry.key)
      this.maintain()
    }
  }

  #lookAgain(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.maintain(), RETRY_MIN_MS)
    this.#timer.unref()
  }
}
