/**
 * One slot at the hop to which it was shown (SPEC §15.2): which commits go out, which ticket is good, which one wins. Knows neither carriers
 * nor disks: its driver has judged the opening, keeps the index floor and the wins, and shows the slot on one carrier at a time.
 *
 * Nothing of a ticket that lost is kept.
 * @module
 */
import type { TicketCrypto } from '@byway/protocol/crypto'
import { createTicketChecker, isWin, type Pool, type TicketChecker } from '@byway/protocol/ticket'

import { type CommitWindow, createCommitWindow } from './commit-window.ts'
import {
  type CommitsMessage,
  MAX_COMMITS,
  MAX_TICKET_INDEX,
  type Opening,
  PAY,
  type Refusal,
  type Reveal,
  type SlotFullMessage,
  type TicketMessage,
  VERDICT,
} from '@byway/protocol/wire'

/** What is the same for all slots at this hop. */
export type PayeeTerms = {
  readonly crypto: TicketCrypto
  readonly pool: Pool
  /** 20 bytes: to whom tickets must be made out. */
  readonly provider: Uint8Array
  /** Of a unit, as the descriptor says. */
  readonly price: bigint
}

/** A slot whose opening was found good. */
export type PayeeSlotOptions = {
  readonly opening: Opening
  /** `k` of SPEC §13.4, 32 bytes: the same for as long as the slot lives. */
  readonly key: Uint8Array
  /** Commits below may have gone out in an earlier life. */
  readonly firstIndex: number
  /** Wins so far. */
  readonly wins: readonly Reveal[]
}

/** What a ticket came to. */
export type TicketResult =
  | { readonly verdict: Refusal }
  | {
      readonly verdict: typeof VERDICT.OK
      readonly units: number
      /** Set when the ticket won: with the ticket and the opening all that a bind or a claim needs. A secret until it is claimed. */
      readonly reveal: Uint8Array | undefined
      /** Set when it was the slot's last win: to be sent once the win is stored. */
      readonly full: SlotFullMessage | undefined
    }

/** A slot at its hop. */
export interface PayeeSlot {
  readonly isFull: boolean
  /** One more win fills it, or none is left. */
  readonly isNearlyFull: boolean
  /** Commits that went out and that no ticket has used or passed. */
  readonly unusedCommits: number
  /**
   * The commits to send next, undefined while {@link MAX_COMMITS} are unused or the slot is full. **Its driver must have stored the index
   * behind the last of them as the slot's floor before it sends them**: an index used twice lets a client choose its luck.
   */
  nextCommits(): CommitsMessage | undefined
  /** Judges a ticket: index, amount, signature, in this order, for a signature costs most. */
  onTicket(ticket: TicketMessage): TicketResult
  /** SLOT_FULL with all wins; undefined while it is not full. */
  fullMessage(): SlotFullMessage | undefined
}

/** Creates a slot that goes on after `firstIndex` and `wins`. */
export function createPayeeSlot(terms: PayeeTerms, options: PayeeSlotOptions): PayeeSlot {
  return new Slot(terms, options)
}

class Slot implements PayeeSlot {
  readonly #terms: PayeeTerms
  readonly #options: PayeeSlotOptions
  readonly #window: CommitWindow
  readonly #checker: TicketChecker
  readonly #wins: Reveal[]
  /** The next index that has no commit yet. */
  #nextIndex: number
  /** Indices below are used or passed. */
  #usedBelow: number

  constructor(terms: PayeeTerms, options: PayeeSlotOptions) {
    this.#terms = terms
    this.#options = options
    const { crypto } = terms
    const { nullifier, sessionKey } = options.opening
    this.#window = createCommitWindow(crypto, crypto.hmacKey(options.key), nullifier)
    this.#checker = createTicketChecker(crypto, { ...terms, nullifier, sessionKey })
    this.#wins = [...options.wins]
    this.#nextIndex = options.firstIndex
    this.#usedBelow = options.firstIndex
  }

  get isFull(): boolean {
    return this.#wins.length >= this.#terms.pool.winsPerSlot
  }

  get isNearlyFull(): boolean {
    return this.#wins.length >= this.#terms.pool.winsPerSlot - 1
  }

  get unusedCommits(): number {
    return this.#nextIndex - this.#usedBelow
  }

  nextCommits(): CommitsMessage | undefined {
    const left = MAX_TICKET_INDEX + 1 - this.#nextIndex
    if (this.isFull || left <= 0 || this.unusedCommits >= MAX_COMMITS) return undefined
    const firstIndex = this.#nextIndex
    const count = Math.min(MAX_COMMITS, left)
    const commits = this.#window.draw(firstIndex, count)
    this.#nextIndex += count
    return { kind: PAY.COMMITS, nullifier: this.#options.opening.nullifier, firstIndex, commits }
  }

  onTicket(ticket: TicketMessage): TicketResult {
    const { crypto, pool } = this.#terms
    if (this.isFull) return SLOT_IS_FULL
    const { index, amount, nonce } = ticket
    if (index < this.#usedBelow || index >= this.#nextIndex) return BAD_INDEX
    const { reveal, commit } = this.#window.at(index)
    const checked = this.#checker.check({ index, amount, commit, nonce }, ticket.signature)
    if (checked.verdict !== VERDICT.OK) return checked
    this.#usedBelow = index + 1
    const { units, digest } = checked
    if (!isWin(crypto, pool.faceValue, amount, reveal, digest)) {
      return { verdict: VERDICT.OK, units, reveal: undefined, full: undefined }
    }
    const kept = reveal.slice()
    this.#wins.push({ index, reveal: kept })
    return { verdict: VERDICT.OK, units, reveal: kept, full: this.fullMessage() }
  }

  fullMessage(): SlotFullMessage | undefined {
    if (!this.isFull) return undefined
    const { nullifier } = this.#options.opening
    return { kind: PAY.SLOT_FULL, nullifier, reveals: [...this.#wins] }
  }
}

const SLOT_IS_FULL: TicketResult = { verdict: VERDICT.SLOT_USED }
const BAD_INDEX: TicketResult = { verdict: VERDICT.BAD_INDEX }

/**
 * Protocol constant (change needs a spec change): SPEC §15.2. How fast a slot is served that is neither locked nor bound to this hop: what others take
 * of it meanwhile is then less than its bond.
 */
export const UNLOCKED_BYTES_PER_S = 12_500_000
