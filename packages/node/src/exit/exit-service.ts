/**
 * The exit role: takes circuits that end here, finds or opens the tunnel that rides on each, and keeps tunnels over the death of a
 * circuit (SPEC §9). What a tunnel does is `exit-tunnel-driver.ts`. Logs and counters know numbers only.
 */
import type { Logger } from '@byway/protocol/base'
import {
  type Accountant,
  createExitLeg,
  createExitTunnels,
  createHopLayers,
  type ExitTunnel,
  type ExitTunnels,
  isControlList,
  type Leg,
  type LegLink,
  type OrphanLimits,
  type RandomBytes,
} from '@byway/protocol/circuit'
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { CellQueue, Link } from '@byway/protocol/link'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason, TunnelTerms } from '@byway/protocol/wire'
import type { LinkRuntime, LinkTimer } from '@byway/net'
import type { TerminalCircuit, TerminalHandler, TerminalService } from '../relay/ports.ts'
import type { ControlDesk } from '../money/control-desk.ts'
import type { ExitConnector } from './connect-pinned.ts'
import type { DatagramDeps } from './datagram-flow.ts'
import type { ExitLimits } from './exit-limits.ts'
import { createTerminalLeg, type TerminalLeg } from './terminal-leg.ts'
import {
  createTunnelRegistry,
  type MemoryOwner,
  type TunnelMoney,
  type TunnelEntry,
  type TunnelRegistry,
} from './tunnel-registry.ts'

export type { MemoryOwner } from './tunnel-registry.ts'

/** What the exit role needs. */
export type ExitServiceDeps = {
  readonly provider: CryptoProvider
  readonly randomBytes: RandomBytes
  readonly runtime: Pick<LinkRuntime, 'nowMs' | 'setTimer'>
  readonly connector: ExitConnector
  readonly limits: ExitLimits
  readonly log: Logger
  readonly accountant: Accountant<MemoryOwner>
  /** False while nothing may be carried: tunnels are refused with NOT_EXIT. @default always true */
  readonly isOpen?: (() => boolean) | undefined
  /** True for a tunnel of a class that this exit takes, at its prices; others are refused with NOT_EXIT. @default each is taken */
  readonly takes?: ((terms: TunnelTerms) => boolean) | undefined
  /** `createLegLink` of `@byway/net`. */
  readonly createLegLink: (options: {
    readonly link: Link
    readonly queue: CellQueue
    readonly push: (cell: Uint8Array) => void
    readonly onRoom: () => void
  }) => LegLink
  /** Absent in an unpaid network. */
  readonly money?: ExitMoney | undefined
  /** A tunnel is gone: whatever is kept for its key can go too (the DNS cache's view). */
  readonly forgetCircuit?: ((circuit: string) => void) | undefined
}

/** What payment adds to the exit role (SPEC §15). */
export type ExitMoney = TunnelMoney & {
  /** Takes the control circuits that end here. */
  readonly desk: ControlDesk
}

/** Local limits and the operator's choices. */
export type ExitServiceOptions = {
  /** Carries datagrams under these rules. @default none are carried */
  readonly datagrams?: DatagramDeps | undefined
  readonly orphans?: OrphanLimits | undefined
  /** How long a circuit may stay without a tunnel. @default 660000 */
  readonly firstCellMs?: number | undefined
  /** @default 4096 */
  readonly maxTunnels?: number | undefined
  /** @default 1000 (THREAT-MODEL T15) */
  readonly maxStreamsPerLink?: number | undefined
}

/** Numbers for the operator; nothing in them tells one circuit from another. */
export type ExitStatus = {
  readonly legs: number
  readonly tunnels: number
  readonly orphans: number
  readonly streams: number
  readonly sockets: number
  readonly heldBytes: number
  readonly droppedDatagrams: number
}

/** The exit role of a node. */
export interface ExitService extends TerminalService {
  /** Tells every client that this exit stops in so many seconds. From now on tunnels go on, but nothing new begins. */
  drain(seconds: number): void
  /** Ends a tunnel whose connections mostly fail; `circuit` is the key the connector was given. */
  onAbuse(circuit: string): void
  /** Destroys every circuit and frees every socket. After a drain nothing begins until {@link resume}. */
  endAll(reason: CloseReason): void
  /** Takes tunnels again after a drain. */
  resume(): void
  /** As `endAll`, and for good. */
  closeAll(reason?: CloseReason): void
  status(): ExitStatus
}

/** Creates the exit role, without circuits. */
export function createExitService(
  deps: ExitServiceDeps,
  options: ExitServiceOptions = {},
): ExitService {
  return new Service(deps, options)
}

class Service implements ExitService {
  readonly #deps: ExitServiceDeps
  readonly #options: ExitServiceOptions
  readonly #tunnels: ExitTunnels
  readonly #registry: TunnelRegistry
  readonly #legs = new Set<TerminalLeg>()
  /** Legs whose first message has not come. */
  readonly #waiting = new Set<TerminalLeg>()
  #isClosed = false
  #sweepTimer: LinkTimer | undefined

  constructor(deps: ExitServiceDeps, options: ExitServiceOptions) {
    this.#deps = deps
    this.#options = options
    this.#tunnels = createExitTunnels({
      provider: deps.provider,
      orphans: options.orphans,
      maxStreams: MAX_STREAMS_PER_TUNNEL,
      takes: deps.takes,
    })
    this.#registry = createTunnelRegistry({
      ...deps,
      tunnels: this.#tunnels,
      nowMs: () => deps.runtime.nowMs(),
      money: deps.money,
      datagrams: options.datagrams,
      maxStreamsPerLink: options.maxStreamsPerLink,
      forgetCircuit: deps.forgetCircuit,
    })
  }

  accept(terminal: TerminalCircuit, nowMs: number): TerminalHandler | CloseReason {
    if (this.#isClosed) return CLOSE_REASON.DRAINING
    const leg: TerminalLeg = createTerminalLeg(
      this.#legOf(
        terminal,
        () => leg,
        () => onRoom(),
      ),
      terminal,
      nowMs,
      {
        onFirstCell: (from, cell, atMs) => this.#onFirstCell(from, cell, atMs),
        onGone: (gone) => this.#onLegGone(gone),
      },
    )
    const onRoom = (): void => {
      const entry = this.#registry.find(leg.tunnel)
      if (entry?.leg === leg) entry.driver.onWork()
    }
    this.#legs.add(leg)
    this.#waiting.add(leg)
    this.#keepSweeping()
    return leg
  }

  drain(seconds: number): void {
    this.#registry.isDraining = true
    for (const { driver } of this.#registry.entries) driver.tunnel?.drain(seconds)
  }

  onAbuse(circuit: string): void {
    const entry = this.#registry.findCircuit(circuit)
    if (!entry) return
    this.#deps.log.info('ended a tunnel whose connections mostly failed')
    this.#registry.end(entry, CLOSE_REASON.RESOURCE_LIMIT)
  }

  closeAll(reason: CloseReason = CLOSE_REASON.DRAINING): void {
    this.#isClosed = true
    this.endAll(reason)
    this.#sweepTimer?.cancel()
  }

  endAll(reason: CloseReason): void {
    for (const entry of this.#registry.entries) this.#registry.end(entry, reason)
    for (const leg of this.#legs) leg.destroy(reason)
  }

  resume(): void {
    this.#registry.isDraining = false
  }

  status(): ExitStatus {
    let streams = 0
    let heldBytes = 0
    let droppedDatagrams = 0
    for (const { driver } of this.#registry.entries) {
      streams += driver.streamCount
      heldBytes += driver.heldBytes
      droppedDatagrams += driver.tunnel?.droppedDatagrams ?? 0
    }
    return {
      legs: this.#legs.size,
      tunnels: this.#tunnels.size,
      orphans: this.#tunnels.orphanCount,
      streams,
      sockets: this.#deps.limits.openSockets,
      heldBytes,
      droppedDatagrams,
    }
  }

  #legOf(terminal: TerminalCircuit, legOf: () => TerminalLeg, onRoom: () => void): Leg {
    const { circuit, link, queue } = terminal
    const { provider, randomBytes, createLegLink } = this.#deps
    const { keys, handshakeHash } = circuit.hop
    const { tunnelSecret } = keys
    const layers = createHopLayers({ provider, ...circuit })
    const push = (cell: Uint8Array): void => {
      legOf().paid?.count(cell.length)
      terminal.push(cell)
    }
    const legLink = createLegLink({ link, queue, push, onRoom })
    return createExitLeg(layers, { handshakeHash, tunnelSecret, link: legLink, randomBytes })
  }

  #onControl(leg: TerminalLeg, list: Uint8Array): void {
    this.#waiting.delete(leg)
    const { terminal } = leg
    const end = { leg: leg.leg, terminal, destroy: (reason: CloseReason) => leg.destroy(reason) }
    const control = this.#deps.money?.desk.open(end, list)
    if (typeof control === 'object') leg.control = control
    else leg.destroy(control ?? CLOSE_REASON.PROTOCOL)
  }

  #onFirstCell(leg: TerminalLeg, cell: Uint8Array, nowMs: number): void {
    const list = leg.leg.layers.open(cell)
    if (!list) {
      leg.destroy(CLOSE_REASON.PROTOCOL)
      return
    }
    if (isControlList(list)) {
      this.#onControl(leg, list)
      return
    }
    let opened: TunnelEntry | undefined
    const result = this.#tunnels.onFirstList(leg.leg, list, nowMs, (terms) => {
      opened = this.#registry.create(leg, terms)
      return opened.driver
    })
    if (opened?.driver.tunnel) this.#registry.opened(opened, opened.driver.tunnel)
    if (result.type === 'waiting') return
    if (result.type === 'refused') {
      leg.destroy(result.reason)
      return
    }
    this.#waiting.delete(leg)
    leg.tunnel = result.tunnel
    if (opened) this.#judgeOpened(opened)
    else this.#onJoined(leg, result.tunnel)
  }

  #judgeOpened(entry: TunnelEntry): void {
    const { maxTunnels = MAX_TUNNELS } = this.#options
    if (this.#deps.isOpen?.() === false) this.#registry.end(entry, CLOSE_REASON.NOT_EXIT)
    else if (this.#registry.isDraining) this.#registry.end(entry, CLOSE_REASON.DRAINING)
    else if (this.#registry.size > maxTunnels) {
      this.#registry.end(entry, CLOSE_REASON.RESOURCE_LIMIT)
    }
  }

  #onJoined(leg: TerminalLeg, tunnel: ExitTunnel): void {
    const entry = this.#registry.find(tunnel)
    if (entry) this.#registry.joined(entry, leg)
  }

  #onLegGone(leg: TerminalLeg): void {
    this.#legs.delete(leg)
    this.#waiting.delete(leg)
    if (!leg.tunnel) return
    this.#tunnels.onLegGone(leg.tunnel, leg.leg, this.#deps.runtime.nowMs())
    const entry = this.#registry.find(leg.tunnel)
    if (entry?.leg === leg && !leg.tunnel.isOver) entry.driver.setOrphaned(true)
  }

  #keepSweeping(): void {
    if (this.#sweepTimer || this.#isClosed) return
    if (this.#legs.size === 0 && this.#registry.size === 0) return
    this.#sweepTimer = this.#deps.runtime.setTimer(() => {
      this.#sweepTimer = undefined
      this.#sweep(this.#deps.runtime.nowMs())
      this.#keepSweeping()
    }, SWEEP_MS)
  }

  #sweep(nowMs: number): void {
    const { firstCellMs = FIRST_CELL_MS } = this.#options
    for (const leg of this.#waiting) {
      if (nowMs - leg.acceptedAtMs < firstCellMs) break
      leg.destroy(CLOSE_REASON.TIMEOUT)
    }
    this.#tunnels.expireOrphans(nowMs)
    for (const { driver } of this.#registry.entries) driver.sweep(nowMs)
  }
}

// Local limits (tunable): docs/LIMITS.md.
/**
 * How long a fresh circuit may stay without a tunnel: clients keep warm circuits for up to ten minutes. A waiting one
 * costs a few kilobytes, and a link's circuits are bounded by the relay role.
 */
const FIRST_CELL_MS = 660_000
/** How late a deadline of seconds may be noticed. */
const SWEEP_MS = 1000
/** THREAT-MODEL T15. */
const MAX_STREAMS_PER_TUNNEL = 128
/** As many as sockets: a tunnel without one is worth little. */
const MAX_TUNNELS = 4096
