/**
 * Cells that hold nothing but payment messages, for whoever has no tunnel to pack: a relay in the middle, the client towards it, and both
 * ends of a control circuit (SPEC §15.5). Which message may come from whom is checked here, what it means in the payment folder.
 * @module
 */
import { BywayError } from '@byway/protocol/base'
import {
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  type ClientPayMessage,
  decodeHopMessage,
  HOP_MESSAGE,
  type HopPayMessage,
  isClientPay,
  MessageListWriter,
  messagesIn,
  SIZE_CLASS,
  type SizeClass,
} from '@byway/protocol/wire'
import type { PayQueue } from './pay-queue.ts'

/** What seals the cells: `HopLayers.sealOwn` at a relay, the layers of a leg elsewhere. */
export type PayLayers = {
  listBytes(sizeClass: SizeClass): number
  seal(cell: Uint8Array, sizeClass: SizeClass): void
}

/** Packs as many waiting messages as fit into one cell, in the smallest class that holds them; undefined when none waits. */
export function takePayCell(queue: PayQueue, layers: PayLayers): Uint8Array | undefined {
  const head = queue.peek()
  if (!head) return undefined
  const sizeClass = CLASSES.find((one) => layers.listBytes(one) >= queue.bytes) ?? SIZE_CLASS.LARGE
  const cell = new Uint8Array(cellBytesOfClass(sizeClass))
  const listEnd = CELL_HEADER_BYTES + layers.listBytes(sizeClass)
  const list = new MessageListWriter().reset(cell.subarray(CELL_HEADER_BYTES, listEnd))
  putPays(queue, list)
  layers.seal(cell, sizeClass)
  return cell
}

/** Puts in what fits, in order. */
export function putPays(queue: PayQueue, list: MessageListWriter): void {
  for (let body = queue.peek(); body; body = queue.peek()) {
    if (!list.append(HOP_MESSAGE.PAY, body)) return
    queue.shift()
  }
}

/** What a list of a hop may say to a client that has no tunnel with it. */
export type HopListHandler = {
  /** False when the message breaks a rule: the rest of the list is dropped. */
  onPay(message: HopPayMessage): boolean
  onDraining(seconds: number): void
}

/** Takes a list of a hop at its client: PAY and DRAIN, nothing else (SPEC §7.1). False when it breaks a rule. */
export function takeListOfHop(list: Uint8Array, handler: HopListHandler): boolean {
  return takeMessages(list, (type, body) => {
    const message = decodeHopMessage(type, body)
    if (message.type === HOP_MESSAGE.DRAIN) {
      handler.onDraining(message.seconds)
      return true
    }
    if (message.type !== HOP_MESSAGE.PAY || isClientPay(message.pay)) return false
    return handler.onPay(message.pay)
  })
}

/**
 * Takes a list of a client at a hop with which it has no tunnel: PAY, nothing else. False when it breaks a rule, or when `onPay` says
 * so, upon which the rest of the list is dropped and the circuit must be destroyed with PROTOCOL.
 */
export function takePayList(
  list: Uint8Array,
  onPay: (message: ClientPayMessage) => boolean,
): boolean {
  return takeMessages(list, (type, body) => {
    const message = decodeHopMessage(type, body)
    return message.type === HOP_MESSAGE.PAY && isClientPay(message.pay) && onPay(message.pay)
  })
}

/** SPEC §15.5: true when the first message of a fresh leg's list is PAY, which makes it a control circuit. */
export function isControlList(list: Uint8Array): boolean {
  return list[0] === HOP_MESSAGE.PAY
}

function takeMessages(
  list: Uint8Array,
  take: (type: number, body: Uint8Array) => boolean,
): boolean {
  try {
    for (const { type, body } of messagesIn(list)) if (!take(type, body)) return false
    return true
  } catch (error) {
    if (error instanceof BywayError && error.kind === 'peer') return false
    throw error
  }
}

const CLASSES = [SIZE_CLASS.SMALL, SIZE_CLASS.MEDIUM, SIZE_CLASS.LARGE] as const
