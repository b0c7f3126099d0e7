/**
 * Dials a node and gives back a link whose identity is proven (SPEC §3). Whether the address may be dialled is the caller's to judge.
 * @module
 */
import type { OnReadOpts } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { isBywayError } from '@byway/protocol/base'
import { type CryptoProvider, pathToken } from '@byway/protocol/crypto'
import { encodeClientGreeting, LINK_PROOF_BYTES, LINK_SIDE } from '@byway/protocol/wire'
import { createByteCollector } from './byte-collector.ts'
import { type DialStep, errnoOf, netError } from './errors.ts'
import { checkProof, exporterOf, type LinkIdentity, proveIdentity } from './greeting.ts'
import { createLink, type NetLink } from './link-driver.ts'
import { type LinkRuntime, systemRuntime } from './runtime.ts'
import { feedFromOnRead, type SocketFeed } from './socket-feed.ts'
import { LINK_ALPN, LINK_TLS } from './tls-profile.ts'
import { createTlsTransport } from './tls-transport.ts'
import { readResponseHead, upgradeRequest } from './upgrade.ts'

export type DialDeps = {
  readonly crypto: CryptoProvider
  readonly runtime?: LinkRuntime | undefined
}

export type DialOptions = {
  /** An address literal, already judged. */
  readonly host: string
  readonly port: number
  /** The node that must answer. */
  readonly nodeId: Uint8Array
  /** A node's own identity; without it the dialler is a client, which proves nothing. */
  readonly identity?: LinkIdentity | undefined
  /** The own address to dial from. @default the system's choice */
  readonly localAddress?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** From the first packet to the last greeting. @default 10 000 */
  readonly timeoutMs?: number | undefined
}

/**
 * Dials; resolves when both greetings are done. Set the link's handler at once.
 *
 * @throws NET_CONNECT, NET_TIMEOUT, NET_REFUSED, NET_PROOF, or the signal's reason
 */
export async function dialLink(deps: DialDeps, options: DialOptions): Promise<NetLink> {
  options.signal?.throwIfAborted()
  const runtime = deps.runtime ?? systemRuntime
  const { socket, feed } = openSocket(options)
  const greeting = new DialGreeting(deps.crypto, runtime, options, socket, feed)
  await greeting.done()
  return createLink(createTlsTransport(socket, feed), {
    peer: { role: 'node', nodeId: options.nodeId },
    isDialler: true,
    isClientLink: options.identity === undefined,
    runtime,
  })
}

function openSocket(options: DialOptions): { socket: TLSSocket; feed: SocketFeed } {
  const { onread, feed, attach } = feedFromOnRead()
  // The types do not know that `tls.connect` takes `onread`; its documentation does.
  const settings: ConnectionOptions & { readonly onread: OnReadOpts } = {
    ...LINK_TLS,
    host: options.host,
    port: options.port,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    // SPEC §3.1: no server name; the certificate says nothing, identity is proven inside.
    servername: '',
    rejectUnauthorized: false,
    ALPNProtocols: [...LINK_ALPN],
    onread,
  }
  const socket = connect(settings)
  // The request must not wait for the acknowledgement of TLS's Finished: that is a whole round trip of a cold link.
  socket.setNoDelay(true)
  attach(socket)
  return { socket, feed }
}

/** The dialler's half of SPEC §3.2 and §3.3: connect → upgrade → greeting, under one deadline. */
class DialGreeting {
  readonly #crypto: CryptoProvider
  readonly #runtime: LinkRuntime
  readonly #options: DialOptions
  readonly #socket: TLSSocket
  readonly #feed: SocketFeed
  readonly #settled = Promise.withResolvers<void>()
  readonly #collector = createByteCollector(MAX_GREETING_BYTES)
  #step: DialStep = 'connect'

  constructor(
    crypto: CryptoProvider,
    runtime: LinkRuntime,
    options: DialOptions,
    socket: TLSSocket,
    feed: SocketFeed,
  ) {
    this.#crypto = crypto
    this.#runtime = runtime
    this.#options = options
    this.#socket = socket
    this.#feed = feed
  }

  async done(): Promise<void> {
    const { signal, timeoutMs = DIAL_TIMEOUT_MS } = this.#options
    const timer = this.#runtime.setTimer(
      () => this.#fail(netError('NET_TIMEOUT', { step: this.#step, timeoutMs })),
      timeoutMs,
    )
    const onAbort = (): void => this.#fail(signal?.reason)
    const onError = (error?: unknown): void =>
      this.#fail(netError('NET_CONNECT', { step: this.#step, errno: errnoOf(error) }))
    const onClose = (): void => onError()
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#socket.on('error', onError).on('close', onClose)
    this.#socket.once('secureConnect', () => this.#try(() => this.#upgrade()))
    try {
      await this.#settled.promise
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
      // The error listener stays: a socket that was given up may still report one.
      this.#socket.off('close', onClose)
    }
  }

  #upgrade(): void {
    const { host, port, nodeId } = this.#options
    this.#step = 'upgrade'
    const exporter = exporterOf(this.#socket)
    this.#socket.write(upgradeRequest(host, port, pathToken(this.#crypto, nodeId, exporter)))
    this.#feed.setReader((chunk) => {
      this.#try(() => this.#onBytes(chunk, exporter))
      return false
    })
  }

  #onBytes(chunk: Uint8Array, exporter: Uint8Array): void {
    if (!this.#collector.add(chunk)) throw netError('NET_REFUSED', { status: 0 })
    if (this.#step === 'upgrade') {
      const head = readResponseHead(this.#collector.bytes)
      if (head === undefined) return
      if (head.status !== 101) throw netError('NET_REFUSED', { status: head.status })
      this.#collector.skip(head.headBytes)
      this.#step = 'greeting'
    }
    if (this.#collector.bytes.length < LINK_PROOF_BYTES) return
    this.#greet(exporter)
  }

  #greet(exporter: Uint8Array): void {
    const { nodeId, identity } = this.#options
    const nowS = this.#runtime.unixS()
    checkProof(this.#crypto, this.#collector.bytes.subarray(0, LINK_PROOF_BYTES), {
      side: LINK_SIDE.LISTENER,
      exporter,
      nowS,
      nodeId,
    })
    this.#socket.write(
      identity
        ? proveIdentity(this.#crypto, identity, LINK_SIDE.DIALLER, exporter)
        : encodeClientGreeting(),
    )
    this.#collector.skip(LINK_PROOF_BYTES)
    this.#feed.pause(this.#collector.bytes)
    this.#settled.resolve()
  }

  /** What the other side sent must not throw into the socket's event. */
  #try(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!isBywayError(error) || error.kind !== 'peer') throw error
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#socket.destroy()
    this.#settled.reject(error)
  }
}

// Local limits (tunable).

/** Connect, TLS, upgrade and greeting over a slow line: three round trips of a second and some waiting. */
const DIAL_TIMEOUT_MS = 10_000
/** The head, the proof and what a listener may send right behind it: one TLS record. */
const MAX_GREETING_BYTES = 2048 + LINK_PROOF_BYTES + 16_384
