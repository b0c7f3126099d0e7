/**
 * What one slot has paid for and not yet got in tokens (SPEC §16). Units are due at once to a slot that is locked or bound here, else `issueDelay`
 * after their tickets; a purchase takes the oldest.
 * @module
 */
import type { TokenKind } from '@byway/protocol/wire'
import { AgedUnits } from './aged-units.ts'
import { TOKENS_AT_ONCE, TokenPace } from './token-pace.ts'
import { FREE_ADMISSIONS, TOKEN_KINDS } from './token-terms.ts'

/** A slot's balance as it is kept. */
export type StoredBalance = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  readonly units: number
  /** When the youngest of the units was paid; after a restart all of them count from then. */
  readonly paidAtMs: number
  /** The day (since 1970) for which `admissions` counts those given away. */
  readonly admissionDay: number
  readonly admissions: number
  /** For each kind 32 bytes: what the last purchase asked for, so that it can be asked for again. Zeros before the first. */
  readonly lastSales: Uint8Array
}

/** The balance of one slot. */
export class SlotBalance {
  readonly nullifier: Uint8Array
  /** The kinds of which a purchase is being signed. */
  readonly buying: Set<TokenKind> = new Set()
  /** How often the last purchases were answered again. */
  repeats = 0
  #lastSales: Uint8Array
  /** When anything last happened to it. */
  usedAtMs: number
  readonly #paid = new AgedUnits()
  #admissionDay: number
  #admissions: number
  #firstPaidAtMs: number | undefined
  /** For while the slot is not held here. */
  readonly #pace: TokenPace

  constructor(stored: StoredBalance, nowMs: number) {
    this.nullifier = stored.nullifier
    // A balance that was kept before there was a kind has no place for it.
    this.#lastSales = new Uint8Array(TOKEN_KINDS.length * SALE_BYTES)
    this.#lastSales.set(stored.lastSales.subarray(0, this.#lastSales.length))
    this.#admissionDay = stored.admissionDay
    this.#admissions = stored.admissions
    this.usedAtMs = stored.paidAtMs
    this.#pace = new TokenPace(TOKENS_AT_ONCE, nowMs)
    if (stored.units > 0) this.#paid.add(stored.units, stored.paidAtMs)
    if (stored.paidAtMs > 0) this.#firstPaidAtMs = stored.paidAtMs
  }

  get units(): number {
    return this.#paid.total
  }

  credit(units: number, nowMs: number): void {
    this.#firstPaidAtMs ??= nowMs
    this.usedAtMs = nowMs
    this.#paid.add(units, nowMs)
  }

  /** Units whose tickets are at least so old. */
  unitsDue(delayMs: number, nowMs: number): number {
    return this.#paid.olderThan(delayMs, nowMs)
  }

  /** When the first ticket is so old: before, nothing is given away either. */
  isKnownFor(delayMs: number, nowMs: number): boolean {
    return this.#firstPaidAtMs !== undefined && nowMs - this.#firstPaidAtMs >= delayMs
  }

  /** Takes units, the oldest first. Returns what puts them back. */
  take(units: number): () => void {
    return this.#paid.take(units)
  }

  /** Admission tokens that this day still gives away. */
  freeAdmissions(day: number): number {
    return day === this.#admissionDay ? FREE_ADMISSIONS - this.#admissions : FREE_ADMISSIONS
  }

  /** Counts tokens given away. */
  giveAdmissions(count: number, day: number): void {
    if (day !== this.#admissionDay) this.#admissions = 0
    this.#admissionDay = day
    this.#admissions += count
  }

  /** True when so many tokens are within what a slot not held here may buy at a time; counts them then. */
  allow(tokens: number, nowMs: number): boolean {
    if (tokens > this.#pace.available(nowMs)) return false
    this.#pace.take(tokens, nowMs)
    return true
  }

  /** What the last purchase of a kind asked for. */
  lastSale(kind: TokenKind): Uint8Array {
    const at = TOKEN_KINDS.indexOf(kind) * SALE_BYTES
    return this.#lastSales.slice(at, at + SALE_BYTES)
  }

  /** Notes what a purchase asks for: a hash. */
  setLastSale(kind: TokenKind, asked: Uint8Array): void {
    this.#lastSales.set(asked, TOKEN_KINDS.indexOf(kind) * SALE_BYTES)
  }

  stored(): StoredBalance {
    return {
      nullifier: this.nullifier,
      units: this.units,
      paidAtMs: this.#paid.paidAtMs ?? this.#firstPaidAtMs ?? 0,
      admissionDay: this.#admissionDay,
      admissions: this.#admissions,
      lastSales: this.#lastSales.slice(),
    }
  }
}

/** The balance of a slot that has paid nothing. */
export function emptyBalance(nullifier: Uint8Array): StoredBalance {
  const lastSales = new Uint8Array(TOKEN_KINDS.length * SALE_BYTES)
  return { nullifier, units: 0, paidAtMs: 0, admissionDay: 0, admissions: 0, lastSales }
}

/** SHA-256. */
const SALE_BYTES = 32
