/**
 * An exit that speaks the protocol by hand: real layers, lists that the test writes. It answers nothing by itself.
 */
import { createHopLayers } from '@byway/protocol/circuit'
import type { HopLayers } from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  appendHopMessage,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  decodeHopMessage,
  HOP_MESSAGE,
  MessageListWriter,
  messagesIn,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { CloseReason, HopMessage } from '@byway/protocol/wire'
import type { TerminalCircuit, TerminalService } from '../../../packages/node/src/relay/ports.ts'

/** One circuit that ended at the rogue. */
export interface RogueLeg {
  readonly terminal: TerminalCircuit
  /** The next number of this side's sequence; a test may lie about it. */
  sequence: number
  /** Why the client's side ended it; undefined while it lives. */
  closedBy: CloseReason | undefined
  /** Sends these messages, each list filling its cell no more than it must. */
  send(...messages: readonly HopMessage[]): void
  /** Sends a list of raw bytes. */
  sendRaw(list: Uint8Array): void
}

/** What the rogue does on a message of the client. */
export type RogueScript = (leg: RogueLeg, message: HopMessage) => void

/** An exit role that does what its script says. */
export interface RogueExit extends TerminalService {
  script: RogueScript
  readonly legs: RogueLeg[]
}

/** Creates a rogue; with no script it takes everything and says nothing. */
export function createRogueExit(): RogueExit {
  const rogue: RogueExit = {
    script: () => {},
    legs: [],
    accept(terminal) {
      const layers = createHopLayers({ provider: nodeCrypto, ...terminal.circuit })
      const leg = createLeg(terminal, layers)
      rogue.legs.push(leg)
      return {
        onCell(cell) {
          const list = layers.openForward(cell)
          if (typeof list === 'string') return
          for (const { type, body } of messagesIn(list))
            rogue.script(leg, decodeHopMessage(type, body))
        },
        onClose: (reason) => void (leg.closedBy = reason),
      }
    },
  }
  return rogue
}

function createLeg(terminal: TerminalCircuit, layers: HopLayers): RogueLeg {
  const sizeClass = SIZE_CLASS.LARGE
  const sendCell = (fill: (region: Uint8Array) => void): void => {
    const cell = new Uint8Array(cellBytesOfClass(sizeClass))
    fill(cell.subarray(CELL_HEADER_BYTES, CELL_HEADER_BYTES + layers.listBytes(sizeClass)))
    layers.sealOwn(cell, sizeClass)
    terminal.push(cell)
  }
  return {
    terminal,
    sequence: 0,
    closedBy: undefined,
    send(...messages) {
      sendCell((region) => {
        const list = new MessageListWriter().reset(region)
        for (const message of messages) appendHopMessage(list, message)
        list.finish()
      })
    },
    sendRaw: (list) => sendCell((region) => region.set(list)),
  }
}

/** CONNECTED and DATA as an honest exit would send them. */
export function answerBegin(leg: RogueLeg, stream: number, payload?: Uint8Array): void {
  leg.send({ type: HOP_MESSAGE.CONNECTED, sequence: leg.sequence++, stream, family: 4 })
  if (payload) leg.send({ type: HOP_MESSAGE.DATA, sequence: leg.sequence++, stream, payload })
}
