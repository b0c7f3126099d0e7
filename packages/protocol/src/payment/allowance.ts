/**
 * When a client pays (SPEC §15.3, §15.4): enough ahead that the hop never holds a cell, never more than it may lose. One per client link
 * for the entry, per leg for a relay, per tunnel for an exit. Counts what the client itself sent and received; what a hop says it
 * counted is believed within narrow bounds only.
 * @module
 */
import { type ClassWeight, SAME_PRICE, unweighedBytes, weighedBytes } from './class-weight.ts'

/** What a hop's DUE meant. */
export type DueVerdict = {
  /** The hop counts more than can be: leave it. */
  readonly isOvercounted: boolean
  /** Bytes that were paid for and that the hop had not seen when it wrote: on their way, or lost with a leg. */
  readonly missingBytes: number
}

/** Bytes of cells per millisecond. */
export type FlowRate = {
  /** While they pass: what must be paid ahead of them. */
  readonly perMs: number
  /** With the pauses between: how soon a payment is used up. */
  readonly presentPerMs: number
}

/** One hop's account at its client. */
export interface Allowance {
  /** Weighed by the tunnel's class. */
  readonly countedBytes: number
  /** The bytes of cells behind that. */
  readonly carriedBytes: number
  readonly paidBytes: number
  /** What is paid and not used up; negative when service came before its payment. */
  readonly aheadBytes: number
  /** The most that may be ahead after a payment: what the client can lose to this hop. */
  readonly limitBytes: number
  /** Counts cells that were sent or have come; true when a payment is due. */
  count(bytes: number): boolean
  /** How fast cells pass, and the round trip to the hop, as measured. The product of `perMs` and the round trip is bounded by {@link MAX_BDP_BYTES}. */
  setRate(rate: FlowRate, rttMs: number): void
  /** What the next payment should cover, one of the sizes; 0 while none is due. */
  dueBytes(): number
  /** What a payment may cover when twice as much has passed, one of the sizes: time to have it in stock. */
  readonly soonBytes: number
  /** So many bytes were paid for, as `dueBytes` said or fewer. */
  paid(bytes: number): void
  /** So many did not count: refused, or lost. They are due again. */
  unpaid(bytes: number): void
  /** Takes the hop's DUE. */
  onDue(due: { readonly countedBytes: number; readonly paidBytes: number }): DueVerdict
  /** It is over: what was served and what was paid for nothing go into the hop's record. */
  end(): void
}

/** What earlier accounts of a hop came to, weighed bytes; theirs to write. */
export type HopRecord = {
  /** Counted by the client itself. */
  servedBytes: number
  /** Paid, beyond one least payment, and not served. */
  lostBytes: number
}

/** What one payment may cover, in rising order: units where tickets pay, tokens' worth where tokens do. The first may always be paid. */
export type PaymentSizes = readonly [least: number, ...larger: readonly number[]]

/** Creates an account at zero. `weight`: of what is counted, at an exit. `record`: of the same hop, shared by all its accounts. */
export function createAllowance(
  sizes: PaymentSizes,
  weight: ClassWeight = SAME_PRICE,
  record: HopRecord = { servedBytes: 0, lostBytes: 0 },
): Allowance {
  return new Account(sizes, weight, record)
}

class Account implements Allowance {
  paidBytes = 0
  readonly #sizes: PaymentSizes
  readonly #weight: ClassWeight
  /** What the cells count that pass in a millisecond. */
  #countedPerMs = 0
  /** As measured: a hop that holds cells back and lets them go at once makes it large. */
  #measuredBytes = 0
  /** What the client itself sent and received, and what that counts. */
  #passedBytes = 0
  #ownBytes = 0
  /** How much more the hop counted, as far as that is believed. */
  #skewBytes = 0

  readonly #record: HopRecord

  constructor(sizes: PaymentSizes, weight: ClassWeight, record: HopRecord) {
    this.#sizes = sizes
    this.#weight = weight
    this.#record = record
  }

  get countedBytes(): number {
    return this.#ownBytes + this.#skewBytes
  }

  get carriedBytes(): number {
    return this.#passedBytes + unweighedBytes(this.#skewBytes, this.#weight)
  }

  get aheadBytes(): number {
    return this.paidBytes - this.countedBytes
  }

  // SPEC §15.3: "no more than max(1 unit, 2 × BDP) and one ticket".
  get limitBytes(): number {
    return Math.max(this.#leastBytes, this.#twoBdpBytes) + this.#sizeBytes
  }

  count(bytes: number): boolean {
    this.#passedBytes += bytes
    this.#ownBytes = weighedBytes(this.#passedBytes, this.#weight)
    return this.aheadBytes < this.#lowBytes
  }

  setRate({ perMs, presentPerMs }: FlowRate, rttMs: number): void {
    const bdpBytes = Math.min(Math.max(0, perMs * rttMs), MAX_BDP_BYTES)
    this.#countedPerMs = weighedBytes(presentPerMs, this.#weight)
    this.#measuredBytes = 2 * weighedBytes(bdpBytes, this.#weight)
  }

  dueBytes(): number {
    return this.aheadBytes < this.#lowBytes ? this.#sizeBytes : 0
  }

  get soonBytes(): number {
    return this.#sizeOf(SOON_TIMES * this.#ownBytes)
  }

  paid(bytes: number): void {
    this.paidBytes += bytes
  }

  unpaid(bytes: number): void {
    this.paidBytes -= bytes
  }

  onDue(due: { readonly countedBytes: number; readonly paidBytes: number }): DueVerdict {
    const missingBytes = Math.max(0, this.paidBytes - due.paidBytes)
    // Cells that died on their way to us were served. Judged by our own count alone: one DUE must not make room for the next.
    const skewBytes = due.countedBytes - this.#ownBytes
    const isOvercounted = skewBytes > this.#slackBytes
    if (!isOvercounted) this.#skewBytes = Math.max(this.#skewBytes, skewBytes)
    return { isOvercounted, missingBytes }
  }

  end(): void {
    this.#record.servedBytes += this.#ownBytes
    this.#record.lostBytes += Math.max(0, this.paidBytes - this.#ownBytes - this.#leastBytes)
  }

  /**
   * SPEC §15.3: two round trips' bytes, and no more than the hop has served less sixteen times what it kept for nothing. A stream that begins doubles what has passed with each round trip, so that
   * what flows in two of them is never more than what has passed.
   */
  get #twoBdpBytes(): number {
    const { servedBytes, lostBytes } = this.#record
    const earnedBytes = this.#ownBytes + servedBytes - SERVED_PARTS * lostBytes
    return Math.min(this.#measuredBytes, Math.max(0, earnedBytes))
  }

  get #leastBytes(): number {
    return this.#sizes[0]
  }

  /**
   * SPEC §15.3: "no more than a sixteenth of what it counted itself, nor than passes in a second". A hop that keeps what it was paid and stops gains that part of what
   * it has served, and a client that stops is left with little that it has no use for.
   */
  get #sizeBytes(): number {
    return this.#sizeOf(this.#ownBytes)
  }

  #sizeOf(servedBytes: number): number {
    const most = Math.min(servedBytes / SERVED_PARTS, this.#countedPerMs * AHEAD_MS)
    return this.#sizes.findLast((bytes) => bytes <= most) ?? this.#leastBytes
  }

  get #slackBytes(): number {
    const inFlight = Math.max(this.#leastBytes, this.#twoBdpBytes)
    return inFlight + Math.floor(this.#ownBytes / OVERCOUNT_SHARE)
  }

  /** A payment is due below this: a quarter of the least while little flows, and else what flows until the next one arrives. */
  get #lowBytes(): number {
    return Math.max(this.#leastBytes / 4, this.#twoBdpBytes)
  }
}

// Protocol constants (change needs a spec change): SPEC §15.3.
const SERVED_PARTS = 16
const AHEAD_MS = 1000

// Local limits (tunable).
/** The largest product of rate and round trip that is paid ahead twice: four times what one circuit may have in flight. */
export const MAX_BDP_BYTES: number = 32 * 1024 * 1024
/** What larger payments are bought for ahead: a stream that has passed half of what they need. */
const SOON_TIMES = 2
/** A hop may have counted this part more than we: cells that died between us. */
const OVERCOUNT_SHARE = 32
