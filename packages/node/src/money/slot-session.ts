/**
 * Tickets on one carrier, a client's link or a control circuit (SPEC §15.2): SHOW is answered by SHOWN and COMMITS, tickets are credited, and the next commits go out
 * before the client has used up the last.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import { MAX_COMMITS, PAY, VERDICT } from '@byway/protocol/wire'
import type {
  HopPayMessage,
  Opening,
  ReceiptMessage,
  Refusal,
  SlotFullMessage,
  TicketMessage,
} from '@byway/protocol/wire'
import type { Books } from './books.ts'
import type { BulkSlots } from './bulk-slots.ts'
import type { ReceiptBook } from './receipt-book.ts'
import type { ShownSlot, SlotBook } from './slot-book.ts'
import type { TicketUse } from '@byway/protocol/ledger'

/** Where tickets come in. */
export type SlotCarrier = {
  readonly use: TicketUse
  readonly send: (pay: HopPayMessage) => void
  /** True when there is room for what this slot pays: else a ticket is refused before it is judged, so that it cannot win either. */
  readonly hasRoom: (slot: ShownSlot) => boolean
  /** Takes what a good ticket has paid for. */
  readonly credit: (units: number, slot: ShownSlot) => void
  /** Too many bad tickets, or a false proof: the carrier must go. */
  readonly onFault: () => void
}

/** The slot of one carrier. */
export interface SlotSession {
  /** The slot that is shown, once it was found good. */
  readonly slot: ShownSlot | undefined
  /** Takes SHOW: the slot before it, if there is one, is put away. */
  onShow(opening: Opening): Promise<void>
  /** Takes NEXT: the first for the slot that is shown; others are passed over. */
  onNext(opening: Opening): void
  onTicket(ticket: TicketMessage): void
  onReceipt(receipt: ReceiptMessage): void
  /** The carrier is gone. */
  close(): void
}

export type SlotSessionDeps = {
  readonly slots: Pick<SlotBook, 'show'>
  readonly books: Pick<Books, 'ticket' | 'refusedTicket'>
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly priceStep: number
  /** Absent in a network without service proofs. */
  readonly receipts?: ReceiptBook | undefined
  readonly bulk: BulkSlots
}

/** Creates a session without a slot. */
export function createSlotSession(deps: SlotSessionDeps, carrier: SlotCarrier): SlotSession {
  return new Session(deps, carrier)
}

class Session implements SlotSession {
  slot: ShownSlot | undefined
  readonly #deps: SlotSessionDeps
  readonly #carrier: SlotCarrier
  #isShowing = false
  #badTickets = 0
  /** Tickets that may still come for a slot that is full; undefined while it is not. */
  #lateTickets: number | undefined
  #isClosed = false
  /** A receipt was forged: no more are taken here. */
  #isForger = false
  /** Of the slot before: its last receipt may come behind the next showing. */
  #lastOpening: Opening | undefined
  /** What the client says will follow the slot: once a slot. */
  #isNextSaid = false
  /** While it is judged it may not be shown: it would be taken for a second showing. Never rejects. */
  #judgingNext: Promise<void> = Promise.resolve()
  /** The same, once it was found good. */
  #next: Opening | undefined

  constructor(deps: SlotSessionDeps, carrier: SlotCarrier) {
    this.#deps = deps
    this.#carrier = carrier
  }

  async onShow(opening: Opening): Promise<void> {
    if (this.#isShowing) {
      this.#shown(opening, VERDICT.TRY_LATER)
      return
    }
    this.#isShowing = true
    this.slot?.release()
    this.#lastOpening = this.slot?.opening ?? this.#lastOpening
    this.slot = undefined
    this.#next = undefined
    this.#isNextSaid = false
    this.#lateTickets = undefined
    await this.#judgingNext
    const slot = await this.#deps.slots.show(opening)
    this.#isShowing = false
    if (typeof slot === 'number') {
      if (this.#isClosed) return
      this.#shown(opening, slot)
      // No honest client shows it: it has judged its own proof by making it.
      if (slot === VERDICT.BAD_PROOF) this.#carrier.onFault()
    } else if ('kind' in slot) {
      this.#shownFull(opening, slot)
    } else if (this.#isClosed) {
      slot.release()
    } else {
      this.slot = slot
      if (this.#lastOpening) this.#deps.bulk.follow(this.#lastOpening, opening)
      this.#shown(opening, VERDICT.OK)
      await this.#sendHeld(slot)
      await this.#sendCommits(slot)
    }
  }

  onNext(opening: Opening): void {
    if (!this.slot || this.#isNextSaid) return
    this.#isNextSaid = true
    this.#judgingNext = this.#judgeNext(this.slot, opening)
  }

  /** SPEC §15.2: the carrier on which it filled went before the client heard of it. */
  #shownFull(opening: Opening, full: SlotFullMessage): void {
    if (this.#isClosed) return
    this.#carrier.send(full)
    this.#shown(opening, VERDICT.SLOT_USED)
  }

  onReceipt(receipt: ReceiptMessage): void {
    const opening = [this.slot?.opening, this.#lastOpening].find(
      (each) => each && equalBytes(each.nullifier, receipt.nullifier),
    )
    if (opening && !this.#isForger) void this.#takeReceipt(opening, receipt)
  }

  onTicket(ticket: TicketMessage): void {
    if (this.#isLate()) return
    const { slot } = this
    const { books } = this.#deps
    const { use, credit, hasRoom } = this.#carrier
    if (slot && !hasRoom(slot)) {
      books.refusedTicket()
      this.#refuse(ticket, VERDICT.TRY_LATER)
      return
    }
    const result = slot ? slot.onTicket(ticket) : NO_SLOT
    if (!slot || result.verdict !== VERDICT.OK) {
      books.refusedTicket()
      this.#refuse(ticket, result.verdict === VERDICT.OK ? VERDICT.BAD_INDEX : result.verdict)
      return
    }
    const { units, full } = result
    credit(units, slot)
    books.ticket({ use, units, amount: ticket.amount })
    this.#deps.receipts?.paid(slot.opening, units)
    this.#deps.bulk.paid(slot.opening, units, use)
    this.#lockNext(slot)
    if (full) {
      this.#lateTickets = MAX_LATE_TICKETS
      void this.#sendFull(slot, full)
    } else void this.#sendCommits(slot)
  }

  close(): void {
    this.#isClosed = true
    this.slot?.release()
    this.slot = undefined
  }

  async #judgeNext(slot: ShownSlot, opening: Opening): Promise<void> {
    const next = await this.#deps.slots.show(opening)
    // Its book remembers that it was found good: it is on no carrier before SHOW.
    if (typeof next === 'number' || 'kind' in next) return
    next.release()
    if (this.slot !== slot) return
    this.#next = opening
    this.#lockNext(slot)
  }

  /** A lock that lapses costs us: the next slot's waits until this one is about to be full. */
  #lockNext(slot: ShownSlot): void {
    if (this.#next && slot.isNearlyFull) this.#deps.bulk.soon(slot.opening, this.#next)
  }

  /** SPEC §15.2: what was under way when the slot filled is passed over; SLOT_FULL says what did not count. */
  #isLate(): boolean {
    if (this.#lateTickets === undefined || this.#lateTickets === 0) return false
    this.#lateTickets--
    return true
  }

  /** A reveal is told only once its win cannot be lost any more. */
  async #sendFull(slot: ShownSlot, full: SlotFullMessage): Promise<void> {
    if ((await slot.kept()) && this.slot === slot) this.#carrier.send(full)
  }

  async #takeReceipt(opening: Opening, receipt: ReceiptMessage): Promise<void> {
    const verdict = await this.#deps.receipts?.take(opening, receipt)
    if (verdict === 'forged') this.#isForger = true
    const { nullifier, epoch, units, signature } = receipt
    if (verdict === 'kept' && !this.#isClosed)
      this.#carrier.send({ kind: PAY.HELD, nullifier, epoch, units, signature })
  }

  /** SPEC §17.1: before the commits, so that no ticket is counted twice. */
  async #sendHeld(slot: ShownSlot): Promise<void> {
    const held = await this.#deps.receipts?.open(slot.opening)
    if (held && this.slot === slot) this.#carrier.send(held)
  }

  async #sendCommits(slot: ShownSlot): Promise<void> {
    const commits = await slot.commits()
    if (commits && this.slot === slot) this.#carrier.send(commits)
  }

  #shown({ nullifier }: Opening, verdict: Refusal | typeof VERDICT.OK): void {
    const { provider, priceStep } = this.#deps
    this.#carrier.send({ kind: PAY.SHOWN, verdict, nullifier, provider, priceStep })
  }

  #refuse({ index }: TicketMessage, verdict: Refusal): void {
    if (!HARMLESS.has(verdict)) this.#badTickets++
    if (this.#badTickets > MAX_BAD_TICKETS) this.#carrier.onFault()
    else this.#carrier.send({ kind: PAY.REFUSED, verdict, index })
  }
}

/** Local limit (tunable): docs/LIMITS.md. A check costs more than a ticket's bytes: who sends many bad ones is no client. */
const MAX_BAD_TICKETS = 64

/** Its slot has moved to a newer carrier, without its client's doing if somebody else showed it; or its life is over by our clock; or we have no room. Refusing costs nothing. */
const HARMLESS: ReadonlySet<Refusal> = new Set([
  VERDICT.SLOT_USED,
  VERDICT.EXPIRED,
  VERDICT.TRY_LATER,
])

/** Protocol constant (change needs a spec change): SPEC §15.2, "never more than 128 that are unused": the client has no commits for more. */
const MAX_LATE_TICKETS: number = 2 * MAX_COMMITS

/** A ticket before SHOWN has no commit that it could be for. */
const NO_SLOT = { verdict: VERDICT.BAD_INDEX } as const
