/** A link that records what is sent, and says what the test has it say. */
import type { CellQueue, Link, LinkCloseReason, LinkHandler } from '@byway/protocol/link'
import type { LinkMessage } from '@byway/protocol/wire'

export type FakeLink = Omit<Link, 'rttMs'> & {
  rttMs: number
  readonly sent: LinkMessage[]
  /** Cells by circuit id, in the order in which they were pushed; the last ones of closed queues too. */
  readonly cells: { readonly circuitId: number; readonly cell: Uint8Array }[]
  onPush: (circuitId: number, cell: Uint8Array) => void
}

export function createFakeLink(nodeId: Uint8Array = new Uint8Array(32)): FakeLink {
  let lastId = 0
  let isClosed = false
  const none: LinkHandler = { onCell() {}, onMessage() {}, onClose() {} }
  const record = (queue: CellQueue, cell: Uint8Array): void => {
    if (isClosed) return
    link.cells.push({ circuitId: queue.circuitId, cell })
    link.onPush(queue.circuitId, cell)
  }
  const link: FakeLink = {
    peer: { role: 'node', nodeId },
    sent: [],
    cells: [],
    onPush() {},
    get isClosed() {
      return isClosed
    },
    waitingBytes: 0,
    ownBytes: 0,
    leftBytes: 0,
    ratePerMs: 1000,
    rttMs: 1,
    queues: [],
    handler: none,
    openQueue: (circuitId) => ({
      circuitId,
      bytes: 0,
      length: 0,
      oldestAtMs: undefined,
      onRoom: undefined,
      wantRoom() {},
    }),
    closeQueue(queue, lastCell) {
      if (lastCell) record(queue, lastCell)
    },
    push: record,
    send: (message) => void link.sent.push(message),
    ping: () => Promise.resolve(undefined),
    allocateCircuitId: () => ++lastId,
    close(reason: LinkCloseReason) {
      if (isClosed) return
      isClosed = true
      link.handler.onClose(reason)
    },
  }
  return link
}
