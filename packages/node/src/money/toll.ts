/**
 * What may pass at one place that is paid for (SPEC §15.3, §15.4): a client's link at its entry, a circuit at another relay, a tunnel at its exit. Counts
 * bytes against what was paid and what is free. What waits, and where, is its owner's: `held-cells.ts` and `tunnel-toll.ts`.
 * @module
 */
import { HOLD_MS } from '@byway/protocol/payment'
import type { FreeBytes } from '@byway/protocol/payment'
import type { TollWatch } from './toll-watch.ts'

/** What a toll tells its owner. */
export type TollOwner = {
  /** From now on something waits for pay: DUE goes. Once for each standstill. */
  readonly onStalled: () => void
  /** More may pass: take what waits, and `resume` when nothing does any more. */
  readonly onCredit: () => void
  /** Nothing was paid in time: what waits must go with UNPAID. */
  readonly onUnpaid: () => void
}

export type TollOptions = {
  readonly watch: TollWatch
  /** Free from the start. */
  readonly windowBytes: number
  /** Drawn from only when what was paid does not suffice. */
  readonly free?: Pick<FreeBytes, 'draw'> | undefined
}

/** One account of bytes. */
export interface Toll {
  /** What has passed, held bytes not among it. */
  readonly countedBytes: number
  readonly paidBytes: number
  /** What was paid, and what was given for nothing so far: `countedBytes` stays within it. */
  readonly coveredBytes: number
  /** What may pass now; below 0 when cells that are never held have gone beyond it. */
  readonly leftBytes: number
  readonly isStalled: boolean
  /** Counts so many bytes if they may pass; never while something waits. */
  pass(bytes: number): boolean
  /** The same for what waits itself. */
  passHeld(bytes: number): boolean
  /** Counts what passes in any case: lists for this hop and its answers. */
  count(bytes: number): void
  /** Takes back what was counted and never went. */
  refund(bytes: number): void
  /** Takes pay. */
  credit(bytes: number): void
  /** Something waits from now on. */
  stall(): void
  /** Nothing waits any more. */
  resume(): void
  /** Looks for free bytes, and at the deadline. For the watch only. */
  onTick(nowMs: number): void
  /** The place is gone. */
  close(): void
}

/** Creates an account without pay. */
export function createToll(options: TollOptions, owner: TollOwner): Toll {
  return new Account(options, owner)
}

class Account implements Toll {
  paidBytes = 0
  coveredBytes: number
  isStalled = false
  readonly #watch: TollWatch
  readonly #free: TollOptions['free']
  readonly #owner: TollOwner
  /** What may pass at once. 0 while something waits, so that the hot path has one comparison. */
  #openBytes: number
  /** What is left of it while something waits. */
  #reserveBytes = 0
  #deadlineMs = Number.POSITIVE_INFINITY

  constructor({ watch, windowBytes, free }: TollOptions, owner: TollOwner) {
    this.#watch = watch
    this.#free = free
    this.#owner = owner
    this.#openBytes = windowBytes
    this.coveredBytes = windowBytes
  }

  get leftBytes(): number {
    return this.#openBytes + this.#reserveBytes
  }

  get countedBytes(): number {
    return this.coveredBytes - this.leftBytes
  }

  pass(bytes: number): boolean {
    if (bytes <= this.#openBytes) {
      this.#openBytes -= bytes
      return true
    }
    if (this.isStalled || !this.#draw(bytes)) return false
    this.#openBytes -= bytes
    return true
  }

  passHeld(bytes: number): boolean {
    if (this.leftBytes < bytes && !this.#draw(bytes)) return false
    this.count(bytes)
    return true
  }

  count(bytes: number): void {
    if (this.isStalled) this.#reserveBytes -= bytes
    else this.#openBytes -= bytes
  }

  refund(bytes: number): void {
    this.count(-bytes)
  }

  credit(bytes: number): void {
    this.paidBytes += bytes
    this.#grant(bytes)
    if (!this.isStalled) return
    this.#deadlineMs = this.#watch.nowMs() + HOLD_MS
    this.#owner.onCredit()
  }

  stall(): void {
    if (this.isStalled) return
    this.isStalled = true
    this.#reserveBytes = this.#openBytes
    this.#openBytes = 0
    this.#deadlineMs = this.#watch.nowMs() + HOLD_MS
    this.#watch.add(this)
    this.#owner.onStalled()
  }

  resume(): void {
    if (!this.isStalled) return
    this.isStalled = false
    this.#openBytes = this.#reserveBytes
    this.#reserveBytes = 0
    this.#watch.remove(this)
  }

  onTick(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) this.#owner.onUnpaid()
    else if (this.#free) this.#owner.onCredit()
  }

  close(): void {
    this.#watch.remove(this)
  }

  /** Draws what is missing of so many bytes. */
  #draw(bytes: number): boolean {
    const missing = bytes - this.leftBytes
    if (this.#free) this.#grant(this.#free.draw(missing, this.#watch.nowMs()))
    return this.leftBytes >= bytes
  }

  #grant(bytes: number): void {
    this.coveredBytes += bytes
    this.count(-bytes)
  }
}
