/**
 * A control circuit (SPEC §15.5) over its link: payment messages between the client and the last hop, until one of them has said enough. A hop that says
 * anything else, or more than such a circuit may carry, ends it. Building one is `CircuitSource`'s.
 * @module
 */
import { createControlClient, createOriginLayers, createOriginLeg } from '@byway/protocol/circuit'
import type { ControlClient } from '@byway/protocol/circuit'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { CLOSE_REASON, COMMAND, commandOf, readKind } from '@byway/protocol/wire'
import type { ClientPayMessage, CloseReason } from '@byway/protocol/wire'
import { createLegLink } from '@byway/net'
import type { BuiltCircuit } from '../engine/build-circuit.ts'
import type { PayCarrier, PayListener } from './carrier.ts'

// Protocol constant (change needs a spec change): SPEC §15.5.
/** Each hop forwards so much of a control circuit's cells; beyond it the circuit would stand still. */
export const CONTROL_BYTES: number = 256 * 1024

export type ControlCircuitDeps = {
  readonly provider: CryptoProvider
  readonly randomBytes: (count: number) => Uint8Array
}

/** A carrier that ends when it has carried what is free (SPEC §15.5). */
export type ControlCarrier = PayCarrier & {
  /** Bytes of cells, both directions. */
  readonly carriedBytes: number
}

/** Takes a fresh circuit over. */
export function createControlCircuit(
  deps: ControlCircuitDeps,
  circuit: BuiltCircuit,
): ControlCarrier {
  return new ControlCircuit(deps, circuit)
}

class ControlCircuit implements ControlCarrier {
  isClosed = false
  carriedBytes = 0
  readonly #circuit: BuiltCircuit
  readonly #control: ControlClient
  #listener: PayListener | undefined

  constructor({ provider, randomBytes }: ControlCircuitDeps, circuit: BuiltCircuit) {
    this.#circuit = circuit
    const { hops, entryLayer, link, queue } = circuit
    const last = hops.at(-1)
    const leg = createOriginLeg(createOriginLayers({ provider, hops, entryLayer }), {
      handshakeHash: last?.handshakeHash ?? new Uint8Array(),
      tunnelSecret: last?.keys.tunnelSecret ?? new Uint8Array(),
      link: createLegLink({
        link,
        queue,
        push: (cell) => {
          if (this.#count(cell)) link.push(queue, cell)
        },
        onRoom: () => void this.#control.pump(),
      }),
      randomBytes,
    })
    this.#control = createControlClient(leg, {
      onPay: (pay, hop) => {
        // A hop on the way is not paid here, so it has nothing to say.
        if (hop !== undefined) return false
        this.#listener?.onPay(pay)
        return true
      },
      onDraining() {},
    })
  }

  listen(listener: PayListener): void {
    this.#listener = listener
    this.#circuit.setSink({
      onCell: (cell) => this.#onCell(cell),
      onLinkClosed: () => this.#end(CLOSE_REASON.LINK_CLOSED, true),
    })
  }

  send(messages: readonly ClientPayMessage[]): void {
    if (this.isClosed) return
    const isQueued = messages.every((message) => this.#control.pay(message))
    if (isQueued) this.#control.pump()
    else this.#end(CLOSE_REASON.RESOURCE_LIMIT)
  }

  close(): void {
    this.#end(CLOSE_REASON.FINISHED)
  }

  #onCell(cell: Uint8Array): void {
    if (this.isClosed) return
    const isEnd = commandOf(readKind(cell)) === COMMAND.DESTROY
    if (isEnd) this.#end(CLOSE_REASON.FINISHED)
    else if (this.#count(cell) && !this.#control.onCell(cell)) this.#end(CLOSE_REASON.PROTOCOL)
  }

  #count(cell: Uint8Array): boolean {
    this.carriedBytes += cell.length
    if (this.carriedBytes <= CONTROL_BYTES) return true
    this.#end(CLOSE_REASON.RESOURCE_LIMIT)
    return false
  }

  #end(reason: CloseReason, isLinkLost = false): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#circuit.destroy(reason)
    this.#listener?.onClosed(isLinkLost)
  }
}
