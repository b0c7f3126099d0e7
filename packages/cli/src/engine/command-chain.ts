/** What a running client answers commands with money about the chain: a node's word over its own circuits, and what it reads whole anyway. */
import type { ChainView } from '@byway/chain'
import type { AskedFor, ClientChainSeat, SeatSets } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { ChainAnswers } from '../control/chain-questions.ts'
import type { FollowedFacts } from '../ledger/slot-facts.ts'
import { runError } from './run-errors.ts'

/** What a client has once it runs. */
export type CommandChainParts = {
  readonly view: Pick<ChainView, 'leaves'>
  readonly facts: Pick<FollowedFacts, 'of' | 'untilCurrent'>
  readonly seats: Pick<SeatSets, 'for'>
}

// Local limit (tunable): docs/LIMITS.md.
/** Of one answer: below a megabyte. */
const LEAVES_A_PAGE = 5000

/**
 * Creates the answers.
 * @param isDirect - the user wants nobody asked but the endpoints (`client.chain_through`)
 * @param partsNow - undefined before the client has started
 */
export function createChainAnswers(
  { chainId, pool }: Pick<PaymentParameters, 'chainId' | 'pool'>,
  isDirect: boolean,
  partsNow: () => CommandChainParts | undefined,
): ChainAnswers {
  const running = (): CommandChainParts => {
    const parts = partsNow()
    if (!parts) throw runError('RUN_STARTING', {})
    return parts
  }
  const seatsFor = (account: AskedFor): readonly ClientChainSeat[] => running().seats.for(account)
  return {
    about: () => ({
      chainId,
      pool: toHex(pool),
      isDirect,
      seats: partsNow()?.seats.for('nobody').length ?? 0,
    }),
    async ask(account, at, question, signal) {
      const seat = seatsFor(account)[at]
      if (!seat) throw runError('RUN_CHAIN_SEAT', {})
      const { verdict, body } = await seat.ask(question, signal)
      return { verdict, body: toHex(body) }
    },
    leave(account) {
      for (const seat of seatsFor(account)) seat.replace(false)
      return {}
    },
    async leaves(from, signal) {
      const page = (await running().view.leaves(from, signal)).slice(0, LEAVES_A_PAGE)
      const isLast = page.length < LEAVES_A_PAGE
      return {
        leaves: page.map(({ leaf, idc, limit }) => [String(leaf), String(idc), limit]),
        next: isLast ? null : from + page.length,
      }
    },
    async slots(nullifiers, signal) {
      const { facts } = running()
      await facts.untilCurrent(signal)
      return { states: nullifiers.map((nullifier) => facts.of(nullifier)?.state ?? null) }
    },
  }
}
