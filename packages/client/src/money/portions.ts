/**
 * How an order of tokens is bought from a hop that does not hold the slot (SPEC §16.3): by portions as they come of age while somebody waits for tokens, so that a stream goes
 * slowly instead of standing still until a whole batch is due. Says what to pay, what to ask for and when; a visit does it.
 * @module
 */
import { TOKENS_PER_SECOND, unitsOfToken } from '@byway/protocol/payment'
import type { TokenOrder, TokenStock } from '@byway/protocol/payment'
import { TOKEN_UNITS } from '@byway/protocol/ticket'
import { TOKEN_KIND } from '@byway/protocol/wire'
import type { HopAccount } from './hop-account.ts'

// Local limits (tunable): docs/LIMITS.md.
/** An order of so few is asked for as a whole in any case. */
const LEAST_PORTION = 4
/** What lasts for two seconds as fast as it is sold: while there are more, so many are bought at a time, a cell of 4 KiB. */
const FEW_TOKENS = 6
const MORE_TOKENS = 12
/** How often a hop is asked for tokens before they are due: if it sells, it holds the slot by now, which nobody else may be asked. */
const PROBE_MS = 2000
/** What a hop sells so much before it is due says that it holds the slot: it counts from when the tickets came to it. */
const EARLY_MS = 500
/** After the time when tokens are due, drawn from the upper half: the way there takes longer for one message than for another. */
const DUE_MARGIN_MS = 100
/** While tokens are waited for, more is paid as often, so that it comes of age as evenly. */
const PAY_ON_MS = 1000

export type PortionsDeps = {
  readonly stock: Pick<
    TokenStock,
    'held' | 'isLocked' | 'isShort' | 'roomOf' | 'repeatPurchase' | 'priceOf'
  >
  readonly account: HopAccount
  /** The network's delay between tickets and tokens. */
  readonly issueDelayMs: number
  /** Wall clock. */
  readonly nowMs: () => number
  /** [0, 1). */
  readonly draw: () => number
}

/** Ask for so many after so long; when that is not 0, look again then. */
export type Portion = { readonly count: number; readonly waitMs: number }

/** Of one visit. */
export class Portions {
  readonly #deps: PortionsDeps
  /** When the hop was last asked for what was not due. */
  #probedAtMs = Number.NEGATIVE_INFINITY

  constructor(deps: PortionsDeps) {
    this.#deps = deps
  }

  /** True where the hop holds the slot, as far as is known, and sells at once; so it does what has another pace. */
  isHeld({ node, kind }: TokenOrder): boolean {
    return kind === TOKEN_KIND.ADMISSION || this.#deps.stock.isLocked(node)
  }

  /** The next of an order, once what may be paid is. */
  next(order: TokenOrder): Portion {
    const { stock, account, nowMs } = this.#deps
    const isShort = stock.isShort(order.node, nowMs())
    const isProbe = nowMs() - this.#probedAtMs >= (isShort ? PROBE_MS : Number.POSITIVE_INFINITY)
    const count = this.#countOf(order, isShort, isProbe)
    const dueMs = this.dueAtMs({ ...order, count })
    const isPaid = this.#priceOf({ ...order, count }) <= account.units
    if (isPaid && (isProbe || nowMs() >= dueMs)) return { count, waitMs: 0 }
    return { count, waitMs: Math.min(PAY_ON_MS, isPaid ? this.untilMs(dueMs) : PAY_ON_MS) }
  }

  /** Units to have paid by now: for an order; where tokens are short for all that may be paid, so that much is due at once. */
  unitsFor(order: TokenOrder): number {
    const { stock, nowMs } = this.#deps
    const isShort = stock.isShort(order.node, nowMs())
    const count = isShort ? Math.max(order.count, stock.roomOf(order.node, nowMs())) : order.count
    return Math.min(this.#priceOf({ ...order, count }), this.mostUnits(order))
  }

  /** What may be paid in all by now. */
  mostUnits(order: TokenOrder | undefined): number {
    if (!order || this.isHeld(order)) return Number.POSITIVE_INFINITY
    const { account, nowMs } = this.#deps
    return account.units + account.payableUnits(nowMs())
  }

  /** When a hop that does not hold the slot sells an order. */
  dueAtMs(order: TokenOrder): number {
    const tokens = (order.count * unitsOfToken(order.kind)) / TOKEN_UNITS
    return this.#deps.account.dueAtMs(this.#priceOf(order), tokens, this.#deps.nowMs())
  }

  /** True for now when only a hop that holds the slot would sell. */
  isEarly(dueMs: number): boolean {
    return this.#deps.nowMs() < dueMs - EARLY_MS
  }

  /** The hop would not sell what was not due. */
  onRefusedEarly(): void {
    this.#probedAtMs = this.#deps.nowMs()
  }

  untilMs(dueMs: number): number {
    return Math.max(0, dueMs - this.#deps.nowMs()) + (DUE_MARGIN_MS * (1 + this.#deps.draw())) / 2
  }

  /** How many to ask for next: what was refused as too early again, else what is due while somebody waits. */
  #countOf(order: TokenOrder, isShort: boolean, isProbe: boolean): number {
    const { stock, account, nowMs } = this.#deps
    const open = stock.repeatPurchase(order.node, order.kind)?.elements.length
    if (open !== undefined && open <= order.count) return open
    const due = account.dueTokens(nowMs())
    const isWhole = order.count <= Math.max(LEAST_PORTION, due)
    if (isWhole || (!isShort && !isProbe)) return order.count
    if (isProbe && due < MORE_TOKENS) return TOKENS_PER_SECOND
    // A few more than three would take a cell of four times the size.
    const least = this.#isNearlyOut(order) ? TOKENS_PER_SECOND : MORE_TOKENS
    return Math.min(order.count, due >= 2 * least ? due : least)
  }

  #isNearlyOut({ node, kind }: TokenOrder): boolean {
    return this.#deps.stock.held(node, kind) < FEW_TOKENS
  }

  #priceOf({ node, kind, count }: TokenOrder): number {
    return this.#deps.stock.priceOf(node, kind, count, this.#deps.nowMs())
  }
}
