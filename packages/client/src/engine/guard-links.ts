/**
 * The links to the client's guards: dialled when wanted, kept while they stand, dialled again after a pause that grows.
 * Which nodes are guards is `Guards` in `@byway/protocol/directory`; this only reaches them.
 * @module
 */
import type { DirectoryEntry, NodeKey } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { untilAborted } from './abort.ts'
import { createClientLink } from './client-link.ts'
import { clientError } from './errors.ts'
import type { ClientLink } from './client-link.ts'

// Local limits (tunable).
/** TCP, TLS and greeting are four round trips: enough for the slowest line with one lost packet in each. */
const DIAL_TIMEOUT_MS = 8000
/** Between dials that fail, doubling: soon after a short cut, seldom while this machine is offline. */
const RETRY_MIN_MS = 250
const RETRY_MAX_MS = 30_000

/** A node to dial: from the directory, or from the network file when there is no directory yet. */
export type GuardTarget = Pick<DirectoryEntry, 'key'> & {
  readonly nodeId: Uint8Array
  readonly addresses: readonly { readonly address: string; readonly port: number }[]
}

export type GuardLinksDeps = {
  readonly dial: (target: GuardTarget, signal: AbortSignal) => Promise<Link>
  /** Told once per attempt, so that the guards' state can learn. */
  readonly onOutcome: (key: NodeKey, isUp: boolean) => void
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** The standing links by guard. */
export interface GuardLinks {
  /** Links that stand now. */
  readonly live: readonly ClientLink[]
  get(key: NodeKey): ClientLink | undefined
  /**
   * Returns the link to this guard, dialling it if need be. Callers that want the same guard share one dial.
   * @throws CLIENT_CLOSED after `closeAll`, the signal's reason, or what the dial failed with
   */
  connect(target: GuardTarget, signal: AbortSignal): Promise<ClientLink>
  /** True while the guard is left alone after a failed dial. */
  isResting(key: NodeKey): boolean
  closeAll(): void
}

/** Creates an empty set of links. */
export function createGuardLinks(deps: GuardLinksDeps): GuardLinks {
  return new Links(deps)
}

class Links implements GuardLinks {
  readonly #deps: GuardLinksDeps
  readonly #links = new Map<NodeKey, ClientLink>()
  readonly #dials = new Map<NodeKey, Promise<ClientLink>>()
  readonly #rests = new Map<NodeKey, { delayMs: number; untilMs: number }>()
  readonly #closing = new AbortController()

  constructor(deps: GuardLinksDeps) {
    this.#deps = deps
  }

  get live(): readonly ClientLink[] {
    return [...this.#links.values()].filter((link) => !link.isClosed)
  }

  get(key: NodeKey): ClientLink | undefined {
    const link = this.#links.get(key)
    return link && !link.isClosed ? link : undefined
  }

  isResting(key: NodeKey): boolean {
    return (this.#rests.get(key)?.untilMs ?? 0) > this.#deps.nowMs()
  }

  async connect(target: GuardTarget, signal: AbortSignal): Promise<ClientLink> {
    signal.throwIfAborted()
    if (this.#closing.signal.aborted) throw clientError('CLIENT_CLOSED', {})
    const standing = this.get(target.key)
    if (standing) return standing
    let dial = this.#dials.get(target.key)
    if (!dial) {
      dial = this.#dial(target)
      this.#dials.set(target.key, dial)
    }
    return await untilAborted(dial, signal)
  }

  closeAll(): void {
    this.#closing.abort()
    for (const link of this.#links.values()) link.link.close('local')
  }

  async #dial(target: GuardTarget): Promise<ClientLink> {
    const { key, nodeId } = target
    try {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
      const dialled = await this.#deps.dial(target, signal)
      if (this.#closing.signal.aborted) dialled.close('local')
      this.#closing.signal.throwIfAborted()
      const link = createClientLink(dialled, nodeId)
      this.#links.set(key, link)
      this.#rests.delete(key)
      void this.#forgetWhenClosed(key, link)
      this.#deps.onOutcome(key, true)
      return link
    } catch (error) {
      // Shutting down is no fault of the guard's: it must not cost it its place.
      if (this.#closing.signal.aborted) throw clientError('CLIENT_CLOSED', {})
      const delayMs = Math.min(
        RETRY_MAX_MS,
        (this.#rests.get(key)?.delayMs ?? RETRY_MIN_MS / 2) * 2,
      )
      this.#rests.set(key, { delayMs, untilMs: this.#deps.nowMs() + delayMs })
      this.#deps.onOutcome(key, false)
      throw error
    } finally {
      this.#dials.delete(key)
    }
  }

  async #forgetWhenClosed(key: NodeKey, link: ClientLink): Promise<void> {
    await link.closed
    if (this.#links.get(key) === link) this.#links.delete(key)
  }
}
