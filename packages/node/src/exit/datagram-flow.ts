/**
 * A datagram flow at its exit (SPEC §7.3): one connected UDP socket for each endpoint that the client writes to, so that the kernel
 * lets replies in from nobody else. Every endpoint is judged, counted and bounded; whatever cannot go at once is dropped.
 */
import type { IpAddress } from '@byway/protocol/policy'
import { formatAddress } from '@byway/protocol/policy'
import { isHostEndpoint } from '@byway/protocol/wire'
import type { Endpoint } from '@byway/protocol/wire'
import { openDatagramPeer } from './datagram-peer.ts'
import type { DatagramPeer } from './datagram-peer.ts'
import { findDatagramTargets } from './datagram-policy.ts'
import type { OpenPins } from './open-pins.ts'
import type { DatagramPolicyDeps } from './datagram-policy.ts'
import { toIpBytes } from './ip-bytes.ts'
import { toIpAddress } from '@byway/protocol/directory'

/** What all flows of an exit share. */
export type DatagramDeps = DatagramPolicyDeps & { readonly pins: OpenPins }

/** What one flow tells its tunnel. */
export type DatagramFlowEvents = {
  /** The key under which limits count. */
  readonly circuit: string
  readonly onReply: (endpoint: Endpoint, payload: Uint8Array) => void
  /** Nothing has passed for a while; `onClosed` follows. */
  readonly onIdle: () => void
  readonly onClosed: () => void
}

/** A datagram flow. */
export interface DatagramFlow {
  /** Sends a datagram, or drops it. */
  send(endpoint: Endpoint, payload: Uint8Array): void
  sweep(nowMs: number): void
  /** Ends the flow and frees its sockets. Idempotent. */
  close(): void
}

/** Begins a flow; it has no socket before the first datagram. */
export function createDatagramFlow(deps: DatagramDeps, events: DatagramFlowEvents): DatagramFlow {
  return new Flow(deps, events)
}

/** An endpoint as the client wrote it: being judged, refused for a while, or open. */
type Entry = {
  peer: DatagramPeer | undefined
  /** Datagrams that wait for the judgement. */
  waiting: Uint8Array[]
  isRefused: boolean
  lastUsedAtMs: number
}

class Flow implements DatagramFlow {
  readonly #deps: DatagramDeps
  readonly #events: DatagramFlowEvents
  readonly #entries = new Map<string, Entry>()
  readonly #stop = new AbortController()
  #lastUsedAtMs: number

  constructor(deps: DatagramDeps, events: DatagramFlowEvents) {
    this.#deps = deps
    this.#events = events
    this.#lastUsedAtMs = deps.nowMs()
  }

  send(endpoint: Endpoint, payload: Uint8Array): void {
    if (this.#stop.signal.aborted) return
    const nowMs = this.#deps.nowMs()
    this.#lastUsedAtMs = nowMs
    const host = isHostEndpoint(endpoint) ? endpoint.host : formatAddress(toIpAddress(endpoint))
    const key = `${host} ${endpoint.port}`
    const entry = this.#entries.get(key)
    if (entry) {
      pass(entry, payload, nowMs)
      return
    }
    if (this.#entries.size >= MAX_ENDPOINTS) return
    const fresh: Entry = {
      peer: undefined,
      waiting: [payload],
      isRefused: false,
      lastUsedAtMs: nowMs,
    }
    this.#entries.set(key, fresh)
    void this.#open(fresh, host, endpoint.port)
  }

  sweep(nowMs: number): void {
    for (const [key, entry] of this.#entries) {
      const idleMs = nowMs - entry.lastUsedAtMs
      if (idleMs < (entry.isRefused ? REFUSED_MS : ENDPOINT_IDLE_MS)) continue
      if (!entry.peer && !entry.isRefused) continue
      entry.peer?.close()
      this.#entries.delete(key)
    }
    if (this.#entries.size > 0 || nowMs - this.#lastUsedAtMs < FLOW_IDLE_MS) return
    this.#events.onIdle()
    this.close()
  }

  close(): void {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    for (const { peer } of this.#entries.values()) peer?.close()
    this.#entries.clear()
    this.#events.onClosed()
  }

  async #open(entry: Entry, host: string, port: number): Promise<void> {
    const { circuit } = this.#events
    const { signal } = this.#stop
    const found = await findDatagramTargets(this.#deps, { circuit, host, port }, signal)
    const peer = found && this.#connect(entry, found, port)
    const { waiting } = entry
    entry.waiting = []
    if (!peer) {
      entry.isRefused = true
      return
    }
    entry.peer = peer
    for (const payload of waiting) peer.send(payload)
  }

  #connect(entry: Entry, address: IpAddress, port: number): DatagramPeer | undefined {
    if (this.#stop.signal.aborted) return undefined
    const { limits, pins, nowMs, context } = this.#deps
    const { circuit } = this.#events
    const from: Endpoint = { ...toIpBytes(address), port }
    return openDatagramPeer(
      { limits, pins, nowMs, context },
      { circuit, address, port },
      (payload) => {
        const now = nowMs()
        entry.lastUsedAtMs = now
        this.#lastUsedAtMs = now
        this.#events.onReply(from, payload)
      },
    )
  }
}

function pass(entry: Entry, payload: Uint8Array, nowMs: number): void {
  if (entry.isRefused) return
  entry.lastUsedAtMs = nowMs
  if (entry.peer) entry.peer.send(payload)
  else if (entry.waiting.length < MAX_WAITING) entry.waiting.push(payload)
}

// Local limits (tunable).
/** Endpoints of one flow: a browser's QUIC flow has one, a resolver's a few. */
const MAX_ENDPOINTS = 32
/** Datagrams that wait while their endpoint is looked up: a first flight of QUIC. */
const MAX_WAITING = 8
/** How long home routers keep a UDP mapping (RFC 4787 REQ-5 asks for two minutes). */
const ENDPOINT_IDLE_MS = 120_000
/** How long a refusal is remembered, so that a stream of datagrams does not become a stream of lookups. */
const REFUSED_MS = 10_000
const FLOW_IDLE_MS = 120_000
