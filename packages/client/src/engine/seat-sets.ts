/**
 * Which nodes a client asks about which of its user's accounts (SPEC §15.9). A node that is asked about two accounts over one circuit knows that they are one person's: of a payer's account and a
 * node's that would name the node whose operator pays. So each account has seats of its own, and so has what every client asks.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import { createChainSeats, type ChainSeatsDeps, type ClientChainSeat } from './chain-seats.ts'

/** `funds`: the account that pays. `provider`: a node's, and its owner's, whom the registry names together. `nobody`: questions that name no account of the user's. */
export type AskedFor = 'funds' | 'provider' | 'nobody'

/** The seats of a client. */
export type SeatSets = {
  /** For what every client asks all the time. */
  readonly routine: readonly ClientChainSeat[]
  /** For commands, over circuits that end soon after: whoever is asked all the time shall not learn whose account this is. */
  readonly for: (account: AskedFor) => readonly ClientChainSeat[]
}

// Local limit (tunable): docs/LIMITS.md.
/** Longer than a command is silent between two questions. */
const OWN_SEAT_IDLE_MS = 30_000

/** Creates them, all empty. Each takes nodes that no other asks, where there are enough. */
export function createSeatSets(
  deps: Omit<ChainSeatsDeps, 'idleMs' | 'isAskedElsewhere'>,
): SeatSets {
  const all = new Map<AskedFor | 'routine', readonly ClientChainSeat[]>()
  const create = (name: AskedFor | 'routine'): readonly ClientChainSeat[] => {
    const isAskedElsewhere = (key: NodeKey): boolean =>
      [...all].some(([other, seats]) => {
        return other !== name && seats.some(({ holder }) => holder === key)
      })
    const idleMs = name === 'routine' ? undefined : OWN_SEAT_IDLE_MS
    const seats = createChainSeats({ ...deps, isAskedElsewhere, idleMs })
    all.set(name, seats)
    return seats
  }
  const routine = create('routine')
  const own = {
    funds: create('funds'),
    provider: create('provider'),
    nobody: create('nobody'),
  } satisfies Record<AskedFor, readonly ClientChainSeat[]>
  return { routine, for: (account) => own[account] }
}
