/**
 * A client's payment messages by hop, and the cells that take them there (SPEC §15.1).
 * @module
 */
import type { Leg } from './leg.ts'
import { takePayCell } from './pay-cells.ts'
import { createPayQueue, type PayQueue } from './pay-queue.ts'

/** A client's queues, one for each hop that it has something to say to. */
export interface PayQueues {
  /** For the last hop. */
  readonly end: PayQueue
  /** For a hop before the last, counted from 0. */
  hop(index: number): PayQueue
  /** Sends cells to all hops while the link has room; returns their number. */
  pump(leg: Leg): number
  /** Sends cells to the hops before the last; returns their number. */
  pumpHops(leg: Leg): number
  /** Forgets what waits for the hops before the last: their circuit is gone. */
  clearHops(): void
}

/** Creates empty queues. */
export function createPayQueues(): PayQueues {
  const end = createPayQueue()
  const hops = new Map<number, PayQueue>()
  const pumpHops = (leg: Leg): number => {
    let cells = 0
    for (const [hop, queue] of hops) cells += sendPays(leg, queue, hop)
    return cells
  }
  return {
    end,
    hop(index) {
      const queue = hops.get(index) ?? createPayQueue()
      hops.set(index, queue)
      return queue
    },
    pump: (leg) => pumpHops(leg) + sendPays(leg, end, undefined),
    pumpHops,
    clearHops: () => hops.clear(),
  }
}

/** Sends what waits in one queue while the link has room, sealed for a hop or for the other end; returns the number of cells. */
export function sendPays({ layers, link }: Leg, queue: PayQueue, hop: number | undefined): number {
  let cells = 0
  // Mostly nothing waits, and this is asked with each cell.
  while (queue.length > 0 && link.roomBytes() > 0) {
    const cell = takePayCell(queue, {
      listBytes: (sizeClass) => layers.listBytes(sizeClass, hop),
      seal: (sealed, sizeClass) => layers.seal(sealed, sizeClass, hop),
    })
    if (!cell) break
    link.send(cell)
    cells++
  }
  return cells
}
