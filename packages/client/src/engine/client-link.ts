/**
 * A client's link to one of its guards: hands cells to the circuits by id, and fetches the directory (SPEC §10.2).
 * How circuits are built and what they carry is elsewhere.
 * @module
 */
import type { Link, LinkCloseReason } from '@byway/protocol/link'
import { CLOSE_REASON, LINK_MESSAGE } from '@byway/protocol/wire'
import type { CloseReason, IpBytes, LinkMessage } from '@byway/protocol/wire'
import { createDirectoryQuestions, unpackDirectory } from '@byway/net'
import { clientError } from './errors.ts'

/** Who owns a circuit on the link. */
export interface CircuitSink {
  onCell(cell: Uint8Array, nowMs: number): void
  /** The link is gone. */
  onLinkClosed(reason: CloseReason): void
}

/** A link with its circuits. */
export interface ClientLink {
  readonly nodeId: Uint8Array
  readonly link: Link
  readonly isClosed: boolean
  /** The guard has said that it stops: what runs goes on, nothing new begins. */
  readonly isDraining: boolean
  readonly circuitCount: number
  /** The address under which the guard sees this client; undefined before it has said so. */
  readonly seenAs: IpBytes | undefined
  /** Settles when the link is gone. */
  readonly closed: Promise<LinkCloseReason>
  /** Reserves an id for a new circuit. */
  reserve(sink: CircuitSink): number
  setSink(circuitId: number, sink: CircuitSink): void
  release(circuitId: number): void
  /**
   * Fetches the descriptors that the guard has taken in since a time of its own clock, 0 for all; `onPart` gets views, and returns false when one of them is forged, which
   * ends the link. Resolves with the time to ask since the next time.
   * @throws ENTRY_UNREACHABLE when the link ends or the guard leaves many questions unanswered, or the signal's reason
   */
  fetchDirectory(
    sinceS: number,
    onPart: (descriptors: readonly Uint8Array[]) => boolean,
    signal: AbortSignal,
  ): Promise<number>
}

/** Takes a fresh link over. */
export function createClientLink(link: Link, nodeId: Uint8Array): ClientLink {
  return new GuardLink(link, nodeId)
}

type Fetch = {
  readonly onPart: (descriptors: readonly Uint8Array[]) => boolean
  readonly settle: (end: { asOfS: number } | Error) => void
}

class GuardLink implements ClientLink {
  readonly nodeId: Uint8Array
  readonly link: Link
  readonly closed: Promise<LinkCloseReason>
  isDraining = false
  seenAs: IpBytes | undefined
  readonly #sinks = new Map<number, CircuitSink>()
  readonly #fetches = new Map<number, Fetch>()
  /** Those that the caller gave up too: their parts are under way. */
  readonly #questions = createDirectoryQuestions()

  constructor(link: Link, nodeId: Uint8Array) {
    this.link = link
    this.nodeId = nodeId
    const { promise, resolve } = Promise.withResolvers<LinkCloseReason>()
    this.closed = promise
    link.handler = {
      onCell: (circuitId, cell, nowMs) => this.#sinks.get(circuitId)?.onCell(cell, nowMs),
      onMessage: (message) => this.#onMessage(message),
      onClose: (reason) => {
        this.#onClose()
        resolve(reason)
      },
    }
  }

  get isClosed(): boolean {
    return this.link.isClosed
  }

  get circuitCount(): number {
    return this.#sinks.size
  }

  reserve(sink: CircuitSink): number {
    for (;;) {
      const circuitId = this.link.allocateCircuitId()
      if (this.#sinks.has(circuitId)) continue
      this.#sinks.set(circuitId, sink)
      return circuitId
    }
  }

  setSink(circuitId: number, sink: CircuitSink): void {
    if (this.#sinks.has(circuitId)) this.#sinks.set(circuitId, sink)
  }

  release(circuitId: number): void {
    this.#sinks.delete(circuitId)
  }

  async fetchDirectory(
    sinceS: number,
    onPart: Fetch['onPart'],
    signal: AbortSignal,
  ): Promise<number> {
    signal.throwIfAborted()
    const requestId = this.isClosed ? undefined : this.#questions.open()
    if (requestId === undefined) throw clientError('ENTRY_UNREACHABLE', { guards: 1 })
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#fetches.set(requestId, {
      onPart,
      settle: (end) => (end instanceof Error ? reject(end) : resolve(end.asOfS)),
    })
    this.link.send({ type: LINK_MESSAGE.DIRECTORY_GET, requestId, sinceS })
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#fetches.delete(requestId)
    }
  }

  #onMessage(message: LinkMessage): void {
    if (message.type === LINK_MESSAGE.DRAIN) this.isDraining = true
    if (message.type === LINK_MESSAGE.NETINFO) this.seenAs = message.address
    if (message.type !== LINK_MESSAGE.DIRECTORY_PART) return
    if (!this.#questions.take(message)) return this.link.close('protocol')
    const fetch = this.#fetches.get(message.requestId)
    if (!fetch) return
    // A damaged block costs what is in it; whether enough is left is judged over the whole set.
    const descriptors = message.block.length > 0 ? unpackDirectory(message.block) : undefined
    if (!fetch.onPart(descriptors ?? [])) this.link.close('protocol')
    else if (message.last) fetch.settle(message)
  }

  #onClose(): void {
    for (const fetch of this.#fetches.values())
      fetch.settle(clientError('ENTRY_UNREACHABLE', { guards: 1 }))
    const sinks = [...this.#sinks.values()]
    this.#sinks.clear()
    for (const sink of sinks) sink.onLinkClosed(CLOSE_REASON.LINK_CLOSED)
  }
}
