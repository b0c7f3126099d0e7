/** The role of a redeemer around a node's engine: what sends others' claims, and what moves its fees on. */
import {
  createPoolCalls,
  createTokenCalls,
  tryCall,
  type Chain,
  type TransactionLane,
} from '@byway/chain'
import {
  createFeeKeeper,
  createRedeemerService,
  type FeeKeeper,
  type RedeemerService,
} from '@byway/node'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { PurseAccounts } from '@byway/purse'
import type { Store } from '@byway/store'
import type { EngineSetting } from './engine-options.ts'

/** What sends transactions, and where they are kept. */
export type LaneParts = {
  readonly store: Store
  readonly chain: Chain
  readonly lane: TransactionLane
}

/** The role of a redeemer, where the operator wants it. */
export function serviceOf(
  setting: EngineSetting,
  payment: PaymentParameters,
  { store, chain, lane }: LaneParts,
): RedeemerService | undefined {
  if (!setting.config.node.redeemer) return undefined
  return createRedeemerService({
    records: store.handOvers,
    events: store.ledger,
    chain: chain.view,
    lane,
    calls: createPoolCalls(payment.pool),
    tryCall: (call, signal) => tryCall(chain.reader, lane.account, call, signal),
    coinPrice: coinPriceOf(setting, payment),
    nowMs: () => Date.now(),
  })
}

/** Fees go to the owner's account, or where the purse has none, to that of its money. */
export function feesOf(
  { token, winValue }: PaymentParameters,
  { owner, funds }: PurseAccounts,
  { store, chain, lane }: LaneParts,
): FeeKeeper {
  return createFeeKeeper({
    chain: chain.view,
    lane,
    calls: createTokenCalls(token),
    events: store.ledger,
    to: owner ?? funds,
    least: winValue,
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
  })
}

/** The token's smallest parts for a whole coin. */
export function coinPriceOf(
  { config }: EngineSetting,
  { tokenDecimals }: PaymentParameters,
): bigint {
  return BigInt(config.node.coinPrice) * 10n ** BigInt(tokenDecimals)
}
