/**
 * One visit to a hop (SPEC §15.5, §16): a control circuit on which a slot is shown, keys are looked at, tickets are paid and tokens bought. Waits out the hop's
 * issue delay; leaves when everything is bought or the hop will not sell.
 * @module
 */
import { PAY, VERDICT, verdictName } from '@byway/protocol/wire'
import type { BuyMessage, PayMessage, SoldMessage } from '@byway/protocol/wire'
import type { PathNode } from '@byway/protocol/directory'
import { UNIT_BYTES } from '@byway/protocol/ticket'
import type { PurchaseResult, TokenOrder, TokenStock } from '@byway/protocol/payment'
import { delay } from '../engine/abort.ts'
import type { PayCarrier } from './carrier.ts'
import { moneyError } from './errors.ts'
import { kindName } from './kind-name.ts'
import { createSlotSession } from './slot-session.ts'
import type { SlotSession, SlotSessionDeps } from './slot-session.ts'
import type { Spending } from './spending.ts'
import type { Tariff } from './tariff.ts'
import { answerWithin } from './within.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A hop that takes longer to answer is left: a round trip and a batch of signatures behind others'. */
const ANSWER_MS = 20_000
/** Between asking again for tokens that are not due yet. */
const AGAIN_MS = 1000
/** How much later than its delay a hop may sell: its clock and chain are its own. */
const LATE_MS = 15_000
/** Units of one ticket: four tokens. Larger ones would be fewer and luckier, smaller ones cost more to check. */
const TICKET_UNITS = 16

export type VisitDeps = Omit<SlotSessionDeps, 'spending'> & {
  /** Opens a control circuit to a hop. */
  readonly open: (hop: PathNode, signal: AbortSignal) => Promise<PayCarrier>
  readonly stock: TokenStock
  readonly spending: Pick<
    Spending,
    'onTicket' | 'requireLeft' | 'onTokensBought' | 'onTokens' | 'onPaidLost'
  >
  /** What a node asks; undefined when it serves for nothing. */
  readonly tariffOf: (hop: PathNode) => Tariff | undefined
  /** Units that were paid at a hop and not used, by hop. Kept between visits. */
  readonly balances: Map<string, number>
  /** The network's delay between tickets and tokens. */
  readonly issueDelayMs: number
  /** The hop took pay and broke its side of it. */
  readonly onFault: (hop: PathNode) => void
  /** Wall clock. */
  readonly nowMs: () => number
}

/**
 * Visits a hop and buys.
 * @throws PAYMENT_REFUSED, DEPOSIT_SPENT, BUDGET_SPENT, what opening throws, or the signal's reason
 */
export async function visitHop(
  deps: VisitDeps,
  hop: PathNode,
  orders: readonly TokenOrder[],
  signal: AbortSignal,
): Promise<void> {
  const tariff = deps.tariffOf(hop)
  if (!tariff || orders.length === 0) return
  const carrier = await deps.open(hop, signal)
  const visit = new Visit(deps, hop, tariff, carrier)
  try {
    await visit.buyAll(orders, signal)
  } finally {
    carrier.close()
  }
}

class Visit {
  readonly #deps: VisitDeps
  readonly #hop: PathNode
  readonly #carrier: PayCarrier
  readonly #session: SlotSession
  #keys: PromiseWithResolvers<void> | undefined
  #sold: PromiseWithResolvers<SoldMessage> | undefined
  #ready: PromiseWithResolvers<void> = Promise.withResolvers()
  /** When the last ticket of this visit went. */
  #paidAtMs = Number.NEGATIVE_INFINITY
  readonly #gone = new AbortController()

  constructor(deps: VisitDeps, hop: PathNode, tariff: Tariff, carrier: PayCarrier) {
    this.#deps = deps
    this.#hop = hop
    this.#carrier = carrier
    this.#session = createSlotSession(
      deps,
      { key: hop.key, use: 'tokens', tariff },
      {
        onReady: () => this.#ready.resolve(),
        onRefused: (units) => this.#addBalance(-units),
        onSlotOver: (isInUse) => this.#onSlotOver(isInUse),
        onFault: () => {
          deps.onFault(hop)
          this.#leave('PROTOCOL')
        },
      },
    )
    carrier.listen({
      onPay: (pay) => this.#onPay(pay),
      onClosed: () => {
        this.#session.onClosed()
        this.#leave('CLOSED')
      },
    })
  }

  async buyAll(orders: readonly TokenOrder[], outer: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([outer, this.#gone.signal])
    await this.#session.open(this.#carrier, signal)
    await this.#getKeys(orders, signal)
    const units = orders.reduce((sum, order) => sum + order.units, 0)
    await this.#payUp(units, signal)
    // SPEC §16.3: a ticket shows whose slot it is. What it pays for stays as balance.
    if (this.#paidAtMs === Number.NEGATIVE_INFINITY) await this.#payUp(this.#balance + 1, signal)
    for (const order of orders) await this.#buy(order, signal)
  }

  async #getKeys(orders: readonly TokenOrder[], signal: AbortSignal): Promise<void> {
    const nowMs = this.#deps.nowMs()
    const isKnown = orders.every(({ node, kind }) => !this.#deps.stock.needsKeys(node, kind, nowMs))
    if (isKnown) return
    this.#keys = Promise.withResolvers()
    this.#carrier.send([{ kind: PAY.KEYS_GET }])
    await this.#within(this.#keys.promise, signal)
  }

  /** Pays until the balance at the hop is so many units. */
  async #payUp(units: number, signal: AbortSignal): Promise<void> {
    while (this.#balance < units) {
      const missing = Math.min(TICKET_UNITS, units - this.#balance)
      this.#ready = Promise.withResolvers()
      if (this.#session.pay(missing)) {
        this.#addBalance(missing)
        this.#paidAtMs = this.#deps.nowMs()
      } else await this.#within(this.#ready.promise, signal)
    }
  }

  async #buy(order: TokenOrder, signal: AbortSignal): Promise<void> {
    const { stock, issueDelayMs } = this.#deps
    const endMs = this.#deps.nowMs() + issueDelayMs + LATE_MS
    let isPaidAgain = false
    for (let tries = 0; ; tries++) {
      const message = this.#message(order)
      if (!message) throw this.#refusal('NO_KEY')
      const result = await this.#ask(message, signal)
      if (result.type === 'stocked') return this.#onStocked(result)
      const verdict = result.type === 'refused' ? result.verdict : VERDICT.BAD_TOKEN
      if (verdict === VERDICT.TRY_LATER && this.#deps.nowMs() < endMs) {
        await delay(this.#againMs(tries), signal, this.#deps.timers)
      } else if (verdict === VERDICT.NOT_PAID && !isPaidAgain) {
        // It counts otherwise than we: what it owed from before is given up, once.
        isPaidAgain = true
        this.#addBalance(-this.#balance)
        await this.#payUp(Math.max(order.units, order.count), signal)
      } else {
        stock.abandonPurchase(order.node, order.kind)
        throw this.#refusal(verdictName(verdict))
      }
    }
  }

  /** The first time until the tickets are old enough; then seldom, since each purchase takes 16 KiB of the 256 that the circuit may carry. */
  #againMs(tries: number): number {
    if (tries > 0) return AGAIN_MS * 2 ** Math.min(tries, 2)
    const dueMs = this.#paidAtMs + this.#deps.issueDelayMs - this.#deps.nowMs()
    return Math.max(0, dueMs) + AGAIN_MS
  }

  #message(order: TokenOrder): BuyMessage | undefined {
    const { stock } = this.#deps
    return (
      stock.repeatPurchase(order.node, order.kind) ?? stock.startPurchase(order, this.#deps.nowMs())
    )
  }

  async #ask(message: BuyMessage, signal: AbortSignal): Promise<PurchaseResult> {
    this.#sold = Promise.withResolvers()
    this.#carrier.send([message])
    const sold = await this.#within(this.#sold.promise, signal)
    const { nodeId } = this.#hop.entry.descriptor
    return await this.#deps.stock.finishPurchase(nodeId, sold, this.#deps.nowMs())
  }

  #onStocked({ kind, count, bad, units }: Extract<PurchaseResult, { type: 'stocked' }>): void {
    const { spending } = this.#deps
    this.#addBalance(-units)
    spending.onTokensBought(this.#hop.key, kindName(kind), count, units)
    if (bad === 0) return
    this.#deps.onFault(this.#hop)
    throw this.#refusal('BAD_TOKEN')
  }

  #onPay(pay: PayMessage): void {
    if (this.#session.onPay(pay)) return
    if (pay.kind === PAY.SOLD) this.#sold?.resolve(pay)
    else if (pay.kind === PAY.KEYS) this.#onKeys(pay)
    else if (pay.kind !== PAY.DUE) this.#carrier.close()
  }

  #onKeys(pay: Extract<PayMessage, { kind: typeof PAY.KEYS }>): void {
    const { nodeId, tokenKeysHash } = this.#hop.entry.descriptor
    const { stock } = this.#deps
    const hash = tokenKeysHash ?? new Uint8Array(32)
    const verdict = stock.acceptKeys(nodeId, pay, hash, this.#deps.nowMs())
    if (verdict === 'ok') this.#keys?.resolve()
    else this.#keys?.reject(this.#refusal(`KEYS_${verdict}`))
  }

  #within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    return answerWithin(promise, ANSWER_MS, signal, this.#deps.timers)
  }

  /** What was paid on a slot goes with it. */
  #onSlotOver(isInUse: boolean): void {
    this.#deps.spending.onPaidLost(this.#hop.key, 'balance', this.#balance * UNIT_BYTES)
    this.#addBalance(-this.#balance)
    if (isInUse) this.#leave('SLOT_FULL')
  }

  #leave(why: string): void {
    this.#gone.abort(this.#refusal(why))
  }

  #refusal(verdict: string): Error {
    return moneyError('PAYMENT_REFUSED', { verdict })
  }

  get #balance(): number {
    return this.#deps.balances.get(this.#hop.key) ?? 0
  }

  #addBalance(units: number): void {
    this.#deps.balances.set(this.#hop.key, Math.max(0, this.#balance + units))
  }
}
