/** A handler that remembers, and ways to wait for what it saw without sleeping. */
import { once } from 'node:events'
import { EventEmitter } from 'node:events'
import type { LinkCloseReason, LinkHandler } from '@byway/protocol/link'
import {
  cellBytesOfClass,
  COMMAND,
  type LinkMessage,
  type SizeClass,
  SIZE_CLASS,
  stampKind,
} from '@byway/protocol/wire'
import type { NetLink } from '@byway/net'

export class Recorder implements LinkHandler {
  readonly cells: { readonly circuitId: number; readonly cell: Uint8Array }[] = []
  readonly messages: LinkMessage[] = []
  readonly closed: LinkCloseReason[] = []
  readonly #events = new EventEmitter()

  constructor(link: NetLink) {
    link.handler = this
  }

  onCell(circuitId: number, cell: Uint8Array): void {
    this.cells.push({ circuitId, cell })
    this.#events.emit('change')
  }

  onMessage(message: LinkMessage): void {
    this.messages.push(message)
    this.#events.emit('change')
  }

  onClose(reason: LinkCloseReason): void {
    this.closed.push(reason)
    this.#events.emit('change')
  }

  /** Resolves when the condition holds; the test's own time limit bounds the wait. */
  async until(condition: (recorder: this) => boolean): Promise<void> {
    while (!condition(this)) await once(this.#events, 'change')
  }
}

/** A DATA cell filled with one byte. */
export function dataCell(fill: number, size: SizeClass = SIZE_CLASS.LARGE): Uint8Array {
  const cell = new Uint8Array(cellBytesOfClass(size)).fill(fill)
  stampKind(cell, COMMAND.DATA, size)
  return cell
}
