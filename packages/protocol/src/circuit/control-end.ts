/**
 * A control circuit (SPEC §15.5) at one of its ends: a leg without a tunnel, on which a client and its last hop say payment messages
 * to each other. The client may speak to the hops before the last one too, which carry the circuit.
 * @module
 */
import type { ClientPayMessage, HopPayMessage } from '@byway/protocol/wire'
import type { Leg } from './leg.ts'
import { takeListOfHop, takePayList } from './pay-cells.ts'
import { createPayQueue } from './pay-queue.ts'
import { createPayQueues, sendPays } from './pay-queues.ts'

/** The hop's end of a control circuit. Made when `isControlList` said yes to the leg's first list. */
export interface ControlHop {
  /** Queues a message; false when too much waits, upon which the circuit should be destroyed with RESOURCE_LIMIT. */
  pay(message: HopPayMessage): boolean
  /** Takes a list of the client, the first one too; false asks for the circuit's end, with PROTOCOL. */
  onList(list: Uint8Array): boolean
  /** Opens a cell and takes its list; false asks for the circuit's end, with PROTOCOL. */
  onCell(cell: Uint8Array): boolean
  /** Sends what may go now; returns the number of cells. */
  pump(): number
}

/** What the hop's driver is told. Callbacks may call `pay`, but not `pump`. */
export type ControlHopHandler = {
  /** False ends the circuit. */
  onPay(message: ClientPayMessage): boolean
}

/** The client's end of a control circuit. The first message that it queues for the last hop makes the circuit one. */
export interface ControlClient {
  /** Queues a message for a hop, counted from 0, by default the last one; false when too much waits for it. */
  pay(message: ClientPayMessage, hop?: number): boolean
  /** Opens a cell and takes its list; false asks for the circuit's end. */
  onCell(cell: Uint8Array): boolean
  /** Sends what may go now; returns the number of cells. */
  pump(): number
}

/** What the client's driver is told; `hop` counts from 0, undefined is the last. Callbacks may call `pay`, but not `pump`. */
export type ControlClientHandler = {
  /** False ends the circuit. */
  onPay(message: HopPayMessage, hop: number | undefined): boolean
  onDraining(seconds: number, hop: number | undefined): void
}

/** Creates the hop's end on a fresh leg. */
export function createControlHop(leg: Leg, handler: ControlHopHandler): ControlHop {
  const queue = createPayQueue()
  const onList = (list: Uint8Array): boolean => takePayList(list, (pay) => handler.onPay(pay))
  return {
    pay: (message) => queue.push(message),
    onList,
    onCell(cell) {
      const list = leg.layers.open(cell)
      return list !== undefined && onList(list)
    },
    pump: () => sendPays(leg, queue, undefined),
  }
}

/** Creates the client's end on a fresh leg. */
export function createControlClient(leg: Leg, handler: ControlClientHandler): ControlClient {
  const queues = createPayQueues()
  return {
    pay: (message, hop) => (hop === undefined ? queues.end : queues.hop(hop)).push(message),
    onCell(cell) {
      const list = leg.layers.open(cell)
      if (!list) return false
      const hop = leg.layers.openedFromHop
      return takeListOfHop(list, {
        onPay: (message) => handler.onPay(message, hop),
        onDraining: (seconds) => handler.onDraining(seconds, hop),
      })
    },
    pump: () => queues.pump(leg),
  }
}
