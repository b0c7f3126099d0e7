/**
 * What one slot has paid for and not yet got in tokens (SPEC §16). Units are due at once to a slot that is locked or bound here, else `issueDelay`
 * after their tickets; a purchase takes the oldest.
 * @module
 */
import { assert } from '@byway/protocol/base'
import type { TokenKind } from '@byway/protocol/wire'
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

type Payment = { units: number; readonly atMs: number }

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
  #payments: Payment[] = []
  #admissionDay: number
  #admissions: number
  #firstPaidAtMs: number | undefined
  /** Tokens that a slot not held here may still buy now, and since when. */
  #allowance = BURST_TOKENS
  #allowedAtMs: number

  constructor(stored: StoredBalance, nowMs: number) {
    this.nullifier = stored.nullifier
    this.#lastSales = stored.lastSales.slice()
    this.#admissionDay = stored.admissionDay
    this.#admissions = stored.admissions
    this.usedAtMs = stored.paidAtMs
    this.#allowedAtMs = nowMs
    if (stored.units > 0) this.#payments.push({ units: stored.units, atMs: stored.paidAtMs })
    if (stored.paidAtMs > 0) this.#firstPaidAtMs = stored.paidAtMs
  }

  get units(): number {
    return this.#payments.reduce((sum, { units }) => sum + units, 0)
  }

  credit(units: number, nowMs: number): void {
    this.#firstPaidAtMs ??= nowMs
    this.usedAtMs = nowMs
    const last = this.#payments.at(-1)
    const isSameMoment = last !== undefined && nowMs - last.atMs < MERGE_MS
    if (last && (isSameMoment || this.#payments.length >= MAX_PAYMENTS)) {
      this.#payments[this.#payments.length - 1] = { units: last.units + units, atMs: nowMs }
    } else {
      this.#payments.push({ units, atMs: nowMs })
    }
  }

  /** Units whose tickets are at least so old. */
  unitsDue(delayMs: number, nowMs: number): number {
    let due = 0
    for (const { units, atMs } of this.#payments) if (nowMs - atMs >= delayMs) due += units
    return due
  }

  /** When the first ticket is so old: before, nothing is given away either. */
  isKnownFor(delayMs: number, nowMs: number): boolean {
    return this.#firstPaidAtMs !== undefined && nowMs - this.#firstPaidAtMs >= delayMs
  }

  /** Takes units, the oldest first. Returns what puts them back. */
  take(units: number): () => void {
    const before = this.#payments.map((payment) => ({ ...payment }))
    let left = units
    for (const payment of this.#payments) {
      const taken = Math.min(left, payment.units)
      payment.units -= taken
      left -= taken
    }
    assert(left === 0, 'more units taken than were paid')
    this.#payments = this.#payments.filter((payment) => payment.units > 0)
    const oldest = before[0]
    return () => {
      if (units > 0) this.#payments.unshift({ units, atMs: oldest?.atMs ?? 0 })
    }
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
    const earned = (Math.max(0, nowMs - this.#allowedAtMs) / 1000) * TOKENS_PER_SECOND
    this.#allowance = Math.min(BURST_TOKENS, this.#allowance + earned)
    this.#allowedAtMs = nowMs
    if (tokens > this.#allowance) return false
    this.#allowance -= tokens
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
      paidAtMs: this.#payments.at(-1)?.atMs ?? this.#firstPaidAtMs ?? 0,
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
/** DESIGN §7.1: a slot that is neither locked nor bound is served at most 12.5 MB/s: three tokens of 4 MiB a second. */
const TOKENS_PER_SECOND = 3

// Local limits (tunable): docs/LIMITS.md.
/** Payments of a slot told apart by age; the youngest two are counted together, as of now, beyond it. */
const MAX_PAYMENTS = 32
/** Payments this near to each other count as one. */
const MERGE_MS = 500
/** What a slot that is not held here may buy at once: what a client keeps in stock. */
const BURST_TOKENS = 64
