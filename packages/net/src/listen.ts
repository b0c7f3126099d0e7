/**
 * Takes links on a TLS port that is, to anybody without the node id, a small web server (SPEC §3). Who may connect and how often is
 * `admission.ts`; the greeting of a connection whose token was right is `accept.ts`.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { utf8Bytes } from '@byway/protocol/base'
import { type CryptoProvider, pathToken } from '@byway/protocol/crypto'
import { acceptLink, netInfoFor } from './accept.ts'
import { type Admitted, type AdmissionLimits, createAdmission, type Refusal } from './admission.ts'
import { createSelfSignedCertificate, type TlsCertificate } from './certificate.ts'
import { errnoOf, netError } from './errors.ts'
import { exporterOf, type LinkIdentity } from './greeting.ts'
import type { NetLink } from './link-driver.ts'
import { type LinkRuntime, systemRuntime } from './runtime.ts'
import { LINK_ALPN, LINK_TLS } from './tls-profile.ts'

export type LinkListenerDeps = {
  readonly crypto: CryptoProvider
  /** What to prove; asked anew for each link, since link keys are replaced while the listener runs. */
  readonly identity: () => LinkIdentity
  /**
   * Gets each link whose greetings are done, with the address it comes from, and sets its handler at once. Must not throw. The address is for limits only: it is
   * not kept longer than the link, and never logged.
   */
  readonly onLink: (link: NetLink, address: string) => void
  readonly runtime?: LinkRuntime | undefined
}

export type LinkListenerOptions = {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  readonly limits?: Partial<AdmissionLimits> | undefined
  /** @default a fresh self-signed one */
  readonly certificate?: TlsCertificate | undefined
  /** What everybody else sees. @default "It works!" */
  readonly page?: string | undefined
}

/** Counters since the start; no address, no peer. */
export type LinkListenerStats = {
  readonly links: number
  readonly halfOpen: number
  readonly accepted: number
  readonly pages: number
  readonly failedGreetings: number
  readonly refused: Readonly<Record<Refusal, number>>
}

/** A listener. Links it made outlive it; their owner closes them. */
export interface LinkListener extends AsyncDisposable {
  /** Starts to listen and returns the port. @throws NET_LISTEN */
  listen(): Promise<number>
  readonly stats: LinkListenerStats
}

/** After Tor's defaults (THREAT-MODEL T15). */
export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = {
  linksPerAddress: 100,
  halfOpenPerAddress: 10,
  halfOpen: 256,
  // An idle link costs 67 KB (ADR-0007): 340 MB.
  links: 5000,
  connectsPerS: 20,
  connectBurst: 40,
  penaltyMs: 24 * 3600 * 1000,
  addresses: 65_536,
}

/** Creates a listener; nothing is opened before `listen`. */
export function createLinkListener(
  deps: LinkListenerDeps,
  options: LinkListenerOptions,
): LinkListener {
  return new Listener(deps, options)
}

/** A connection from accept to close. */
type Pending = {
  readonly socket: Socket
  readonly admitted: Admitted
  readonly atMs: number
  /** Set when the path token was right. */
  exporter?: Uint8Array
}

class Listener implements LinkListener {
  readonly #deps: LinkListenerDeps
  readonly #options: LinkListenerOptions
  readonly #runtime: LinkRuntime
  readonly #admission
  readonly #page: Uint8Array
  readonly #server: Server
  /** Connections whose greetings are not done, oldest first. */
  readonly #pending = new Map<string, Pending>()
  readonly #refused: Record<Refusal, number> = {
    rate: 0,
    penalty: 0,
    links: 0,
    'half-open': 0,
    full: 0,
    address: 0,
  }
  #accepted = 0
  #pages = 0
  #failedGreetings = 0

  constructor(deps: LinkListenerDeps, options: LinkListenerOptions) {
    this.#deps = deps
    this.#options = options
    this.#runtime = deps.runtime ?? systemRuntime
    const limits = { ...DEFAULT_ADMISSION_LIMITS, ...options.limits }
    this.#admission = createAdmission(limits, () => this.#runtime.random())
    this.#page = utf8Bytes(options.page ?? DEFAULT_PAGE)
    this.#server = this.#createServer()
  }

  get stats(): LinkListenerStats {
    return {
      links: this.#admission.links,
      halfOpen: this.#admission.halfOpen,
      accepted: this.#accepted,
      pages: this.#pages,
      failedGreetings: this.#failedGreetings,
      refused: { ...this.#refused },
    }
  }

  async listen(): Promise<number> {
    const opened = Promise.withResolvers<number>()
    const onError = (error: Error): void =>
      opened.reject(netError('NET_LISTEN', { errno: errnoOf(error) }))
    this.#server.once('error', onError)
    this.#server.listen(this.#options.port, this.#options.host, LISTEN_BACKLOG, () => {
      this.#server.off('error', onError)
      // A fault of one accept (too many files) must not end the process; the next one may succeed.
      this.#server.on('error', () => {})
      opened.resolve((this.#server.address() as AddressInfo).port)
    })
    return opened.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.withResolvers<void>()
    this.#server.close(() => closed.resolve())
    this.#server.closeAllConnections()
    for (const { socket } of this.#pending.values()) socket.destroy()
    // `close` waits for links too, which are not ours any more once they are up.
    if (this.#admission.links > 0) closed.resolve()
    await closed.promise
  }

  #createServer(): Server {
    const certificate =
      this.#options.certificate ?? createSelfSignedCertificate({ nowS: this.#runtime.unixS() })
    const server = createServer({
      ...LINK_TLS,
      ...certificate,
      ALPNProtocols: [...LINK_ALPN],
      handshakeTimeout: GREETING_TIMEOUT_MS,
      noDelay: true,
      ...HTTP_LIMITS,
      shouldUpgradeCallback: (request) => this.#isForUs(request),
    })
    server.on('request', (request, response) => this.#answer(request, response))
    server.on('upgrade', (request, socket, head) =>
      this.#onUpgrade(socket as TLSSocket, head, this.#pendingOf(request)),
    )
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    this.#guardConnections(server)
    return server
  }

  /** Puts admission in front of the TLS server: a refused connection costs no handshake. */
  #guardConnections(server: Server): void {
    const [startTls] = server.listeners('connection') as ((socket: Socket) => void)[]
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      if (this.#admit(socket)) startTls?.call(server, socket)
      else socket.destroy()
    })
  }

  #admit(socket: Socket): boolean {
    const nowMs = this.#runtime.nowMs()
    const address = socket.remoteAddress ?? ''
    let admitted = this.#admission.admit(address, nowMs)
    if (admitted === 'full') {
      // Who came first has had the most time to greet.
      this.#refused.full++
      const [oldest] = this.#pending.values()
      oldest?.admitted.release()
      oldest?.socket.destroy()
      admitted = this.#admission.admit(address, nowMs)
    }
    if (typeof admitted === 'string') {
      this.#refused[admitted]++
      return false
    }
    const key = keyOf(socket)
    const pending = { socket, admitted, atMs: nowMs }
    this.#pending.set(key, pending)
    socket.on('error', () => {})
    socket.once('close', () => {
      admitted.release()
      if (this.#pending.get(key) === pending) this.#pending.delete(key)
    })
    return true
  }

  #pendingOf(request: IncomingMessage): Pending | undefined {
    return this.#pending.get(keyOf(request.socket))
  }

  /** SPEC §3.2: "MUST compare it in constant time". */
  #isForUs(request: IncomingMessage): boolean {
    const pending = this.#pendingOf(request)
    if (!pending || request.method !== 'GET') return false
    const exporter = exporterOf(request.socket as TLSSocket)
    const { nodeId } = this.#deps.identity().cert
    const expected = utf8Bytes(`/${pathToken(this.#deps.crypto, nodeId, exporter)}`)
    if (!this.#deps.crypto.timingSafeEqual(expected, utf8Bytes(request.url ?? ''))) return false
    pending.exporter = exporter
    return true
  }

  #onUpgrade(socket: TLSSocket, head: Uint8Array, pending: Pending | undefined): void {
    if (!pending?.exporter) {
      socket.destroy()
      return
    }
    acceptLink({
      crypto: this.#deps.crypto,
      identity: this.#deps.identity(),
      runtime: this.#runtime,
      socket,
      head,
      exporter: pending.exporter,
      // SPEC §3.3: "5 s from accept to a complete greeting".
      timeoutMs: Math.max(0, GREETING_TIMEOUT_MS - (this.#runtime.nowMs() - pending.atMs)),
      onFailed: () => {
        this.#failedGreetings++
      },
      onLink: (link) => {
        this.#accepted++
        this.#pending.delete(keyOf(pending.socket))
        pending.admitted.established()
        this.#deps.onLink(link, pending.socket.remoteAddress ?? '')
        const info = netInfoFor(socket, this.#runtime.unixS())
        if (info) link.send(info)
      },
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#pages++
    request.resume()
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    response.statusCode = isRead ? 200 : 405
    response.setHeader('Content-Type', 'text/html')
    response.setHeader('Content-Length', isRead ? this.#page.length : 0)
    response.end(request.method === 'GET' ? this.#page : undefined)
  }
}

/** An open connection's name in our books: unique among those of one listener. */
function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

const DEFAULT_PAGE = '<html><body><h1>It works!</h1></body></html>\n'

// Protocol constants (change needs a spec change).

/** SPEC §3.3: "A listener gives a connection 5 s from accept to a complete greeting". */
const GREETING_TIMEOUT_MS = 5000

// Local limits (tunable): those of an ordinary small web server.

const HTTP_LIMITS = {
  headersTimeout: 20_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 8192,
}
const LISTEN_BACKLOG = 511
