/**
 * How many tokens a client buys from a hop, and what they should cost (SPEC §16).
 * @module
 */
import { BULK_TOKEN_UNITS, TOKEN_UNITS } from '@byway/protocol/ticket'
import { TOKEN_KIND, type TokenKind } from '@byway/protocol/wire'
import type { TokenOffer } from './token-offer.ts'
import type { TokenPurchase } from './token-purchase.ts'
import type { RestockClock } from './token-restock.ts'
import type { TokenShelf } from './token-shelf.ts'
import { dayOf, FREE_ADMISSIONS, unitsOfToken } from './token-terms.ts'

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
  /** When somebody last wanted one. */
  wantedAtMs: number
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
export function orderFor(hop: Hop, lane: Lane, nowMs: number): readonly TokenOrder[] {
  const { kind, purchase } = lane
  const count = batchOf(hop, kind)
  if (purchase || roomOf(hop, lane, nowMs) < count) return []
  return [{ node: hop.node, kind, count, units: unitsOf(hop, kind, count, nowMs) }]
}

/** What a purchase should cost now. */
export function unitsOf({ quota }: Hop, kind: TokenKind, count: number, nowMs: number): number {
  if (kind === TOKEN_KIND.ADMISSION) return Math.max(0, count - quota.left(nowMs))
  return count * unitsOfToken(kind)
}

function batchOf({ isProven }: Hop, kind: TokenKind): number {
  if (kind === TOKEN_KIND.ADMISSION) return ADMISSION_BATCH
  if (kind === TOKEN_KIND.BULK) return BULK_BATCH
  return isProven ? BATCH : FIRST_BATCH
}

/** Less than half of what may be in stock: time to buy. */
export function isLow(hop: Hop, lane: Lane, nowMs: number): boolean {
  return lane.shelf.held < limitOf(hop, lane, nowMs) / 2
}

/** Another batch is used up before the next visit could have brought it. */
export function isShort(hop: Hop, lane: Lane, nowMs: number): boolean {
  return isLow(hop, lane, nowMs) && lane.shelf.held < lane.use.within(VISIT_AHEAD_MS, nowMs)
}

/** What {@link isShort} says, and of bulk, while a hop is visited, until the stock is full: a visit takes seconds to come, and a stream at 1 Gbit/s uses four in one. */
export function isShortOnVisit(hop: Hop, lane: Lane, nowMs: number): boolean {
  if (isShort(hop, lane, nowMs)) return true
  const used = lane.use.within(BULK_AHEAD_MS, nowMs)
  return lane.kind === TOKEN_KIND.BULK && Number.isFinite(used) && lane.shelf.held < used
}

/** How many more may be in stock. */
export function roomOf(hop: Hop, lane: Lane, nowMs: number): number {
  return Math.max(0, limitOf(hop, lane, nowMs) - lane.shelf.held)
}

/** How many are kept in stock at most. */
function limitOf(hop: Hop, { kind, use }: Lane, nowMs: number): number {
  if (kind === TOKEN_KIND.ADMISSION) return MAX_ADMISSIONS
  const isBulk = isBulkAt(hop, nowMs)
  if (kind === TOKEN_KIND.BULK) return isBulk ? MAX_BULK : 0
  if (!hop.isLocked || isBulk) return MAX_TOKENS
  // No more than is used in a while: what is left when their key's days are over was paid for nothing.
  return Math.min(MAX_TOKENS_LOCKED, Math.max(MAX_TOKENS, use.within(STOCK_AHEAD_MS, nowMs)))
}

/** Bulk tokens are bought while somebody wants them, at a hop that holds the slot and whose tokens held before. */
function isBulkAt({ isLocked, isProven, lanes }: Hop, nowMs: number): boolean {
  if (!isLocked || !isProven) return false
  return lanes.some((lane) => lane.kind === TOKEN_KIND.BULK && nowMs - lane.wantedAtMs < WANTED_MS)
}

/** Four tokens are one ticket of 16 units: what a client risks at a hop that it does not know. */
const FIRST_BATCH = 4
const BATCH = 32
/** What {@link BATCH} is worth: no more is at stake in one purchase. */
const BULK_BATCH: number = (BATCH * TOKEN_UNITS) / BULK_TOKEN_UNITS
const ADMISSION_BATCH = 8

// Local limits (tunable): docs/LIMITS.md.
/** What a visit buys for while it is there: until a few purchases later, each of which waits for its drawn time, a look, a circuit and a signer. */
const VISIT_AHEAD_MS = 12_000
/** What a large stock is for. */
const STOCK_AHEAD_MS = 60_000
/** DESIGN §7.2: bandwidth tokens in stock at a hop: 256 MiB. */
const MAX_TOKENS = 64
/** DESIGN §7.2: at most at a hop where the slot is locked or bound: 2 GiB. */
const MAX_TOKENS_LOCKED = 512
/** Bulk tokens in stock: some four seconds at 1 Gbit/s, twice what a visit takes to come. What is left when a stream ends is of use to the next fast one only. */
const MAX_BULK = 16
/** Once it is known how fast they go, a visit buys on for so long a use. */
const BULK_AHEAD_MS = 4000
/** A hop of which nobody wanted a bulk token for so long is not sold any. */
const WANTED_MS = 30_000
/** Admission tokens in stock at an exit: less than the forty that a day gives for nothing. */
const MAX_ADMISSIONS = 16
