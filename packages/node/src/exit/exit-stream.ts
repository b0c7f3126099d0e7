/**
 * One connection of a tunnel at its exit (SPEC §7.2): a socket on one side, a stream on the other. A side that does not read stops this
 * stream only. A clean end is passed on as one; everything else is a reset, towards the client and towards the target.
 * Not here: what may be reached (`connect-pinned.ts`), which streams there are (`exit-tunnel-driver.ts`).
 */
import type { Socket } from 'node:net'
import type { ConnectRequest, ExitTunnel } from '@byway/protocol/circuit'
import { ADDRESS_FLAG, RESET_REASON } from '@byway/protocol/wire'
import type { ResetReason } from '@byway/protocol/wire'
import type { ExitConnection, ExitConnector } from './connect-pinned.ts'
import { resetReasonOf } from './exit-errors.ts'
import { judgeFirstData } from './first-data.ts'
import { createTargetWriter } from './target-writer.ts'
import type { TargetWriter } from './target-writer.ts'

/** What a stream needs of its tunnel's driver. */
export interface StreamHost {
  readonly tunnel: ExitTunnel
  readonly connector: ExitConnector
  /** The key under which limits count. */
  readonly circuit: string
  /** True while targets are not read: the tunnel has no leg (SPEC §9.3), or is not paid (SPEC §15.4). */
  readonly isPaused: boolean
  nowMs(): number
  /** So many more (or fewer) bytes wait for targets. */
  onHeld(deltaBytes: number): void
  /** The stream is over. */
  onGone(id: number): void
}

/** A connection, from its BEGIN on. */
export interface ExitStream {
  /** When the oldest byte that waits for the target came; Infinity when none waits. */
  readonly oldestAtMs: number
  onData(bytes: Uint8Array): void
  /** The client sends no more. */
  onEnd(): void
  /** A `write` that was refused may go on. */
  onDrained(): void
  /** `isPaused` of the host may have changed. */
  onPauseChange(): void
  /** The stream is over for the tunnel: the target sees a reset. */
  abort(): void
  /** Ends the stream when it has been idle for too long. */
  sweep(nowMs: number): void
}

/** Begins a connection. */
export function beginExitStream(id: number, request: ConnectRequest, host: StreamHost): ExitStream {
  const stream = new Connection(id, host)
  stream.connect(request)
  return stream
}

class Connection implements ExitStream {
  readonly #id: number
  readonly #host: StreamHost
  readonly #writer: TargetWriter
  #connecting: AbortController | undefined = new AbortController()
  #socket: Socket | undefined
  #isOver = false
  /** The tunnel asked to wait. */
  #isBlocked = false
  #clientEnded = false
  #targetEnded = false
  #connectedAtMs = Number.POSITIVE_INFINITY
  #lastClientByteAtMs = 0
  #clientBytes = 0
  #serverBytes = 0

  constructor(id: number, host: StreamHost) {
    this.#id = id
    this.#host = host
    this.#writer = createTargetWriter({
      nowMs: () => host.nowMs(),
      onTaken: (bytes, nowMs) => host.tunnel.consumed(id, bytes, nowMs),
      onHeld: (deltaBytes) => host.onHeld(deltaBytes),
    })
  }

  get oldestAtMs(): number {
    return this.#writer.waitingSinceMs
  }

  connect({ host, port, flags }: ConnectRequest): void {
    const { connector, circuit } = this.#host
    const request = { circuit, host, port, ...familiesOf(flags) }
    connector.connect(request, this.#connecting?.signal).then(
      (connection) => this.#onConnected(connection),
      (error: unknown) => this.#reset(resetReasonOf(error)),
    )
  }

  onData(bytes: Uint8Array): void {
    if (this.#isOver || bytes.length === 0) return
    const nowMs = this.#host.nowMs()
    this.#clientBytes += bytes.length
    this.#lastClientByteAtMs = nowMs
    this.#writer.write(bytes, nowMs)
  }

  onEnd(): void {
    this.#clientEnded = true
    this.#writer.end()
    this.#linger()
  }

  onDrained(): void {
    this.#isBlocked = false
    this.onPauseChange()
  }

  onPauseChange(): void {
    if (this.#isBlocked || this.#host.isPaused) this.#socket?.pause()
    else this.#socket?.resume()
  }

  abort(): void {
    if (this.#isOver) return
    // Both ends have ended: the app takes its bytes for delivered, as over TCP, and the target may still read them.
    if (this.#isEnded) this.#writer.release()
    else this.#socket?.resetAndDestroy()
    this.#finish()
  }

  sweep(nowMs: number): void {
    if (!this.#socket || this.#isEnded) return
    const verdict = judgeFirstData(
      {
        connectedAtMs: this.#connectedAtMs,
        // A client that has ended without a byte has said all it will.
        clientBytes: this.#clientEnded ? Math.max(1, this.#clientBytes) : this.#clientBytes,
        serverBytes: this.#serverBytes,
        lastClientByteAtMs: Math.max(this.#lastClientByteAtMs, this.#connectedAtMs),
      },
      nowMs,
    )
    if (verdict === 'close') this.#reset(RESET_REASON.IDLE)
  }

  #onConnected({ socket, family }: ExitConnection): void {
    this.#connecting = undefined
    if (this.#isOver) {
      socket.resetAndDestroy()
      return
    }
    if (socket.destroyed) {
      this.#reset(RESET_REASON.CONNECTION_RESET)
      return
    }
    this.#socket = socket
    this.#connectedAtMs = this.#host.nowMs()
    socket.setKeepAlive(true, KEEPALIVE_MS)
    this.#host.tunnel.connected(this.#id, family)
    socket
      .on('data', (chunk) => this.#onChunk(socket, chunk))
      .on('end', () => this.#onTargetEnd())
      .on('error', () => this.#reset(RESET_REASON.CONNECTION_RESET))
      .on('close', () => this.#onSocketClosed())
    if (this.#host.isPaused) socket.pause()
    this.#writer.attach(socket)
  }

  #onChunk(socket: Socket, chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#serverBytes += chunk.length
    const { tunnel } = this.#host
    // Node makes a buffer for each read; one that is not ours alone stays.
    const isOwned = chunk.byteLength === chunk.buffer.byteLength
    if (tunnel.write(this.#id, chunk, this.#host.nowMs(), isOwned)) return
    this.#isBlocked = true
    socket.pause()
  }

  #onTargetEnd(): void {
    if (this.#isOver) return
    this.#targetEnded = true
    this.#host.tunnel.end(this.#id)
    this.#linger()
  }

  /** THREAT-MODEL T20: a close is clean only when both sides had ended. */
  #onSocketClosed(): void {
    if (this.#isEnded) this.#finish()
    else this.#reset(RESET_REASON.CONNECTION_RESET)
  }

  get #isEnded(): boolean {
    return this.#clientEnded && this.#targetEnded
  }

  /** Nothing more comes from either side: what is left is the target's reading of the last bytes. */
  #linger(): void {
    const socket = this.#socket
    if (!socket || !this.#isEnded) return
    socket.unref()
    socket.setTimeout(LINGER_MS, () => socket.resetAndDestroy())
  }

  #reset(reason: ResetReason): void {
    if (this.#isOver) return
    this.#host.tunnel.reset(this.#id, reason)
    this.#socket?.resetAndDestroy()
    this.#finish()
  }

  #finish(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#connecting?.abort()
    this.#writer.drop()
    this.#host.onGone(this.#id)
  }
}

/** The families of BEGIN and RESOLVE, as the connector takes them. */
export function familiesOf(flags: number): {
  readonly families: readonly (4 | 6)[]
  readonly prefersIpv6: boolean
} {
  const families: (4 | 6)[] = []
  if (flags & ADDRESS_FLAG.IPV4) families.push(4)
  if (flags & ADDRESS_FLAG.IPV6) families.push(6)
  return { families, prefersIpv6: (flags & ADDRESS_FLAG.PREFER_IPV6) !== 0 }
}

// Local limits (tunable).
/** A target that vanishes without a word is noticed by the kernel's probes, not held for ever. */
const KEEPALIVE_MS = 60_000
/** How long a target may take to read the last bytes once both sides have ended. */
const LINGER_MS = 60_000
