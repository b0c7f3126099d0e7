/**
 * A circuit's queue on a link as the leg above sees it (`LegLink` of `@byway/protocol/circuit`): room, cell classes, and a call when there is room again.
 * Little is sealed ahead, so that what a stream writes next can still go in the next cell.
 * @module
 */
import { preferredSizeClass } from '@byway/protocol/circuit'
import type { LegLink } from '@byway/protocol/circuit'
import type { CellQueue, Link } from '@byway/protocol/link'

// Local limits (tunable): docs/LIMITS.md.
/** Sealed cells that wait for the link: a few milliseconds of a fast one, so that the link never runs dry between two turns. */
const QUEUE_TARGET_BYTES = 256 * 1024
const QUEUE_LOW_WATER_BYTES = 128 * 1024

export type LegLinkOptions = {
  readonly link: Link
  readonly queue: CellQueue
  /** Queues a sealed cell; the relay role counts there. @default link.push */
  readonly push?: ((cell: Uint8Array) => void) | undefined
  /** There is room again after `roomBytes` has said that there is none: call `pump`. */
  readonly onRoom: () => void
}

/** Makes the view of a leg on its link. */
export function createLegLink(options: LegLinkOptions): LegLink {
  const { link, queue } = options
  const push = options.push ?? ((cell: Uint8Array): void => link.push(queue, cell))
  queue.onRoom = options.onRoom
  return {
    send: push,
    roomBytes() {
      const room = QUEUE_TARGET_BYTES - queue.bytes
      if (room <= 0) queue.wantRoom(QUEUE_LOW_WATER_BYTES)
      return room
    },
    preferredClass: (waitingBytes) => preferredSizeClass(waitingBytes, link.ratePerMs),
  }
}
