/** A leg without cryptography: what an other end could say, lawful or not, is tried on it cheaply. */
import { CELL_HEADER_BYTES, SIZE_CLASS } from '@byway/protocol/wire'
import type { ExitTunnelDriver } from '../../src/circuit/exit-tunnel.ts'
import type { Leg } from '../../src/circuit/leg.ts'
import type { ClientTunnelHandler } from '../../src/circuit/tunnel-state.ts'
import { createAckDebt, createSendWindow, type SendWindow } from '../../src/circuit/window.ts'

const LIST_BYTES = 900
export const zeros = (count: number): Uint8Array => new Uint8Array(count)

/** Makes one, and the cells it was given to send. */
export function plainLeg(window: SendWindow = createSendWindow(zeros)): {
  leg: Leg
  sent: Uint8Array[]
} {
  const sent: Uint8Array[] = []
  const leg: Leg = {
    layers: {
      listBytes: () => LIST_BYTES,
      seal: () => {},
      open: (cell) => cell.subarray(CELL_HEADER_BYTES, CELL_HEADER_BYTES + LIST_BYTES),
      openedFromHop: undefined,
    },
    hash: zeros(32),
    tunnelSecret: zeros(32),
    link: {
      send: (cell) => void sent.push(cell),
      roomBytes: () => 65_536 - sent.length * 1024,
      preferredClass: () => SIZE_CLASS.SMALL,
    },
    window,
    debt: createAckDebt(),
  }
  return { leg, sent }
}

/** Records callbacks by name and stream. */
export function quietHandler(told: string[]): ClientTunnelHandler & ExitTunnelDriver {
  const tell =
    (what: string) =>
    (...args: readonly unknown[]): void =>
      void told.push(`${what} ${String(args[0])}`)
  return {
    onWork: () => {},
    onData: tell('data'),
    onEnd: tell('end'),
    onReset: tell('reset'),
    onDrained: tell('drained'),
    onDatagram: tell('datagram'),
    onDraining: tell('draining'),
    onPay: (message) => {
      told.push(`pay ${message.kind}`)
      return true
    },
    onOver: tell('over'),
    onConnected: tell('connected'),
    onResolved: tell('resolved'),
    onJoined: tell('joined'),
    onBegin: tell('begin'),
    onResolve: tell('resolve'),
    onAssociate: tell('associate'),
    onOpened: () => {},
  }
}
