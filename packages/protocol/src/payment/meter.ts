/**
 * What a hop counts against what it was paid (SPEC §15.3, §15.4): serve, hold, destroy. One meter per client link at an entry, per
 * circuit at a relay, per tunnel at an exit. Gives no credit: what is held costs the hop at most the cell with which it noticed.
 * @module
 */
import { type ClassWeight, SAME_PRICE, unweighedBytes, weighedBytes } from './class-weight.ts'
import type { FreeBytes } from './free-bytes.ts'

/** What the hop must do with the cells: serve them, hold them, or destroy their circuits with UNPAID. */
export type MeterState = 'serve' | 'hold' | 'destroy'

/** What DUE says (SPEC §15.1). */
export type Due = {
  readonly countedBytes: number
  /** Bytes that payments and free bytes cover. */
  readonly paidBytes: number
}

/** A hop's count. */
export interface Meter {
  /** Bytes that passed, weighed by the tunnel's class. */
  readonly countedBytes: number
  /** Bytes that payments cover. */
  readonly paidBytes: number
  /** Bytes that were given for nothing so far. */
  readonly freeBytes: number
  /** How far the count is beyond both; negative when more was paid. */
  readonly debtBytes: number
  /** How many bytes of cells that is; 0 when more was paid. */
  readonly overrunBytes: number
  /** False while cells must be held. */
  readonly isServing: boolean
  /** When {@link Meter.tick} wants to be called; Infinity while it serves. */
  readonly wakeAtMs: number
  /** Counts a cell that passes, in either direction; returns `isServing` for those after it. */
  count(bytes: number, nowMs: number): boolean
  /** Counts a payment; returns `isServing`: cells that were held may go on. */
  pay(bytes: number, nowMs: number): boolean
  /** Takes back what was counted and never went; returns `isServing`. */
  refund(bytes: number, nowMs: number): boolean
  /**
   * To be called at `wakeAtMs`. `serve` lets held cells go on; `destroy` comes after {@link HOLD_MS} of holding, and the hold begins
   * anew for what comes later on the same link.
   */
  tick(nowMs: number): MeterState
  /** What DUE must say now: once for each hold, else undefined. */
  takeDue(): Due | undefined
}

/** Creates a meter at zero. `weight`: of what passes, at an exit. */
export function createMeter(free: FreeBytes, weight: ClassWeight = SAME_PRICE): Meter {
  return new ByteMeter(free, weight)
}

class ByteMeter implements Meter {
  countedBytes = 0
  paidBytes = 0
  freeBytes = 0
  isServing = true
  wakeAtMs: number = Number.POSITIVE_INFINITY
  readonly #free: FreeBytes
  readonly #weight: ClassWeight
  #passedBytes = 0
  #destroyAtMs: number = Number.POSITIVE_INFINITY
  #isDueOwed = false

  constructor(free: FreeBytes, weight: ClassWeight) {
    this.#free = free
    this.#weight = weight
  }

  count(bytes: number, nowMs: number): boolean {
    this.#pass(bytes)
    // The hot path: what was paid for draws nothing.
    if (this.debtBytes <= 0) return this.isServing
    return this.#settle(nowMs)
  }

  pay(bytes: number, nowMs: number): boolean {
    this.paidBytes += bytes
    return this.#settle(nowMs)
  }

  refund(bytes: number, nowMs: number): boolean {
    this.#pass(-bytes)
    return this.#settle(nowMs)
  }

  tick(nowMs: number): MeterState {
    if (this.#settle(nowMs)) return 'serve'
    if (nowMs < this.#destroyAtMs) return 'hold'
    this.#hold(nowMs)
    return 'destroy'
  }

  takeDue(): Due | undefined {
    if (!this.#isDueOwed) return undefined
    this.#isDueOwed = false
    return { countedBytes: this.countedBytes, paidBytes: this.paidBytes + this.freeBytes }
  }

  get debtBytes(): number {
    return this.countedBytes - this.paidBytes - this.freeBytes
  }

  get overrunBytes(): number {
    return unweighedBytes(Math.max(0, this.debtBytes), this.#weight)
  }

  #pass(bytes: number): void {
    this.#passedBytes += bytes
    this.countedBytes = weighedBytes(this.#passedBytes, this.#weight)
  }

  #settle(nowMs: number): boolean {
    const debtBytes = this.debtBytes
    if (debtBytes > 0) this.freeBytes += this.#free.draw(debtBytes, nowMs)
    const leftBytes = this.debtBytes
    if (leftBytes <= 0) this.#serve()
    else {
      if (this.isServing) this.#hold(nowMs)
      this.wakeAtMs = Math.min(this.#destroyAtMs, this.#free.readyAtMs(leftBytes, nowMs))
    }
    return this.isServing
  }

  #serve(): void {
    this.isServing = true
    this.#isDueOwed = false
    this.wakeAtMs = Number.POSITIVE_INFINITY
    this.#destroyAtMs = Number.POSITIVE_INFINITY
  }

  #hold(nowMs: number): void {
    this.isServing = false
    this.#isDueOwed = true
    this.#destroyAtMs = nowMs + HOLD_MS
    this.wakeAtMs = this.#destroyAtMs
  }
}

/**
 * Protocol constant (change needs a spec change): SPEC §15.3, "after 60 s destroys them". Longer than an issue delay and a purchase on a circuit
 * of its own: a client that used its first tokens up waits so long for the next ones.
 */
export const HOLD_MS = 60_000
