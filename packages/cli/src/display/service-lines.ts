/** What a node's proven service adds to its weight, as `byway node score` says it. */
import type { NodeScore } from '@byway/client'
import { type PaymentParameters, PROVEN_WINDOW_EPOCHS } from '@byway/protocol/directory'
import { formatAmount } from '../wallet/amounts.ts'
import type { ScoreLine } from './score-line.ts'

/** How amounts are said. */
export type TokenNames = Pick<PaymentParameters, 'tokenDecimals' | 'tokenSymbol'>

/** Says what the chain shows, or that it shows nothing yet; nothing in a network without service proofs. */
export function serviceLines(
  { factors, proven }: NodeScore,
  token: TokenNames | undefined,
): readonly ScoreLine[] {
  if (!proven || !token) return []
  if (proven.fees === 0n) return [UNPROVEN]
  const fees = `${formatAmount(proven.fees, token.tokenDecimals)} ${token.tokenSymbol}`
  const evidence = `${fees} of fees were burned for wins of ${proven.epochs} proven epochs of the last ${PROVEN_WINDOW_EPOCHS}, the chain says`
  return [{ reason: 'service', factor: factors.service, evidence, remedy: '' }]
}

const UNPROVEN: ScoreLine = {
  reason: 'service',
  factor: 1,
  evidence: `no wins of a proven epoch among the last ${PROVEN_WINDOW_EPOCHS} are on the chain; that takes nothing`,
  remedy:
    'let the node redeem its wins and stay online in the first days of each week, in which it commits to the one before; it counts from then on',
}
