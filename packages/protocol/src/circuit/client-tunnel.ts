/**
 * The client's end of a tunnel (SPEC §7.2, §9.2): begins streams, opens the tunnel on its first leg and joins with each later
 * one. Choosing paths and exits is the driver's.
 * @module
 */
import type { CryptoProvider } from '@byway/protocol/crypto'
import { type ClientPayMessage, HOP_MESSAGE, type TunnelTerms } from '@byway/protocol/wire'
import type { Leg } from './leg.ts'
import type { StreamKind } from './stream.ts'
import { BaseTunnel, type TunnelEnd } from './tunnel-end.ts'
import { type ClientTunnelKeys, createClientTunnelKeys } from './tunnel-keys.ts'
import {
  type ClientTunnelHandler,
  type ConnectRequest,
  type Control,
  createTunnelState,
} from './tunnel-state.ts'

/** The client's end. */
export interface ClientTunnel extends TunnelEnd {
  /** Begins a connection and returns its stream id; bytes may be written at once (optimistic data). */
  connect(request: ConnectRequest, nowMs: number): number
  /** Asks the exit for a name's addresses; answered by `onResolved`. */
  resolve(host: string, flags: number, nowMs: number): number
  /** Begins a datagram flow. */
  associate(nowMs: number): number
  /** Queues a payment message for a hop of the present leg before the last, from 0. False when there is no leg, or too much waits. */
  payHop(hop: number, message: ClientPayMessage): boolean
  /** Goes on with a fresh leg after `detachLeg`: JOIN goes with the next `pump`. Its last hop must be the same exit. */
  attachLeg(leg: Leg): void
  /** As `attachLeg`, but opens the tunnel anew: for one whose OPEN never arrived. Only while {@link ClientTunnel.isUnheard}. */
  reopen(leg: Leg): void
  /** The exit has not said a word in this tunnel: it may have never heard of it. */
  readonly isUnheard: boolean
  /** True from `attachLeg` until the exit's JOINED. */
  readonly isJoining: boolean
}

/** What a tunnel begins with. */
export type ClientTunnelOptions = {
  readonly provider: CryptoProvider
  /** 16 random bytes. */
  readonly tunnelId: Uint8Array
  /** What it is opened for; it stays so on every leg. */
  readonly terms: TunnelTerms
  /** The first leg. OPEN goes with the first `pump`, together with whatever was begun by then. */
  readonly leg: Leg
  readonly handler: ClientTunnelHandler
}

/** Begins a tunnel on a fresh leg. */
export function createClientTunnel(options: ClientTunnelOptions): ClientTunnel {
  return new Client(options)
}

class Client extends BaseTunnel implements ClientTunnel {
  protected clientKeys: ClientTunnelKeys
  isUnheard = true
  readonly #options: Pick<ClientTunnelOptions, 'provider' | 'tunnelId' | 'terms'>

  constructor(options: ClientTunnelOptions) {
    const { handler, leg } = options
    super(createTunnelState({ role: 'client', handler }, Number.POSITIVE_INFINITY))
    this.#options = options
    this.clientKeys = this.#open(leg)
  }

  get isJoining(): boolean {
    return this.state.isJoining
  }

  connect({ host, port, flags }: ConnectRequest, nowMs: number): number {
    return this.#begin('connection', nowMs, (stream) => {
      return { type: HOP_MESSAGE.BEGIN, stream, flags, port, host }
    })
  }

  resolve(host: string, flags: number, nowMs: number): number {
    return this.#begin('lookup', nowMs, (stream) => {
      return { type: HOP_MESSAGE.RESOLVE, stream, flags, host }
    })
  }

  associate(nowMs: number): number {
    return this.#begin('datagrams', nowMs, (stream) => ({ type: HOP_MESSAGE.ASSOCIATE, stream }))
  }

  payHop(hop: number, message: ClientPayMessage): boolean {
    const { state } = this
    if (!state.leg || state.isOver || !state.pays.hop(hop).push(message)) return false
    state.end.handler.onWork()
    return true
  }

  attachLeg(leg: Leg): void {
    const { state } = this
    if (state.isOver) return
    this.detachLeg()
    state.leg = leg
    state.greeting = this.clientKeys.join(leg.hash, state.receiver.nextExpected)
    state.isJoining = true
    state.end.handler.onWork()
  }

  reopen(leg: Leg): void {
    const { state } = this
    if (state.isOver || !this.isUnheard || !state.sender.rewind(0)) return
    this.detachLeg()
    this.clientKeys = this.#open(leg)
    state.end.handler.onWork()
  }

  protected onList(list: Uint8Array): void {
    if ((list[0] ?? 0) !== 0) this.isUnheard = false
  }

  /** SPEC §9.2: the same id on every leg, so that an exit which has the tunnel after all refuses instead of beginning its streams twice. */
  #open(leg: Leg): ClientTunnelKeys {
    const { provider, tunnelId, terms } = this.#options
    this.state.leg = leg
    this.state.greeting = { type: HOP_MESSAGE.OPEN, tunnelId, ...terms }
    return createClientTunnelKeys({ provider, tunnelId, tunnelSecret: leg.tunnelSecret })
  }

  #begin(kind: StreamKind, nowMs: number, control: (stream: number) => Control): number {
    const { streams } = this.state
    const id = streams.lastId + 1
    const stream = this.state.isOver ? undefined : streams.begin(id, kind, nowMs)
    if (stream) this.queueControl(stream, control(id))
    return id
  }
}
