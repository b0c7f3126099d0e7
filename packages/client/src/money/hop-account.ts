/**
 * What a client has paid at one hop for tokens and not used, and how it goes on there while the hop does not hold its slot (SPEC §16.3): it counts as the hop does, and asks for
 * what the hop sells by then. Pure.
 * @module
 */
import { AgedUnits, TokenPace, TOKENS_AT_ONCE, TOKENS_PER_SECOND } from '@byway/protocol/payment'
import { TOKEN_UNITS } from '@byway/protocol/ticket'

/** The account at one hop, of the slot that it was shown last. Kept between visits. */
export class HopAccount {
  readonly #delayMs: number
  #paid = new AgedUnits()
  /** What the hop sells. */
  #sales: TokenPace
  /** What is paid: evenly, since it is sold as evenly when it has come of age. */
  #payments: TokenPace

  /** @param delayMs - between tickets and tokens */
  constructor(delayMs: number, nowMs: number) {
    this.#delayMs = delayMs
    this.#sales = salesPace(nowMs)
    this.#payments = paymentPace(delayMs, nowMs)
  }

  /** Once for each slot the hop's word counts that it was not paid what we know to have paid; a second time it lies. */
  isForgiven = false

  /** Paid and not used. */
  get units(): number {
    return this.#paid.total
  }

  onPaid(units: number, nowMs: number): void {
    this.#paid.add(units, nowMs)
    this.#payments.take(units / TOKEN_UNITS, nowMs)
  }

  /** So many units that were paid last do not count. */
  onVoid(units: number): void {
    this.#paid.drop(units)
  }

  onSold(units: number): void {
    this.#paid.take(Math.min(units, this.#paid.total))
  }

  /** The hop sold so many of bandwidth to a slot that it does not hold. */
  onSoldUnheld(tokens: number, nowMs: number): void {
    this.#sales.take(tokens, nowMs)
  }

  /** Another slot is shown: what was paid on the last is gone. */
  onNewSlot(nowMs: number): void {
    this.#paid = new AgedUnits()
    this.isForgiven = false
    this.#sales = salesPace(nowMs)
    this.#payments = paymentPace(this.#delayMs, nowMs)
  }

  /** Units that may be paid now, those of a second or more at a time. Spread over the hop's delay: what is paid at once is sold at once, and then nothing for as long. */
  payableUnits(nowMs: number): number {
    const seconds = Math.floor(this.#payments.available(nowMs) / TOKENS_PER_SECOND)
    return seconds * TOKENS_PER_SECOND * TOKEN_UNITS
  }

  /** How many tokens the hop sells now, of those that are paid for. */
  dueTokens(nowMs: number): number {
    const aged = this.#paid.olderThan(this.#delayMs, nowMs) / TOKEN_UNITS
    return Math.floor(Math.min(aged, this.#sales.available(nowMs)))
  }

  /** When the hop sells what costs so many units, of bandwidth so many tokens. What costs nothing is due. */
  dueAtMs(units: number, tokens: number, nowMs: number): number {
    const paidAtMs = this.#paid.lastPaidAtMs(units)
    const agedAtMs = paidAtMs === undefined ? nowMs : paidAtMs + this.#delayMs
    return Math.max(agedAtMs, this.#sales.dueAtMs(tokens, nowMs))
  }
}

function salesPace(nowMs: number): TokenPace {
  return new TokenPace(TOKENS_AT_ONCE, nowMs)
}

/** DESIGN §7.2: no more at a hop than what it sells at once. What is sold during the delay must be paid by then, so that one may go after another. */
function paymentPace(delayMs: number, nowMs: number): TokenPace {
  const underWay = Math.ceil((TOKENS_PER_SECOND * delayMs) / 1000)
  return new TokenPace(Math.max(LEAST_AT_ONCE, TOKENS_AT_ONCE - underWay), nowMs)
}

// Local limits (tunable): docs/LIMITS.md.
/** Tokens that are paid for at once, however long the hop's delay. */
const LEAST_AT_ONCE = 6
