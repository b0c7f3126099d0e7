/**
 * The tickets of one slot at one hop (SPEC §13.4): signs them, and remembers the newest, so that the wins that a hop shows can be checked.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'
import { isWin, ticketDigest } from '@byway/protocol/ticket'
import type { Pool } from '@byway/protocol/ticket'
import { PAY, TICKET_NONCE_BYTES } from '@byway/protocol/wire'
import type { SlotFullMessage, TicketMessage } from '@byway/protocol/wire'
import type { ShownSlot } from './slot-keeper.ts'

// Local limit (tunable): docs/LIMITS.md.
/** Tickets of a slot whose wins can be checked: some gigabytes at an entry. */
const MAX_SENT = 4096

/** What a hop has committed to for one index. */
export type Commit = { readonly index: number; readonly commit: Uint8Array }

export type TicketBookDeps = {
  readonly crypto: TicketCrypto
  readonly pool: Pool
  readonly randomBytes: (count: number) => Uint8Array
}

/** The tickets of one slot. */
export interface TicketBook {
  /** Signs a ticket. @param provider - 20 bytes: who it is made out to */
  sign(
    provider: Uint8Array,
    commit: Commit,
    ticket: { readonly units: number; readonly amount: bigint },
  ): TicketMessage
  /** Takes a ticket out that was refused; returns its units, or undefined for one that was not sent. */
  refuse(index: number): number | undefined
  /** SPEC §15.2: true when the hop shows `K` wins and none of them is false. One whose ticket is not remembered passes. */
  holds(full: SlotFullMessage): boolean
}

/** Creates the book of a slot that is about to be used. */
export function createTicketBook(deps: TicketBookDeps, slot: ShownSlot): TicketBook {
  return new Book(deps, slot)
}

type Sent = {
  readonly units: number
  readonly amount: bigint
  readonly commit: Uint8Array
  readonly digest: Uint8Array
}

class Book implements TicketBook {
  readonly #deps: TicketBookDeps
  readonly #slot: ShownSlot
  /** By index, oldest first. */
  readonly #sent = new Map<number, Sent>()

  constructor(deps: TicketBookDeps, slot: ShownSlot) {
    this.#deps = deps
    this.#slot = slot
  }

  sign(
    provider: Uint8Array,
    { index, commit }: Commit,
    { units, amount }: { readonly units: number; readonly amount: bigint },
  ): TicketMessage {
    const { crypto, pool, randomBytes } = this.#deps
    const { nullifier, sessionKey } = this.#slot
    // SPEC §13.4: the nonce is drawn after the commit has come.
    const nonce = randomBytes(TICKET_NONCE_BYTES)
    const scope = { pool, provider, nullifier }
    const digest = ticketDigest(crypto, scope, { index, amount, commit, nonce })
    this.#sent.set(index, { units, amount, commit, digest })
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size <= MAX_SENT) break
      this.#sent.delete(oldest)
    }
    const signature = crypto.signDigest(sessionKey, digest)
    return { kind: PAY.TICKET, index, amount, nonce, signature }
  }

  refuse(index: number): number | undefined {
    const units = this.#sent.get(index)?.units
    this.#sent.delete(index)
    return units
  }

  holds({ reveals }: SlotFullMessage): boolean {
    const { crypto, pool } = this.#deps
    const isTrue = reveals.every(({ index, reveal }) => {
      const ticket = this.#sent.get(index)
      if (!ticket) return true
      const isCommitted = equalBytes(crypto.sha256(reveal), ticket.commit)
      return isCommitted && isWin(crypto, pool.faceValue, ticket.amount, reveal, ticket.digest)
    })
    return isTrue && reveals.length >= pool.winsPerSlot
  }
}
