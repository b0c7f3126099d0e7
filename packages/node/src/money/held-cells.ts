/**
 * A meter with the cells that wait at it, for pay or for their turn, in the order in which they came (SPEC §15.3, §15.4): those of one circuit at a relay, those of all
 * circuits of a client's link at its entry. Bounded: whose cells find no room is given up.
 * @module
 */
import { createMeter } from '@byway/protocol/payment'
import type { Due, FreeBytes, Meter } from '@byway/protocol/payment'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import type { CellPace } from './link-pace.ts'
import type { MeterWatch } from './meter-watch.ts'

/** Whose cells wait: a circuit. */
export interface TollUser {
  /** Passes a cell on that has waited; it is counted. */
  release(cell: Uint8Array, isForward: boolean): void
  /** Ends. `forget` follows from it. */
  giveUp(reason: CloseReason): void
}

/** A place where cells are paid for. */
export interface CellToll {
  readonly countedBytes: number
  readonly paidBytes: number
  readonly heldBytes: number
  /** True when lists for the hop itself have gone too far beyond what was paid. */
  readonly isOverrun: boolean
  /** Counts a cell if it may pass; never while one waits. */
  pass(bytes: number): boolean
  /** Counts what passes in any case: lists for this hop and its answers. */
  count(bytes: number): void
  /** Takes back what was counted and never went. */
  refund(bytes: number): void
  /** Takes pay. */
  credit(bytes: number): void
  /** Keeps a cell that `pass` has refused. Its bytes become the toll's. */
  hold(user: TollUser, cell: Uint8Array, isForward: boolean): void
  /** The circuit is gone; what waits for it is dropped. */
  forget(user: TollUser): void
  close(): void
}

export type CellTollOptions = {
  readonly watch: MeterWatch
  readonly free: FreeBytes
  /** Sends DUE. */
  readonly onDue: (due: Due) => void
  /** How fast what is paid for may go, and the timer of those that wait for it; absent where only pay counts. */
  readonly pace?: { readonly of: CellPace; readonly watch: MeterWatch }
}

// Local limits (tunable): docs/LIMITS.md.
/**
 * What may wait at one toll: a tunnel has 8 MiB under way at most, and who pays late loses only time. The memory accountant ends a circuit earlier when all
 * together hold too much.
 */
export const MAX_HELD_BYTES: number = 8 * 1024 * 1024 + 256 * 1024
/** What may wait for its turn: those who send keep less under way when it takes longer, and the accountant sees it too. */
const MAX_PACED_BYTES = 4 * MAX_HELD_BYTES
/** How far lists for the hop itself may go beyond what was paid. */
const MAX_OVERRUN_BYTES = 64 * 1024
/** Cells that have gone are forgotten so many at once. */
const COMPACT_AT = 64

/** Creates a toll at which nothing waits. */
export function createCellToll(options: CellTollOptions): CellToll {
  return new HeldCells(options)
}

type Held = { readonly user: TollUser; readonly cell: Uint8Array; readonly isForward: boolean }

class HeldCells implements CellToll {
  heldBytes = 0
  readonly #options: CellTollOptions
  readonly #meter: Meter
  #held: Held[] = []
  #head = 0

  constructor(options: CellTollOptions) {
    this.#options = options
    this.#meter = createMeter(options.free)
  }

  get countedBytes(): number {
    return this.#meter.countedBytes
  }

  get paidBytes(): number {
    return this.#meter.paidBytes
  }

  get isOverrun(): boolean {
    return this.#meter.debtBytes > MAX_OVERRUN_BYTES
  }

  pass(bytes: number): boolean {
    const meter = this.#meter
    if (!meter.isServing || this.heldBytes > 0) return false
    const nowMs = this.#options.watch.nowMs()
    if (this.#options.pace?.of.take(bytes, nowMs) === false) return false
    if (!meter.count(bytes, nowMs)) this.#onHold()
    return true
  }

  count(bytes: number): void {
    if (!this.#meter.count(bytes, this.#options.watch.nowMs())) this.#onHold()
  }

  refund(bytes: number): void {
    if (this.#meter.refund(bytes, this.#options.watch.nowMs())) this.#release()
  }

  credit(bytes: number): void {
    if (this.#meter.pay(bytes, this.#options.watch.nowMs())) this.#release()
  }

  hold(user: TollUser, cell: Uint8Array, isForward: boolean): void {
    const { isServing } = this.#meter
    if (this.heldBytes + cell.length > (isServing ? MAX_PACED_BYTES : MAX_HELD_BYTES)) {
      user.giveUp(isServing ? CLOSE_REASON.RESOURCE_LIMIT : CLOSE_REASON.UNPAID)
      return
    }
    this.#held.push({ user, cell, isForward })
    this.heldBytes += cell.length
    if (isServing) this.#options.pace?.watch.add(this)
    // After a standstill that was given up the client must hear of the next one too.
    else this.#sendDue()
  }

  forget(user: TollUser): void {
    if (this.heldBytes === 0) return
    this.#held = this.#held.slice(this.#head).filter((held) => held.user !== user)
    this.#head = 0
    this.heldBytes = this.#held.reduce((sum, { cell }) => sum + cell.length, 0)
  }

  close(): void {
    this.#held = []
    this.#head = 0
    this.heldBytes = 0
    this.#options.watch.remove(this)
    this.#options.pace?.watch.remove(this)
  }

  /** For the watches. */
  onTick(nowMs: number): void {
    if (this.#meter.isServing) {
      this.#release()
      return
    }
    if (nowMs < this.#meter.wakeAtMs) return
    const state = this.#meter.tick(nowMs)
    if (state === 'serve') this.#release()
    else if (state === 'destroy') this.#giveUp()
  }

  #onHold(): void {
    this.#options.watch.add(this)
    this.#options.pace?.watch.remove(this)
    this.#sendDue()
  }

  #sendDue(): void {
    const due = this.#meter.takeDue()
    if (due) this.#options.onDue(due)
  }

  #release(): void {
    const nowMs = this.#options.watch.nowMs()
    for (let next = this.#held[this.#head]; next; next = this.#held[this.#head]) {
      const { user, cell, isForward } = next
      if (!this.#meter.isServing) break
      if (this.#options.pace?.of.take(cell.length, nowMs) === false) break
      this.#shift(cell.length)
      this.#meter.count(cell.length, nowMs)
      user.release(cell, isForward)
    }
    this.#wait()
  }

  /** Has the right timer come back: that of pay, that of turns, or none. */
  #wait(): void {
    const { watch, pace } = this.#options
    if (!this.#meter.isServing) {
      this.#onHold()
      return
    }
    watch.remove(this)
    if (this.heldBytes > 0) pace?.watch.add(this)
    else pace?.watch.remove(this)
  }

  #shift(bytes: number): void {
    this.#head++
    this.heldBytes -= bytes
    if (this.#head < COMPACT_AT && this.heldBytes > 0) return
    this.#held.splice(0, this.#head)
    this.#head = 0
  }

  /** SPEC §15.3: who waits is destroyed; who does not is served again once it is paid. */
  #giveUp(): void {
    for (const user of new Set(this.#held.slice(this.#head).map((held) => held.user)))
      user.giveUp(CLOSE_REASON.UNPAID)
  }
}
