/**
 * When a client buys tokens of a hop again (SPEC §16). Times are drawn, not caused by spending: a hop sees both purchases, under a slot, and spending, under nobody's
 * name, and equal moments would join them. A stock that runs low under a download has to be filled soon, and that link remains (THREAT-MODEL).
 * @module
 */
import type { RandomBytes } from '@byway/protocol/crypto'

/** The times of one hop's purchases. */
export class RestockClock {
  readonly #random: RandomBytes
  #atMs: number

  constructor(random: RandomBytes, nowMs: number) {
    this.#random = random
    this.#atMs = nowMs
  }

  get atMs(): number {
    return this.#atMs
  }

  /** Draws the next time, as if nothing had been spent: exponential, within bounds. */
  draw(nowMs: number): void {
    const interval = -Math.log(1 - this.#uniform()) * MEAN_INTERVAL_MS
    this.#atMs = nowMs + Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, interval))
  }

  /** The stock is low: not later than a random moment from now. */
  hurry(nowMs: number): void {
    this.#atMs = Math.min(this.#atMs, nowMs + this.#uniform() * HURRY_MS)
  }

  /** [0, 1) from 32 random bits. */
  #uniform(): number {
    const bytes = this.#random(4)
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32
  }
}

const MEAN_INTERVAL_MS = 60_000
const MIN_INTERVAL_MS = 5_000
const HURRY_MS = 1_500
// Local limits (tunable): docs/LIMITS.md.
/** A stock is looked after at least so often while its hop is in use. */
const MAX_INTERVAL_MS = 180_000
