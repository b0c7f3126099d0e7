/** A node's money around its engine: purse, store and chain, the lane that sends its transactions, and the redemption of its wins. */
import {
  createChainAnswerer,
  createTransactionLane,
  type LaneAlert,
  type TransactionLane,
} from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import { bookGas } from '@byway/node'
import type { EditionPair, MoneyStatus, NodePaymentOptions, RunningNode } from '@byway/node'
import type { Logger } from '@byway/protocol/base'
import type { PaymentParameters, StakeSource } from '@byway/protocol/directory'
import { storeError, type Store, type StoreHealth } from '@byway/store'
import { createReceiptCrypto, createSlotVerifier, createZkEngine } from '@byway/zk'
import { earningsFields, earningsOf } from '../display/earnings.ts'
import type { ProofAnswers } from '../control/control-socket.ts'
import type { NodeAlert, NodeAlerts } from '../display/node-alerts.ts'
import { followProvider } from '../ledger/follow-provider.ts'
import { ledgerPage } from '../ledger/ledger-page.ts'
import type { JsonObject } from '../output.ts'
import { proofAnswers } from '../proof/own-receipts.ts'
import type { EngineSetting } from './engine-options.ts'
import { openMoneyParts, type MoneyParts } from './money-parts.ts'
import { openOwnStore } from './own-store.ts'
import { proofShelfOf } from './proof-parts.ts'
import {
  keepAt,
  lockFeeOf,
  LOOK_MS,
  poolOf,
  startRedeeming,
  showEditions,
} from './node-redemption.ts'

export interface NodeMoneyRun extends AsyncDisposable {
  readonly payment: NodePaymentOptions
  readonly stakes: StakeSource
  /** Shows to the registry what a node has signed twice. */
  readonly onDoubleEditions: (pair: EditionPair) => void
  /** Where the node keeps its exit record. */
  readonly exits: Store
  /** The error that ended redemption, or of the disk, at once when it failed: the node must end too. Never rejects. */
  readonly failure: Promise<unknown>
  /** Lets claims go to redeemers over the links of a node. */
  attach(node: RunningNode): void
  /** Tells the operator of a started node when no stake stands behind it, now and later. */
  watchStake(nodeId: Uint8Array): void
  /** Leaves open wins with redeemers, before a stop. Never rejects. */
  leave(): Promise<void>
  /** A page of the books, for `byway ledger`. */
  readonly ledger: (afterSequence: number) => Promise<JsonObject>
  /** For `byway proof make`. */
  readonly proofs: ProofAnswers
  /** What stands and needs the operator. */
  alerts(): readonly NodeAlert[]
  /** For `byway status`. @param money - what the node itself counts */
  status(money: MoneyStatus | undefined): JsonObject
}

// Local limits (tunable): docs/LIMITS.md.
/** Nobody redeems a win of a few cents at this; a call names its own cap where it is worth more or less. */
const FEE_CAP_WEI = 50_000_000_000n
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
  const { failure, failed, onStoreHealth, watch } = createFailure(log)
  const opened = await openMoneyParts(setting, payment, 'node', parts, { onStoreHealth })
  const { purse, store, chain, registry } = opened
  const exits = parts.use(await openOwnStore(setting.home, 'exits'))
  // Kept ready: a client that comes over from a relay that died waits for nothing but a round trip.
  const engine = parts.use(createZkEngine({ readyToVerify: 'slot' }))
  const verifier = createSlotVerifier(engine, poolOf(payment))
  const lane = parts.use(openLane(payment, { purse, store, chain }, log))
  parts.use(keepAt((signal) => lane.look(signal), LOOK_MS, failed))
  const receipts = payment.proofs && parts.use(createReceiptCrypto())
  const { priceStep } = setting.config.node
  let node: RunningNode | undefined
  const { provider } = purse.accounts
  parts.use(keepBooks(payment, { store, chain }, provider, log))
  const around = { setting, payment, purse, log, onAlert, failed, node: () => node }
  const redeeming = startRedeeming(around, { store, chain, lane }, parts)
  const { service, relayer, redemption, running } = redeeming
  const alerts = watch(store, redeeming.alerts)
  const editions = showEditions(around, { store, chain, lane }, registry.view, parts)
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
      chainAnswers: createChainAnswerer({
        reader: chain.reader,
        payment,
        nowMs: () => performance.now(),
      }),
      proofs: proofShelfOf(setting.home, payment, chain, { provider, engine }),
    },
    stakes: registry,
    exits,
    onDoubleEditions: (pair) => editions.add(pair),
    failure,
    attach: (started) => void (node = started),
    watchStake(nodeId) {
      const look = (): void => alerts.onStake(registry.view.hasNode(nodeId), toHex(nodeId))
      owned.defer(registry.onChange(look))
      look()
    },
    async leave() {
      // What was won since the last look counts too.
      await redemption.leave(AbortSignal.timeout(LEAVE_MS)).catch(() => 0)
    },
    ledger: (after) => ledgerPage(store.ledger, after),
    proofs: proofAnswers(store),
    alerts: () => alerts.standing,
    status: (money) => statusOf({ money, priceStep, openWins: running.status?.open ?? 0 }, payment),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What ends the node: money that stopped, or the disk, at once when it failed. */
function createFailure(log: Logger) {
  const failure = Promise.withResolvers<unknown>()
  let board: NodeAlerts | undefined
  const failed = (error: unknown): void => {
    log.error('money has stopped: wins are not redeemed', {})
    failure.resolve(error)
  }
  return {
    failure: failure.promise,
    failed,
    onStoreHealth: (health: StoreHealth): void => {
      board?.onStoreHealth(health)
      if (health === 'failed') failed(storeError('STORE_FAILED', { errno: 'EIO' }))
    },
    /** Tells the operator what opening the store found, and how it is from now on. */
    watch: ({ report, health }: Store, alerts: NodeAlerts): NodeAlerts => {
      board = alerts
      alerts.onStoreReport(report)
      alerts.onStoreHealth(health)
      return alerts
    },
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
    store: bookGas(store.transactions, store.ledger, Date.now),
    confirmations,
    feeCap: FEE_CAP_WEI,
    onAlert: (alert) => warnOfLane(log, alert),
  })
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

function warnOfLane(log: Logger, alert: LaneAlert): void {
  const count = 'blocks' in alert ? alert.blocks : undefined
  log.warn('transaction', { event: alert.type, count })
}
