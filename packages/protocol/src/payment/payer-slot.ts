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
}

/**
 * What SLOT_FULL is worth. `unchecked` counts the wins of tickets that are no longer, or were never, remembered here; `lateUnits` are those of tickets behind the last win,
 * which were under way when the slot filled: they do not count.
 */
export type FullVerdict =
  | { readonly isTrue: true; readonly unchecked: number; readonly lateUnits: number }
  /** A reveal that is none of its commit, a ticket that did not win, or too few wins: the hop lied. */
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
  /** A ticket was refused; gives its units, 0 for one that is not remembered. It does not count, and cannot win. */
  onRefused(index: number): number
  onFull(message: SlotFullMessage): FullVerdict
}

/** Creates a slot that goes on at its floor. */
export function createPayerSlot(terms: PayerTerms, options: PayerSlotOptions): PayerSlot {
  return new Slot(terms, options)
}

/** What a ticket must have been for its win to be one. */
type Sent = {
  readonly units: number
  readonly amount: bigint
  readonly commit: Uint8Array
  readonly digest: Uint8Array
}

class Slot implements PayerSlot {
  readonly #terms: PayerTerms
  readonly #options: PayerSlotOptions
  readonly #price: bigint
  /** By index, in rising order. */
  readonly #commits = new Map<number, Uint8Array>()
  readonly #sent = new Map<number, Sent>()
  /** The first index for which no commit has come. */
  #commitsBelow = 0

  constructor(terms: PayerTerms, options: PayerSlotOptions) {
    this.#terms = terms
    this.#options = options
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
    this.#remember(index, { units, amount, commit, digest })
    const signature = crypto.signDigest(sessionSecret, digest)
    return { kind: PAY.TICKET, index, amount, nonce, signature }
  }

  onRefused(index: number): number {
    const units = this.#sent.get(index)?.units ?? 0
    this.#sent.delete(index)
    return units
  }

  onFull({ nullifier, reveals }: SlotFullMessage): FullVerdict {
    const isThis = equalBytes(nullifier, this.#options.nullifier)
    if (!isThis || reveals.length !== this.#terms.pool.winsPerSlot) return { isTrue: false }
    let unchecked = 0
    for (const { index, reveal } of reveals) {
      const sent = this.#sent.get(index)
      if (!sent) unchecked++
      else if (!this.#isWin(sent, reveal)) return { isTrue: false }
    }
    return { isTrue: true, unchecked, lateUnits: this.#unitsAfter(reveals) }
  }

  #unitsAfter(reveals: SlotFullMessage['reveals']): number {
    const last = Math.max(...reveals.map(({ index }) => index))
    return [...this.#sent].reduce((sum, [index, { units }]) => sum + (index > last ? units : 0), 0)
  }

  #isWin({ amount, commit, digest }: Sent, reveal: Uint8Array): boolean {
    const { crypto, pool } = this.#terms
    if (!equalBytes(commitOf(crypto, reveal), commit)) return false
    return isWin(crypto, pool.faceValue, amount, reveal, digest)
  }

  #remember(index: number, sent: Sent): void {
    this.#sent.set(index, sent)
    const [oldest] = this.#sent.keys()
    if (this.#sent.size > MAX_SENT && oldest !== undefined) this.#sent.delete(oldest)
  }
}

/** Protocol constant (change needs a spec change): SPEC §15.2, "never more than 128 that are unused". */
const MOST_COMMITS: number = 2 * MAX_COMMITS

/** Local limit (tunable): tickets of a slot whose wins can be checked; four gigabytes at an entry. */
const MAX_SENT = 4096
