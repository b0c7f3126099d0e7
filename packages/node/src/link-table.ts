/**
 * The links of a node, and how the next hop of a circuit is reached (SPEC §5.3): over a link that stands, attachments among them, or
 * by dialling the address in the node's signed descriptor. Never an address from a client.
 * @module
 */
import { toBase64url } from '@byway/protocol/base'
import type { Descriptor } from '@byway/protocol/wire'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import type { Link } from '@byway/protocol/link'
import type { NextHops } from './relay/ports.ts'

// Local limit (tunable): clients make a node dial; beyond this many at once their extends fail instead of filling its sockets.
const MAX_DIALS = 64

export type LinkTableDeps = {
  /** The live descriptor of a node, or `undefined`. */
  readonly find: (nodeId: Uint8Array) => Descriptor | undefined
  /** Dials a node and proves both ends; rejects when none of its addresses answers in time. */
  readonly dial: (descriptor: Descriptor, signal: AbortSignal) => Promise<Link>
}

/** The links of a node by the node id of the other side. */
export interface LinkTable extends NextHops {
  /** Every link, clients' included. */
  readonly links: ReadonlySet<Link>
  get(nodeId: Uint8Array): Link | undefined
  add(link: Link): void
  remove(link: Link): void
}

/** Creates an empty table. */
export function createLinkTable(deps: LinkTableDeps): LinkTable {
  return new Table(deps)
}

class Table implements LinkTable {
  readonly links = new Set<Link>()
  readonly #deps: LinkTableDeps
  readonly #byNode = new Map<string, Set<Link>>()
  /** Circuits that want the same neighbour share one dial. */
  readonly #dials = new Map<string, Dial>()

  constructor(deps: LinkTableDeps) {
    this.#deps = deps
  }

  get(nodeId: Uint8Array): Link | undefined {
    for (const link of this.#byNode.get(toBase64url(nodeId)) ?? []) {
      if (!link.isClosed) return link
    }
    return undefined
  }

  add(link: Link): void {
    this.links.add(link)
    if (link.peer.role !== 'node') return
    const key = toBase64url(link.peer.nodeId)
    const known = this.#byNode.get(key)
    if (known) known.add(link)
    else this.#byNode.set(key, new Set([link]))
  }

  remove(link: Link): void {
    this.links.delete(link)
    if (link.peer.role !== 'node') return
    const key = toBase64url(link.peer.nodeId)
    const known = this.#byNode.get(key)
    known?.delete(link)
    if (known?.size === 0) this.#byNode.delete(key)
  }

  async linkTo(nodeId: Uint8Array, signal: AbortSignal): Promise<Link | CloseReason> {
    const standing = this.get(nodeId)
    if (standing) return standing
    const key = toBase64url(nodeId)
    const pending = this.#dials.get(key)
    if (pending) return await waitFor(pending, signal)
    const descriptor = this.#deps.find(nodeId)
    if (!descriptor) return CLOSE_REASON.UNKNOWN_NODE
    // SPEC §12.1: it has no address and holds no link here.
    if (descriptor.addresses.length === 0) return CLOSE_REASON.NOT_ATTACHED
    if (this.#dials.size >= MAX_DIALS) return CLOSE_REASON.RESOURCE_LIMIT
    const cancel = new AbortController()
    const dial: Dial = { outcome: this.#dial(descriptor, cancel.signal), cancel, waiting: 0 }
    const forget = (): void => {
      if (this.#dials.get(key) === dial) this.#dials.delete(key)
    }
    this.#dials.set(key, dial)
    void dial.outcome.then(forget)
    cancel.signal.addEventListener('abort', forget, { once: true })
    return await waitFor(dial, signal)
  }

  async #dial(descriptor: Descriptor, signal: AbortSignal): Promise<Link | CloseReason> {
    try {
      return await this.#deps.dial(descriptor, signal)
    } catch {
      return CLOSE_REASON.CONNECT_FAILED
    }
  }
}

/** One dial, and how many circuits wait for it. */
type Dial = {
  /** Never rejects. */
  readonly outcome: Promise<Link | CloseReason>
  readonly cancel: AbortController
  waiting: number
}

/** Waits for a shared dial. Who gives up does not end it for the others; once nobody waits any more it is called off. */
async function waitFor(dial: Dial, signal: AbortSignal): Promise<Link | CloseReason> {
  const { promise: gaveUp, resolve } = Promise.withResolvers<CloseReason>()
  const onAbort = (): void => resolve(CLOSE_REASON.CONNECT_FAILED)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  dial.waiting++
  try {
    return await Promise.race([dial.outcome, gaveUp])
  } finally {
    signal.removeEventListener('abort', onAbort)
    dial.waiting--
    if (dial.waiting === 0) dial.cancel.abort()
  }
}
