/** A link that records what is sent on it. Cells, queues and PING are not part of it. */
import type { CellQueue, Link, LinkHandler, LinkPeer } from '@byway/protocol/link'
import type { LinkMessage } from '@byway/protocol/wire'

export type FakeLink = Link & { readonly sent: LinkMessage[]; readonly isClosed: boolean }

/** A link to a node with this id, or to a client. */
export function createFakeLink(peer: LinkPeer): FakeLink {
  const sent: LinkMessage[] = []
  let isClosed = false
  const handler: LinkHandler = { onCell() {}, onMessage() {}, onClose() {} }
  return {
    peer,
    sent,
    get isClosed() {
      return isClosed
    },
    waitingBytes: 0,
    ownBytes: 0,
    leftBytes: 0,
    ratePerMs: 0,
    rttMs: 0,
    queues: [],
    handler,
    openQueue: () => noQueue(),
    closeQueue() {},
    push() {},
    send: (message) => void sent.push(message),
    ping: () => Promise.resolve(undefined),
    allocateCircuitId: () => 1,
    close() {
      isClosed = true
    },
  }
}

/** A node id that holds a number. */
export function nodeIdOf(number: number): Uint8Array {
  return new Uint8Array(32).fill(number)
}

function noQueue(): CellQueue {
  throw new Error('a fake link has no queues')
}
