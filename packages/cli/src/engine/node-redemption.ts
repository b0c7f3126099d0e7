/** What a node does with wins: its own are locked, bound and claimed, others' are sent where it redeems, roots are published, and its operator is told what it lacks. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPoolCalls, type Chain } from '@byway/chain'
import {
  createGasWatch,
  createPayoutWatch,
  createRedeemers,
  createRedemption,
  createRootKeeper,
  isPassing,
  keepRedeeming,
  type BatchPolicy,
  type DoubleEditions,
  type GasWatch,
  type PayoutWatch,
  type Redeemers,
  type RedeemerService,
  type Redemption,
  type RedemptionAlert,
  type Relayer,
  type RootKeeper,
  type RunningNode,
  type RunningRedemption,
} from '@byway/node'
import type { Logger } from '@byway/protocol/base'
import { unitRandom, type PaymentParameters, type StakeView } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool, type Pool } from '@byway/protocol/ticket'
import type { Purse } from '@byway/purse'
import { createNodeAlerts, type NodeAlert, type NodeAlerts } from '../display/node-alerts.ts'
import { heldPerWin } from '../ledger/held-back.ts'
import type { EngineSetting } from './engine-options.ts'
import { epochKeeperOf } from './proof-parts.ts'
import {
  bindWaitMsOf,
  coinPriceOf,
  companyMsOf,
  feesOf,
  relayerOf,
  serviceOf,
  type LaneParts,
  editionsOf,
} from './redeemer-parts.ts'

// Local limits (tunable): docs/LIMITS.md.
/** About a block of the chains that we know. */
export const LOOK_MS = 1000
/** Nothing is open: a new win does not wait for this. */
const IDLE_LOOK_MS = 15_000
/** The same for later wins, which nobody can take any more. */
const CLAIM_WAIT_MS = 8 * 3_600_000
/** What a redeemer gets of a win, in hundredths; the contract allows 12. */
const REDEEMER_FEE_PERCENT = 10n
/** And of a lock, which takes a seventh of the gas of a bind. */
const LOCK_FEE_PERCENT = 2n

/** What is around it. */
export type Around = {
  readonly setting: EngineSetting
  readonly payment: PaymentParameters
  readonly purse: Purse
  readonly log: Logger
  readonly onAlert: (alert: NodeAlert) => void
  readonly failed: (error: unknown) => void
  /** Once it runs. */
  readonly node: () => RunningNode | undefined
}

/** All that is done with wins, our own and others'. */
export function startRedeeming(
  { setting, payment, purse, log, onAlert, failed, node }: Around,
  { store, chain, lane }: LaneParts,
  parts: AsyncDisposableStack,
): Redeeming {
  const { provider } = purse.accounts
  const service = serviceOf(setting, payment, { store, chain, lane }, () => running.wake())
  const fees = service && feesOf(payment, purse.accounts, { store, chain, lane })
  const relayer = relayerOf(setting, payment, { store, chain, lane })
  const alerts = alertsOf(provider, service, onAlert)
  const gas = gasWatchOf(chain, provider, alerts)
  const payout = payoutWatchOf(chain, provider, alerts)
  const others = { redeemers: redeemersOf(payment, purse, node), provider, alerts, log }
  const redemption = redemptionOf(setting, payment, { store, chain, lane }, others)
  const keeper = keeperOf(payment, { chain, lane })
  const forOthers = async (signal: AbortSignal): Promise<void> => {
    for (const each of [keeper, relayer]) await each?.look(signal)
  }
  // Newcomers wait for roots, and slots for their way back: who redeems does both soon.
  parts.use(keepAt(forOthers, service ? LOOK_MS : IDLE_LOOK_MS, failed))
  const epochs = epochKeeperOf(
    setting,
    payment,
    { store, chain, lane },
    { ...others, maxFee: winFeeOf(payment), leave: (proof) => node()?.leaveProof(proof) },
  )
  if (epochs) parts.use(keepAt((signal) => epochs.look(signal), IDLE_LOOK_MS, failed))
  const look: typeof redemption.look = async (signal) => {
    for (const each of [service, fees, gas, payout]) await each?.look(signal)
    return redemption.look(signal)
  }
  const running = parts.use(
    keepRedeeming({
      redemption: { look },
      everyMs: LOOK_MS,
      idleMs: IDLE_LOOK_MS,
      isBusy: () => service?.isBusy ?? false,
      onEnded: failed,
    }),
  )
  return { service, relayer, alerts, redemption, running }
}

/** All of it, at work. */
export type Redeeming = {
  readonly service: RedeemerService | undefined
  readonly relayer: Relayer | undefined
  readonly alerts: NodeAlerts
  readonly redemption: Redemption
  readonly running: RunningRedemption
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
    baseFee: baseFeeOf({ reader }),
    account,
    onChange: (state) => alerts.onGas(state),
    nowMs: () => performance.now(),
  })
}

function payoutWatchOf({ view }: Chain, provider: Uint8Array, alerts: NodeAlerts): PayoutWatch {
  return createPayoutWatch({
    chain: view,
    provider,
    onChange: (change) => alerts.onPayout(change),
    nowMs: () => performance.now(),
  })
}

/** Of a unit of gas in the newest block, wei. */
function baseFeeOf({ reader }: Pick<Chain, 'reader'>): (signal: AbortSignal) => Promise<bigint> {
  return async (signal) => (await reader.head(signal)).baseFee
}

/** Shows what others have signed twice to the registry, as long as the node runs. */
export function showEditions(
  { setting, payment, failed }: Pick<Around, 'setting' | 'payment' | 'failed'>,
  lane: LaneParts,
  stakes: StakeView,
  parts: AsyncDisposableStack,
): DoubleEditions {
  const editions = editionsOf(setting, payment, lane, stakes)
  parts.use(keepAt((signal) => editions.look(signal), IDLE_LOOK_MS, failed))
  return editions
}

/** Looks again and again, until disposed, or until something stands in the way that does not pass. */
export function keepAt(
  look: (signal: AbortSignal) => Promise<unknown>,
  everyMs: number,
  failed: (error: unknown) => void,
): AsyncDisposable {
  const stop = new AbortController()
  const { signal } = stop
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await look(signal).catch((error: unknown) => {
        // The disk has no room, say: the next look does the same again.
        if (!isPassing(error)) throw error
      })
      await sleep(everyMs, undefined, { signal }).catch(() => {})
    }
  }
  const ended = run().catch((error: unknown) => {
    if (!signal.aborted) failed(error)
  })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

/** What we promise a redeemer for a lock. */
export function lockFeeOf({ winValue }: PaymentParameters): bigint {
  return (winValue * LOCK_FEE_PERCENT) / 100n
}

/** And for a win, or a step of a service proof. */
function winFeeOf({ winValue }: PaymentParameters): bigint {
  return (winValue * REDEEMER_FEE_PERCENT) / 100n
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
    fee: winFeeOf(payment),
    lockFee: lockFeeOf(payment),
    sign: (terms) => purse.signRedeemTerms(terms),
    signCommitment: (commitment) => purse.signCommitment(commitment),
    candidates: () => node()?.knownNodes() ?? [],
    ask: async (nodeId, order, signal) => node()?.askRedeemer(nodeId, order, signal),
  })
}

type RedemptionSides = {
  readonly redeemers: Redeemers
  readonly provider: Uint8Array
  readonly alerts: NodeAlerts
  readonly log: Logger
}

/** Locks, binds and claims what was won. */
function redemptionOf(
  setting: EngineSetting,
  payment: PaymentParameters,
  { store, chain, lane }: LaneParts,
  { redeemers, provider, alerts, log }: RedemptionSides,
): Redemption {
  return createRedemption({
    store,
    chain: chain.view,
    calls: createPoolCalls(payment.pool),
    lane,
    redeemers,
    // Gas of a network of this machine costs nothing.
    ...(setting.network.local ? {} : { baseFee: baseFeeOf(chain) }),
    events: store.ledger,
    provider,
    winsPerSlot: payment.winsPerSlot,
    bond: payment.bond,
    heldPerWin: heldPerWin(payment),
    confirmations: payment.confirmations,
    policy: policyOf(setting, payment),
    worth: { winValue: payment.winValue, coinPrice: coinPriceOf(setting, payment) },
    nowMs: () => Date.now(),
    random: unitRandom(randomBytes),
    onAlert(alert) {
      warnOfWins(log, alert)
      alerts.onWins(alert)
    },
    onAlertOver: (type) => alerts.onWinsOver(type),
  })
}

/** Publishes roots, with what gas there is. */
function keeperOf(
  { pool, rootIntervalS }: PaymentParameters,
  { chain, lane }: Pick<LaneParts, 'chain' | 'lane'>,
): RootKeeper {
  return createRootKeeper({
    chain: chain.view,
    lane,
    calls: createPoolCalls(pool),
    rootIntervalS,
    random: Math.random,
    nowMs: () => performance.now(),
  })
}

function policyOf(setting: EngineSetting, payment: PaymentParameters): BatchPolicy {
  const { lockS, refundDelayS, closeDelayS } = payment
  return {
    bindWaitMs: bindWaitMsOf(payment),
    companyMs: companyMsOf(setting, payment),
    claimWaitMs: Math.min(CLAIM_WAIT_MS, (closeDelayS * 1000) / 4),
    delays: { lockS, refundDelayS, closeDelayS },
  }
}

function warnOfWins(log: Logger, alert: RedemptionAlert): void {
  const count = 'winners' in alert ? alert.winners : undefined
  log.warn('wins', { event: alert.type, count })
}

/** The pool that wins are of. */
export function poolOf(payment: PaymentParameters): Pool {
  return createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
}
