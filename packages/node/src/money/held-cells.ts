/**
 * A toll with the cells that wait at it, in the order in which they came (SPEC §15.3, §15.4): those of one circuit at a relay, those of all circuits of a
 * client's link at its entry. Bounded: whose cells find no room is given up.
 * @module
 */
import { createToll } from './toll.ts'
import type { Toll, TollOptions } from './toll.ts'

/** Whose cells wait: a circuit. */
export interface TollUser {
  /** Passes a cell on that has waited; it is counted. */
  release(cell: Uint8Array, isForward: boolean): void
  /** Ends with UNPAID. `forget` follows from it. */
  giveUp(): void
}

/** A toll for cells. */
export interface CellToll extends Pick<
  Toll,
  | 'countedBytes'
  | 'paidBytes'
  | 'coveredBytes'
  | 'leftBytes'
  | 'pass'
  | 'count'
  | 'refund'
  | 'credit'
  | 'close'
> {
  readonly heldBytes: number
  /** Keeps a cell that `pass` has refused. Its bytes become the toll's. */
  hold(user: TollUser, cell: Uint8Array, isForward: boolean): void
  /** The circuit is gone; what waits for it is dropped. */
  forget(user: TollUser): void
}

export type CellTollOptions = TollOptions & {
  /** Sends DUE. */
  readonly onDue: (toll: CellToll) => void
}

// Local limits (tunable): docs/LIMITS.md.
/**
 * What may wait at one toll: a tunnel has 8 MiB under way at most, and who pays late loses only time. The memory accountant ends a circuit earlier when all
 * together hold too much.
 */
export const MAX_HELD_BYTES: number = 8 * 1024 * 1024 + 256 * 1024
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
  readonly #toll: Toll
  #held: Held[] = []
  #head = 0

  constructor(options: CellTollOptions) {
    this.#toll = createToll(options, {
      onStalled: () => options.onDue(this),
      onCredit: () => this.#release(),
      onUnpaid: () => this.#giveUp(),
    })
  }

  get countedBytes(): number {
    return this.#toll.countedBytes
  }

  get paidBytes(): number {
    return this.#toll.paidBytes
  }

  get coveredBytes(): number {
    return this.#toll.coveredBytes
  }

  get leftBytes(): number {
    return this.#toll.leftBytes
  }

  pass(bytes: number): boolean {
    return this.#toll.pass(bytes)
  }

  count(bytes: number): void {
    this.#toll.count(bytes)
  }

  refund(bytes: number): void {
    this.#toll.refund(bytes)
  }

  credit(bytes: number): void {
    this.#toll.credit(bytes)
  }

  hold(user: TollUser, cell: Uint8Array, isForward: boolean): void {
    if (this.heldBytes + cell.length > MAX_HELD_BYTES) {
      user.giveUp()
      return
    }
    this.#held.push({ user, cell, isForward })
    this.heldBytes += cell.length
    this.#toll.stall()
  }

  forget(user: TollUser): void {
    if (this.heldBytes === 0) return
    this.#held = this.#held.slice(this.#head).filter((held) => held.user !== user)
    this.#head = 0
    this.heldBytes = this.#held.reduce((sum, { cell }) => sum + cell.length, 0)
    this.#resumeWhenEmpty()
  }

  close(): void {
    this.#held = []
    this.#head = 0
    this.heldBytes = 0
    this.#toll.close()
  }

  #release(): void {
    for (let next = this.#held[this.#head]; next; next = this.#held[this.#head]) {
      const { user, cell, isForward } = next
      if (!this.#toll.passHeld(cell.length)) return
      this.#shift(cell.length)
      user.release(cell, isForward)
    }
    this.#resumeWhenEmpty()
  }

  #shift(bytes: number): void {
    this.#head++
    this.heldBytes -= bytes
    if (this.#head < COMPACT_AT) return
    this.#held.splice(0, this.#head)
    this.#head = 0
  }

  #resumeWhenEmpty(): void {
    if (this.heldBytes > 0) return
    this.#held = []
    this.#head = 0
    this.#toll.resume()
  }

  #giveUp(): void {
    for (const user of new Set(this.#held.slice(this.#head).map((held) => held.user))) user.giveUp()
  }
}

/** True when cells that are never held have gone too far beyond what was paid. */
export function isOverrun({ leftBytes }: Pick<CellToll, 'leftBytes'>): boolean {
  return leftBytes < -MAX_OVERRUN_BYTES
}
