/**
 * Tickets to one hop on one carrier (SPEC §15.2): shows a slot, takes the hop's commits, signs. Goes on with the next slot when one is full or not taken. When to pay
 * how much is the caller's; what a slot is the keeper's.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'
import type { NodeKey } from '@byway/protocol/directory'
import { createPayerSlot } from '@byway/protocol/payment'
import type { PayerSlot, TicketWorth } from '@byway/protocol/payment'
import type { Pool } from '@byway/protocol/ticket'
import { PAY, VERDICT, verdictName } from '@byway/protocol/wire'
import type {
  CommitsMessage,
  HeldMessage,
  PayMessage,
  ShownMessage,
  SlotFullMessage,
  Verdict,
} from '@byway/protocol/wire'
import { delay } from '../engine/abort.ts'
import type { Timers } from '../proxy/timers.ts'
import type { PaySender } from './carrier.ts'
import { moneyError } from './errors.ts'
import type { HopRecords } from './hop-records.ts'
import type { SlotUse } from './ports.ts'
import type { ReceiptSigner } from './receipts.ts'
import type { ShownSlot, SlotKeeper } from './slot-keeper-types.ts'
import type { Spending } from './spending.ts'
import type { Tariff } from './tariff.ts'
import { answerWithin } from './within.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A hop that takes longer to look at a slot is left: a round trip, a proof and a look at the chain. */
const ANSWER_MS = 15_000
/** Slots that one hop may turn down before it is left alone; each costs its owner a wait for the refund. */
export const MAX_SLOTS = 3
/** Tickets that one hop may put off: it could redeem them all the same. */
const MAX_PUT_OFF = 8
/** While a hop still takes the carrier before for alive. */
const BUSY_DELAYS_MS = [300, 1000, 3000] as const
/** Indices that the disk is asked for at a time: a crash leaves no more unused. Fewer than a hop commits to at once, so that it still has some for whoever comes back. */
const FLOOR_STEP = 48
/** Asked for ahead, so that no ticket waits for the disk. */
const FLOOR_AHEAD = 16
/** A carrier waits no longer until its hop holds its last receipt. */
const LAST_RECEIPT_MS = 10_000

export type SlotSessionDeps = {
  readonly crypto: TicketCrypto
  readonly pool: Pool
  readonly randomBytes: (count: number) => Uint8Array
  readonly slots: Pick<
    SlotKeeper,
    'slotFor' | 'nextFor' | 'renew' | 'retire' | 'raiseFloor' | 'onSigned'
  >
  readonly spending: Pick<Spending, 'onTicket' | 'onVoid' | 'requireLeft'>
  readonly records: Pick<HopRecords, 'onPaid' | 'mayRefuse'>
  /** Absent in a network without service proofs. */
  readonly receipts?: ReceiptSigner | undefined
  /** @default the system's */
  readonly timers?: Timers | undefined
}

/** Who is paid, for what, and what it costs. */
export type SessionHop = {
  readonly key: NodeKey
  readonly use: SlotUse
  readonly tariff: Tariff
}

/** `again`: the hop has to look at it anew, for it won on the carrier before. */
export type SlotEnd = 'full' | 'refused' | 'again'

/** What a session tells. Must not throw. */
export type SessionEvents = {
  /** Tickets may be signed that could not be before. */
  readonly onReady: () => void
  /** So many units that were sent do not count: refused, or under way when their slot filled. The books know of it. */
  readonly onVoid: (units: number) => void
  /** A slot is of no use on this carrier any more. In use: tickets were taken for it here. `open` shows the next one, or the same where it only has to be shown again. */
  readonly onSlotOver: (why: SlotEnd, isInUse: boolean) => void
  /** The hop broke a rule: leave it. */
  readonly onFault: () => void
}

/** Pays one hop in tickets. */
export interface SlotSession {
  /** A slot was taken and is not over: `pay` is of use. */
  readonly isOpen: boolean
  /**
   * Shows a slot until one is taken and its commits are there: on a link up to three, on a control circuit one, since two on one circuit would be known to be of one client. The carrier's messages must reach {@link SlotSession.onPay} meanwhile.
   * @throws DEPOSIT_SPENT, PAYMENT_REFUSED, what the authoriser throws, or the signal's reason
   */
  open(carrier: PaySender, signal: AbortSignal): Promise<void>
  /**
   * Sends a ticket over so many units; false when none can be signed at the moment: `onReady` tells when.
   * @throws BUDGET_SPENT
   */
  pay(units: number): boolean
  /** Says which slot will follow the one in use, once for each, where one is ready: on a link only. Never rejects. */
  sayNext(): Promise<void>
  /** Takes a message; false when it is none of a session's. */
  onPay(pay: PayMessage): boolean
  /** Signs for what is not signed yet: to be waited for before the carrier is closed. Never rejects; takes seconds only where the hop does not answer. */
  finish(): Promise<void>
  /** The carrier is gone. */
  onClosed(): void
}

/** Creates a session that has shown nothing. */
export function createSlotSession(
  deps: SlotSessionDeps,
  hop: SessionHop,
  events: SessionEvents,
): SlotSession {
  return new Session(deps, hop, events)
}

/** After these the slot stays its hop's: a hop that knows the newest root later takes it then, and would know no root of another one either. */
const KEEPS_SLOT: ReadonlySet<Verdict> = new Set([
  VERDICT.OK,
  VERDICT.TRY_LATER,
  VERDICT.UNKNOWN_ROOT,
])

class Session implements SlotSession {
  readonly #deps: SlotSessionDeps
  readonly #hop: SessionHop
  readonly #events: SessionEvents
  #carrier: PaySender | undefined
  #slot: ShownSlot | undefined
  #payer: PayerSlot | undefined
  /** Whose tickets the hop may refuse: those of the slot before until it has answered the next showing. */
  #paidWith: PayerSlot | undefined
  #paidSlot: ShownSlot | undefined
  isOpen = false
  /** Of this slot the hop was told what follows it, or is about to be. */
  #followed: ShownSlot | undefined
  /** Indices below this are on the disk. */
  #floor = 0
  #isRaising = false
  #putOff = 0
  /** Slots turned down after tickets went out for them. */
  #slotsRefused = 0
  /** The disk hears that the slot before is over. */
  #retiring: Promise<void> = Promise.resolve()
  #answer: PromiseWithResolvers<ShownMessage> | undefined
  #stocked: PromiseWithResolvers<void> | undefined
  readonly #closed = new AbortController()

  constructor(deps: SlotSessionDeps, hop: SessionHop, events: SessionEvents) {
    this.#deps = deps
    this.#hop = hop
    this.#events = events
  }

  async open(carrier: PaySender, signal: AbortSignal): Promise<void> {
    this.#carrier = carrier
    let verdict: Verdict = VERDICT.OK
    const most = this.#hop.use === 'link' ? MAX_SLOTS : 1
    for (let shown = 0; shown < most; shown++) {
      verdict = await this.#showNext(carrier, signal)
      if (verdict === VERDICT.OK) {
        this.isOpen = true
        return
      }
      if (KEEPS_SLOT.has(verdict) || carrier.isClosed) break
    }
    throw moneyError('PAYMENT_REFUSED', { verdict: verdictName(verdict) })
  }

  pay(units: number): boolean {
    const [slot, payer, carrier] = [this.#slot, this.#payer, this.#carrier]
    const index = payer?.nextIndex
    if (!slot || !payer || !carrier || carrier.isClosed || index === undefined) return false
    this.#wantFloor(index)
    if (index >= this.#floor) return false
    this.#deps.spending.requireLeft(BigInt(units) * this.#hop.tariff.unitPrice)
    const ticket = payer.sign(units)
    if (!ticket) return false
    this.#deps.slots.onSigned(slot.nullifier, index)
    carrier.send([ticket])
    this.#deps.spending.onTicket(this.#hop.key, this.#hop.use, units, ticket.amount)
    this.#deps.records.onPaid(this.#hop.key, units)
    this.#deps.receipts?.paid(slot, this.#hop.tariff, units, carrier)
    return true
  }

  async sayNext(): Promise<void> {
    const [slot, carrier] = [this.#slot, this.#carrier]
    if (!slot || !carrier || this.#followed === slot) return
    this.#followed = slot
    // What the disk could not keep is not said; the slot that is shown next meets the same disk, and says so.
    const opening = await this.#deps.slots.nextFor(this.#hop.key, this.#hop.use).catch(() => {})
    if (this.#slot !== slot) return
    if (opening) carrier.send([{ kind: PAY.NEXT, opening }])
    else this.#followed = undefined
  }

  onPay(pay: PayMessage): boolean {
    if (pay.kind === PAY.SHOWN) this.#answer?.resolve(pay)
    else if (pay.kind === PAY.COMMITS) this.#takeCommits(pay)
    else if (pay.kind === PAY.REFUSED) this.#onRefused(pay.verdict, pay.index)
    else if (pay.kind === PAY.SLOT_FULL) this.#onFull(pay)
    else if (pay.kind === PAY.HELD) this.#onHeld(pay)
    else return false
    return true
  }

  async finish(): Promise<void> {
    const [slot, carrier, { receipts }] = [this.#slot, this.#carrier, this.#deps]
    if (!slot || !carrier || !receipts) return
    const sent = receipts.finish(slot, this.#hop.tariff, carrier)
    const { timers } = this.#deps
    await answerWithin(sent, LAST_RECEIPT_MS, this.#closed.signal, timers).catch(() => {})
  }

  onClosed(): void {
    const error = moneyError('PAYMENT_REFUSED', { verdict: 'CLOSED' })
    this.#closed.abort(error)
    this.#answer?.reject(error)
    this.#stocked?.reject(error)
  }

  /** Shows the slot in use here, or the next; resolves with what the hop says once its commits are there. */
  async #showNext(carrier: PaySender, signal: AbortSignal): Promise<Verdict> {
    const { slots } = this.#deps
    await this.#retiring
    let verdict = await this.#show(carrier, signal)
    if (verdict === VERDICT.UNKNOWN_ROOT && this.#slot) {
      await slots.renew(this.#slot.nullifier, signal)
      verdict = await this.#show(carrier, signal)
    }
    for (const waitMs of BUSY_DELAYS_MS) {
      if (verdict !== VERDICT.SLOT_USED || !this.#slot) break
      await delay(waitMs, signal, this.#deps.timers)
      verdict = await this.#show(carrier, signal)
    }
    if (!KEEPS_SLOT.has(verdict) && this.#slot) {
      await slots.retire(this.#slot.nullifier, 'refused')
      this.#events.onSlotOver('refused', false)
    }
    return verdict
  }

  async #show(carrier: PaySender, signal: AbortSignal): Promise<Verdict> {
    const { key, use, tariff } = this.#hop
    const slot = await this.#deps.slots.slotFor(key, use, signal)
    this.#slot = slot
    this.#floor = slot.floor
    const { nullifier, sessionKey: sessionSecret, floor, sent } = slot
    const terms = { ...this.#deps, ...tariff }
    const payer = createPayerSlot(terms, { nullifier, sessionSecret, floor, sent })
    this.#payer = payer
    const answer = Promise.withResolvers<ShownMessage>()
    const stocked = Promise.withResolvers<void>()
    this.#answer = answer
    this.#stocked = stocked
    // Whoever waits hears of it; nobody may be waiting yet when the carrier goes.
    stocked.promise.catch(() => {})
    answer.promise.catch(() => {})
    carrier.send([{ kind: PAY.SHOW, opening: slot.opening }])
    const shown = await this.#within(answer.promise, signal)
    // What a hop asks must be what its descriptor says to everybody.
    if (!payer.isAsSaid(shown)) return this.#fault()
    this.#paidWith = payer
    this.#paidSlot = slot
    if (shown.verdict !== VERDICT.OK) return shown.verdict
    this.#deps.receipts?.shown(slot)
    await this.#within(stocked.promise, signal)
    return VERDICT.OK
  }

  #within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    return answerWithin(promise, ANSWER_MS, signal, this.#deps.timers)
  }

  #takeCommits(message: CommitsMessage): void {
    const payer = this.#payer
    // A slot that is over may have commits under way.
    if (!payer || !this.#isOfSlot(message.nullifier)) return
    if (!payer.onCommits(message)) this.#events.onFault()
    const index = payer.nextIndex
    if (index === undefined) return
    this.#wantFloor(index)
    if (index < this.#floor) this.#ready()
  }

  /** Has the disk know in time that this index, and some after it, may be signed. */
  #wantFloor(index: number): void {
    if (index + FLOOR_AHEAD >= this.#floor && !this.#isRaising) void this.#raiseFloor(index)
  }

  async #raiseFloor(index: number): Promise<void> {
    const slot = this.#slot
    if (!slot) return
    this.#isRaising = true
    const floor = index + FLOOR_STEP
    try {
      await this.#deps.slots.raiseFloor(slot.nullifier, floor)
      if (slot === this.#slot) this.#floor = Math.max(this.#floor, floor)
      this.#isRaising = false
      this.#ready()
    } catch {
      this.#isRaising = false
      this.#stocked?.reject(moneyError('PAYMENT_REFUSED', { verdict: 'DISK' }))
    }
  }

  #ready(): void {
    this.#stocked?.resolve()
    this.#stocked = undefined
    this.#events.onReady()
  }

  #onHeld(held: HeldMessage): void {
    const slot = this.#slot
    if (slot && this.#isOfSlot(held.nullifier))
      this.#deps.receipts?.onHeld(slot, this.#hop.tariff, held)
  }

  #onRefused(verdict: Verdict, index: number): void {
    const ticket = this.#paidWith?.onRefused(index)
    if (!ticket) return
    this.#void([ticket])
    // What was under way for a slot that is over is refused with it.
    if (this.#paidWith !== this.#payer) return
    if (!this.#mayRefuse(verdict, ticket.units)) this.#events.onFault()
    else if (verdict === VERDICT.SLOT_USED) this.#endSlot('again')
    else if (verdict !== VERDICT.TRY_LATER) this.#endSlot('refused')
  }

  /** A refusal costs a hop nothing, and what it refused it may redeem all the same: so it is believed a few times only, and for a few units over the run. */
  #mayRefuse(verdict: Verdict, units: number): boolean {
    if (!this.#deps.records.mayRefuse(this.#hop.key, units)) return false
    if (verdict === VERDICT.TRY_LATER) return ++this.#putOff <= MAX_PUT_OFF
    // SLOT_USED: the carrier before it has won meanwhile, so the slot is shown again (SPEC §15.2).
    const isOver =
      verdict === VERDICT.SLOT_TAKEN || verdict === VERDICT.EXPIRED || verdict === VERDICT.SLOT_USED
    return isOver && ++this.#slotsRefused <= MAX_SLOTS
  }

  /** SPEC §15.2: after `K` wins; what was under way is due anew. A hop that cannot show its wins has only stopped taking tickets. */
  #onFull(full: SlotFullMessage): void {
    if (!this.#payer || !this.#isOfSlot(full.nullifier)) return
    const verdict = this.#payer.onFull(full)
    if (verdict.isTrue) this.#void(verdict.late)
    void this.finish()
    this.#endSlot('full')
    if (!verdict.isTrue) this.#events.onFault()
  }

  /** These tickets cost nothing and buy nothing. */
  #void(tickets: readonly TicketWorth[]): void {
    const { key, use } = this.#hop
    let sum = 0
    for (const { units, amount } of tickets) {
      this.#deps.spending.onVoid(key, use, units, amount)
      sum += units
    }
    this.#deps.records.onPaid(key, -sum)
    if (this.#paidSlot) this.#deps.receipts?.refused(this.#paidSlot, sum)
    if (sum > 0) this.#events.onVoid(sum)
  }

  #endSlot(why: SlotEnd): void {
    const slot = this.#slot
    const wasOpen = this.isOpen
    this.isOpen = false
    this.#slot = undefined
    this.#payer = undefined
    if (!slot) return
    if (why !== 'again') this.#retiring = this.#retire(slot.nullifier, why)
    this.#events.onSlotOver(why, wasOpen)
  }

  async #retire(nullifier: Uint8Array, standing: 'full' | 'refused'): Promise<void> {
    try {
      await this.#deps.slots.retire(nullifier, standing)
    } catch {
      // A disk that fails stops all paying; what it could not write is asked of the hop again.
      this.#events.onFault()
    }
  }

  #isOfSlot(nullifier: Uint8Array): boolean {
    return this.#slot !== undefined && equalBytes(nullifier, this.#slot.nullifier)
  }

  #fault(): never {
    this.#events.onFault()
    throw moneyError('PAYMENT_REFUSED', { verdict: 'PROTOCOL' })
  }
}
