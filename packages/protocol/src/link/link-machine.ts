/**
 * One side of one link without its socket: what goes next, how much may be under way, who is still there (SPEC §4, §8.4).
 * Reads no clock and moves no byte itself; the driver in `@byway/net` does both. Knows nothing of what circuits carry.
 * @module
 */
import { isBywayError } from '@byway/protocol/base'
import {
  bodyBytesOfClass,
  bodyOf,
  CELL_HEADER_BYTES,
  cellBytesOf,
  cellBytesOfClass,
  COMMAND,
  commandOf,
  decodeLinkMessage,
  encodeLinkMessage,
  isAllowedKind,
  isDiallerCircuitId,
  LINK_CIRCUIT_ID,
  LINK_MESSAGE,
  linkMessageBytes,
  MESSAGE_HEADER_BYTES,
  MessageListReader,
  MessageListWriter,
  readCircuitId,
  readKind,
  readReadBytes,
  SIZE_CLASS,
  stampHeader,
  stampKind,
} from '@byway/protocol/wire'
import type { LinkMessage, SizeClass } from '@byway/protocol/wire'
import { createCreditReceiver, REPORT_DELAY_MS } from './credit-receiver.ts'
import { createCreditSender } from './credit-sender.ts'
import { createLiveness } from './liveness.ts'
import { createPingBook } from './ping-book.ts'
import type { OnPingAnswer, PingBook } from './ping-book.ts'
import type { LinkCloseReason, LinkHandler, LinkMachine } from './ports.ts'
import { createScheduler } from './scheduler.ts'
import type { CellQueue, Scheduler } from './scheduler.ts'

/** A peer that makes us answer faster than it reads the answers is closed: 64 KiB of control cells. */
const MAX_CONTROL_CELLS = 64
/** Directory messages that wait for one peer: a whole directory as parts, and an edition of each of its nodes. */
const MAX_DIRECTORY_MESSAGES = 32_768
/** Cells of them that are made ahead; the others wait as references to descriptors that are kept anyway. */
const DIRECTORY_CELLS_AHEAD = 2
/**
 * Last cells (refusals and DESTROYs) that wait: a peer that makes us answer and reads nothing is closed. A client has 128 circuits,
 * a node 20 000, which may all end at once.
 */
const MAX_CLIENT_LAST_BYTES = 1024 * 1024
const MAX_NODE_LAST_BYTES = 24 * 1024 * 1024

/** Keepalive asks every few seconds and a measuring client in short series; four times that is no honest peer. */
const PING_BURST = 64
const PINGS_PER_MS = 8 / 1000

export type LinkMachineOptions = {
  /** True on the side that dialled: its circuit ids have the top bit set (SPEC §4.1). */
  readonly isDialler: boolean
  /** True between a client and its entry: padded both ways (SPEC §4.5). */
  readonly isClientLink: boolean
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Whom to tell; read at each event, so the owner may set it after the link is up. */
  readonly handler: () => LinkHandler
}

/** Creates the machine of a link whose greetings are done. */
export function createLinkMachine(nowMs: number, options: LinkMachineOptions): LinkMachine {
  return new Machine(nowMs, options)
}

class Machine implements LinkMachine {
  isClosed = false
  readonly #options: LinkMachineOptions
  readonly #scheduler: Scheduler
  readonly #sender
  readonly #receiver
  readonly #liveness
  readonly #pings: PingBook
  #pingsLeft = PING_BURST
  #pingsAtMs: number
  readonly #reader = new MessageListReader()
  readonly #control: Uint8Array[] = []
  #linkQueue: CellQueue | undefined
  /** Directory messages that are no cells yet, oldest first, from `#directoryHead` on. */
  readonly #directory: LinkMessage[] = []
  #directoryHead = 0
  #directoryBytes = 0
  #reportAtMs = Number.POSITIVE_INFINITY
  #lastCircuitId = 0
  #sentBytes = 0
  /** Where the last cell that was not a LINK message of our own ends, in `#sentBytes`; and when the wait for it began. */
  #dataEndBytes = 0
  #dataSinceMs = 0
  #lastToken = 0n

  constructor(nowMs: number, options: LinkMachineOptions) {
    this.#options = options
    this.#scheduler = createScheduler(nowMs)
    this.#sender = createCreditSender(nowMs)
    this.#receiver = createCreditReceiver(nowMs)
    this.#liveness = createLiveness(nowMs, {
      isPadded: options.isClientLink,
      random: options.random,
    })
    this.#pings = createPingBook(options.random)
    this.#pingsAtMs = nowMs
  }

  get waitingBytes(): number {
    return this.#scheduler.waitingBytes + this.#directoryBytes
  }

  get ownBytes(): number {
    const controlBytes = this.#control.reduce((sum, cell) => sum + cell.length, 0)
    const linkQueueBytes = this.#linkQueue?.bytes ?? 0
    return controlBytes + linkQueueBytes + this.#directoryBytes + this.#scheduler.lastBytes
  }

  get ratePerMs(): number {
    return this.#sender.ratePerMs
  }

  get rttMs(): number {
    return this.#sender.rttMs
  }

  get queues(): Iterable<CellQueue> {
    return this.#scheduler.queues
  }

  get wakeAtMs(): number {
    const sendAtMs =
      this.#scheduler.waitingBytes > 0 ? this.#sender.wakeAtMs : Number.POSITIVE_INFINITY
    return Math.min(this.#reportAtMs, this.#liveness.wakeAtMs, sendAtMs)
  }

  openQueue(circuitId: number): CellQueue {
    return this.#scheduler.open(circuitId)
  }

  closeQueue(queue: CellQueue, lastCell: Uint8Array | undefined, nowMs: number): void {
    this.#scheduler.close(queue, this.isClosed ? undefined : lastCell, nowMs)
    const isClient = this.#options.isClientLink
    const maxBytes = isClient ? MAX_CLIENT_LAST_BYTES : MAX_NODE_LAST_BYTES
    if (this.#scheduler.lastBytes > maxBytes) this.close('limit')
  }

  push(queue: CellQueue, cell: Uint8Array, nowMs: number): void {
    if (!this.isClosed) this.#scheduler.push(queue, cell, nowMs)
  }

  send(message: LinkMessage, nowMs: number): void {
    if (this.isClosed) return
    if (isDirectory(message)) {
      this.#directory.push(message)
      this.#directoryBytes += linkMessageBytes(message)
      if (this.#directory.length - this.#directoryHead > MAX_DIRECTORY_MESSAGES) this.close('limit')
      else this.#fillLinkQueue(nowMs)
      return
    }
    if (this.#control.length >= MAX_CONTROL_CELLS) this.close('limit')
    else this.#control.push(linkCell(message))
  }

  ping(nowMs: number, onAnswer: OnPingAnswer): void {
    if (this.isClosed) onAnswer(undefined)
    else this.send({ type: LINK_MESSAGE.PING, token: this.#pings.ask(nowMs, onAnswer) }, nowMs)
  }

  allocateCircuitId(): number {
    this.#lastCircuitId = (this.#lastCircuitId % 0x7fff_ffff) + 1
    return this.#options.isDialler ? this.#lastCircuitId + 0x8000_0000 : this.#lastCircuitId
  }

  onCell(cell: Uint8Array, nowMs: number): void {
    if (this.isClosed) return
    const kind = readKind(cell)
    // SPEC §4.1: a class that the command may not have, or an unknown command, closes the link.
    if (!isAllowedKind(kind) || cellBytesOf(kind) !== cell.length) return this.close('protocol')
    this.#receiver.onRead(cell.length)
    this.#liveness.onHeard(nowMs)
    // SPEC §8.4: a readBytes that runs backwards or ahead of what was sent closes the link.
    if (!this.#sender.onReport(readReadBytes(cell), nowMs)) return this.close('protocol')
    const circuitId = readCircuitId(cell)
    const command = commandOf(kind)
    if ((command === COMMAND.LINK) !== (circuitId === LINK_CIRCUIT_ID))
      return this.close('protocol')
    if (command === COMMAND.LINK) return this.#onLinkCell(cell, nowMs)
    // SPEC §4.1: a CREATE with the wrong top bit closes the link.
    const isPeersId = isDiallerCircuitId(circuitId) !== this.#options.isDialler
    if (command === COMMAND.CREATE && !isPeersId) return this.close('protocol')
    this.#options.handler().onCell(circuitId, cell, nowMs)
  }

  next(nowMs: number): Uint8Array | undefined {
    if (this.isClosed) return undefined
    const control = this.#control.shift()
    if (control) return this.#stamp(control, LINK_CIRCUIT_ID, nowMs)
    this.#fillLinkQueue(nowMs)
    const nextBytes = this.#scheduler.nextBytes
    if (nextBytes > 0 && this.#sender.maySend(nextBytes, nowMs)) {
      const popped = this.#scheduler.pop(nowMs)
      if (popped) {
        if (!this.#isDataOutstanding()) this.#dataSinceMs = nowMs
        this.#dataEndBytes = this.#sentBytes + popped.cell.length
        return this.#stamp(popped.cell, popped.queue.circuitId, nowMs)
      }
    }
    return this.#nextReport(nowMs)
  }

  onTick(nowMs: number, lateMs: number): void {
    if (this.isClosed) return
    const progressAtMs = Math.max(this.#sender.progressAtMs, this.#dataSinceMs)
    const outstandingBytes = this.#isDataOutstanding() ? this.#sender.outstandingBytes : 0
    const due = this.#liveness.tick(nowMs, { outstandingBytes, progressAtMs, lateMs })
    if (due === 'dead') this.close('dead')
    else if (due === 'ping') this.send({ type: LINK_MESSAGE.PING, token: ++this.#lastToken }, nowMs)
    else if (due === 'pad') this.#pad(nowMs)
  }

  close(reason: LinkCloseReason): void {
    if (this.isClosed) return
    this.isClosed = true
    for (const queue of this.#scheduler.queues) this.#scheduler.close(queue)
    this.#control.length = 0
    this.#directory.length = 0
    this.#directoryHead = 0
    this.#directoryBytes = 0
    this.#pings.giveUp()
    this.#options.handler().onClose(reason)
  }

  #nextReport(nowMs: number): Uint8Array | undefined {
    if (this.#receiver.isDue(nowMs) || nowMs >= this.#reportAtMs) {
      return this.#stamp(emptyCell(SIZE_CLASS.REPORT), LINK_CIRCUIT_ID, nowMs)
    }
    if (this.#reportAtMs === Number.POSITIVE_INFINITY && this.#receiver.isWaiting()) {
      this.#reportAtMs = nowMs + REPORT_DELAY_MS
    }
    return undefined
  }

  /** Padding while nothing can be written would only pile up: the cells that wait will show that we live. */
  #pad(nowMs: number): void {
    if (this.#control.length === 0) this.#control.push(emptyCell(SIZE_CLASS.SMALL))
    else this.#liveness.onSent(nowMs)
  }

  #fillLinkQueue(nowMs: number): void {
    while (this.#directoryHead < this.#directory.length) {
      this.#linkQueue ??= this.#scheduler.open(LINK_CIRCUIT_ID)
      const message = this.#directory[this.#directoryHead]
      if (!message || this.#linkQueue.length >= DIRECTORY_CELLS_AHEAD) return
      this.#scheduler.push(this.#linkQueue, linkCell(message), nowMs)
      this.#directoryHead++
      this.#directoryBytes -= linkMessageBytes(message)
      if (this.#directoryHead < this.#directory.length) continue
      this.#directory.length = 0
      this.#directoryHead = 0
    }
  }

  /** Padding and PINGs are not waited for: their reports would be answered by PINGs for ever. */
  #isDataOutstanding(): boolean {
    return this.#dataEndBytes > this.#sentBytes - this.#sender.outstandingBytes
  }

  #stamp(cell: Uint8Array, circuitId: number, nowMs: number): Uint8Array {
    stampHeader(cell, circuitId, this.#receiver.readBytes)
    this.#receiver.onReported()
    this.#reportAtMs = Number.POSITIVE_INFINITY
    this.#sentBytes += cell.length
    this.#sender.onSent(cell.length, nowMs, this.#scheduler.waitingBytes === 0)
    this.#liveness.onSent(nowMs)
    return cell
  }

  #onLinkCell(cell: Uint8Array, nowMs: number): void {
    try {
      this.#reader.reset(bodyOf(cell))
      while (!this.isClosed && this.#reader.next()) {
        this.#onMessage(decodeLinkMessage(this.#reader.type, this.#reader.body()), nowMs)
      }
    } catch (error) {
      if (!isBywayError(error) || error.kind !== 'peer') throw error
      this.close('protocol')
    }
  }

  #onMessage(message: LinkMessage, nowMs: number): void {
    if (message.type === LINK_MESSAGE.PING) this.#onPing(message.token, nowMs)
    else if (message.type === LINK_MESSAGE.PONG) this.#pings.answer(message.token, nowMs)
    else this.#options.handler().onMessage(message, nowMs)
  }

  /** A PING of eleven bytes costs a cell of 1024 that needs no credit: who asks without end is closed. */
  #onPing(token: bigint, nowMs: number): void {
    const refilled = this.#pingsLeft + (nowMs - this.#pingsAtMs) * PINGS_PER_MS
    this.#pingsLeft = Math.min(PING_BURST, refilled) - 1
    this.#pingsAtMs = nowMs
    if (this.#pingsLeft < 0) this.close('limit')
    else this.send({ type: LINK_MESSAGE.PONG, token }, nowMs)
  }
}

/** Directory messages are many and large: they wait their turn like a circuit. */
function isDirectory({ type }: LinkMessage): boolean {
  return type === LINK_MESSAGE.DIRECTORY_PART || type === LINK_MESSAGE.DIRECTORY_PUBLISH
}

/** A LINK cell with one message, in the smallest class that holds it. */
function linkCell(message: LinkMessage): Uint8Array {
  const body = encodeLinkMessage(message)
  const wanted = body.length + MESSAGE_HEADER_BYTES
  const sizes = [SIZE_CLASS.SMALL, SIZE_CLASS.MEDIUM, SIZE_CLASS.LARGE] as const
  const cell = emptyCell(sizes.find((size) => bodyBytesOfClass(size) >= wanted) ?? SIZE_CLASS.LARGE)
  const writer = new MessageListWriter().reset(cell.subarray(CELL_HEADER_BYTES))
  writer.append(message.type, body)
  return cell
}

function emptyCell(size: SizeClass): Uint8Array {
  const cell = new Uint8Array(cellBytesOfClass(size))
  stampKind(cell, COMMAND.LINK, size)
  return cell
}
