/**
 * The exit's end of a tunnel (SPEC §7.2, §9.2), and the table that finds a tunnel for a leg's first message and keeps those
 * without a leg for a while (SPEC §9.3). Connecting to targets is the driver's.
 * @module
 */
import { BywayError, toHex } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'
import {
  CLOSE_REASON,
  type CloseReason,
  decodeHopMessage,
  HOP_MESSAGE,
  type HopMessage,
  type IpFamily,
  type JoinMessage,
  MessageListReader,
  type OpenMessage,
  type TunnelTerms,
} from '@byway/protocol/wire'
import type { Leg } from './leg.ts'
import { repeatWindows, takeList } from './message-intake.ts'
import { createOrphans, type OrphanLimits, type Orphans } from './orphans.ts'
import { BaseTunnel, type TunnelEnd } from './tunnel-end.ts'
import { createExitTunnelKeys, type ExitTunnelKeys } from './tunnel-keys.ts'
import { createTunnelState, type ExitTunnelHandler, type ResolveAnswer } from './tunnel-state.ts'

/** The exit's end. */
export interface ExitTunnel extends TunnelEnd {
  /** Bytes that an earlier leg carried and the client never got, as its JOIN has shown; they go again. */
  readonly lostBytes: number
  /** The target of a BEGIN is connected; before that nothing may be written. Failures are `reset`. */
  connected(stream: number, family: IpFamily): void
  /** Answers a RESOLVE; the stream is over with it. At most 16 addresses go. */
  resolved(stream: number, answer: ResolveAnswer): void
}

/** The driver's side of one tunnel. */
export interface ExitTunnelDriver extends ExitTunnelHandler {
  /** Called once, before anything else. */
  onOpened(tunnel: ExitTunnel): void
}

/** Makes the driver's side of a new tunnel. */
export type OpenDriver = (terms: TunnelTerms) => ExitTunnelDriver

/** What became of the first cell of a fresh leg that ends here. */
export type FirstCellResult =
  /** Padding only: the next cell is the first. */
  | { readonly type: 'waiting' }
  | { readonly type: 'opened'; readonly tunnel: ExitTunnel }
  /** `fenced`: the older leg, to be destroyed with FENCED. */
  | { readonly type: 'joined'; readonly tunnel: ExitTunnel; readonly fenced: Leg | undefined }
  /** The circuit must be destroyed. */
  | { readonly type: 'refused'; readonly reason: CloseReason }

/** All tunnels of an exit. */
export interface ExitTunnels {
  readonly size: number
  readonly orphanCount: number
  /** When `expireOrphans` is due; Infinity when nothing waits. */
  readonly nextDeadlineAtMs: number
  /** Takes the first cell of a leg. `open` makes the driver's side of a new tunnel; it is called for an OPEN that is taken. */
  onFirstCell(leg: Leg, cell: Uint8Array, nowMs: number, open: OpenDriver): FirstCellResult
  /** As `onFirstCell`, for whoever has opened the leg's first cell already, to see whether `isControlList`. */
  onFirstList(leg: Leg, list: Uint8Array, nowMs: number, open: OpenDriver): FirstCellResult
  /** To be called for every leg whose circuit is gone, whatever the reason: its tunnel waits for another, or is forgotten. */
  onLegGone(tunnel: ExitTunnel, leg: Leg, nowMs: number): void
  /** Gives up the tunnels that have waited too long. */
  expireOrphans(nowMs: number): void
  /** Gives a tunnel up at once, as the memory accountant asks. */
  giveUp(tunnel: ExitTunnel): void
}

/** Limits and cryptography of an exit's tunnels. */
export type ExitTunnelsOptions = {
  readonly provider: CryptoProvider
  readonly orphans?: OrphanLimits | undefined
  /** Streams open at once in a tunnel; more are reset with RESOURCE_LIMIT. @default 1024 */
  readonly maxStreams?: number | undefined
  /** True for a class that this exit takes, at these prices; others are refused with NOT_EXIT. @default each is taken */
  readonly takes?: ((terms: TunnelTerms) => boolean) | undefined
}

/** Creates an empty table. */
export function createExitTunnels(options: ExitTunnelsOptions): ExitTunnels {
  return new Tunnels(options)
}

class Exit extends BaseTunnel implements ExitTunnel {
  readonly name: string
  readonly #keys: ExitTunnelKeys
  protected readonly clientKeys = undefined
  /** A message on this leg shows that its client has seen JOINED. */
  #awaitsConfirmation = false

  constructor(name: string, keys: ExitTunnelKeys, maxStreams: number, handler: ExitTunnelHandler) {
    super(createTunnelState({ role: 'exit', handler }, maxStreams))
    this.name = name
    this.#keys = keys
  }

  get lostBytes(): number {
    return this.state.sender.lostBytes
  }

  /** Takes the rest of the list that began with the greeting; false when it breaks a rule. */
  begin(leg: Leg, list: Uint8Array, nowMs: number): boolean {
    const { state } = this
    state.leg = leg
    const isGood = takeList({ state, leg, clientKeys: undefined, nowMs }, list, true)
    if (!isGood) this.giveUp()
    else state.end.handler.onWork()
    return isGood
  }

  /** Judges a JOIN; the older leg, if there is one, is detached. */
  join(leg: Leg, join: JoinMessage): boolean {
    const { state } = this
    if (state.isOver || !this.#keys.onJoin(leg.hash, join)) return false
    this.detachLeg()
    if (!state.sender.rewind(join.nextSequence)) {
      this.giveUp()
      return false
    }
    state.greeting = this.#keys.joined(state.receiver.nextExpected)
    repeatWindows(state)
    this.#awaitsConfirmation = true
    return true
  }

  connected(id: number, family: IpFamily): void {
    const stream = this.state.streams.get(id)
    if (stream?.kind !== 'connection' || stream.answered || stream.resetting !== undefined) return
    stream.answered = true
    this.queueControl(stream, { type: HOP_MESSAGE.CONNECTED, stream: id, family })
  }

  resolved(id: number, { reason, ttlS, addresses }: ResolveAnswer): void {
    const stream = this.state.streams.get(id)
    if (stream?.kind !== 'lookup' || stream.answered || stream.resetting !== undefined) return
    stream.answered = true
    const some = addresses.slice(0, MAX_ADDRESSES)
    const type = HOP_MESSAGE.RESOLVED
    this.queueControl(stream, { type, stream: id, reason, ttlS, addresses: some })
  }

  protected onList(list: Uint8Array): void {
    if (!this.#awaitsConfirmation || (list[0] ?? 0) === 0) return
    this.#awaitsConfirmation = false
    this.#keys.confirm()
  }
}

class Tunnels implements ExitTunnels {
  readonly #options: ExitTunnelsOptions
  readonly #tunnels = new Map<string, Exit>()
  readonly #orphans: Orphans<Exit>

  constructor(options: ExitTunnelsOptions) {
    this.#options = options
    this.#orphans = createOrphans(options.orphans)
  }

  get size(): number {
    return this.#tunnels.size
  }

  get orphanCount(): number {
    return this.#orphans.size
  }

  get nextDeadlineAtMs(): number {
    return this.#orphans.nextDeadlineAtMs
  }

  onFirstCell(leg: Leg, cell: Uint8Array, nowMs: number, open: OpenDriver): FirstCellResult {
    const list = leg.layers.open(cell)
    return list ? this.onFirstList(leg, list, nowMs, open) : PROTOCOL_FAULT
  }

  onFirstList(leg: Leg, list: Uint8Array, nowMs: number, open: OpenDriver): FirstCellResult {
    const first = firstMessage(list)
    if (!first) return (list[0] ?? 0) === 0 ? { type: 'waiting' } : PROTOCOL_FAULT
    if (first.type === HOP_MESSAGE.OPEN) return this.#open(leg, list, nowMs, open, first)
    if (first.type === HOP_MESSAGE.JOIN) return this.#join(leg, list, nowMs, first)
    return PROTOCOL_FAULT
  }

  onLegGone(tunnel: ExitTunnel, leg: Leg, nowMs: number): void {
    if (!(tunnel instanceof Exit)) return
    if (tunnel.isOver) {
      this.#forget(tunnel)
      return
    }
    // A fenced leg: the tunnel rides on another one already.
    if (tunnel.leg !== undefined && tunnel.leg !== leg) return
    tunnel.detachLeg()
    const oldest = this.#orphans.add(tunnel, nowMs)
    if (oldest) this.giveUp(oldest)
  }

  expireOrphans(nowMs: number): void {
    for (const tunnel of this.#orphans.takeExpired(nowMs)) this.giveUp(tunnel)
  }

  giveUp(tunnel: ExitTunnel): void {
    tunnel.giveUp()
    if (tunnel instanceof Exit) this.#forget(tunnel)
  }

  #open(
    leg: Leg,
    list: Uint8Array,
    nowMs: number,
    open: OpenDriver,
    { tunnelId, trafficClass, classStep, priceStep }: OpenMessage,
  ): FirstCellResult {
    const name = toHex(tunnelId)
    if (this.#tunnels.has(name)) return PROTOCOL_FAULT
    const { provider, maxStreams = MAX_STREAMS, takes = () => true } = this.#options
    const terms = { trafficClass, classStep, priceStep }
    // SPEC §9.2: refused before anything in the cell is looked at.
    if (!takes(terms)) return { type: 'refused', reason: CLOSE_REASON.NOT_EXIT }
    const { tunnelSecret } = leg
    const keys = createExitTunnelKeys({ provider, tunnelId, tunnelSecret })
    const driver = open(terms)
    const tunnel = new Exit(name, keys, maxStreams, driver)
    this.#tunnels.set(name, tunnel)
    driver.onOpened(tunnel)
    if (tunnel.begin(leg, list, nowMs)) return { type: 'opened', tunnel }
    this.#forget(tunnel)
    return PROTOCOL_FAULT
  }

  #join(leg: Leg, list: Uint8Array, nowMs: number, join: JoinMessage): FirstCellResult {
    const tunnel = this.#tunnels.get(toHex(join.tunnelId))
    const fenced = tunnel?.leg
    // SPEC §9.2: any failure answers JOINED never and destroys the leg with UNKNOWN_TUNNEL.
    const isJoined = tunnel?.join(leg, join) ?? false
    if (tunnel?.isOver) this.#forget(tunnel)
    if (!tunnel || !isJoined) return { type: 'refused', reason: CLOSE_REASON.UNKNOWN_TUNNEL }
    this.#orphans.remove(tunnel)
    if (tunnel.begin(leg, list, nowMs)) return { type: 'joined', tunnel, fenced }
    this.#forget(tunnel)
    return PROTOCOL_FAULT
  }

  #forget(tunnel: Exit): void {
    if (this.#tunnels.get(tunnel.name) === tunnel) this.#tunnels.delete(tunnel.name)
    this.#orphans.remove(tunnel)
  }
}

function firstMessage(list: Uint8Array): HopMessage | undefined {
  try {
    const reader = new MessageListReader().reset(list)
    return reader.next() ? decodeHopMessage(reader.type, reader.body()) : undefined
  } catch (error) {
    if (error instanceof BywayError && error.kind === 'peer') return undefined
    throw error
  }
}

const PROTOCOL_FAULT: FirstCellResult = { type: 'refused', reason: CLOSE_REASON.PROTOCOL }

// Local limits (tunable).
/** More than any browser opens; the driver's own limits (THREAT-MODEL T15) are lower. */
const MAX_STREAMS = 1024
/** Enough for any client, and a RESOLVED fits into the smallest cell. */
const MAX_ADDRESSES = 16
