/** A node's money around its engine: purse, store and chain, the lane that sends its transactions, and the redemption of its wins. */
import {
  createPoolCalls,
  createTransactionLane,
  keepLooking,
  type Chain,
  type LaneAlert,
  type TransactionLane,
} from '@byway/chain'
import {
  createGasWatch,
  createRedeemers,
  createRedemption,
  createRootKeeper,
  keepRedeeming,
  type BatchPolicy,
  type GasWatch,
  type MoneyStatus,
  type NodePaymentOptions,
  type Redeemers,
  type RedeemerService,
  type Redemption,
  type RedemptionAlert,
  type RootKeeper,
  type RunningNode,
} from '@byway/node'
import type { Logger } from '@byway/protocol/base'
import type { PaymentParameters, StakeSource } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool, type Pool, type SlotVerifier } from '@byway/protocol/ticket'
import type { Purse } from '@byway/purse'
import { createReceiptCrypto, createSlotVerifier, createZkEngine } from '@byway/zk'
import type { ProofAnswers } from '../control/control-socket.ts'
import { earningsFields, earningsOf } from '../display/earnings.ts'
import {
  alertFields,
  createNodeAlerts,
  type NodeAlert,
  type NodeAlerts,
} from '../display/node-alerts.ts'
import { followProvider } from '../ledger/follow-provider.ts'
import { ledgerPage } from '../ledger/ledger-page.ts'
import type { JsonObject } from '../output.ts'
import { proofAnswers } from '../proof/own-receipts.ts'
import type { EngineSetting } from './engine-options.ts'
import { openMoneyParts, type MoneyParts } from './money-parts.ts'
import { coinPriceOf, feesOf, relayerOf, serviceOf, type LaneParts } from './redeemer-parts.ts'

export interface NodeMoneyRun extends AsyncDisposable {
  readonly payment: NodePaymentOptions
  /** Undefined where descriptors are not held against the registry. */
  readonly stakes: StakeSource | undefined
  /** The error that ended redemption, such as a disk that failed: the node must end too. Never rejects. */
  readonly failure: Promise<unknown>
  /** Lets claims go to redeemers over the links of a node. */
  attach(node: RunningNode): void
  /** Leaves open wins with redeemers, before a stop. Never rejects. */
  leave(): Promise<void>
  /** A page of the books, for `byway ledger`. */
  readonly ledger: (afterSequence: number) => Promise<JsonObject>
  /** For `byway proof make`. */
  readonly proofs: ProofAnswers
  /** For `byway status`. @param money - what the node itself counts */
  status(money: MoneyStatus | undefined): JsonObject
}

// Local limits (tunable): docs/LIMITS.md.
/** About a block of the chains that we know. */
const LOOK_MS = 1000
/** Nothing is open: a new win does not wait for this. */
const IDLE_LOOK_MS = 15_000
/** Nobody redeems a win of a few cents at this; a call names its own cap where it is worth more or less. */
const FEE_CAP_WEI = 50_000_000_000n
/** Binds are cheaper in company: so long they wait for it, and never longer than a quarter of what the lock leaves. */
const BIND_WAIT_MS = 30 * 60_000
/** The same for later wins, which nobody can take any more. */
const CLAIM_WAIT_MS = 6 * 3_600_000
/** What a redeemer gets of a win, in hundredths; the contract allows 12. */
const REDEEMER_FEE_PERCENT = 10n
/** And of a lock, which takes a seventh of the gas of a bind. */
const LOCK_FEE_PERCENT = 2n
/** A stop waits no longer for redeemers: each tries the calls on the chain and writes to its disk first. */
const LEAVE_MS = 15_000

/** Opens it. @throws what `openMoneyParts` throws */
export async function openNodeMoney(
  setting: EngineSetting,
  payment: PaymentParameters,
  onAlert: (alert: NodeAlert) => void,
): Promise<NodeMoneyRun> {
  await using parts = new AsyncDisposableStack()
  const log = setting.log.child('money')
  const { purse, store, chain, registry } = await openMoneyParts(setting, payment, 'node', parts)
  const verifier = verifierOf(payment, parts)
  const lane = parts.use(openLane(payment, { purse, store, chain }, log))
  const failure = Promise.withResolvers<unknown>()
  const failed = (error: unknown): void => {
    log.error('money has stopped: wins are not redeemed', {})
    failure.resolve(error)
  }
  parts.use(watchLane(lane, failed))
  const receipts = payment.proofs && parts.use(createReceiptCrypto())
  const { priceStep } = setting.config.node
  let node: RunningNode | undefined
  const service = serviceOf(setting, payment, { store, chain, lane })
  const fees = service && feesOf(payment, purse.accounts, { store, chain, lane })
  const relayer = relayerOf(setting, payment, { store, chain, lane })
  parts.use(keepBooks(payment, { store, chain }, purse.accounts.provider, log))
  const { provider } = purse.accounts
  const alerts = alertsOf(provider, service, onAlert)
  const gas = gasWatchOf(chain, provider, alerts)
  const redeemers = redeemersOf(payment, purse, () => node)
  const others = { redeemers, provider, alerts }
  const redemption = redemptionOf(setting, payment, { store, chain, lane }, others)
  const keeper = keeperOf(payment, { store, chain, lane })
  const look: typeof redemption.look = async (signal) => {
    for (const each of [service, fees, relayer, keeper, gas]) await each?.look(signal)
    return redemption.look(signal)
  }
  const running = parts.use(
    keepRedeeming({ redemption: { look }, ...paceOf(service), onEnded: failed }),
  )
  const owned = parts.move()
  return {
    payment: {
      chain: chain.view,
      store,
      verifier,
      provider,
      priceStep,
      onWin: () => running.wake(),
      onBulk: ({ nullifier }) => {
        redemption.lockAhead(nullifier)
        running.wake()
      },
      receipts,
      redeemer: service,
      relayer,
    },
    stakes: registry,
    failure: failure.promise,
    attach: (started) => void (node = started),
    async leave() {
      // What was won since the last look counts too.
      await redemption.leave(AbortSignal.timeout(LEAVE_MS)).catch(() => 0)
    },
    ledger: (after) => ledgerPage(store.ledger, after),
    proofs: proofAnswers(store),
    status: (money) => ({
      ...statusOf({ money, priceStep, openWins: running.status?.open ?? 0 }, payment),
      alerts: alerts.standing.map(alertFields),
    }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function statusOf(
  counts: { money: MoneyStatus | undefined; priceStep: number; openWins: number },
  payment: PaymentParameters,
): JsonObject {
  const { openWins, priceStep } = counts
  const earned = earningsOf(counts, payment)
  return { openWins, priceStep, earnings: earned ? earningsFields(earned, payment) : null }
}

function alertsOf(
  account: Uint8Array,
  service: RedeemerService | undefined,
  onAlert: (alert: NodeAlert) => void,
): NodeAlerts {
  const feePercent = Number(REDEEMER_FEE_PERCENT)
  return createNodeAlerts({ account, isRedeemer: service !== undefined, feePercent, onAlert })
}

function gasWatchOf({ view, reader }: Chain, account: Uint8Array, alerts: NodeAlerts): GasWatch {
  return createGasWatch({
    chain: view,
    baseFee: async (signal) => (await reader.head(signal)).baseFee,
    account,
    onChange: (state) => alerts.onGas(state),
    nowMs: () => performance.now(),
  })
}

/** The lane of the account that pays the gas. */
function openLane(
  { chainId, confirmations }: PaymentParameters,
  { purse, store, chain }: Pick<MoneyParts, 'purse' | 'store' | 'chain'>,
  log: Logger,
): TransactionLane {
  return createTransactionLane({
    reader: chain.reader,
    chainId,
    signer: purse.transactionSigner('provider'),
    store: store.transactions,
    confirmations,
    feeCap: FEE_CAP_WEI,
    onAlert: (alert) => warnOfLane(log, alert),
  })
}

/** Looks at the lane's transactions with each block, until disposed. */
function watchLane(lane: TransactionLane, failed: (error: unknown) => void): AsyncDisposable {
  const stop = new AbortController()
  const looking = keepLooking(lane, { everyMs: LOOK_MS, signal: stop.signal }).catch(failed)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
    },
  }
}

/** Books what only the chain knows. */
function keepBooks(
  payment: PaymentParameters,
  { store, chain }: Pick<MoneyParts, 'store' | 'chain'>,
  provider: Uint8Array,
  log: Logger,
): AsyncDisposable {
  const stop = new AbortController()
  const { deployBlock: fromBlock, confirmations } = payment
  const place = { ledger: store.ledger, chain: chain.view, fromBlock, confirmations }
  const lockFee = lockFeeOf(payment)
  const following = followProvider(
    { ...place, provider, lockFee, nowMs: () => Date.now() },
    stop.signal,
    // Wins are redeemed without it, and the next start reads the chain from the beginning.
  ).catch(() => log.warn('stake and payouts are not booked until the next start'))
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await following
    },
  }
}

function lockFeeOf({ winValue }: PaymentParameters): bigint {
  return (winValue * LOCK_FEE_PERCENT) / 100n
}

/** Others who send our claims when the account has no gas, and while the home sleeps. */
function redeemersOf(
  payment: PaymentParameters,
  purse: Purse,
  node: () => RunningNode | undefined,
): Redeemers {
  return createRedeemers({
    pool: poolOf(payment),
    provider: purse.accounts.provider,
    fee: (payment.winValue * REDEEMER_FEE_PERCENT) / 100n,
    lockFee: lockFeeOf(payment),
    sign: (terms) => purse.signRedeemTerms(terms),
    candidates: () => node()?.knownNodes() ?? [],
    ask: async (nodeId, order, signal) => node()?.askRedeemer(nodeId, order, signal),
  })
}

type RedemptionSides = {
  readonly redeemers: Redeemers
  readonly provider: Uint8Array
  readonly alerts: NodeAlerts
}

/** Locks, binds and claims what was won. */
function redemptionOf(
  setting: EngineSetting,
  payment: PaymentParameters,
  { store, chain, lane }: LaneParts,
  { redeemers, provider, alerts }: RedemptionSides,
): Redemption {
  const log = setting.log.child('money')
  return createRedemption({
    store,
    chain: chain.view,
    calls: createPoolCalls(payment.pool),
    lane,
    redeemers,
    events: store.ledger,
    provider,
    winsPerSlot: payment.winsPerSlot,
    heldPerWin: 0n,
    confirmations: payment.confirmations,
    policy: policyOf(payment),
    worth: { winValue: payment.winValue, coinPrice: coinPriceOf(setting, payment) },
    nowMs: () => Date.now(),
    onAlert(alert) {
      warnOfWins(log, alert)
      alerts.onWins(alert)
    },
    onAlertOver: (type) => alerts.onWinsOver(type),
  })
}

/** Kept ready: a client that comes over from a relay that died waits for nothing but a round trip. */
function verifierOf(payment: PaymentParameters, parts: AsyncDisposableStack): SlotVerifier {
  const engine = parts.use(createZkEngine({ readyToVerify: 'slot' }))
  return createSlotVerifier(engine, poolOf(payment))
}

function poolOf(payment: PaymentParameters): Pool {
  return createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
}

/** Publishes roots, with what gas there is. */
function keeperOf(
  { pool, rootIntervalS }: PaymentParameters,
  { store, chain, lane }: LaneParts,
): RootKeeper {
  return createRootKeeper({
    chain: chain.view,
    lane,
    calls: createPoolCalls(pool),
    events: store.ledger,
    rootIntervalS,
    random: Math.random,
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
  })
}

/** What others hand over to a redeemer wakes nobody: it goes on looking. */
function paceOf(service: RedeemerService | undefined): { everyMs: number; idleMs: number } {
  return { everyMs: LOOK_MS, idleMs: service ? LOOK_MS : IDLE_LOOK_MS }
}

function policyOf({ lockS, refundDelayS, closeDelayS }: PaymentParameters): BatchPolicy {
  return {
    bindWaitMs: Math.min(BIND_WAIT_MS, (lockS * 1000) / 4),
    claimWaitMs: Math.min(CLAIM_WAIT_MS, (closeDelayS * 1000) / 4),
    delays: { lockS, refundDelayS, closeDelayS },
  }
}

function warnOfLane(log: Logger, alert: LaneAlert): void {
  const count = 'blocks' in alert ? alert.blocks : undefined
  log.warn('transaction', { event: alert.type, count })
}

function warnOfWins(log: Logger, alert: RedemptionAlert): void {
  const count = 'winners' in alert ? alert.winners : undefined
  log.warn('wins', { event: alert.type, count })
}
