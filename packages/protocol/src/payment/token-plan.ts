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

/** How fast a hop's tokens are used, in units: bandwidth and bulk together, for each stands in for the other. Of the last four to eight seconds. */
export class TokenUse {
  #sinceMs: number
  #units = 0
  #laterMs: number
  #unitsLater = 0
  /** Somebody wanted bandwidth and there was none: what was used says little then. Until the second purchase after it. */
  #isDry = false
  #isDryLater = false

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
    this.#laterMs = nowMs
  }

  get isDry(): boolean {
    return this.#isDry || this.#isDryLater
  }

  onSpent(units: number, nowMs: number): void {
    this.#roll(nowMs)
    this.#unitsLater += units
  }

  onMissed(): void {
    this.#isDryLater = true
  }

  onBought(): void {
    ;[this.#isDry, this.#isDryLater] = [this.#isDryLater, false]
  }

  /** Units that are used in so long a time, at the pace of now. */
  within(ms: number, nowMs: number): number {
    this.#roll(nowMs)
    const passedMs = Math.max(USE_WINDOW_MS, nowMs - this.#sinceMs)
    return ((this.#units + this.#unitsLater) * ms) / passedMs
  }

  #roll(nowMs: number): void {
    const passedMs = nowMs - this.#laterMs
    if (passedMs < USE_WINDOW_MS) return
    const isRecent = passedMs < 2 * USE_WINDOW_MS
    ;[this.#sinceMs, this.#units] = isRecent ? [this.#laterMs, this.#unitsLater] : [nowMs, 0]
    ;[this.#laterMs, this.#unitsLater] = [nowMs, 0]
  }
}

/** The tokens of one kind at a hop. */
export type Lane = {
  readonly kind: TokenKind
  readonly shelf: TokenShelf
  purchase: TokenPurchase | undefined
  /** When somebody last wanted one. */
  wantedAtMs: number
  /** When somebody last said that he would soon. */
  soonAtMs: number
}

/** A hop that tokens are bought from. */
export type Hop = {
  readonly node: Uint8Array
  readonly offer: TokenOffer
  readonly lanes: readonly Lane[]
  readonly use: TokenUse
  readonly clock: RestockClock
  /** Of the slot that the hop was shown last. */
  quota: AdmissionQuota
  /** Of this hop and the slot in use there: numbers that ran over all hops, or from one slot to the next, would say that they have one client. */
  lastRequest: number
  isLocked: boolean
  /** It held a slot before this one: it has served, and stock may follow the use while the next one waits for its lock. */
  wasLocked: boolean
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

/** Another batch is used up before the next visit could have brought it, or somebody waits. */
export function isShort(hop: Hop, lane: Lane, nowMs: number): boolean {
  if (!isLow(hop, lane, nowMs)) return false
  if (lane.kind === TOKEN_KIND.BANDWIDTH && hop.use.isDry) return true
  return lane.shelf.held < usedWithin(VISIT_AHEAD_MS, hop, lane, nowMs)
}

/** What {@link isShort} says; of bulk, while a hop is visited, until the stock is full: the next visit takes seconds to come. */
export function isShortOnVisit(hop: Hop, lane: Lane, nowMs: number): boolean {
  return lane.kind === TOKEN_KIND.BULK || isShort(hop, lane, nowMs)
}

/** In tokens of this kind, as if there were no other. */
function usedWithin(ms: number, { use }: Hop, { kind }: Lane, nowMs: number): number {
  return use.within(ms, nowMs) / unitsOfToken(kind)
}

/** How many more may be in stock. */
export function roomOf(hop: Hop, lane: Lane, nowMs: number): number {
  return Math.max(0, limitOf(hop, lane, nowMs) - lane.shelf.held)
}

/** How many are kept in stock at most. No more than is used in a while: what is left when their key's days are over was paid for nothing. */
function limitOf(hop: Hop, lane: Lane, nowMs: number): number {
  if (lane.kind === TOKEN_KIND.ADMISSION) return MAX_ADMISSIONS
  const isBulk = isBulkAt(hop, nowMs)
  if (lane.kind === TOKEN_KIND.BULK && !isBulk) return isBulkSoonAt(hop, nowMs) ? 2 * BULK_BATCH : 0
  const isTrusted = hop.isLocked || hop.wasLocked
  if (lane.kind === TOKEN_KIND.BANDWIDTH && (!isTrusted || isBulk)) return MAX_TOKENS
  const used = usedWithin(STOCK_AHEAD_MS, hop, lane, nowMs) * (hop.use.isDry ? DRY_FACTOR : 1)
  const [least, most] =
    lane.kind === TOKEN_KIND.BULK ? [2 * BULK_BATCH, MAX_BULK] : [MAX_TOKENS, MAX_TOKENS_LOCKED]
  return Math.min(most, Math.max(least, used))
}

/** Bulk tokens are bought while somebody wants them, at a hop that holds the slot and whose tokens held before. */
function isBulkAt(hop: Hop, nowMs: number): boolean {
  const wantedAtMs = bulkLane(hop)?.wantedAtMs ?? Number.NEGATIVE_INFINITY
  return nowMs - wantedAtMs < WANTED_MS
}

/** The first of them are bought before: who has some left of an earlier stream must not begin with them sooner than others. */
function isBulkSoonAt(hop: Hop, nowMs: number): boolean {
  const soonAtMs = bulkLane(hop)?.soonAtMs ?? Number.NEGATIVE_INFINITY
  return nowMs - soonAtMs < WANTED_MS
}

function bulkLane({ isLocked, isProven, lanes }: Hop): Lane | undefined {
  return isLocked && isProven ? lanes.find(({ kind }) => kind === TOKEN_KIND.BULK) : undefined
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
/** What a large stock is for: a slot that follows another is sold to at 12.5 MB/s until it is held in its turn, which takes some twenty seconds. */
const STOCK_AHEAD_MS = 20_000
/** How much faster a stream may be than it was while it waited for tokens. */
const DRY_FACTOR = 4
/** A use that has just begun is counted as if it had lasted for so long, too. */
const USE_WINDOW_MS = 4000
/** DESIGN §7.2: bandwidth tokens in stock at a hop: 256 MiB. */
const MAX_TOKENS = 64
/** DESIGN §7.2: at most at a hop where the slot is locked or bound: 2 GiB. */
const MAX_TOKENS_LOCKED = 512
/** The same worth in bulk tokens. */
const MAX_BULK = 64
/** A hop of which nobody wanted a bulk token for so long is not sold any. */
const WANTED_MS = 30_000
/** Admission tokens in stock at an exit: less than the forty that a day gives for nothing. */
const MAX_ADMISSIONS = 16
