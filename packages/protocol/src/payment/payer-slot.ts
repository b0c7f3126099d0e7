/**
 * One slot at its client (SPEC §15.2): takes the hop's commits, signs tickets, and checks the wins that the hop claims in the end. Knows
 * neither carriers nor disks: its driver shows the slot, and keeps the floor below which an index may have been signed.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'
import {
  commitOf,
  isWin,
  type Pool,
  ticketDigest,
  unitPrice,
  unitsOf,
} from '@byway/protocol/ticket'
import {
  type CommitsMessage,
  MAX_COMMITS,
  PAY,
  type ShownMessage,
  type SlotFullMessage,
  TICKET_NONCE_BYTES,
  type TicketMessage,
} from '@byway/protocol/wire'
import { createSentTickets, type SentTicket, type SentTickets } from './sent-tickets.ts'

/** Whom a slot pays. */
export type PayerTerms = {
  readonly crypto: TicketCrypto
  readonly pool: Pool
  /** As the hop's descriptor says, 20 bytes. */
  readonly provider: Uint8Array
  /** As the hop's descriptor says. */
  readonly priceStep: number
  /** Fresh and unpredictable bytes, for nonces. */
  readonly randomBytes: (count: number) => Uint8Array
}

/** A slot that is shown, or about to be. */
export type PayerSlotOptions = {
  /** 32 bytes. */
  readonly nullifier: Uint8Array
  /** The private key whose address the opening names, 32 bytes. */
  readonly sessionSecret: Uint8Array
  /** Indices below may have been signed in an earlier life. */
  readonly floor: number
  /** The slot's tickets on carriers before this one. @default none */
  readonly sent?: SentTickets | undefined
}

/** What a ticket was worth. */
export type TicketWorth = Pick<SentTicket, 'units' | 'amount'>

/**
 * What SLOT_FULL is worth. `unchecked` counts the wins of tickets that are no longer remembered here; `late` are the tickets behind the last win, which were under way when
 * the slot filled: they do not count, and are given once.
 */
export type FullVerdict =
  | { readonly isTrue: true; readonly unchecked: number; readonly late: readonly TicketWorth[] }
  /** A reveal that is none of its commit, a ticket that did not win or was never signed, or too few wins: the hop lied. */
  | { readonly isTrue: false }

/** A slot at its client. */
export interface PayerSlot {
  /** The index of the next ticket; undefined while there is no commit for one. */
  readonly nextIndex: number | undefined
  /** Tickets that can be signed with the commits that are here. */
  readonly commits: number
  /** True when SHOWN is of this slot, and asks what the hop's descriptor says. */
  isAsSaid(shown: ShownMessage): boolean
  /** Takes commits; false when they break a rule: for another slot, not in order, or more than a hop has unused. */
  onCommits(message: CommitsMessage): boolean
  /**
   * Signs the next ticket over so many units, with a nonce drawn now: the commit has come before. Each index is signed once. **The index
   * must be below the floor that its driver has stored.** Undefined without a commit, or for units of which no amount is.
   */
  sign(units: number): TicketMessage | undefined
  /** A ticket was refused; gives it once, undefined for one that is not remembered. It does not count, and cannot win. */
  onRefused(index: number): TicketWorth | undefined
  onFull(message: SlotFullMessage): FullVerdict
}

/** Creates a slot that goes on at its floor. */
export function createPayerSlot(terms: PayerTerms, options: PayerSlotOptions): PayerSlot {
  return new Slot(terms, options)
}

class Slot implements PayerSlot {
  readonly #terms: PayerTerms
  readonly #options: PayerSlotOptions
  readonly #price: bigint
  /** By index, in rising order. */
  readonly #commits = new Map<number, Uint8Array>()
  readonly #sent: SentTickets
  /** The first index for which no commit has come. */
  #commitsBelow = 0

  constructor(terms: PayerTerms, options: PayerSlotOptions) {
    this.#terms = terms
    this.#options = options
    this.#sent = options.sent ?? createSentTickets()
    this.#price = unitPrice(terms.pool, terms.priceStep)
  }

  get nextIndex(): number | undefined {
    const [first] = this.#commits.keys()
    return first
  }

  get commits(): number {
    return this.#commits.size
  }

  isAsSaid({ nullifier, provider, priceStep }: ShownMessage): boolean {
    const terms = this.#terms
    const isThis = equalBytes(nullifier, this.#options.nullifier)
    return isThis && priceStep === terms.priceStep && equalBytes(provider, terms.provider)
  }

  onCommits({ nullifier, firstIndex, commits }: CommitsMessage): boolean {
    if (!equalBytes(nullifier, this.#options.nullifier)) return false
    if (firstIndex < this.#commitsBelow || this.#commits.size + commits.length > MOST_COMMITS)
      return false
    this.#commitsBelow = firstIndex + commits.length
    for (const [i, commit] of commits.entries()) {
      const index = firstIndex + i
      if (index >= this.#options.floor) this.#commits.set(index, commit)
    }
    return true
  }

  sign(units: number): TicketMessage | undefined {
    const { crypto, pool, provider, randomBytes } = this.#terms
    const { nullifier, sessionSecret } = this.#options
    const index = this.nextIndex
    const commit = index === undefined ? undefined : this.#commits.get(index)
    const amount = this.#price * BigInt(units)
    if (index === undefined || !commit) return undefined
    if (unitsOf(pool, this.#price, amount) !== units) return undefined
    this.#commits.delete(index)
    // SPEC §13.4: the nonce is drawn after the commit has arrived.
    const nonce = randomBytes(TICKET_NONCE_BYTES)
    const scope = { pool, provider, nullifier }
    const digest = ticketDigest(crypto, scope, { index, amount, commit, nonce })
    this.#sent.add(index, { units, amount, commit, digest })
    const signature = crypto.signDigest(sessionSecret, digest)
    return { kind: PAY.TICKET, index, amount, nonce, signature }
  }

  onRefused(index: number): TicketWorth | undefined {
    return this.#sent.take(index)
  }

  onFull({ nullifier, reveals }: SlotFullMessage): FullVerdict {
    const isThis = equalBytes(nullifier, this.#options.nullifier)
    if (!isThis || reveals.length !== this.#terms.pool.winsPerSlot) return { isTrue: false }
    const unsigned = Math.max(this.#options.floor, this.#sent.end)
    let [unchecked, last] = [0, 0]
    for (const { index, reveal } of reveals) {
      const sent = this.#sent.get(index)
      if (sent ? !this.#isWin(sent, reveal) : index >= unsigned) return { isTrue: false }
      if (!sent) unchecked++
      last = Math.max(last, index)
    }
    return { isTrue: true, unchecked, late: this.#sent.takeBehind(last) }
  }

  #isWin({ amount, commit, digest }: SentTicket, reveal: Uint8Array): boolean {
    const { crypto, pool } = this.#terms
    if (!equalBytes(commitOf(crypto, reveal), commit)) return false
    return isWin(crypto, pool.faceValue, amount, reveal, digest)
  }
}

/** Protocol constant (change needs a spec change): SPEC §15.2, "never more than 128 that are unused". */
const MOST_COMMITS: number = 2 * MAX_COMMITS
