/**
 * What a client remembers of the tickets that it signed for one slot, over all carriers on which the slot was shown: whether a win that a hop claims is one, and which
 * tickets came too late.
 * @module
 */

/** A ticket that was signed. */
export type SentTicket = {
  readonly units: number
  readonly amount: bigint
  readonly commit: Uint8Array
  readonly digest: Uint8Array
}

/** The tickets of one slot. Bounded: the oldest are forgotten. */
export interface SentTickets {
  /** Indices from here on were not signed since this memory began. */
  readonly end: number
  /** Adds a ticket; indices rise. */
  add(index: number, ticket: SentTicket): void
  get(index: number): SentTicket | undefined
  /** Forgets a ticket and gives it; undefined for one that is not remembered. */
  take(index: number): SentTicket | undefined
  /** The same for all tickets behind an index, lowest first. */
  takeBehind(index: number): readonly SentTicket[]
}

/** Creates a memory of nothing. */
export function createSentTickets(): SentTickets {
  const tickets = new Map<number, SentTicket>()
  let end = 0

  function take(index: number): SentTicket | undefined {
    const ticket = tickets.get(index)
    tickets.delete(index)
    return ticket
  }

  return {
    get end() {
      return end
    },
    add(index, ticket) {
      tickets.set(index, ticket)
      end = index + 1
      const [oldest] = tickets.keys()
      if (tickets.size > MAX_SENT && oldest !== undefined) tickets.delete(oldest)
    },
    get: (index) => tickets.get(index),
    take,
    takeBehind(index) {
      const behind = [...tickets.keys()].filter((other) => other > index)
      return behind.flatMap((other) => take(other) ?? [])
    },
  }
}

/** Local limit (tunable): tickets of a slot whose wins can be checked; four gigabytes at an entry. */
const MAX_SENT = 4096
