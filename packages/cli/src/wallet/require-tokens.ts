/** Before a call takes tokens from the owner's account: whether it has them. */
import { formatAmount } from './amounts.ts'
import type { PaidNetwork } from './open-wallet.ts'
import { walletError } from './wallet-errors.ts'

/** @throws WALLET_AMOUNT that says what is missing, and what the chain throws */
export async function requireTokens(
  { chainOf, payment }: Pick<PaidNetwork, 'chainOf' | 'payment'>,
  owner: Uint8Array,
  amount: bigint,
  signal: AbortSignal,
): Promise<void> {
  const have = await chainOf('provider').view.tokenBalance(owner, signal)
  if (have >= amount) return
  const missing = formatAmount(amount - have, payment.tokenDecimals)
  const problem = `the owner’s account lacks ${missing} ${payment.tokenSymbol}; \`byway wallet show\` names it`
  throw walletError('WALLET_AMOUNT', { problem })
}
