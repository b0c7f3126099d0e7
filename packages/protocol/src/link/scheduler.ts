/**
 * Which circuit's cell goes next on a link (SPEC §8.4): the one that has sent least of late.
 *
 * Each queue has an exponentially weighted sum of the bytes it sent, half-life 30 s (Tor's EWMA). Instead of decaying every
 * sum, new bytes weigh more as time goes on, so that sums keep their order and a heap stays a heap.
 * @module
 */

const HALF_LIFE_MS = 30_000
/** Weights double each half-life; rebase before they lose precision in a double. */
const REBASE_AFTER_MS = HALF_LIFE_MS * 64
/** How far a queue that was empty may be ahead of the others: more would let a new bulk circuit shut out the old ones. */
const HEAD_START_BYTES = 256 * 1024

/** Cells of one circuit that wait for a link. */
export interface CellQueue {
  readonly circuitId: number
  readonly bytes: number
  readonly length: number
  /** When the oldest waiting cell was queued; `undefined` when empty. The memory accountant kills by it. */
  readonly oldestAtMs: number | undefined
  /** Called once after the queue has shrunk below `lowWaterBytes` again, if {@link CellQueue.wantRoom} asked for it. */
  onRoom: (() => void) | undefined
  wantRoom(lowWaterBytes: number): void
}

/** The scheduler of one link. */
export interface Scheduler {
  readonly waitingBytes: number
  /** Bytes of the last cells of closed queues among them. */
  readonly lastBytes: number
  /** Bytes of the cell that {@link Scheduler.pop} would take; 0 when nothing waits. */
  readonly nextBytes: number
  readonly queues: Iterable<CellQueue>
  open(circuitId: number): CellQueue
  push(queue: CellQueue, cell: Uint8Array, nowMs: number): void
  /** Takes the next cell and the queue it came from, or `undefined` when nothing waits. */
  pop(nowMs: number): { readonly cell: Uint8Array; readonly queue: CellQueue } | undefined
  /** Forgets a queue and what waits in it; a last cell, if given, still goes out in its turn. */
  close(queue: CellQueue, lastCell?: Uint8Array, nowMs?: number): void
}

/** Creates an empty scheduler. */
export function createScheduler(nowMs: number): Scheduler {
  return new EwmaScheduler(nowMs)
}

class Queue implements CellQueue {
  readonly circuitId: number
  readonly cells: Uint8Array[] = []
  readonly times: number[] = []
  head = 0
  bytes = 0
  weight = 0
  heapIndex = -1
  isClosed = false
  /** Forgotten as soon as it is empty. */
  isLast = false
  lowWaterBytes = -1
  onRoom: (() => void) | undefined = undefined

  constructor(circuitId: number) {
    this.circuitId = circuitId
  }

  get length(): number {
    return this.cells.length - this.head
  }

  get oldestAtMs(): number | undefined {
    return this.times[this.head]
  }

  wantRoom(lowWaterBytes: number): void {
    this.lowWaterBytes = lowWaterBytes
  }

  shift(): Uint8Array | undefined {
    const cell = this.cells[this.head]
    if (!cell) return undefined
    this.head++
    this.bytes -= cell.length
    if (this.head === this.cells.length) {
      this.cells.length = 0
      this.times.length = 0
      this.head = 0
    } else if (this.head === 64) {
      this.cells.splice(0, 64)
      this.times.splice(0, 64)
      this.head = 0
    }
    return cell
  }
}

class EwmaScheduler implements Scheduler {
  waitingBytes = 0
  lastBytes = 0
  #epochMs: number
  readonly #heap: Queue[] = []
  readonly #queues = new Set<Queue>()

  constructor(nowMs: number) {
    this.#epochMs = nowMs
  }

  get queues(): Iterable<CellQueue> {
    return this.#queues
  }

  get nextBytes(): number {
    const queue = this.#heap[0]
    return queue?.cells[queue.head]?.length ?? 0
  }

  open(circuitId: number): CellQueue {
    const queue = new Queue(circuitId)
    this.#queues.add(queue)
    return queue
  }

  push(handle: CellQueue, cell: Uint8Array, nowMs: number): void {
    const queue = handle as Queue
    if (queue.isClosed) return
    queue.cells.push(cell)
    queue.times.push(nowMs)
    queue.bytes += cell.length
    this.waitingBytes += cell.length
    if (queue.heapIndex < 0) {
      const least = this.#heap[0]
      if (least)
        queue.weight = Math.max(queue.weight, least.weight - HEAD_START_BYTES * this.#scale(nowMs))
      queue.heapIndex = this.#heap.length
      this.#heap.push(queue)
      this.#siftUp(queue)
    }
  }

  pop(nowMs: number): { readonly cell: Uint8Array; readonly queue: CellQueue } | undefined {
    const queue = this.#heap[0]
    const cell = queue?.shift()
    if (!queue || !cell) return undefined
    this.waitingBytes -= cell.length
    queue.weight += cell.length * this.#scale(nowMs)
    if (queue.length === 0) {
      this.#removeFromHeap(queue)
      if (queue.isLast) {
        this.#queues.delete(queue)
        this.lastBytes -= cell.length
      }
    } else if (this.#heap.length > 1) {
      this.#siftDown(queue)
    }
    if (queue.bytes < queue.lowWaterBytes) {
      queue.lowWaterBytes = -1
      queue.onRoom?.()
    }
    return { cell, queue }
  }

  close(handle: CellQueue, lastCell?: Uint8Array, nowMs = 0): void {
    const queue = handle as Queue
    if (queue.isClosed) return
    queue.isClosed = true
    queue.onRoom = undefined
    this.waitingBytes -= queue.bytes
    queue.bytes = 0
    queue.cells.length = 0
    queue.times.length = 0
    queue.head = 0
    if (queue.heapIndex >= 0) this.#removeFromHeap(queue)
    this.#queues.delete(queue)
    if (!lastCell) return
    const last = this.open(queue.circuitId) as Queue
    last.weight = queue.weight
    last.isLast = true
    this.lastBytes += lastCell.length
    this.push(last, lastCell, nowMs)
  }

  #scale(nowMs: number): number {
    if (nowMs - this.#epochMs > REBASE_AFTER_MS) {
      const shrink = 2 ** ((this.#epochMs - nowMs) / HALF_LIFE_MS)
      for (const queue of this.#queues) queue.weight *= shrink
      this.#epochMs = nowMs
    }
    return 2 ** ((nowMs - this.#epochMs) / HALF_LIFE_MS)
  }

  #removeFromHeap(queue: Queue): void {
    const last = this.#heap.pop()
    if (last && last !== queue) {
      last.heapIndex = queue.heapIndex
      this.#heap[queue.heapIndex] = last
      this.#siftUp(last)
      this.#siftDown(last)
    }
    queue.heapIndex = -1
  }

  #siftUp(queue: Queue): void {
    while (queue.heapIndex > 0) {
      const parent = this.#heap[(queue.heapIndex - 1) >> 1]
      if (!parent || parent.weight <= queue.weight) return
      this.#swap(queue, parent)
    }
  }

  #siftDown(queue: Queue): void {
    for (;;) {
      const left = this.#heap[2 * queue.heapIndex + 1]
      const right = this.#heap[2 * queue.heapIndex + 2]
      const least = right && left && right.weight < left.weight ? right : left
      if (!least || queue.weight <= least.weight) return
      this.#swap(queue, least)
    }
  }

  #swap(a: Queue, b: Queue): void {
    const index = a.heapIndex
    a.heapIndex = b.heapIndex
    b.heapIndex = index
    this.#heap[a.heapIndex] = a
    this.#heap[b.heapIndex] = b
  }
}
