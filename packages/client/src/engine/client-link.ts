/**
 * A client's link to one of its guards: hands cells to the circuits by id, and fetches the directory (SPEC §10.2).
 * How circuits are built and what they carry is elsewhere.
 * @module
 */
import type { Link, LinkCloseReason } from '@byway/protocol/link'
import { CLOSE_REASON, LINK_MESSAGE } from '@byway/protocol/wire'
import type { CloseReason, LinkMessage } from '@byway/protocol/wire'
import { clientError } from './errors.ts'

/** Local limit (tunable): descriptors of one answer; 1536 bytes each, so at most 150 MB are looked at and none kept twice. */
const MAX_DIRECTORY_PARTS = 20_000

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
  /** Settles when the link is gone. */
  readonly closed: Promise<LinkCloseReason>
  /** Reserves an id for a new circuit. */
  reserve(sink: CircuitSink): number
  setSink(circuitId: number, sink: CircuitSink): void
  release(circuitId: number): void
  /** Fetches every descriptor the guard holds; `onPart` gets views that are valid during the call. */
  fetchDirectory(
    onPart: (descriptors: readonly Uint8Array[]) => void,
    signal: AbortSignal,
  ): Promise<void>
}

/** Takes a fresh link over. */
export function createClientLink(link: Link, nodeId: Uint8Array): ClientLink {
  return new GuardLink(link, nodeId)
}

type Fetch = {
  readonly onPart: (descriptors: readonly Uint8Array[]) => void
  readonly settle: (error?: Error) => void
  parts: number
}

class GuardLink implements ClientLink {
  readonly nodeId: Uint8Array
  readonly link: Link
  readonly closed: Promise<LinkCloseReason>
  isDraining = false
  readonly #sinks = new Map<number, CircuitSink>()
  readonly #fetches = new Map<number, Fetch>()
  #lastRequestId = 0

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

  async fetchDirectory(onPart: Fetch['onPart'], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.isClosed) throw clientError('ENTRY_UNREACHABLE', { guards: 1 })
    const requestId = (this.#lastRequestId = (this.#lastRequestId + 1) & 0xffff)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#fetches.set(requestId, {
      onPart,
      parts: 0,
      settle: (error) => (error ? reject(error) : resolve()),
    })
    this.link.send({ type: LINK_MESSAGE.DIRECTORY_GET, requestId })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#fetches.delete(requestId)
    }
  }

  #onMessage(message: LinkMessage): void {
    if (message.type === LINK_MESSAGE.DRAIN) this.isDraining = true
    if (message.type !== LINK_MESSAGE.DIRECTORY_PART) return
    const fetch = this.#fetches.get(message.requestId)
    if (!fetch) return
    fetch.onPart(message.descriptors)
    fetch.parts++
    if (message.last) fetch.settle()
    else if (fetch.parts >= MAX_DIRECTORY_PARTS)
      fetch.settle(clientError('DIRECTORY_INCOMPLETE', { descriptors: 0 }))
  }

  #onClose(): void {
    for (const fetch of this.#fetches.values())
      fetch.settle(clientError('ENTRY_UNREACHABLE', { guards: 1 }))
    const sinks = [...this.#sinks.values()]
    this.#sinks.clear()
    for (const sink of sinks) sink.onLinkClosed(CLOSE_REASON.LINK_CLOSED)
  }
}
