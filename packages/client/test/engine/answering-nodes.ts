/** Nodes in memory that answer over control circuits, each in its manner. @module */
import type { PathNode } from '@byway/protocol/directory'
import {
  CHAIN_VERDICT,
  MAX_CHAIN_PART_BYTES,
  PAY,
  type ChainMessage,
  type ToldMessage,
} from '@byway/protocol/wire'
import type { PayListener } from '../../src/money/carrier.ts'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'
import { pathNode } from '../path-node.ts'

/** What a circuit's cells take besides what they carry. */
const QUESTION_BYTES = 1024

export type Manner = (message: ChainMessage) => readonly ToldMessage[] | 'hang' | 'close'

/** All parts of one answer, of so many bytes that name the node. */
export function answerOf(number: number, bytes: number): Manner {
  return ({ request }) => {
    const parts: ToldMessage[] = []
    for (let at = 0; at < bytes; at += MAX_CHAIN_PART_BYTES) {
      const part = new Uint8Array(Math.min(MAX_CHAIN_PART_BYTES, bytes - at)).fill(number)
      const isLast = at + part.length === bytes
      parts.push({ kind: PAY.TOLD, request, verdict: CHAIN_VERDICT.OK, isLast, part })
    }
    return parts
  }
}

/** A circuit to a node that answers a turn later. */
export function carrierTo(manner: Manner, onClosed: () => void): ControlCarrier {
  let listener: PayListener | undefined
  const carrier = {
    isClosed: false,
    carriedBytes: 0,
    listen: (told: PayListener) => void (listener = told),
    send(messages: readonly { readonly kind: number }[]) {
      for (const message of messages) queueMicrotask(() => answer(message as ChainMessage))
    },
    close() {
      if (carrier.isClosed) return
      carrier.isClosed = true
      onClosed()
      listener?.onClosed(false)
    },
  }
  const answer = (message: ChainMessage): void => {
    const told = manner(message)
    if (told === 'close') carrier.close()
    if (typeof told === 'string' || carrier.isClosed) return
    carrier.carriedBytes += QUESTION_BYTES
    for (const pay of told) {
      carrier.carriedBytes += pay.part.length + QUESTION_BYTES
      listener?.onPay(pay)
    }
  }
  return carrier
}

/** Of an owner of its own. */
export const family = (number: number): Partial<PathNode> => ({ owners: [`family ${number}`] })
export const nodesOf = (...numbers: readonly number[]): readonly PathNode[] =>
  numbers.map((number) => ({ ...pathNode(number), ...family(number) }))
