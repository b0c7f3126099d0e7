/**
 * How many tokens a client buys from a hop, and what they should cost (SPEC §16).
 * @module
 */
import { TOKEN_KIND, type TokenKind } from '@byway/protocol/wire'
import type { TokenOffer } from './token-offer.ts'
import type { TokenPurchase } from './token-purchase.ts'
import type { RestockClock } from './token-restock.ts'
import type { TokenShelf } from './token-shelf.ts'
import { dayOf, FREE_ADMISSIONS, TOKEN_UNITS } from './token-terms.ts'

/**
 * Something to buy now. `units` is what it should cost: pay what the balance at the hop lacks in tickets (one at least at a hop that got none yet), and wait for the
 * issue delay unless the slot is locked or bound there.
 */
export type TokenOrder = {
  readonly node: Uint8Array
  readonly kind: TokenKind
  readonly count: number
  readonly units: number
}

/** How fast tokens are used: since the purchase before the last. */
export class TokenUse {
  #sinceMs: number
  #used = 0
  #laterMs: number
  #usedLater = 0
  /** Somebody wanted one and there was none: what was used says little then. */
  #isDry = false
  #isDryLater = false

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
    this.#laterMs = nowMs
  }

  onSpent(): void {
    this.#usedLater++
  }

  onMissed(): void {
    this.#isDryLater = true
  }

  onBought(nowMs: number): void {
    ;[this.#isDry, this.#isDryLater] = [this.#isDryLater, false]
    ;[this.#sinceMs, this.#used] = [this.#laterMs, this.#usedLater]
    ;[this.#laterMs, this.#usedLater] = [nowMs, 0]
  }

  /** What will be used in so long a time, as it is now; without end where more was wanted than there was. */
  within(ms: number, nowMs: number): number {
    if (this.#isDry || this.#isDryLater) return Number.POSITIVE_INFINITY
    const passedMs = Math.max(1, nowMs - this.#sinceMs)
    return ((this.#used + this.#usedLater) * ms) / passedMs
  }
}

/** The tokens of one kind at a hop. */
export type Lane = {
  readonly kind: TokenKind
  readonly shelf: TokenShelf
  readonly use: TokenUse
  purchase: TokenPurchase | undefined
}

/** A hop that tokens are bought from. */
export type Hop = {
  readonly node: Uint8Array
  readonly offer: TokenOffer
  readonly lanes: readonly Lane[]
  readonly clock: RestockClock
  /** Of the slot that the hop was shown last. */
  quota: AdmissionQuota
  /** Of this hop alone: numbers that ran over all hops would tell two of them that they have one client. */
  lastRequest: number
  isLocked: boolean
  /** Bought something here that held: the next batches may be larger. */
  isProven: boolean
  isCheat: boolean
}

/** What a hop gives away in a day, as this client counts it; a hop that counts otherwise says NOT_PAID. */
export class AdmissionQuota {
  #day = 0
  #used = 0

  left(nowMs: number): number {
    return dayOf(nowMs) === this.#day ? Math.max(0, FREE_ADMISSIONS - this.#used) : FREE_ADMISSIONS
  }

  use(count: number, nowMs: number): void {
    this.#used = FREE_ADMISSIONS - this.left(nowMs) + count
    this.#day = dayOf(nowMs)
  }

  exhaust(nowMs: number): void {
    this.use(FREE_ADMISSIONS, nowMs)
  }
}

/** Whole batches only: a purchase of just what was spent would say how much that was. */
export function orderFor(
  hop: Hop,
  { kind, shelf, purchase }: Lane,
  nowMs: number,
): readonly TokenOrder[] {
  const count = batchOf(hop, kind)
  if (purchase || limitOf(hop, kind) - shelf.held < count) return []
  return [{ node: hop.node, kind, count, units: unitsOf(hop, kind, count, nowMs) }]
}

/** What a purchase should cost now. */
export function unitsOf({ quota }: Hop, kind: TokenKind, count: number, nowMs: number): number {
  if (kind === TOKEN_KIND.BANDWIDTH) return count * TOKEN_UNITS
  return Math.max(0, count - quota.left(nowMs))
}

function batchOf({ isProven }: Hop, kind: TokenKind): number {
  if (kind === TOKEN_KIND.ADMISSION) return ADMISSION_BATCH
  return isProven ? BATCH : FIRST_BATCH
}

/** Less than half of what may be in stock: time to buy. */
export function isLow(hop: Hop, { kind, shelf }: Lane): boolean {
  return shelf.held < limitOf(hop, kind) / 2
}

/** Another batch is used up before the next visit could have brought it. */
export function isShort(hop: Hop, lane: Lane, nowMs: number): boolean {
  return isLow(hop, lane) && lane.shelf.held < lane.use.within(VISIT_AHEAD_MS, nowMs)
}

/** How many more may be in stock. */
export function roomOf(hop: Hop, { kind, shelf }: Lane): number {
  return Math.max(0, limitOf(hop, kind) - shelf.held)
}

/** How many are kept in stock at most. */
function limitOf({ isLocked }: Hop, kind: TokenKind): number {
  if (kind === TOKEN_KIND.ADMISSION) return MAX_ADMISSIONS
  return isLocked ? MAX_TOKENS_LOCKED : MAX_TOKENS
}

/** Four tokens are one ticket of 16 units: what a client risks at a hop that it does not know. */
const FIRST_BATCH = 4
const BATCH = 32
const ADMISSION_BATCH = 8

// Local limits (tunable): docs/LIMITS.md.
/** What a visit buys for while it is there: until a few purchases later, each of which waits for its drawn time, a look, a circuit and a signer. */
const VISIT_AHEAD_MS = 12_000
/** DESIGN §7.2: bandwidth tokens in stock at a hop: 256 MiB. */
const MAX_TOKENS = 64
/** DESIGN §7.2: at a hop where the slot is locked or bound: 2 GiB. */
const MAX_TOKENS_LOCKED = 512
/** Admission tokens in stock at an exit: less than the forty that a day gives for nothing. */
const MAX_ADMISSIONS = 16
