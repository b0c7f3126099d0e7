/**
 * A client's slots on their way back, and its joinings, on real contracts: store, purse, proofs, queue and books as the program puts them together; relayers are a call away, and the
 * client's clock is the test's.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  createLeafCalls,
  createLocalSigner,
  createPoolCalls,
  createTransactionLane,
  openChain,
  tryCall,
  type Chain,
} from '@byway/chain'
import { createProofAuthoriser } from '@byway/client'
import { createRelayer, type Relayer } from '@byway/node'
import type { PathNode } from '@byway/protocol/directory'
import { createLeafTree, nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool, type Pool } from '@byway/protocol/ticket'
import {
  decodePayMessage,
  encodePayMessage,
  PAY,
  REDEEM_ANSWER,
  RETURN_KIND,
  type ReturnMessageBody,
  type ReturnRequest,
} from '@byway/protocol/wire'
import { findDeposits, openPurse, reserveDeposits } from '@byway/purse'
import { openStore, type Store } from '@byway/store'
import { createJoinProver, createSlotProver, createZkEngine } from '@byway/zk'
import type { PayCarrier, PayListener } from '../../../client/src/money/carrier.ts'
import type { SlotAuthoriser } from '../../../client/src/money/ports.ts'
import { createJoiner, type Joiner } from '../../../client/src/returns/joiner.ts'
import { createReturnQueue, type ReturnQueue } from '../../../client/src/returns/return-queue.ts'
import { createHandTimers, type HandTimers } from '../../../client/test/engine/hand-timers.ts'
import { pathNode } from '../../../client/test/path-node.ts'
import { openOwnStore } from '../../src/engine/own-store.ts'
import { createClientBooks } from '../../src/ledger/client-books.ts'
import { createSlotFacts, type FollowedFacts } from '../../src/ledger/slot-facts.ts'
import type { PaidTestNetwork } from '../commands/paid-network.ts'

const MINUTE_MS = 60_000
const MEAN_DELAY_MS = 4 * MINUTE_MS
const PATIENCE_MS = 20 * MINUTE_MS
const LONGEST_DELAY_MS = 60 * MINUTE_MS
/** Of the relayer: what a reorganisation takes back sooner it sends again. */
const CONFIRMATIONS = 6
/** Between looks at what is proved and mined. */
const POLL_MS = 20
const GWEI = 1_000_000_000n

/** A node that clients may leave requests with. */
export type TestRelay = {
  readonly node: PathNode
  readonly relayer: Pick<Relayer, 'ask' | 'take'>
  /** What it was told, in order. */
  readonly told: ReturnRequest[]
  /** Questions without an answer. */
  readonly asked: { open: number }
  /** Sends what is due, sees what became of it, and makes a block. */
  work(): Promise<void>
}

/** A relayer with gas, on the real contracts. */
export async function openRelay(
  network: PaidTestNetwork,
  folder: string,
  signal: AbortSignal,
): Promise<TestRelay & AsyncDisposable> {
  const { payment } = network
  await using parts = new AsyncDisposableStack()
  const store = parts.use(await openStore({ folder, name: 'node', key: randomBytes(32) }))
  const { reader, view } = chainOf(payment)
  const lane = parts.use(
    createTransactionLane({
      reader,
      chainId: payment.chainId,
      signer: createLocalSigner(new Uint8Array(randomBytes(32))),
      store: store.transactions,
      confirmations: CONFIRMATIONS,
      feeCap: 100n * GWEI,
      onAlert() {},
    }),
  )
  await network.giveCoin(lane.account)
  const { lockS, refundDelayS, closeDelayS, unit: fee } = payment
  const relayer = createRelayer({
    records: store.handOvers,
    transactions: store.transactions,
    events: store.ledger,
    chain: view,
    lane,
    calls: { ...createPoolCalls(payment.pool), ...createLeafCalls(payment.pool) },
    tryCall: (call, within) => tryCall(reader, lane.account, call, within),
    readBaseFee: async (within) => (await reader.freshHead(within)).baseFee,
    lockS,
    refundDelayS,
    closeDelayS,
    fee,
    coinPrice: 1n,
    pool: poolOf(payment),
    batchWaitS: 0,
    nowMs: () => Date.now(),
  })
  const owned = parts.move()
  return {
    ...relayOf(1, lane.account, relayer),
    async work() {
      await relayer.look(signal)
      await lane.look(signal)
      await network.advance(1)
      await new Promise(setImmediate)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** One that takes everything and does nothing. */
export function silentRelay(): TestRelay {
  const taken = () => Promise.resolve(REDEEM_ANSWER.TAKEN)
  return relayOf(2, new Uint8Array(20).fill(2), { ask: taken, take: taken })
}

function relayOf(number: number, provider: Uint8Array, relayer: TestRelay['relayer']): TestRelay {
  const told: ReturnRequest[] = []
  return {
    node: pathNode(number, { provider }),
    told,
    asked: { open: 0 },
    relayer: {
      ask: (signal) => relayer.ask(signal),
      take(request, signal) {
        told.push(request)
        return relayer.take(request, signal)
      },
    },
    work: () => Promise.resolve(),
  }
}

/** A client's life: what is on its disk is all that the next one knows. */
export type ClientLife = {
  readonly store: Store
  readonly authoriser: SlotAuthoriser
  readonly facts: FollowedFacts
  readonly queue: ReturnQueue
  readonly joiner: Joiner
  /** Lets time pass until something holds; relays work meanwhile. */
  until(holds: () => boolean | Promise<boolean>): Promise<void>
  /** Tells the books what the chain has until now. */
  keepBooks(): Promise<void>
  /** Nothing is told to anybody any more, nothing written down. */
  die(): Promise<void>
}

export type LifeOptions = {
  readonly network: PaidTestNetwork
  readonly home: string
  readonly relays: () => readonly TestRelay[]
  readonly random: () => number
  readonly signal: AbortSignal
  readonly onFailed: (error: unknown) => void
}

export async function beginLife(options: LifeOptions): Promise<ClientLife> {
  const { network, home, relays, random, signal } = options
  const { payment } = network
  const parts = new AsyncDisposableStack()
  const purse = parts.use(await openPurse(home, { isLocal: true, rules: payment }))
  const store = parts.use(await openOwnStore(home, 'client'))
  const engine = parts.use(createZkEngine({ provers: 1 }))
  const { reader, view } = chainOf(payment)
  const found = async () => await findDeposits(purse, await view.leaves(0, signal), nodePoseidon)
  const pool = poolOf(payment)
  const authoriser = createProofAuthoriser({
    crypto: nodeTicketCrypto,
    createTree: createLeafTree,
    pool,
    chain: view,
    deposits: async () =>
      (await found()).deposits.map(({ owner, ...one }) => ({ ...one, secret: owner.secret })),
    sessionSecret: purse.sessionSecret(),
    prover: { ...createSlotProver(engine), ...createJoinProver(engine) },
    random,
    nowMs: () => performance.now(),
  })
  const closing = new AbortController()
  const facts = createSlotFacts({ chain: view, fromBlock: payment.deployBlock })
  const following = facts.follow(closing.signal).catch(() => {})
  const timers = createHandTimers(Date.now())
  const queue = createReturnQueue({
    records: store.returns,
    reserveOwners: async (count) =>
      await reserveDeposits(home, { next: (await found()).nextDeposit, count }),
    meanDelayMs: MEAN_DELAY_MS,
    random,
    nowMs: timers.nowMs,
    facts,
    fee: payment.unit,
    patienceMs: PATIENCE_MS,
    // This relayer waits for nobody.
    batchWaitMs: 0,
    longestDelayMs: LONGEST_DELAY_MS,
    ownerSecret: async (number) => (await purse.depositOwner(number)).secret,
    isPublished: async (root, within) => (await view.publishedRoot(root, within)) !== undefined,
    crypto: nodeTicketCrypto,
    pool,
    authoriser,
    relays: () => relays().map(({ node }) => node),
    open: (hop) => Promise.resolve(carrierTo(relays(), hop, signal)),
    closing: closing.signal,
    onFailed: options.onFailed,
    timers,
  })
  await queue.load()
  queue.start()
  const joiner = createJoiner({ authoriser, queue, facts, pool, random })
  return {
    store,
    authoriser,
    facts,
    queue,
    joiner,
    until: (holds) => untilHolds(holds, timers, relays, signal),
    async keepBooks() {
      const books = createClientBooks({
        ledger: store.ledger,
        chain: view,
        payment,
        nowMs: Date.now,
      })
      books.found((await found()).deposits)
      await books.follow(signal, (await reader.freshHead(signal)).number)
    },
    async die() {
      closing.abort()
      await queue.stop()
      await following
      await parts.disposeAsync()
    },
  }
}

async function untilHolds(
  holds: () => boolean | Promise<boolean>,
  timers: HandTimers,
  relays: () => readonly TestRelay[],
  signal: AbortSignal,
): Promise<void> {
  while (!(await holds())) {
    signal.throwIfAborted()
    // The queue waits for its next look; or it is at work, or waits for an answer: then its clock stands still.
    const [nextMs] = timers.waiting()
    const isIdle = relays().every(({ asked }) => asked.open === 0)
    if (nextMs !== undefined && isIdle) await timers.pass(nextMs)
    else await delay(POLL_MS, undefined, { signal })
    for (const relay of relays()) await relay.work()
  }
}

/** A control circuit, as its ends see it: what goes over it is encoded and read again. */
function carrierTo(relays: readonly TestRelay[], hop: PathNode, signal: AbortSignal): PayCarrier {
  const { relayer, asked } = relays.find(({ node }) => node.key === hop.key) ?? silentRelay()
  let listener: PayListener | undefined
  const state = { isClosed: false }
  const answer = async (request: ReturnMessageBody): Promise<void> => {
    const isAsk = request.kind === RETURN_KIND.ASK
    asked.open++
    const given = await (isAsk ? relayer.ask(signal) : relayer.take(request, signal))
    asked.open--
    listener?.onPay({ kind: PAY.RETURNED, answer: given })
  }
  return {
    get isClosed() {
      return state.isClosed
    },
    listen: (next) => void (listener = next),
    send(messages) {
      for (const message of messages) {
        const pay = decodePayMessage(encodePayMessage(message))
        if (pay.kind === PAY.RETURN) void answer(pay.request)
      }
    },
    close: () => void (state.isClosed = true),
  }
}

function chainOf(payment: PaidTestNetwork['payment']): Chain {
  return openChain({ payment, isLocal: true, onAlert: () => {}, pollMs: 0, followMs: 20 })
}

export function poolOf(payment: PaidTestNetwork['payment']): Pool {
  return createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
}
