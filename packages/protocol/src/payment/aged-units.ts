/**
 * Units that were paid and not used yet, by age (SPEC §16.3): a hop sells tokens for them at once to a slot that it holds, else only when they are old enough. Its client counts
 * in the same way, so as not to ask before.
 * @module
 */
import { assert } from '@byway/protocol/base'

type Payment = { units: number; readonly atMs: number }

/** Units by age. Using takes the oldest. */
export class AgedUnits {
  #payments: Payment[] = []

  get total(): number {
    return this.#payments.reduce((sum, { units }) => sum + units, 0)
  }

  /** When the youngest was paid; undefined when there are none. */
  get paidAtMs(): number | undefined {
    return this.#payments.at(-1)?.atMs
  }

  add(units: number, nowMs: number): void {
    const last = this.#payments.at(-1)
    const isSameMoment = last !== undefined && nowMs - last.atMs < MERGE_MS
    if (last && (isSameMoment || this.#payments.length >= MAX_PAYMENTS)) {
      this.#payments[this.#payments.length - 1] = { units: last.units + units, atMs: nowMs }
    } else {
      this.#payments.push({ units, atMs: nowMs })
    }
  }

  /** Those that are at least so old. */
  olderThan(ageMs: number, nowMs: number): number {
    let units = 0
    for (const payment of this.#payments) if (nowMs - payment.atMs >= ageMs) units += payment.units
    return units
  }

  /** When the last of so many was paid; undefined for none, or when there are fewer. */
  lastPaidAtMs(units: number): number | undefined {
    let sum = 0
    for (const payment of this.#payments) {
      sum += payment.units
      if (units > 0 && sum >= units) return payment.atMs
    }
    return undefined
  }

  /** Takes units, which must be there. Returns what puts them back. */
  take(units: number): () => void {
    assert(units <= this.total, 'more units taken than were paid')
    const oldestMs = this.#payments[0]?.atMs ?? 0
    let left = units
    for (const payment of this.#payments) {
      const taken = Math.min(left, payment.units)
      payment.units -= taken
      left -= taken
    }
    this.#payments = this.#payments.filter((payment) => payment.units > 0)
    return () => {
      if (units > 0) this.#payments.unshift({ units, atMs: oldestMs })
    }
  }

  /** Drops the youngest, as many as there are: they were not taken. */
  drop(units: number): void {
    let left = units
    for (const payment of this.#payments.toReversed()) {
      const dropped = Math.min(left, payment.units)
      payment.units -= dropped
      left -= dropped
    }
    this.#payments = this.#payments.filter((payment) => payment.units > 0)
  }
}

// Local limits (tunable): docs/LIMITS.md.
/** Payments of a slot told apart by age; the youngest two are counted together, as of now, beyond it. */
const MAX_PAYMENTS = 32
/** Payments this near to each other count as one. */
const MERGE_MS = 500
