/** A client's money around its engine: its deposits are found on the chain, slots and tokens are on disk, the purse signs. */
import { randomBytes } from 'node:crypto'
import {
  createProofAuthoriser,
  createReceiptKeys,
  type ReturnPorts,
  type ClientPayment,
  type ClientStakes,
  type MoneyNotice,
  type MonthBook,
} from '@byway/client'
import type { Logger } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import { createLeafTree, nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool } from '@byway/protocol/ticket'
import { findDeposits, reserveDeposits } from '@byway/purse'
import type { Store } from '@byway/store'
import { createJoinProver, createReceiptCrypto, createSlotProver, createZkEngine } from '@byway/zk'
import { createClientBooks } from '../ledger/client-books.ts'
import { ledgerPage } from '../ledger/ledger-page.ts'
import { createSlotFacts, type FollowedFacts } from '../ledger/slot-facts.ts'
import { returnDelayMs, returnWaitS } from '../wallet/queued-returns.ts'
import type { JsonObject } from '../output.ts'
import { parseAmount } from '../wallet/amounts.ts'
import type { EngineSetting } from './engine-options.ts'
import { openClientChain, type ClientChain } from './chain-through.ts'
import type { CommandChainParts } from './command-chain.ts'
import { chainOptions, openMoneyParts, type MoneyParts } from './money-parts.ts'
import { forgetSlots } from './own-store.ts'

export interface ClientMoneyRun extends AsyncDisposable {
  readonly payment: ClientPayment
  readonly stakes: ClientStakes
  /** A page of the books, for `byway ledger`. */
  readonly ledger: (afterSequence: number) => Promise<JsonObject>
  /** Who is asked what the chain says. */
  readonly through: Pick<ClientChain, 'attach' | 'route'>
  /** What it reads of the chain whole, for commands. */
  readonly chainParts: Pick<CommandChainParts, 'view' | 'facts'>
}

// Local limit (tunable): docs/LIMITS.md.
/** All leaves are read through two endpoints. */
const DEPOSITS_TIMEOUT_MS = 60_000
/** So long slots wait for what the chain says of them: before that an older copy of the records would not be noticed. */
const FACTS_TIMEOUT_MS = 20_000

/**
 * Opens it.
 * @param onNotice - told what a person should know
 * @throws WALLET_AMOUNT for a budget with more digits than the token has, and what `openMoneyParts` throws
 */
export async function openClientMoney(
  setting: EngineSetting,
  payment: PaymentParameters,
  onNotice: (notice: MoneyNotice) => void,
): Promise<ClientMoneyRun> {
  await using parts = new AsyncDisposableStack()
  const log = setting.log.child('money')
  const { budget, maxPrice } = setting.config.client
  const most = budget === '' ? undefined : parseAmount(budget, payment.tokenDecimals)
  const through = parts.use(openClientChain(setting, chainOptions(setting, payment)))
  const opened = await openMoneyParts(setting, payment, 'client', parts, { chain: through })
  const { purse, store, chain, isLost, registry } = opened
  // What this run knows by itself the next one must know too.
  if (!isWhole(store)) await forgetSlots(setting.home)
  if (isLost || !isWhole(store)) onNotice({ type: 'recordsLost' })
  const place = { ledger: store.ledger, chain: chain.view, payment }
  const books = createClientBooks({ ...place, nowMs: () => Date.now() })
  const engine = parts.use(createZkEngine())
  const sessionSecret = purse.sessionSecret()
  const receipts =
    payment.proofs &&
    createReceiptKeys({
      receipts: parts.use(createReceiptCrypto()),
      crypto: nodeTicketCrypto,
      sessionSecret,
    })
  const facts = createSlotFacts({ chain: chain.view, fromBlock: payment.deployBlock })
  const authoriser = createProofAuthoriser({
    crypto: nodeTicketCrypto,
    createTree: createLeafTree,
    pool: createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue }),
    chain: chain.view,
    async deposits(signal) {
      await untilCurrent(facts, signal)
      return await depositsOf({ purse, store, chain }, books)
    },
    sessionSecret,
    receipts,
    prover: { ...createSlotProver(engine), ...createJoinProver(engine) },
    openings: store.madeOpenings,
    random: uniform,
    nowMs: () => performance.now(),
    rootIntervalS: payment.rootIntervalS,
  })
  parts.use(followAll(books, facts, log))
  const owned = parts.move()
  return {
    stakes: registry,
    through,
    payment: {
      authoriser,
      journal: store.slots,
      tokens: store.tokens,
      receipts,
      book: monthBookOf(store),
      forgetPast: () => forgetSlots(setting.home),
      record: (event) => store.ledger.record(event),
      budget: most,
      maxPriceStep: maxPrice,
      returns: returnPortsOf(setting, payment, opened, facts),
      onNotice: (notice) => {
        const code = 'code' in notice ? notice.code : undefined
        if (notice.type !== 'proving') log.warn('payment', { event: notice.type, code })
        onNotice(notice)
      },
    },
    ledger: (after) => ledgerPage(store.ledger, after),
    chainParts: { view: chain.view, facts },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Resolves when the facts are there, or have not come in time: what can be spent does not hang on them for longer. @throws the signal's reason */
async function untilCurrent(facts: FollowedFacts, signal: AbortSignal): Promise<void> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(FACTS_TIMEOUT_MS)])
  await facts.untilCurrent(inTime).catch(() => signal.throwIfAborted())
}

/** What can be spent does not hang on it. Ends when disposed. */
function followAll(
  books: Pick<ReturnType<typeof createClientBooks>, 'follow'>,
  facts: FollowedFacts,
  log: Logger,
): AsyncDisposable {
  const stop = new AbortController()
  const all = [
    untilGone(facts.follow(stop.signal), log, 'slots are not asked back'),
    untilGone(books.follow(stop.signal), log, 'what slots paid is not counted'),
  ]
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.all(all)
    },
  }
}

/** The next start reads the chain from the beginning. */
async function untilGone(following: Promise<void>, log: Logger, what: string): Promise<void> {
  await following.catch(() => log.warn(`${what} until the next start`))
}

/** What is left in slots that are over goes back into the purse. */
function returnPortsOf(
  { home, network }: EngineSetting,
  payment: PaymentParameters,
  { purse, store, chain }: MoneyParts,
  facts: FollowedFacts,
): ReturnPorts {
  const meanDelayMs = returnDelayMs(network.local)
  return {
    records: store.returns,
    facts,
    fee: payment.unit,
    meanDelayMs,
    patienceMs: meanDelayMs,
    batchWaitMs: returnWaitS(network.local) * 1000,
    longestDelayMs: Math.max(payment.refundDelayS, payment.closeDelayS) * 1000,
    ownerSecret: async (number) => (await purse.depositOwner(number)).secret,
    isPublished: async (root, signal) =>
      (await chain.view.publishedRoot(root, signal)) !== undefined,
    async reserveOwners(count) {
      const leaves = await chain.view.leaves(0, AbortSignal.timeout(DEPOSITS_TIMEOUT_MS))
      const { nextDeposit: next } = await findDeposits(purse, leaves, nodePoseidon)
      return await reserveDeposits(home, { next, count })
    },
    random: uniform,
    nowMs: () => Date.now(),
  }
}

/** In [0, 1), not to be guessed. */
function uniform(): number {
  return randomBytes(4).readUInt32BE() / 2 ** 32
}

/** The purse's deposits on the chain; tells the ledger of them. */
async function depositsOf(
  { purse, store, chain }: Pick<MoneyParts, 'purse' | 'store' | 'chain'>,
  books: Pick<ReturnType<typeof createClientBooks>, 'found'>,
) {
  const leaves = await chain.view.leaves(0, AbortSignal.timeout(DEPOSITS_TIMEOUT_MS))
  const { deposits } = await findDeposits(purse, leaves, nodePoseidon)
  books.found(deposits)
  // A voucher that was given away is its holder's: nothing is paid with it here, and nobody need be told so.
  const own = deposits.filter(({ kind }) => kind !== 'voucher')
  return own.map(({ owner, limit, isPastKnown, kind }) => ({
    secret: owner.secret,
    limit,
    isPastKnown: isPastKnown && isWhole(store),
    isOwnersAlone: kind === 'deposit',
  }))
}

/** A journal that has lost rows may have lost slots that were shown: then every slot it does not know counts as shown. */
function isWhole({ report }: Store): boolean {
  return report.damagedRows === 0 && report.missingRows === 0 && !report.isTailLost
}

function monthBookOf({ counters }: Store): MonthBook {
  const nameOf = (month: string): string => `spent:${month}`
  return {
    load: (month) => counters.get(nameOf(month)),
    add: async (month, amount) => {
      await counters.add(nameOf(month), amount)
    },
  }
}
