/**
 * The slots that clients show to this node (SPEC §15.2), over all links and control circuits: judged once, on one carrier at a time, their indices given out once
 * even over restarts, their winning tickets on disk. What a ticket is worth is the payee machine's.
 * @module
 */
import { equalBytes, toHex } from '@byway/protocol/base'
import type {
  PayeeSlot,
  PayeeSlotOptions,
  SlotStanding,
  TicketResult,
} from '@byway/protocol/payment'
import type { OpeningRecords, ShownOpening, StoreHealth, Winner, WinnerRecords } from '@byway/store'
import { decodeOpening, encodeOpening, VERDICT } from '@byway/protocol/wire'
import type {
  CommitsMessage,
  Opening,
  Refusal,
  SlotFullMessage,
  TicketMessage,
} from '@byway/protocol/wire'
import { SLOT_LIFE_MS } from './commit-keys.ts'
import type { CommitKeys } from './commit-keys.ts'
import type { SlotJudge } from './slot-judge.ts'

/** A slot on the carrier on which it was shown. */
export interface ShownSlot {
  readonly opening: Opening
  /** One more win fills it, or none is left. */
  readonly isNearlyFull: boolean
  /** The commits to send next, given only once the disk knows that they are out; undefined while enough are unused. */
  commits(): Promise<CommitsMessage | undefined>
  onTicket(ticket: TicketMessage): TicketResult
  /** Resolves when the wins so far are on disk; false when one could not be kept. */
  kept(): Promise<boolean>
  /** Where it stands on the chain at this moment. */
  standing(): Promise<SlotStanding>
  /** It may be shown on another carrier from now on. */
  release(): void
}

/** What a showing comes to: a slot, one that is full already with its wins, or a refusal. */
export type Showing = ShownSlot | SlotFullMessage | Refusal

/** The slots of a node. */
export interface SlotBook {
  /** On carriers now. */
  readonly size: number
  /** Takes a showing. Never rejects. */
  show(opening: Opening): Promise<Showing>
  /** Asks the chain about every slot on a carrier: one that its payer has taken back, or another provider holds, buys nothing more. */
  recheck(): Promise<void>
}

export type SlotBookDeps = {
  readonly records: {
    readonly openings: OpeningRecords
    readonly winners: WinnerRecords
    /** While it is not `ok` no ticket is taken: its win might not be kept. */
    readonly health: StoreHealth
  }
  readonly keys: Pick<CommitKeys, 'current' | 'find'>
  readonly judge: SlotJudge
  /** True when the opening's proof holds by itself. Takes some milliseconds elsewhere; rejects when too much is asked. */
  readonly holds: (opening: Opening) => Promise<boolean>
  readonly createPayee: (options: PayeeSlotOptions) => PayeeSlot
  /** 20 bytes. */
  readonly provider: Uint8Array
  /** Wall clock. */
  readonly nowMs: () => number
  /** A winner is on disk. */
  readonly onWin: (winner: Winner) => void
  /** The store could not keep a winner. */
  readonly onStoreFailed: () => void
}

// Local limit (tunable): docs/LIMITS.md. Slots on carriers at once: as many as client links and control circuits there may be.
const MAX_SHOWN = 8192

/** Creates a book without slots. */
export function createSlotBook(deps: SlotBookDeps): SlotBook {
  return new Book(deps)
}

class Book implements SlotBook {
  readonly #deps: SlotBookDeps
  readonly #shown = new Map<string, Shown>()
  /** By nullifier: first showings that are judged at the moment. */
  readonly #judging = new Map<string, Promise<unknown>>()
  /** Shown again on a newer carrier, which no good ticket has come on yet. */
  readonly #newcomers = new Map<string, Shown>()

  constructor(deps: SlotBookDeps) {
    this.#deps = deps
  }

  get size(): number {
    return this.#shown.size + this.#judging.size
  }

  async show(opening: Opening): Promise<Showing> {
    const name = toHex(opening.nullifier)
    // A client whose circuit died while its slot was looked at shows it again at once.
    const judging = this.#judging.get(name)
    if (judging) await judging
    const current = this.#shown.get(name)
    if (current) {
      return current.isOf(opening)
        ? await this.#showAgain(name, current, opening)
        : VERDICT.SLOT_USED
    }
    if (this.#judging.has(name)) return VERDICT.TRY_LATER
    if (this.size >= MAX_SHOWN) return VERDICT.TRY_LATER
    const judged = this.#judge(opening, () => this.#shown.delete(name))
    this.#judging.set(name, judged)
    const shown = await judged
    if (shown instanceof Shown) this.#shown.set(name, shown)
    this.#judging.delete(name)
    return shown
  }

  /**
   * SPEC §15.2: the carrier before it may be dead without our knowing, and openings become public with a bind: the slot moves to the new
   * carrier with the first good ticket there, which only its owner can sign. One newcomer at a time.
   */
  async #showAgain(name: string, current: Shown, opening: Opening): Promise<Showing> {
    this.#newcomers.get(name)?.displace()
    await current.kept()
    const newcomer = await this.#judge(opening, () => {
      if (this.#newcomers.get(name) === newcomer) this.#newcomers.delete(name)
      if (this.#shown.get(name) === newcomer) this.#shown.delete(name)
    })
    if (!(newcomer instanceof Shown)) return newcomer
    const winsBefore = current.winCount
    newcomer.mayTakeOver = () => {
      if (current.winCount !== winsBefore) return false
      current.displace()
      this.#newcomers.delete(name)
      this.#shown.set(name, newcomer)
      return true
    }
    this.#newcomers.set(name, newcomer)
    return newcomer
  }

  async recheck(): Promise<void> {
    const slots = [...this.#shown.values()]
    for (let at = 0; at < slots.length; at += RECHECKS_AT_ONCE) {
      const some = slots.slice(at, at + RECHECKS_AT_ONCE)
      await Promise.all(some.map((slot) => slot.recheck()))
    }
  }

  async #judge(opening: Opening, onReleased: () => void): Promise<OwnShowing> {
    const { records, holds, judge } = this.#deps
    try {
      const known = await records.openings.get(opening.nullifier)
      if (known && !isSame(decodeOpening(known.opening), opening)) return VERDICT.SLOT_USED
      if (known && this.#deps.nowMs() > endOf(known)) return VERDICT.EXPIRED
      const isProven = known && equalBytes(known.opening, encodeOpening(opening))
      if (!isProven && !(await holds(opening))) return VERDICT.BAD_PROOF
      const verdict = await judge.judge(opening, known === undefined)
      if (verdict !== VERDICT.OK) return verdict
      if (!known || isProven) return await this.#open(opening, known, onReleased)
      // Made anew under another root, which must be one that a bind can be judged under: whoever invents a root would be served and never pay.
      const isPublished = await judge.isPublished(opening.root)
      if (isPublished === false) return VERDICT.UNKNOWN_ROOT
      const bindable = isPublished ? opening : decodeOpening(known.opening)
      return await this.#open(bindable, known, onReleased)
    } catch {
      // The store cannot be asked, as its health says, or more proofs wait than may.
      return VERDICT.TRY_LATER
    }
  }

  async #open(
    opening: Opening,
    known: Pick<ShownOpening, 'keyEpoch' | 'floor' | 'firstSeenMs'> | undefined,
    onReleased: () => void,
  ): Promise<OwnShowing> {
    const { records, keys, createPayee } = this.#deps
    const key = known ? keys.find(known.keyEpoch) : keys.current()
    if (!key) return VERDICT.EXPIRED
    const firstSeenMs = known?.firstSeenMs ?? this.#deps.nowMs()
    if (!known) await this.#remember(opening, key.epoch, firstSeenMs)
    const wins = await records.winners.ofSlot(opening.nullifier)
    const payee = createPayee({ opening, key: key.key, firstIndex: known?.floor ?? 0, wins })
    const endMs = endOf({ firstSeenMs })
    return payee.fullMessage() ?? new Shown(this.#deps, opening, payee, endMs, onReleased)
  }

  async #remember(opening: Opening, keyEpoch: number, firstSeenMs: number): Promise<void> {
    const { nullifier, sessionKey } = opening
    await this.#deps.records.openings.remember({
      nullifier,
      opening: encodeOpening(opening),
      sessionKey,
      keyEpoch,
      floor: 0,
      firstSeenMs,
    })
  }
}

/** When a slot's life here is over. */
function endOf({ firstSeenMs }: Pick<ShownOpening, 'firstSeenMs'>): number {
  return firstSeenMs + SLOT_LIFE_MS
}

/** The same slot under the same keys. With another receipt key it would be another statement: receipts of it could not be proved with the opening that is kept. */
function isSame(one: Opening, other: Opening): boolean {
  return (
    equalBytes(one.sessionKey, other.sessionKey) && equalBytes(one.receiptKey, other.receiptKey)
  )
}

type OwnShowing = Shown | SlotFullMessage | Refusal

class Shown implements ShownSlot {
  readonly opening: Opening
  readonly #deps: SlotBookDeps
  readonly #payee: PayeeSlot
  readonly #endMs: number
  readonly #onReleased: () => void
  #isReleased = false
  #isTaken = false
  #isDisplaced = false
  /** Asked once, at the first good ticket: whether the slot may be this carrier's now. */
  mayTakeOver: (() => boolean) | undefined
  winCount = 0
  #kept: Promise<boolean> = Promise.resolve(true)

  constructor(
    deps: SlotBookDeps,
    opening: Opening,
    payee: PayeeSlot,
    endMs: number,
    onReleased: () => void,
  ) {
    this.#deps = deps
    this.opening = opening
    this.#payee = payee
    this.#endMs = endMs
    this.#onReleased = onReleased
  }

  get isNearlyFull(): boolean {
    return this.#payee.isNearlyFull
  }

  async commits(): Promise<CommitsMessage | undefined> {
    const message = this.#payee.nextCommits()
    if (!message) return undefined
    const { firstIndex, commits, nullifier } = message
    try {
      await this.#deps.records.openings.raiseFloor(nullifier, firstIndex + commits.length)
      return message
    } catch {
      // Without the disk no index may go out: the client runs out of commits, and tries another hop.
      this.#deps.onStoreFailed()
      return undefined
    }
  }

  onTicket(ticket: TicketMessage): TicketResult {
    if (this.#isDisplaced) return { verdict: VERDICT.SLOT_USED }
    if (this.#isTaken) return { verdict: VERDICT.SLOT_TAKEN }
    // Refused before it is judged, so that it cannot win either.
    if (this.#deps.records.health !== 'ok') return { verdict: VERDICT.TRY_LATER }
    if (this.#deps.nowMs() > this.#endMs) return { verdict: VERDICT.EXPIRED }
    const result = this.#payee.onTicket(ticket)
    if (result.verdict !== VERDICT.OK) return result
    if (this.mayTakeOver?.() === false) return { verdict: VERDICT.SLOT_USED }
    this.mayTakeOver = undefined
    if (result.reveal) this.#onWin(ticket, result.reveal)
    return result
  }

  kept(): Promise<boolean> {
    return this.#kept
  }

  /** One that another holds by now takes no ticket from then on, whoever asked. */
  async standing(): Promise<SlotStanding> {
    const standing = await this.#deps.judge.standing(this.opening)
    if (standing === 'taken') this.#isTaken = true
    return standing
  }

  async recheck(): Promise<void> {
    await this.standing()
  }

  isOf(opening: Opening): boolean {
    return isSame(this.opening, opening)
  }

  /** A newer carrier has the slot. */
  displace(): void {
    this.#isReleased = true
    this.#isDisplaced = true
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#onReleased()
  }

  #onWin({ index, amount, nonce, signature }: TicketMessage, reveal: Uint8Array): void {
    const { provider, nowMs } = this.#deps
    const { nullifier } = this.opening
    this.winCount++
    const opening = encodeOpening(this.opening)
    const ticket = { index, amount, nonce, signature, reveal }
    const winner = { nullifier, opening, provider, ...ticket, receivedAtMs: nowMs() }
    const before = this.#kept
    const kept = this.#keep(winner)
    this.#kept = Promise.all([before, kept]).then((all) => all.every(Boolean))
  }

  /** Never rejects. */
  async #keep(winner: Winner): Promise<boolean> {
    const { records, onWin, onStoreFailed } = this.#deps
    try {
      await records.winners.add(winner)
    } catch {
      onStoreFailed()
      return false
    }
    onWin(winner)
    return true
  }
}

/** Local limit (tunable): fewer than the judge asks at once, so that showings still find room. */
const RECHECKS_AT_ONCE = 16
