/** What a running client answers commands with money about the chain: a node's word over its own circuits, and what it reads whole anyway. */
import type { ChainView } from '@byway/chain'
import type { ClientChainSeat } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { ChainAnswers } from '../control/chain-questions.ts'
import type { FollowedFacts } from '../ledger/slot-facts.ts'
import { runError } from './run-errors.ts'

export type CommandChainDeps = {
  readonly payment: Pick<PaymentParameters, 'chainId' | 'pool'>
  readonly view: Pick<ChainView, 'leaves'>
  readonly facts: Pick<FollowedFacts, 'of' | 'untilCurrent'>
  /** The user wants nobody asked but the endpoints (`client.chain_through`). */
  readonly isDirect: boolean
  /** None before the client has started. */
  readonly seats: () => readonly ClientChainSeat[]
}

// Local limit (tunable): docs/LIMITS.md.
/** Of one answer: below a megabyte. */
const LEAVES_A_PAGE = 5000

/** Creates the answers. */
export function createChainAnswers(deps: CommandChainDeps): ChainAnswers {
  const { payment, view, facts, isDirect, seats } = deps
  return {
    about: () => ({
      chainId: payment.chainId,
      pool: toHex(payment.pool),
      isDirect,
      seats: seats().length,
    }),
    async ask(at, question, signal) {
      const seat = seats()[at]
      if (!seat) throw runError('RUN_CHAIN_SEAT', {})
      const { verdict, body } = await seat.ask(question, signal)
      return { verdict, body: toHex(body) }
    },
    leave() {
      for (const seat of seats()) seat.replace(false)
      return {}
    },
    async leaves(from, signal) {
      const page = (await view.leaves(from, signal)).slice(0, LEAVES_A_PAGE)
      const isLast = page.length < LEAVES_A_PAGE
      return {
        leaves: page.map(({ leaf, idc, limit }) => [String(leaf), String(idc), limit]),
        next: isLast ? null : from + page.length,
      }
    },
    async slots(nullifiers, signal) {
      await facts.untilCurrent(signal)
      return { states: nullifiers.map((nullifier) => facts.of(nullifier)?.state ?? null) }
    },
  }
}
