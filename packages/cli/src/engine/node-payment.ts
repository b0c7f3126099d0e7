/** A node's money around its engine: purse, store and chain, the lane that sends its transactions, and the redemption of its wins. */
import { createPoolCalls, createTransactionLane, keepLooking, type LaneAlert } from '@byway/chain'
import {
  createRedemption,
  keepRedeeming,
  type BatchPolicy,
  type NodePaymentOptions,
  type RedemptionAlert,
} from '@byway/node'
import type { Logger } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { ledgerPage } from '../ledger/ledger-page.ts'
import type { JsonObject } from '../output.ts'
import type { EngineSetting } from './engine-options.ts'
import { openMoneyParts } from './money-parts.ts'

export interface NodeMoneyRun extends AsyncDisposable {
  readonly payment: NodePaymentOptions
  /** A page of the books, for `byway ledger`. */
  readonly ledger: (afterSequence: number) => Promise<JsonObject>
  /** For `byway status`: numbers only. */
  status(): JsonObject
}

// Local limits (tunable): docs/LIMITS.md.
/** About a block of the chains that we know. */
const LOOK_MS = 1000
/** Nobody redeems a win of a few cents at this; a call names its own cap where it is worth more or less. */
const FEE_CAP_WEI = 50_000_000_000n
/** Binds are cheaper in company: so long they wait for it, and never longer than a quarter of what the lock leaves. */
const BIND_WAIT_MS = 30 * 60_000
/** The same for later wins, which nobody can take any more. */
const CLAIM_WAIT_MS = 6 * 3_600_000

/** Opens it. @throws what `openMoneyParts` throws */
export async function openNodeMoney(
  setting: EngineSetting,
  payment: PaymentParameters,
): Promise<NodeMoneyRun> {
  await using parts = new AsyncDisposableStack()
  const log = setting.log.child('money')
  const { purse, store, chain } = await openMoneyParts(setting, payment, 'node', parts)
  const lane = parts.use(
    createTransactionLane({
      reader: chain.reader,
      chainId: payment.chainId,
      signer: purse.transactionSigner('provider'),
      store: store.transactions,
      confirmations: payment.confirmations,
      feeCap: FEE_CAP_WEI,
      onAlert: (alert) => warnOfLane(log, alert),
    }),
  )
  const stop = new AbortController()
  const failed = (): void => log.error('money has stopped: wins are not redeemed', {})
  const looking = keepLooking(lane, { everyMs: LOOK_MS, signal: stop.signal }).catch(failed)
  parts.defer(async () => {
    stop.abort()
    await looking
  })
  const { provider } = purse.accounts
  const redemption = createRedemption({
    store,
    chain: chain.view,
    calls: createPoolCalls(payment.pool),
    lane,
    redeemers: undefined,
    events: store.ledger,
    provider,
    winsPerSlot: payment.winsPerSlot,
    confirmations: payment.confirmations,
    policy: policyOf(payment),
    worth: { winValue: payment.winValue, coinPrice: coinPriceOf(setting, payment) },
    nowMs: () => Date.now(),
    onAlert: (alert) => warnOfWins(log, alert),
  })
  const running = parts.use(keepRedeeming({ redemption, everyMs: LOOK_MS, onEnded: failed }))
  const owned = parts.move()
  return {
    payment: {
      chain: chain.view,
      store,
      provider,
      priceStep: setting.config.node.priceStep,
      onWin: () => running.wake(),
    },
    ledger: (after) => ledgerPage(store.ledger, after),
    status: () => ({
      openWins: running.status?.open ?? 0,
      priceStep: setting.config.node.priceStep,
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function policyOf({ lockS, refundDelayS, closeDelayS }: PaymentParameters): BatchPolicy {
  return {
    bindWaitMs: Math.min(BIND_WAIT_MS, (lockS * 1000) / 4),
    claimWaitMs: Math.min(CLAIM_WAIT_MS, (closeDelayS * 1000) / 4),
    delays: { lockS, refundDelayS, closeDelayS },
  }
}

/** The token's smallest parts for a whole coin. */
function coinPriceOf({ config }: EngineSetting, { tokenDecimals }: PaymentParameters): bigint {
  return BigInt(config.node.coinPrice) * 10n ** BigInt(tokenDecimals)
}

function warnOfLane(log: Logger, alert: LaneAlert): void {
  const count = 'blocks' in alert ? alert.blocks : undefined
  log.warn('transaction', { event: alert.type, count })
}

function warnOfWins(log: Logger, alert: RedemptionAlert): void {
  const count = 'winners' in alert ? alert.winners : undefined
  log.warn('wins', { event: alert.type, count })
}
