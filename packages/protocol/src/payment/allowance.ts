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
  /** Rate times round trip of cells, as measured. Bounded by {@link MAX_BDP_BYTES}. */
  setBdp(bytes: number): void
  /** How many grains (units, or tokens) to pay now. */
  dueGrains(): number
  /** So many grains were paid. */
  paid(grains: number): void
  /** So many grains did not count: refused, or lost. They are due again. */
  unpaid(grains: number): void
  /** Takes the hop's DUE. */
  onDue(due: { readonly countedBytes: number; readonly paidBytes: number }): DueVerdict
}

/** Creates an account at zero. `grainBytes`: a unit where tickets pay, a token's worth where tokens do. `weight`: of what is counted, at an exit. */
export function createAllowance(grainBytes: number, weight: ClassWeight = SAME_PRICE): Allowance {
  return new Account(grainBytes, weight)
}

class Account implements Allowance {
  paidBytes = 0
  readonly #grainBytes: number
  readonly #weight: ClassWeight
  #twoBdpBytes = 0
  /** What the client itself sent and received, and what that counts. */
  #passedBytes = 0
  #ownBytes = 0
  /** How much more the hop counted, as far as that is believed. */
  #skewBytes = 0

  constructor(grainBytes: number, weight: ClassWeight) {
    this.#grainBytes = grainBytes
    this.#weight = weight
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
    return Math.max(this.#grainBytes, this.#twoBdpBytes) + this.#grainBytes
  }

  count(bytes: number): boolean {
    this.#passedBytes += bytes
    this.#ownBytes = weighedBytes(this.#passedBytes, this.#weight)
    return this.aheadBytes < this.#lowBytes
  }

  setBdp(bytes: number): void {
    this.#twoBdpBytes = 2 * weighedBytes(Math.min(Math.max(0, bytes), MAX_BDP_BYTES), this.#weight)
  }

  dueGrains(): number {
    return Math.max(0, Math.ceil((this.#lowBytes - this.aheadBytes) / this.#grainBytes))
  }

  paid(grains: number): void {
    this.paidBytes += grains * this.#grainBytes
  }

  unpaid(grains: number): void {
    this.paidBytes -= grains * this.#grainBytes
  }

  onDue(due: { readonly countedBytes: number; readonly paidBytes: number }): DueVerdict {
    const missingBytes = Math.max(0, this.paidBytes - due.paidBytes)
    // Cells that died on their way to us were served. Judged by our own count alone: one DUE must not make room for the next.
    const skewBytes = due.countedBytes - this.#ownBytes
    const isOvercounted = skewBytes > this.#slackBytes
    if (!isOvercounted) this.#skewBytes = Math.max(this.#skewBytes, skewBytes)
    return { isOvercounted, missingBytes }
  }

  get #slackBytes(): number {
    const inFlight = Math.max(this.#grainBytes, this.#twoBdpBytes)
    return inFlight + Math.floor(this.#ownBytes / OVERCOUNT_SHARE)
  }

  /** A payment is due below this: a quarter grain while little flows, and else what flows until the next one arrives. */
  get #lowBytes(): number {
    return Math.max(this.#grainBytes / 4, this.#twoBdpBytes)
  }
}

// Local limits (tunable).
/** The largest product of rate and round trip that is paid ahead twice: four times what one circuit may have in flight. */
export const MAX_BDP_BYTES: number = 32 * 1024 * 1024
/** A hop may have counted this part more than we: cells that died between us. */
const OVERCOUNT_SHARE = 32
