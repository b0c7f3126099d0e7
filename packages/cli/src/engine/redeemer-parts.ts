/** The role of a redeemer around a node's engine: what sends others' claims, and what moves its fees on. */
import {
  createLeafCalls,
  createPoolCalls,
  createProofCalls,
  createRegistryCalls,
  createTokenCalls,
  tryCall,
  type Chain,
  type TransactionLane,
} from '@byway/chain'
import {
  createDoubleEditions,
  createFeeKeeper,
  createRedeemerService,
  createRelayer,
  type DoubleEditions,
  type FeeKeeper,
  type RedeemerService,
  type Relayer,
} from '@byway/node'
import type { PaymentParameters, StakeView } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool } from '@byway/protocol/ticket'
import type { PurseAccounts } from '@byway/purse'
import type { Store } from '@byway/store'
import { returnWaitS } from '../wallet/queued-returns.ts'
import type { EngineSetting } from './engine-options.ts'

/** What sends transactions, and where they are kept. */
export type LaneParts = {
  readonly store: Store
  readonly chain: Chain
  readonly lane: TransactionLane
}

// Local limits (tunable): docs/LIMITS.md.
/** Binds are cheaper in company: so long a node waits for more of its own, and a redeemer as long again for those of other providers. */
const BIND_WAIT_MS = 15 * 60_000
/** Neither waits longer than such a part of a lock, so that what redeemers leave undone can be left with others. */
const LOCK_PARTS = 4
/** What a redeemer waits in a network of this machine. */
const LOCAL_COMPANY_MS = 2000

/** How long a node waits for more binds of its own. */
export function bindWaitMsOf({ lockS }: PaymentParameters): number {
  return Math.min(BIND_WAIT_MS, (lockS * 1000) / LOCK_PARTS)
}

/** How long a redeemer keeps binds and later wins for those of other providers. */
export function companyMsOf({ network }: EngineSetting, payment: PaymentParameters): number {
  return network.local ? LOCAL_COMPANY_MS : bindWaitMsOf(payment)
}

/** The role of a redeemer, where the operator wants it. */
export function serviceOf(
  setting: EngineSetting,
  payment: PaymentParameters,
  { store, chain, lane }: LaneParts,
  onTaken: () => void,
): RedeemerService | undefined {
  if (!setting.config.node.redeemer) return undefined
  return createRedeemerService({
    records: store.handOvers,
    transactions: store.transactions,
    events: store.ledger,
    chain: chain.view,
    lane,
    calls: {
      ...createPoolCalls(payment.pool),
      proofs: payment.proofs?.contract && createProofCalls(payment.proofs.contract),
    },
    tryCall: (call, signal) => tryCall(chain.reader, lane.account, call, signal),
    coinPrice: coinPriceOf(setting, payment),
    companyMs: companyMsOf(setting, payment),
    nowMs: () => Date.now(),
    onTaken,
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

/** Shows what others have signed twice to the registry. */
export function editionsOf(
  setting: EngineSetting,
  payment: PaymentParameters,
  { store, chain, lane }: LaneParts,
  stakes: StakeView,
): DoubleEditions {
  return createDoubleEditions({
    lane,
    calls: createRegistryCalls(payment.registry),
    stakes,
    chain: chain.view,
    events: store.ledger,
    coinPrice: coinPriceOf(setting, payment),
    nowMs: () => Date.now(),
  })
}

/** The token's smallest parts for a whole coin. */
export function coinPriceOf(
  { config }: EngineSetting,
  { tokenDecimals }: PaymentParameters,
): bigint {
  return BigInt(config.node.coinPrice) * 10n ** BigInt(tokenDecimals)
}

/** A redeemer sends clients' slots back too. */
export function relayerOf(
  setting: EngineSetting,
  payment: PaymentParameters,
  { store, chain, lane }: LaneParts,
): Relayer | undefined {
  if (!setting.config.node.redeemer) return undefined
  const { lockS, refundDelayS, closeDelayS } = payment
  return createRelayer({
    records: store.handOvers,
    transactions: store.transactions,
    events: store.ledger,
    chain: chain.view,
    lane,
    calls: { ...createPoolCalls(payment.pool), ...createLeafCalls(payment.pool) },
    tryCall: (call, signal) => tryCall(chain.reader, lane.account, call, signal),
    readBaseFee: async (signal) => (await chain.reader.freshHead(signal)).baseFee,
    fee: payment.unit,
    coinPrice: coinPriceOf(setting, payment),
    pool: createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue }),
    lockS,
    refundDelayS,
    closeDelayS,
    batchWaitS: returnWaitS(setting.network.local),
    nowMs: () => Date.now(),
  })
}
