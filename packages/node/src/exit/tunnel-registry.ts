/**
 * The tunnels of an exit with what belongs to each: its driver, its account of memory, the circuit it rides on. Whatever ends a tunnel
 * (its client, a fault, a deadline, the accountant, the operator) ends it here, once. Legs without a tunnel are `exit-service.ts`.
 */
import type { Account, Accountant, ExitTunnel, ExitTunnels } from '@byway/protocol/circuit'
import { CLOSE_REASON, RESET_REASON } from '@byway/protocol/wire'
import type { CloseReason, Position, ResetReason, TunnelTerms } from '@byway/protocol/wire'
import type { PaidTunnel, PaidTunnelHost } from '../money/tunnel-toll.ts'
import type { ExitConnector } from './connect-pinned.ts'
import type { DatagramDeps } from './datagram-flow.ts'
import type { ExitLimits } from './exit-limits.ts'
import { createTunnelDriver, type TunnelDriver } from './exit-tunnel-driver.ts'
import { createLinkStreams, type LinkStreams } from './link-streams.ts'
import type { TerminalLeg } from './terminal-leg.ts'

/** What the memory accountant may ask of whoever holds bytes. */
export interface MemoryOwner {
  /** Dies at once and gives its bytes back. */
  giveUp(): void
}

/** What payment adds to tunnels (SPEC §15.4). */
export type TunnelMoney = {
  /** Opens the account of a tunnel that begins on a circuit in this position; `undefined` where nothing is charged. */
  readonly openTunnel: (
    position: Position,
    terms: TunnelTerms,
    host: PaidTunnelHost,
  ) => PaidTunnel | undefined
}

/** What the registry needs. */
export type TunnelRegistryDeps = {
  readonly tunnels: ExitTunnels
  readonly connector: ExitConnector
  readonly limits: ExitLimits
  readonly accountant: Accountant<MemoryOwner>
  readonly nowMs: () => number
  /** Absent in an unpaid network. */
  readonly money?: TunnelMoney | undefined
  /** Undefined while this exit carries no datagrams. */
  readonly datagrams: DatagramDeps | undefined
  readonly maxStreamsPerLink: number | undefined
  readonly forgetCircuit: ((circuit: string) => void) | undefined
}

/** A tunnel with what belongs to it. */
export type TunnelEntry = {
  /** The key under which limits count it: opaque, never used again. */
  readonly circuit: string
  readonly driver: TunnelDriver
  readonly account: Account
  readonly paid: PaidTunnel | undefined
  /** The circuit it rides on; the one it rode on, while it is an orphan. */
  leg: TerminalLeg
  isOver: boolean
}

/** The tunnels of an exit. */
export interface TunnelRegistry {
  readonly size: number
  readonly entries: Iterable<TunnelEntry>
  /** While true no stream begins. */
  isDraining: boolean
  /** Makes a place for the tunnel that is about to open on this leg. */
  create(leg: TerminalLeg, terms: TunnelTerms): TunnelEntry
  /** The tunnel has opened: it can be found from now on. */
  opened(entry: TunnelEntry, tunnel: ExitTunnel): void
  find(tunnel: ExitTunnel | undefined): TunnelEntry | undefined
  findCircuit(circuit: string): TunnelEntry | undefined
  /** The tunnel rides on another leg from now on; the older one, if it lives, is fenced (SPEC §9.2). */
  joined(entry: TunnelEntry, leg: TerminalLeg): void
  /** Ends a tunnel from this side; its circuit tells the client why. */
  end(entry: TunnelEntry, reason: CloseReason): void
}

/** Creates an empty registry. */
export function createTunnelRegistry(deps: TunnelRegistryDeps): TunnelRegistry {
  return new Registry(deps)
}

class Registry implements TunnelRegistry {
  isDraining = false
  readonly #deps: TunnelRegistryDeps
  readonly #linkStreams: LinkStreams
  readonly #byCircuit = new Map<string, TunnelEntry>()
  readonly #byTunnel = new Map<ExitTunnel, TunnelEntry>()
  #lastKey = 0

  constructor(deps: TunnelRegistryDeps) {
    this.#deps = deps
    this.#linkStreams = createLinkStreams(deps.maxStreamsPerLink)
  }

  get size(): number {
    return this.#byCircuit.size
  }

  get entries(): Iterable<TunnelEntry> {
    return this.#byCircuit.values()
  }

  create(leg: TerminalLeg, terms: TunnelTerms): TunnelEntry {
    const { connector, nowMs, accountant, datagrams } = this.#deps
    this.#lastKey++
    const circuit = `tunnel-${this.#lastKey}`
    const paid = this.#openPaid(leg, terms, () => entry)
    const end = (reason: CloseReason): void => this.end(entry, reason)
    const driver = createTunnelDriver({
      connector,
      circuit,
      datagrams,
      nowMs,
      paid,
      end,
      tryBegin: () => this.#tryBegin(entry),
      onStreamGone: () => this.#linkStreams.remove(entry.leg.terminal.link, 1),
      onPumped: () => this.#onPumped(entry),
      onOver: () => this.#onOver(entry),
    })
    const owner: MemoryOwner = { giveUp: () => this.end(entry, CLOSE_REASON.RESOURCE_LIMIT) }
    const account = accountant.open(owner, () => driver.oldestAtMs)
    const entry: TunnelEntry = { circuit, driver, account, paid, leg, isOver: false }
    leg.paid = paid
    this.#byCircuit.set(circuit, entry)
    return entry
  }

  opened(entry: TunnelEntry, tunnel: ExitTunnel): void {
    this.#byTunnel.set(tunnel, entry)
  }

  find(tunnel: ExitTunnel | undefined): TunnelEntry | undefined {
    return tunnel && this.#byTunnel.get(tunnel)
  }

  findCircuit(circuit: string): TunnelEntry | undefined {
    return this.#byCircuit.get(circuit)
  }

  joined(entry: TunnelEntry, leg: TerminalLeg): void {
    const older = entry.leg
    entry.leg = leg
    const { driver } = entry
    this.#linkStreams.move(older.terminal.link, leg.terminal.link, driver.streamCount)
    older.destroy(CLOSE_REASON.FENCED)
    older.paid = undefined
    leg.paid = entry.paid
    entry.paid?.refund(driver.tunnel?.lostBytes ?? 0)
    driver.setOrphaned(false)
    driver.onWork()
  }

  end(entry: TunnelEntry, reason: CloseReason): void {
    const { tunnel } = entry.driver
    if (tunnel) this.#deps.tunnels.giveUp(tunnel)
    entry.leg.destroy(reason)
  }

  #openPaid(
    leg: TerminalLeg,
    terms: TunnelTerms,
    entry: () => TunnelEntry,
  ): PaidTunnel | undefined {
    return this.#deps.money?.openTunnel(leg.terminal.circuit.position, terms, {
      send: (pay) => entry().driver.tunnel?.pay(pay),
      setHeld: (isHeld) => entry().driver.setHeld(isHeld),
      end: (reason) => this.end(entry(), reason),
    })
  }

  #tryBegin(entry: TunnelEntry): ResetReason | undefined {
    if (this.isDraining) return RESET_REASON.DRAINING
    const isCounted = this.#linkStreams.tryAdd(entry.leg.terminal.link)
    return isCounted ? undefined : RESET_REASON.RESOURCE_LIMIT
  }

  #onPumped(entry: TunnelEntry): void {
    entry.account.set(entry.driver.heldBytes)
    const { accountant } = this.#deps
    if (!accountant.isOver) return
    for (const owner of accountant.chooseVictims()) owner.giveUp()
  }

  /** Its leg goes after the call that ended the tunnel has given its own reason. */
  #onOver(entry: TunnelEntry): void {
    if (entry.isOver) return
    entry.isOver = true
    entry.paid?.close()
    entry.account.close()
    this.#byCircuit.delete(entry.circuit)
    this.#deps.limits.forget(entry.circuit)
    this.#deps.forgetCircuit?.(entry.circuit)
    queueMicrotask(() => {
      const { tunnel } = entry.driver
      if (tunnel) {
        this.#deps.tunnels.giveUp(tunnel)
        this.#byTunnel.delete(tunnel)
      }
      entry.leg.destroy(CLOSE_REASON.FINISHED)
    })
  }
}
