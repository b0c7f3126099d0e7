/** Payment for a network in one process: real stores on disk, real tickets and tokens; the chain is in memory, and says what a test wants, and slots are stamped, not proved. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProofAuthoriser, type MonthBook, type ReceiptKeys } from '@byway/client'
import type { NodePaymentOptions } from '@byway/node'
import type { ClientMoneyEvent, MoneyEvent } from '@byway/protocol/ledger'
import type { PaymentParameters } from '@byway/protocol/directory'
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { SlotState, SlotWord } from '@byway/protocol/payment'
import { createPool, depositLeaf, identityCommitment, u256Bytes } from '@byway/protocol/ticket'
import { openStore, type Store, type Winner } from '@byway/store'
import { TEST_PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'
import { createStampProver, STAMP_VERIFIER } from '../../../protocol/test/ticket/stamp-proofs.ts'
import type { TestnetPayment } from '../../src/index.ts'

export const PARAMETERS: PaymentParameters = { ...TEST_PAYMENT, issueDelayS: 0 }

/** What the nodes and the client see of the chain. */
export type MemoryChain = {
  readonly nodes: NodePaymentOptions['chain']
  setSlot(nullifier: Uint8Array, state: SlotState): void
  mood: 'answers' | 'hangs'
}

export type PaidNode = {
  readonly name: string
  readonly store: Store
  readonly provider: Uint8Array
  readonly wins: Winner[]
}

export type PaidWorld = AsyncDisposable & {
  readonly payment: TestnetPayment
  readonly chain: MemoryChain
  /** By name of the plan. */
  readonly nodes: Map<string, PaidNode>
  readonly clientStore: Store
  readonly clientEvents: ClientMoneyEvent[]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

export async function createPaidWorld(
  options: {
    readonly slots?: number
    readonly priceStep?: number
    /** What receipts are signed with. @default there are none */
    readonly receipts?: ReceiptKeys
  } = {},
): Promise<PaidWorld> {
  const { slots = 40, priceStep = 4 } = options
  const parts = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'byway-paid-net-'))
  parts.defer(() => rm(folder, { recursive: true }))
  const storeOf = async (name: string, side: 'node' | 'client'): Promise<Store> =>
    parts.use(await openStore({ folder: join(folder, name), name: side, key: randomBytes(32) }))
  const pool = createPool(nodeTicketCrypto, { ...PARAMETERS, faceValue: PARAMETERS.winValue })
  const secret = BigInt(`0x${randomBytes(31).toString('hex')}`)
  const limit = slots * pool.unitsPerSlot
  const idc = identityCommitment(nodeTicketCrypto, secret)
  const leaf = depositLeaf(nodeTicketCrypto, pool, idc, limit)
  const { chain, deposits } = createMemoryChain(leaf, idc, limit)
  const nodes = new Map<string, PaidNode>()
  const clientStore = await storeOf('client', 'client')
  const clientEvents: ClientMoneyEvent[] = []
  const authoriser = createProofAuthoriser({
    crypto: nodeTicketCrypto,
    createTree: createLeafTree,
    pool,
    chain: deposits,
    deposits: () => Promise.resolve([{ secret, limit, isPastKnown: true }]),
    sessionSecret: randomBytes(32),
    prover: createStampProver(pool),
    random: Math.random,
    nowMs: () => performance.now(),
    receipts: options.receipts,
  })
  const payment: TestnetPayment = {
    parameters: PARAMETERS,
    async nodeOf({ name }) {
      const node = { name, store: await storeOf(name, 'node'), provider: randomBytes(20), wins: [] }
      nodes.set(name, node)
      return {
        chain: chain.nodes,
        store: node.store,
        verifier: STAMP_VERIFIER,
        provider: node.provider,
        priceStep,
        onWin: (winner) => void nodes.get(name)?.wins.push(winner),
      }
    },
    client: {
      authoriser,
      journal: clientStore.slots,
      tokens: clientStore.tokens,
      book: createMonthBook(),
      record: (event) => Promise.resolve(void clientEvents.push(event)),
    },
  }
  const disposal = (): Promise<void> => parts.disposeAsync()
  return {
    payment,
    chain,
    nodes,
    clientStore,
    clientEvents,
    [Symbol.asyncDispose]: disposal,
  }
}

/** Everything a node told its ledger. */
export async function eventsOf(store: Store): Promise<MoneyEvent[]> {
  const events: MoneyEvent[] = []
  for await (const { event } of store.ledger.read()) events.push(event)
  return events
}

function createMonthBook(): MonthBook {
  const months = new Map<string, bigint>()
  return {
    load: (month) => Promise.resolve(months.get(month) ?? 0n),
    add: (month, amount) =>
      Promise.resolve(void months.set(month, (months.get(month) ?? 0n) + amount)),
  }
}

function createMemoryChain(leaf: bigint, idc: bigint, limit: number) {
  const tree = createLeafTree()
  tree.insert(leaf)
  const root = u256Bytes(tree.root)
  const nowS = Math.floor(Date.now() / 1000)
  const published = { root, publishedAtS: nowS }
  const states = new Map<string, SlotState>()
  const answer = async <T>(value: () => T): Promise<T> =>
    chain.mood === 'hangs' ? await new Promise<T>(() => {}) : await Promise.resolve(value())
  const wordOf = (state: SlotState): SlotWord => ({
    holder: new Uint8Array(20),
    lastIndex: 0,
    wins: 0,
    state,
    isBurned: false,
    timeS: 0,
  })
  const chain: MemoryChain = {
    mood: 'answers',
    setSlot: (nullifier, state) => void states.set(hex(nullifier), state),
    nodes: {
      head: () => answer(() => ({ number: 1, hash: '0x00', timeS: nowS })),
      slot: (nullifier) => answer(() => wordOf(states.get(hex(nullifier)) ?? 'none')),
      publishedRoot: (asked) => answer(() => (hex(asked) === hex(root) ? published : undefined)),
    },
  }
  const deposits = {
    leaves: (from: number) => answer(() => [{ index: 0, leaf, idc, limit }].slice(from)),
    newestRoot: () => answer(() => published),
  }
  return { chain, deposits }
}
