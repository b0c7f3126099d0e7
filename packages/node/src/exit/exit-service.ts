/**
 * The exit role: takes circuits that end here, finds or opens the tunnel that rides on each, and keeps tunnels over the death of a
 * circuit (SPEC §9). What a tunnel does is `exit-tunnel-driver.ts`. Logs and counters know numbers only.
 */
import type { Logger } from '@byway/protocol/base'
import {
  type Account,
  type Accountant,
  createExitLeg,
  createExitTunnels,
  createHopLayers,
  type ExitTunnel,
  type ExitTunnels,
  type LegLink,
  type OrphanLimits,
  type RandomBytes,
} from '@byway/protocol/circuit'
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { CellQueue, Link } from '@byway/protocol/link'
import { CLOSE_REASON, RESET_REASON } from '@byway/protocol/wire'
import type { CloseReason, ResetReason } from '@byway/protocol/wire'
import type { LinkRuntime, LinkTimer } from '@byway/net'
import type { TerminalCircuit, TerminalHandler, TerminalService } from '../relay/ports.ts'
import type { ExitConnector } from './connect-pinned.ts'
import type { DatagramDeps } from './datagram-flow.ts'
import type { ExitLimits } from './exit-limits.ts'
import { createTunnelDriver, type TunnelDriver } from './exit-tunnel-driver.ts'
import { createLinkStreams } from './link-streams.ts'
import { createTerminalLeg, type TerminalLeg } from './terminal-leg.ts'

/** What the memory accountant may ask of whoever holds bytes. */
export interface MemoryOwner {
  /** Dies at once and gives its bytes back. */
  giveUp(): void
}

/** What the exit role needs. */
export type ExitServiceDeps = {
  readonly provider: CryptoProvider
  readonly randomBytes: RandomBytes
  readonly runtime: Pick<LinkRuntime, 'nowMs' | 'setTimer'>
  readonly connector: ExitConnector
  readonly limits: ExitLimits
  readonly log: Logger
  readonly accountant: Accountant<MemoryOwner>
  /** `createLegLink` of `@byway/net`. */
  readonly createLegLink: (options: {
    readonly link: Link
    readonly queue: CellQueue
    readonly push: (cell: Uint8Array) => void
    readonly onRoom: () => void
  }) => LegLink
  /** A tunnel is gone: whatever is kept for its key can go too (the DNS cache's view). */
  readonly forgetCircuit?: ((circuit: string) => void) | undefined
}

/** Local limits and the operator's choices. */
export type ExitServiceOptions = {
  /** Carries datagrams under these rules. @default none are carried */
  readonly datagrams?: DatagramDeps | undefined
  readonly orphans?: OrphanLimits | undefined
  /** @default 4096 */
  readonly maxTunnels?: number | undefined
  /** @default 1000 (SECURITY §2.8) */
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
  /** Destroys every circuit and frees every socket; refuses what comes later. */
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

/** A tunnel with what belongs to it. */
type Entry = {
  readonly circuit: string
  readonly driver: TunnelDriver
  readonly account: Account
  leg: TerminalLeg
  isOver: boolean
}

class Service implements ExitService {
  readonly #deps: ExitServiceDeps
  readonly #options: ExitServiceOptions
  readonly #tunnels: ExitTunnels
  readonly #linkStreams: ReturnType<typeof createLinkStreams>
  readonly #legs = new Set<TerminalLeg>()
  /** Legs whose first message has not come. */
  readonly #waiting = new Set<TerminalLeg>()
  readonly #entries = new Map<string, Entry>()
  readonly #byTunnel = new Map<ExitTunnel, Entry>()
  #lastKey = 0
  #isDraining = false
  #isClosed = false
  #sweepTimer: LinkTimer | undefined

  constructor(deps: ExitServiceDeps, options: ExitServiceOptions) {
    this.#deps = deps
    this.#options = options
    this.#tunnels = createExitTunnels({
      provider: deps.provider,
      orphans: options.orphans,
      maxStreams: MAX_STREAMS_PER_TUNNEL,
    })
    this.#linkStreams = createLinkStreams(options.maxStreamsPerLink)
  }

  accept(terminal: TerminalCircuit, nowMs: number): TerminalHandler | CloseReason {
    if (this.#isClosed) return CLOSE_REASON.DRAINING
    const { provider, randomBytes, createLegLink } = this.#deps
    const { circuit, link, queue } = terminal
    const { keys, handshakeHash } = circuit.hop
    const legLink = createLegLink({
      link,
      queue,
      push: (cell) => terminal.push(cell),
      onRoom: () => {
        const entry = leg.tunnel && this.#byTunnel.get(leg.tunnel)
        if (entry?.leg === leg) entry.driver.onWork()
      },
    })
    const layers = createHopLayers({ provider, ...circuit })
    const { tunnelSecret } = keys
    const machine = createExitLeg(layers, {
      handshakeHash,
      tunnelSecret,
      link: legLink,
      randomBytes,
    })
    const leg = createTerminalLeg(machine, terminal, nowMs, {
      onFirstCell: (from, cell, atMs) => this.#onFirstCell(from, cell, atMs),
      onGone: (gone) => this.#onLegGone(gone),
    })
    this.#legs.add(leg)
    this.#waiting.add(leg)
    this.#keepSweeping()
    return leg
  }

  drain(seconds: number): void {
    this.#isDraining = true
    for (const { driver } of this.#entries.values()) driver.tunnel?.drain(seconds)
  }

  onAbuse(circuit: string): void {
    const entry = this.#entries.get(circuit)
    if (!entry) return
    this.#deps.log.info('ended a tunnel whose connections mostly failed')
    this.#end(entry, CLOSE_REASON.RESOURCE_LIMIT)
  }

  closeAll(reason: CloseReason = CLOSE_REASON.DRAINING): void {
    this.#isClosed = true
    for (const entry of this.#entries.values()) this.#end(entry, reason)
    for (const leg of this.#legs) leg.destroy(reason)
    this.#sweepTimer?.cancel()
  }

  status(): ExitStatus {
    let streams = 0
    let heldBytes = 0
    let droppedDatagrams = 0
    for (const { driver } of this.#entries.values()) {
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

  #onFirstCell(leg: TerminalLeg, cell: Uint8Array, nowMs: number): void {
    let opened: Entry | undefined
    const result = this.#tunnels.onFirstCell(leg.leg, cell, nowMs, () => {
      opened = this.#createEntry(leg)
      return opened.driver
    })
    if (opened?.driver.tunnel) this.#byTunnel.set(opened.driver.tunnel, opened)
    switch (result.type) {
      case 'waiting':
        return
      case 'refused':
        leg.destroy(result.reason)
        return
      case 'opened':
        this.#waiting.delete(leg)
        leg.tunnel = result.tunnel
        if (opened) this.#onOpened(opened)
        return
      case 'joined':
        this.#waiting.delete(leg)
        leg.tunnel = result.tunnel
        this.#onJoined(leg, result.tunnel)
    }
  }

  #onOpened(entry: Entry): void {
    const refusal = this.#isDraining
      ? CLOSE_REASON.DRAINING
      : this.#entries.size > (this.#options.maxTunnels ?? MAX_TUNNELS)
        ? CLOSE_REASON.RESOURCE_LIMIT
        : undefined
    if (refusal !== undefined) this.#end(entry, refusal)
  }

  #onJoined(leg: TerminalLeg, tunnel: ExitTunnel): void {
    const entry = this.#byTunnel.get(tunnel)
    if (!entry) return
    const older = entry.leg
    entry.leg = leg
    this.#linkStreams.move(older.terminal.link, leg.terminal.link, entry.driver.streamCount)
    if (older !== leg) older.destroy(CLOSE_REASON.FENCED)
    entry.driver.setOrphaned(false)
    entry.driver.onWork()
  }

  #onLegGone(leg: TerminalLeg): void {
    this.#legs.delete(leg)
    this.#waiting.delete(leg)
    if (!leg.tunnel) return
    const entry = this.#byTunnel.get(leg.tunnel)
    this.#tunnels.onLegGone(leg.tunnel, leg.leg, this.#deps.runtime.nowMs())
    if (entry?.leg === leg && !leg.tunnel.isOver) entry.driver.setOrphaned(true)
  }

  #createEntry(leg: TerminalLeg): Entry {
    const { connector, runtime, accountant } = this.#deps
    this.#lastKey++
    const circuit = `tunnel-${this.#lastKey}`
    const driver = createTunnelDriver({
      connector,
      circuit,
      datagrams: this.#options.datagrams,
      nowMs: runtime.nowMs,
      tryBegin: () => this.#tryBegin(entry),
      onStreamGone: () => this.#linkStreams.remove(entry.leg.terminal.link, 1),
      onPumped: () => this.#onPumped(entry),
      onOver: () => this.#onOver(entry),
    })
    const owner: MemoryOwner = { giveUp: () => this.#end(entry, CLOSE_REASON.RESOURCE_LIMIT) }
    const account = accountant.open(owner, () => driver.oldestAtMs)
    const entry: Entry = { circuit, driver, account, leg, isOver: false }
    this.#entries.set(circuit, entry)
    return entry
  }

  #tryBegin(entry: Entry): ResetReason | undefined {
    if (this.#isDraining) return RESET_REASON.DRAINING
    const { link } = entry.leg.terminal
    return this.#linkStreams.tryAdd(link) ? undefined : RESET_REASON.RESOURCE_LIMIT
  }

  #onPumped(entry: Entry): void {
    entry.account.set(entry.driver.heldBytes)
    const { accountant } = this.#deps
    if (!accountant.isOver) return
    for (const owner of accountant.chooseVictims()) owner.giveUp()
  }

  /** Every way a tunnel ends comes through here; its leg goes after the call that ended it has told its own reason. */
  #onOver(entry: Entry): void {
    if (entry.isOver) return
    entry.isOver = true
    this.#entries.delete(entry.circuit)
    entry.account.close()
    this.#deps.limits.forget(entry.circuit)
    this.#deps.forgetCircuit?.(entry.circuit)
    queueMicrotask(() => {
      const { tunnel } = entry.driver
      if (tunnel) {
        this.#tunnels.giveUp(tunnel)
        this.#byTunnel.delete(tunnel)
      }
      entry.leg.destroy(CLOSE_REASON.FINISHED)
    })
  }

  /** Ends a tunnel from this side; its circuit tells the client why. */
  #end(entry: Entry, reason: CloseReason): void {
    const { tunnel } = entry.driver
    if (tunnel) this.#tunnels.giveUp(tunnel)
    entry.leg.destroy(reason)
  }

  #keepSweeping(): void {
    if (this.#sweepTimer || this.#isClosed) return
    if (this.#legs.size === 0 && this.#entries.size === 0) return
    this.#sweepTimer = this.#deps.runtime.setTimer(() => {
      this.#sweepTimer = undefined
      this.#sweep(this.#deps.runtime.nowMs())
      this.#keepSweeping()
    }, SWEEP_MS)
  }

  #sweep(nowMs: number): void {
    for (const leg of this.#waiting) {
      if (nowMs - leg.acceptedAtMs < FIRST_CELL_MS) break
      leg.destroy(CLOSE_REASON.TIMEOUT)
    }
    this.#tunnels.expireOrphans(nowMs)
    for (const { driver } of this.#entries.values()) driver.sweep(nowMs)
  }
}

// Local limits (tunable): docs/LIMITS.md.
/** How long a fresh circuit may stay without a tunnel: the client sends OPEN right behind its CREATE. */
const FIRST_CELL_MS = 10_000
/** How late a deadline of seconds may be noticed. */
const SWEEP_MS = 1000
/** SECURITY §2.8. */
const MAX_STREAMS_PER_TUNNEL = 128
/** As many as sockets: a tunnel without one is worth little. */
const MAX_TUNNELS = 4096
