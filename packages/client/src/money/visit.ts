/**
 * One visit to a hop (SPEC §15.5, §16): a control circuit on which a slot is shown, keys are looked at, tickets are paid and tokens bought. Waits out the hop's
 * issue delay; leaves when everything is bought or the hop will not sell. The next slot is shown on the next circuit (SPEC §15.2).
 * @module
 */
import { TOKEN_KIND, VERDICT, verdictName } from '@byway/protocol/wire'
import type { BuyMessage, Verdict } from '@byway/protocol/wire'
import { unitRandom } from '@byway/protocol/directory'
import type { PathNode } from '@byway/protocol/directory'
import { TOKEN_UNITS, UNIT_BYTES } from '@byway/protocol/ticket'
import { unitsOfToken } from '@byway/protocol/payment'
import type { PurchaseResult, TokenOrder, TokenStock } from '@byway/protocol/payment'
import { delay } from '../engine/abort.ts'
import { CONTROL_BYTES } from './control-circuit.ts'
import type { ControlCarrier } from './control-circuit.ts'
import { HopAccount } from './hop-account.ts'
import { kindName } from './kind-name.ts'
import { Portions } from './portions.ts'
import { createSlotSession, MAX_SLOTS } from './slot-session.ts'
import type { SlotEnd, SlotSession, SlotSessionDeps } from './slot-session.ts'
import type { Spending } from './spending.ts'
import type { Tariff } from './tariff.ts'
import { refusal, VisitTalk } from './visit-talk.ts'

// Local limits (tunable): docs/LIMITS.md.
/** The most between asking again, doubled so often: each purchase takes 16 KiB of the 256 that the circuit may carry. Drawn from its upper half, since a fault puts off many at once. */
const AGAIN_MS = 1000
const AGAIN_DOUBLINGS = 3
/** How much later than its delay a hop may sell: its clock and chain are its own. */
const LATE_MS = 15_000
/** What a further batch takes of what the circuit may carry: cells of 1 KiB for three tokens each, their tickets, and asking in vain now and then; a whole one takes less. */
const BATCH_ROOM_BYTES = 64 * 1024
/** Units of one ticket: four tokens. Larger ones would be fewer and luckier, smaller ones cost more to check. */
const TICKET_UNITS = 16
/** The same where the hop holds the slot: half of a batch. */
const HELD_TICKET_UNITS = 64
/** Tokens: the smallest batch, four of one ticket. */
const LEAST_BATCH = 4

export type VisitDeps = Omit<SlotSessionDeps, 'spending'> & {
  /** Opens a control circuit to a hop. */
  readonly open: (hop: PathNode, signal: AbortSignal) => Promise<ControlCarrier>
  readonly stock: TokenStock
  readonly spending: Pick<
    Spending,
    'onTicket' | 'onVoid' | 'requireLeft' | 'onTokensBought' | 'onPaidLost'
  >
  /** What a node asks; undefined when it serves for nothing. */
  readonly tariffOf: (hop: PathNode) => Tariff | undefined
  /** What was paid at a hop and not used, by hop. Kept between visits. */
  readonly accounts: Map<string, HopAccount>
  /** The network's delay between tickets and tokens. */
  readonly issueDelayMs: number
  /** The circuit is closed when this resolves, which it does: its last receipt is under way. */
  readonly onLeaving: (left: Promise<void>) => void
  /** Tokens were bought. */
  readonly onStocked: () => void
  /** The hop took pay and broke its side of it. */
  readonly onFault: (hop: PathNode) => void
  /** Wall clock. */
  readonly nowMs: () => number
}

/**
 * Visits a hop and buys, with as many slots as it takes and a circuit for each.
 * @throws PAYMENT_REFUSED, DEPOSIT_SPENT, BUDGET_SPENT, what opening throws, or the signal's reason
 */
export async function visitHop(
  deps: VisitDeps,
  hop: PathNode,
  orders: readonly TokenOrder[],
  signal: AbortSignal,
): Promise<void> {
  const tariff = deps.tariffOf(hop)
  if (!tariff) return
  let left = orders
  for (let turnedDown = 0; left.length > 0;) {
    const carrier = await deps.open(hop, signal)
    const visit = new Visit(deps, hop, tariff, carrier)
    try {
      const end = await visit.buyAll(left, signal)
      left = end.left
      if (end.refusal !== undefined && ++turnedDown === MAX_SLOTS) throw end.refusal
    } finally {
      deps.onLeaving(visit.leave())
    }
  }
}

/** How a visit ended: with everything, or without its slot. */
type VisitEnd = {
  readonly left: readonly TokenOrder[]
  /** What the hop said against the slot; undefined when it is full. */
  readonly refusal: Error | undefined
}

class Visit {
  readonly #deps: VisitDeps
  readonly #hop: PathNode
  readonly #carrier: ControlCarrier
  readonly #account: HopAccount
  readonly #session: SlotSession
  readonly #talk: VisitTalk
  #ready: PromiseWithResolvers<void> = Promise.withResolvers()
  /** A ticket for the slot went on this carrier. */
  #hasPaid = false
  /** A slot that is over, and buys nothing more. */
  #isSpent = false
  /** Why the slot is over, once it is. */
  #over: SlotEnd | undefined
  readonly #draw: () => number
  readonly #portions: Portions

  constructor(deps: VisitDeps, hop: PathNode, tariff: Tariff, carrier: ControlCarrier) {
    this.#deps = deps
    this.#hop = hop
    this.#carrier = carrier
    this.#account = accountAt(deps, hop)
    this.#draw = unitRandom(deps.randomBytes)
    this.#portions = new Portions({ ...deps, account: this.#account, draw: this.#draw })
    this.#talk = new VisitTalk(deps, hop, carrier)
    this.#session = createSlotSession(
      deps,
      { key: hop.key, use: 'tokens', tariff },
      {
        onReady: () => this.#ready.resolve(),
        onVoid: (units) => this.#account.onVoid(units),
        onSlotOver: (why) => {
          this.#over = why
          this.#ready.resolve()
        },
        onFault: () => {
          deps.onFault(hop)
          this.#talk.giveUp('PROTOCOL')
        },
      },
    )
    carrier.listen({
      onPay: (pay) => {
        if (!this.#session.onPay(pay)) this.#talk.onPay(pay)
      },
      onClosed: (isLinkLost) => {
        this.#talk.onClosed(isLinkLost)
        this.#session.onClosed()
      },
    })
  }

  async buyAll(orders: readonly TokenOrder[], outer: AbortSignal): Promise<VisitEnd> {
    const signal = AbortSignal.any([outer, this.#talk.gone])
    try {
      await this.#session.open(this.#carrier, signal)
      const left = await this.#buyWithSlot(orders, signal)
      const isRefused = left.length > 0 && this.#over !== 'full'
      return { left, refusal: isRefused ? refusal('SLOT_OVER') : undefined }
    } catch (error) {
      // Turned down: the next slot may be taken.
      if (this.#over !== 'refused' || signal.aborted || !(error instanceof Error)) throw error
      return { left: orders, refusal: error }
    } finally {
      // Nothing more is bought with it. One that has only to be shown again keeps its balance.
      if (this.#over !== undefined && this.#over !== 'again') this.#endSlot()
    }
  }

  /** Gives what could not be bought with this slot. */
  async #buyWithSlot(
    orders: readonly TokenOrder[],
    signal: AbortSignal,
  ): Promise<readonly TokenOrder[]> {
    await this.#talk.getKeys(orders, signal)
    // At once for all of them: the hop's delay counts from the tickets.
    const first = orders.filter(({ kind }) => kind !== TOKEN_KIND.BULK)
    const units = first.reduce((sum, order) => sum + this.#priceOf(order), 0)
    await this.#payUp(Math.min(units, this.#portions.mostUnits(first[0])), signal)
    const left: TokenOrder[] = []
    for (const order of orders) {
      const missing = await this.#fill(order, signal)
      // What is left of bulk is ordered anew, if it is wanted still.
      if (missing > 0 && order.kind !== TOKEN_KIND.BULK) left.push(this.#wholeAgain(order))
    }
    if (left.length === 0) await this.#fillUp(orders, signal)
    return left
  }

  /** What the next slot is asked for: a whole batch once more. The rest of one would make up what the slot before bought last, and so say that both are of one client. */
  #wholeAgain(order: TokenOrder): TokenOrder {
    const { stock, nowMs } = this.#deps
    const isTooMuch =
      order.kind === TOKEN_KIND.BANDWIDTH && stock.roomOf(order.node, nowMs()) < order.count
    return isTooMuch ? { ...order, count: Math.min(order.count, LEAST_BATCH) } : order
  }

  /** Goes on while tokens are used as fast as they are bought: the next batch would wait for a visit of its own. Each is paid when it is its turn, or the hop's delay before. */
  async #fillUp(orders: readonly TokenOrder[], signal: AbortSignal): Promise<void> {
    const order = orders.find(({ kind }) => kind !== TOKEN_KIND.ADMISSION)
    if (!order) return
    while (this.#carrier.carriedBytes + BATCH_ROOM_BYTES <= CONTROL_BYTES) {
      const next = this.#deps.stock.moreOf(order.node, this.#deps.nowMs())
      if (!next || (await this.#fill(next, signal)) > 0) return
    }
  }

  /** Buys an order; gives how many of it the slot was over before. */
  async #fill(order: TokenOrder, signal: AbortSignal): Promise<number> {
    const { stock } = this.#deps
    const isBulk = order.kind === TOKEN_KIND.BULK
    // What an earlier visit asked for and got no answer to is asked for again, as it was: it may be paid already.
    const asked = stock.repeatPurchase(order.node, order.kind)
    if (isBulk && !asked && !stock.isLocked(order.node)) return 0
    let left = asked?.elements.length ?? order.count
    let isAsked = asked !== undefined
    while (left > 0) {
      const rest = { ...order, count: left }
      const isWhole = isAsked || this.#portions.isHeld(rest)
      const count = isWhole ? await this.#payFor(rest, signal) : await this.#portionOf(rest, signal)
      if (count === 0) break
      const dueMs = isAsked ? Number.NEGATIVE_INFINITY : this.#portions.dueAtMs({ ...order, count })
      if (await this.#buy({ ...order, count }, dueMs, signal)) left -= count
      else if (isBulk) break
      isAsked = false
    }
    return left
  }

  /** Pays on, and waits until a hop that does not hold the slot sells some of an order; gives how many. */
  async #portionOf(order: TokenOrder, signal: AbortSignal): Promise<number> {
    for (;;) {
      await this.#payUp(this.#portions.unitsFor(order), signal)
      const isOver = this.#isSpent || !this.#session.isOpen
      const left = isOver ? this.#affordable(order) : order.count
      const { count, waitMs } = this.#portions.next({ ...order, count: left })
      if (waitMs === 0) return count
      await delay(waitMs, signal, this.#deps.timers)
    }
  }

  /** Pays for an order, and tells how many of it are paid for: fewer when the slot filled, of which what was taken before buys what it can. */
  async #payFor(order: TokenOrder, signal: AbortSignal): Promise<number> {
    await this.#payUp(this.#priceOf(order), signal)
    return this.#affordable(order)
  }

  #affordable(order: TokenOrder): number {
    let count = this.#isSpent ? 0 : order.count
    while (count > 0 && this.#priceOf({ ...order, count }) > this.#account.units) count--
    return count
  }

  /** The last receipt and the last tickets go before the circuit does; nobody waits for them. */
  async leave(): Promise<void> {
    await this.#session.finish()
    await this.#talk.close()
  }

  /** Pays until the balance at the hop is so many units, or the slot is over. */
  async #payUp(units: number, signal: AbortSignal): Promise<void> {
    // SPEC §16.3: a ticket shows whose slot it is. What it pays for stays as balance.
    const account = this.#account
    const isHeld = this.#deps.stock.isLocked(this.#hop.entry.descriptor.nodeId)
    const most = isHeld ? HELD_TICKET_UNITS : TICKET_UNITS
    const least = this.#hasPaid ? units : Math.max(units, account.units + 1)
    while (account.units < least && this.#session.isOpen) {
      signal.throwIfAborted()
      const missing = Math.min(most, least - account.units)
      this.#ready = Promise.withResolvers()
      if (this.#session.pay(missing)) {
        this.#talk.onTickets()
        this.#hasPaid = true
        account.onPaid(missing, this.#deps.nowMs())
      } else await this.#talk.within(this.#ready.promise, signal)
    }
  }

  /** Buys tokens that are paid for; false when they were not after all and must be paid for first, or are not due yet. @param dueMs - when a hop that does not hold the slot sells them */
  async #buy(order: TokenOrder, dueMs: number, signal: AbortSignal): Promise<boolean> {
    const { stock, nowMs, timers } = this.#deps
    const endMs = nowMs() + this.#deps.issueDelayMs + LATE_MS
    let wasEarly = false
    for (let tries = 0; ; tries++) {
      const isEarly = this.#portions.isEarly(dueMs)
      const message = this.#message(order)
      if (!message) throw refusal('NO_KEY')
      const result = await this.#talk.ask(message, signal)
      if (result.type === 'stocked') {
        // SPEC §16.3: who sells before it is due holds the slot on the chain. Nobody asks the chain for one slot: that would tell whose it is.
        if (isEarly || wasEarly) stock.setLocked(order.node, isEarly)
        this.#onStocked(result)
        return true
      }
      const verdict = result.type === 'refused' ? result.verdict : VERDICT.BAD_TOKEN
      if (order.kind === TOKEN_KIND.BULK && verdict === VERDICT.TRY_LATER) {
        // Nobody waits for it.
        stock.abandonPurchase(order.node, order.kind)
        return false
      }
      if (verdict !== VERDICT.TRY_LATER || nowMs() >= endMs) {
        this.#onUnsold(order, verdict)
        return false
      }
      if (isEarly && !this.#portions.isHeld(order)) {
        this.#portions.onRefusedEarly()
        return false
      }
      const isDueLater = isEarly && !wasEarly && !stock.isLocked(order.node)
      wasEarly ||= isEarly
      await delay(isDueLater ? this.#portions.untilMs(dueMs) : this.#againMs(tries), signal, timers)
    }
  }

  /** Decides whether to go on after tokens were not sold. */
  #onUnsold(order: TokenOrder, verdict: Verdict): void {
    // What was under way when the slot filled was not taken; what is left of the slot may be of no use.
    const isOver = !this.#session.isOpen
    if (verdict === VERDICT.NOT_PAID && this.#priceOf(order) > this.#account.units) return
    const mayPayAgain = verdict === VERDICT.NOT_PAID && !this.#account.isForgiven
    this.#account.isForgiven ||= mayPayAgain && !isOver
    if (!isOver && !mayPayAgain) {
      this.#deps.stock.abandonPurchase(order.node, order.kind)
      // Paid twice over for one slot: no lost books are an excuse.
      if (verdict === VERDICT.NOT_PAID) this.#deps.onFault(this.#hop)
      throw refusal(verdictName(verdict))
    }
    // It counts otherwise than we: what it owed from before is given up, once.
    this.#forfeit()
    this.#isSpent = isOver
  }

  /** Whatever keeps a hop from selling what is due may be over soon. */
  #againMs(tries: number): number {
    const mostMs = AGAIN_MS * 2 ** Math.min(tries, AGAIN_DOUBLINGS)
    return (mostMs * (1 + this.#draw())) / 2
  }

  #message(order: TokenOrder): BuyMessage | undefined {
    const { stock } = this.#deps
    const asked = stock.repeatPurchase(order.node, order.kind)
    if (asked?.elements.length === order.count) return asked
    if (asked) stock.abandonPurchase(order.node, order.kind)
    return stock.startPurchase(order, this.#deps.nowMs())
  }

  #priceOf({ node, kind, count }: TokenOrder): number {
    return this.#deps.stock.priceOf(node, kind, count, this.#deps.nowMs())
  }

  #onStocked({ kind, count, bad, units }: Extract<PurchaseResult, { type: 'stocked' }>): void {
    const { spending, stock, nowMs } = this.#deps
    this.#account.onSold(units)
    const isUnheld = !stock.isLocked(this.#hop.entry.descriptor.nodeId)
    const tokens = ((count + bad) * unitsOfToken(kind)) / TOKEN_UNITS
    if (isUnheld) this.#account.onSoldUnheld(tokens, nowMs())
    this.#deps.onStocked()
    spending.onTokensBought(this.#hop.key, kindName(kind), count, units)
    if (bad === 0) return
    this.#deps.onFault(this.#hop)
    throw refusal('BAD_TOKEN')
  }

  #endSlot(): void {
    this.#forfeit()
    this.#account.onNewSlot(this.#deps.nowMs())
    this.#deps.stock.onNewSlot(this.#hop.entry.descriptor.nodeId, this.#deps.nowMs())
  }

  /** What was paid on a slot goes with it. */
  #forfeit(): void {
    const lost = this.#account.units
    this.#deps.spending.onPaidLost(this.#hop.key, 'balance', lost * UNIT_BYTES)
    this.#account.onVoid(lost)
  }
}

function accountAt({ accounts, issueDelayMs, nowMs }: VisitDeps, { key }: PathNode): HopAccount {
  const known = accounts.get(key)
  if (known) return known
  const fresh = new HopAccount(issueDelayMs, nowMs())
  accounts.set(key, fresh)
  return fresh
}
