/**
 * How fast a slot that its hop does not hold may buy bandwidth tokens (SPEC §16.3). The hop counts by it, and its client, who asks for no more than it would get.
 * @module
 */

/** What one slot may buy at one hop. */
export class TokenPace {
  readonly #most: number
  #tokens: number
  #atMs: number

  /** @param most - at once */
  constructor(most: number, nowMs: number) {
    this.#most = most
    this.#tokens = most
    this.#atMs = nowMs
  }

  /** How many may be bought now; parts count. */
  available(nowMs: number): number {
    const earned = (Math.max(0, nowMs - this.#atMs) / 1000) * TOKENS_PER_SECOND
    return Math.min(this.#most, this.#tokens + earned)
  }

  /** When so many may be bought. */
  dueAtMs(count: number, nowMs: number): number {
    const missing = count - this.available(nowMs)
    return missing <= 0 ? nowMs : nowMs + Math.ceil((missing / TOKENS_PER_SECOND) * 1000)
  }

  take(count: number, nowMs: number): void {
    this.#tokens = Math.max(0, this.available(nowMs) - count)
    this.#atMs = nowMs
  }
}

// Protocol constants (change needs a spec change): SPEC §16.3.
/** DESIGN §7.1: a slot that is neither locked nor bound is served at most 12.5 MB/s: three tokens of 4 MiB a second. */
export const TOKENS_PER_SECOND = 3
/** What it may buy at once: what a client keeps in stock. */
export const TOKENS_AT_ONCE = 64
