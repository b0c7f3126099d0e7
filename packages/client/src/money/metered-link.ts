/**
 * A client link whose circuits' cells are counted as its entry counts them (SPEC §15.3), and whose PAY messages go to whoever pays. Counts as cells are queued:
 * a cell that waits is paid for before the entry sees it. What to pay is the payer's.
 * @module
 */
import type { CellQueue, Link, LinkHandler, LinkPeer } from '@byway/protocol/link'
import { COMMAND, commandOf, LINK_MESSAGE, readKind } from '@byway/protocol/wire'
import type { PayMessage } from '@byway/protocol/wire'

/** Who pays for a link. Must not throw. */
export interface LinkPayer {
  /** So many bytes more were counted, negative when queued cells were dropped with their circuit. */
  onCounted(bytes: number): void
  onPay(pay: PayMessage): void
  onClosed(): void
}

/** Puts a payer between a link and its user. The user sets the handler as on any link. */
export function meterLink(link: Link, payer: LinkPayer): Link {
  return new MeteredLink(link, payer)
}

class MeteredLink implements Link {
  readonly #link: Link
  readonly #payer: LinkPayer
  /** Counted bytes of each queue that are not sent yet, and some that are: see `closeQueue`. */
  #handler: LinkHandler | undefined

  constructor(link: Link, payer: LinkPayer) {
    this.#link = link
    this.#payer = payer
  }

  get peer(): LinkPeer {
    return this.#link.peer
  }

  get isClosed(): boolean {
    return this.#link.isClosed
  }

  get waitingBytes(): number {
    return this.#link.waitingBytes
  }

  get ownBytes(): number {
    return this.#link.ownBytes
  }

  get leftBytes(): number {
    return this.#link.leftBytes
  }

  get ratePerMs(): number {
    return this.#link.ratePerMs
  }

  get rttMs(): number {
    return this.#link.rttMs
  }

  get queues(): Iterable<CellQueue> {
    return this.#link.queues
  }

  get handler(): LinkHandler {
    return this.#handler ?? this.#link.handler
  }

  set handler(handler: LinkHandler) {
    this.#handler = handler
    this.#link.handler = {
      onCell: (circuitId, cell, nowMs) => {
        if (isCounted(cell)) this.#payer.onCounted(cell.length)
        handler.onCell(circuitId, cell, nowMs)
      },
      onMessage: (message, nowMs) => {
        if (message.type === LINK_MESSAGE.PAY) this.#payer.onPay(message.pay)
        else handler.onMessage(message, nowMs)
      },
      onClose: (reason) => {
        this.#payer.onClosed()
        handler.onClose(reason)
      },
    }
  }

  openQueue(circuitId: number): CellQueue {
    return this.#link.openQueue(circuitId)
  }

  closeQueue(queue: CellQueue, lastCell?: Uint8Array): void {
    // A CREATE that still waits was never counted; it waits for nothing else, so that little is lost by taking it for data.
    if (queue.bytes > 0) this.#payer.onCounted(-queue.bytes)
    this.#link.closeQueue(queue, lastCell)
  }

  push(queue: CellQueue, cell: Uint8Array): void {
    if (isCounted(cell)) this.#payer.onCounted(cell.length)
    this.#link.push(queue, cell)
  }

  send(message: Parameters<Link['send']>[0]): void {
    this.#link.send(message)
  }

  ping(): Promise<number | undefined> {
    return this.#link.ping()
  }

  allocateCircuitId(): number {
    return this.#link.allocateCircuitId()
  }

  close(reason: Parameters<Link['close']>[0]): void {
    this.#link.close(reason)
  }
}

/** SPEC §15.3: CREATE, CREATED and DESTROY are free. */
export function isCounted(cell: Uint8Array): boolean {
  const command = commandOf(readKind(cell))
  return command === COMMAND.DATA || command === COMMAND.LOCAL
}
