/**
 * Control circuits (SPEC §15.5) from the side of the circuit: which ends here is known by its first message. A node that is no exit takes every circuit that
 * ends at it and keeps those that speak of payment; what they say is the desk's.
 * @module
 */
import { createExitLeg, createHopLayers, isControlList } from '@byway/protocol/circuit'
import type { Leg, RandomBytes } from '@byway/protocol/circuit'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { createLegLink } from '@byway/net'
import { CLOSE_REASON, HOP_MESSAGE } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import type { TerminalCircuit, TerminalHandler, TerminalService } from '../relay/ports.ts'

/** A control circuit's end. */
export type ControlEnd = {
  readonly leg: Leg
  readonly terminal: Pick<TerminalCircuit, 'link' | 'carriedBytes'>
  readonly destroy: (reason: CloseReason) => void
}

/** Serves control circuits. */
export interface ControlDesk {
  /** Takes a circuit over, with the list that came first. A reason when there is no room: the circuit must be destroyed. */
  open(end: ControlEnd, list: Uint8Array): TerminalHandler | CloseReason
}

type DeskTerminalsDeps = {
  readonly provider: CryptoProvider
  readonly randomBytes: RandomBytes
  readonly desk: ControlDesk
}

/** Takes the circuits that end at a node without the exit role; none where there is no desk, since nothing is paid. */
export function createDeskTerminals({
  desk,
  ...rest
}: Omit<DeskTerminalsDeps, 'desk'> & { readonly desk: ControlDesk | undefined }): TerminalService {
  if (!desk) return { accept: () => CLOSE_REASON.NOT_EXIT }
  return { accept: (terminal) => new FirstListReader({ ...rest, desk }, terminal) }
}

class FirstListReader implements TerminalHandler {
  readonly #deps: DeskTerminalsDeps
  readonly #terminal: TerminalCircuit
  readonly #leg: Leg
  #control: TerminalHandler | undefined

  constructor(deps: DeskTerminalsDeps, terminal: TerminalCircuit) {
    this.#deps = deps
    this.#terminal = terminal
    this.#leg = legOf(deps, terminal)
  }

  onCell(cell: Uint8Array, nowMs: number): void {
    if (this.#control) {
      this.#control.onCell(cell, nowMs)
      return
    }
    const list = this.#leg.layers.open(cell)
    if (list?.[0] === 0) return
    const opened = list && isControlList(list) ? this.#open(list) : refusal(list?.[0])
    if (typeof opened === 'number') this.#terminal.destroy(opened)
    else this.#control = opened
  }

  onClose(reason: CloseReason): void {
    this.#control?.onClose(reason)
  }

  #open(list: Uint8Array): TerminalHandler | CloseReason {
    const terminal = this.#terminal
    const end = {
      leg: this.#leg,
      terminal,
      destroy: (reason: CloseReason) => {
        terminal.destroy(reason)
        this.onClose(reason)
      },
    }
    return this.#deps.desk.open(end, list)
  }
}

/** SPEC §15.5: another first message is for an exit. */
function refusal(type: number | undefined): CloseReason {
  const isTunnel = type === HOP_MESSAGE.OPEN || type === HOP_MESSAGE.JOIN
  return isTunnel ? CLOSE_REASON.NOT_EXIT : CLOSE_REASON.PROTOCOL
}

function legOf({ provider, randomBytes }: DeskTerminalsDeps, terminal: TerminalCircuit): Leg {
  const { circuit, link, queue } = terminal
  const { keys, handshakeHash } = circuit.hop
  const { tunnelSecret } = keys
  const layers = createHopLayers({ provider, ...circuit })
  const push = (cell: Uint8Array): void => terminal.push(cell)
  // What a control circuit may carry in all fits its queue: nobody waits for room.
  const legLink = createLegLink({ link, queue, push, onRoom: () => {} })
  return createExitLeg(layers, { handshakeHash, tunnelSecret, link: legLink, randomBytes })
}
