/**
 * One circuit that ends here, as its relay role sees it: cells go to the tunnel that rides on it, and its end is told once.
 */
import type { ExitTunnel, Leg } from '@byway/protocol/circuit'
import type { CloseReason } from '@byway/protocol/wire'
import type { PaidTunnel } from '../money/tunnel-toll.ts'
import type { TerminalCircuit, TerminalHandler } from '../relay/ports.ts'

/** What a leg needs of the service. */
export interface LegHost {
  /** A cell before the tunnel is known. */
  onFirstCell(leg: TerminalLeg, cell: Uint8Array, nowMs: number): void
  /** The circuit is gone, whoever ended it. Called once. */
  onGone(leg: TerminalLeg): void
}

/** A leg with its circuit. */
export interface TerminalLeg extends TerminalHandler {
  readonly leg: Leg
  readonly terminal: TerminalCircuit
  readonly acceptedAtMs: number
  readonly isGone: boolean
  /** The tunnel that rides on it; set when the first message has named it. */
  tunnel: ExitTunnel | undefined
  /** Where its cells count; set with `tunnel` where it is paid. */
  paid: PaidTunnel | undefined
  /** Where its cells go instead of a tunnel: it is a control circuit. */
  control: TerminalHandler | undefined
  /** Destroys the circuit. Idempotent. */
  destroy(reason: CloseReason): void
}

/** Creates the handler of a fresh leg. */
export function createTerminalLeg(
  leg: Leg,
  terminal: TerminalCircuit,
  acceptedAtMs: number,
  host: LegHost,
): TerminalLeg {
  return new Terminal(leg, terminal, acceptedAtMs, host)
}

class Terminal implements TerminalLeg {
  readonly leg: Leg
  readonly terminal: TerminalCircuit
  readonly acceptedAtMs: number
  isGone = false
  tunnel: ExitTunnel | undefined
  paid: PaidTunnel | undefined
  control: TerminalHandler | undefined
  readonly #host: LegHost

  constructor(leg: Leg, terminal: TerminalCircuit, acceptedAtMs: number, host: LegHost) {
    this.leg = leg
    this.terminal = terminal
    this.acceptedAtMs = acceptedAtMs
    this.#host = host
  }

  onCell(cell: Uint8Array, nowMs: number): void {
    if (this.isGone) return
    const { tunnel, control } = this
    const { length } = cell
    if (control) {
      control.onCell(cell, nowMs)
      return
    }
    if (tunnel) {
      const fault = tunnel.onCell(this.leg, cell, nowMs)
      if (fault) this.destroy(fault.reason)
    } else {
      this.#host.onFirstCell(this, cell, nowMs)
    }
    // After what it says: a token in it has paid for it.
    this.paid?.count(length)
  }

  onClose(reason: CloseReason): void {
    if (this.isGone) return
    this.isGone = true
    this.control?.onClose(reason)
    this.#host.onGone(this)
  }

  destroy(reason: CloseReason): void {
    if (this.isGone) return
    this.terminal.destroy(reason)
    this.onClose(reason)
  }
}
