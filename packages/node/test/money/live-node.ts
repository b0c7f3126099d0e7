/** A real node of a paid network on the loopback, with a chain and a store in memory, and a client's link to it that says what a test wants. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { dialLink } from '@byway/net'
import type { NetLink } from '@byway/net'
import { toHex } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import type { LinkCloseReason } from '@byway/protocol/link'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { u256Bytes } from '@byway/protocol/ticket'
import { LINK_MESSAGE } from '@byway/protocol/wire'
import type { PayKind, PayMessage } from '@byway/protocol/wire'
import type { Winner } from '@byway/store'
import { createNode } from '../../src/create-node.ts'
import type { NodePaymentOptions } from '../../src/money/node-money-types.ts'
import type { RunningNode } from '../../src/node-types.ts'
import { STAMP_VERIFIER } from '../../../protocol/test/ticket/stamp-proofs.ts'
import { createFakeChain } from './fake-chain.ts'
import type { FakeChain } from './fake-chain.ts'
import { createMemoryStore } from './memory-store.ts'
import type { MemoryStore } from './memory-store.ts'
import { TEST_PAYMENT } from '../../../protocol/test/directory/payment-parameters.ts'

export const PROVIDER: Uint8Array = new Uint8Array(randomBytes(20))

export const TEST_NETWORK: NetworkParameters = {
  name: 'paid-test',
  local: true,
  reachablePrefixes: ['127.0.0.0/8'],
  asnTable: [],
  bootstrap: [],
  exitTargets: [],
  payment: TEST_PAYMENT,
}

export type LiveNode = AsyncDisposable & {
  readonly chain: FakeChain
  readonly store: MemoryStore
  readonly wins: Winner[]
  /** Slots that it would lock ahead, in hexadecimal digits. */
  readonly lockedAhead: string[]
  /** Openings whose proofs it has judged, by nullifier. */
  readonly judged: string[]
  node: RunningNode
  /** Stops the node and starts it again with the same disk. */
  restart(): Promise<void>
  connect(): Promise<TestClient>
}

export type LiveNodeOptions = {
  readonly priceStep?: number
  readonly network?: NetworkParameters
  readonly relayer?: NodePaymentOptions['relayer']
  readonly chainAnswers?: NodePaymentOptions['chainAnswers']
}

export async function startLiveNode(options: LiveNodeOptions = {}): Promise<LiveNode> {
  const { priceStep = 4, network = TEST_NETWORK, relayer, chainAnswers } = options
  const home = await mkdtemp(join(tmpdir(), 'byway-paid-'))
  const chain = createFakeChain()
  const store = createMemoryStore()
  const wins: Winner[] = []
  const lockedAhead: string[] = []
  const judged: string[] = []
  const verifier: typeof STAMP_VERIFIER = {
    verify(statement, proof) {
      judged.push(toHex(u256Bytes(statement.nullifier)))
      return STAMP_VERIFIER.verify(statement, proof)
    },
  }
  const start = async (): Promise<RunningNode> => {
    const node = createNode({
      network,
      home,
      listen: { host: '127.0.0.1', port: 0 },
      payment: {
        chain,
        store,
        verifier,
        provider: PROVIDER,
        priceStep,
        onWin: (winner) => void wins.push(winner),
        onBulk: ({ nullifier }) => void lockedAhead.push(toHex(nullifier)),
        relayer,
        chainAnswers,
      },
    })
    await node.start(AbortSignal.timeout(60_000))
    return node
  }
  const live: LiveNode = {
    chain,
    store,
    wins,
    lockedAhead,
    judged,
    node: await start(),
    async restart() {
      await live.node[Symbol.asyncDispose]()
      live.node = await start()
    },
    async connect() {
      const { nodeId, listen } = live.node
      if (!listen) throw new Error('the node listens')
      return clientOf(await dialLink({ crypto: nodeCrypto }, { ...listen, nodeId }))
    },
    async [Symbol.asyncDispose]() {
      await live.node[Symbol.asyncDispose]()
      await rm(home, { recursive: true })
    },
  }
  return live
}

type Of<K extends PayKind> = Extract<PayMessage, { readonly kind: K }>

/** A client's link that keeps what the node says of payment. */
export type TestClient = AsyncDisposable & {
  readonly link: NetLink
  readonly pays: PayMessage[]
  closed: LinkCloseReason | undefined
  send(...pays: readonly PayMessage[]): void
  /** The next message of a kind, which may have come already; each is given once. */
  next<K extends PayKind>(kind: K): Promise<Of<K>>
}

export function clientOf(link: NetLink): TestClient {
  const pays: PayMessage[] = []
  const given = new Set<PayMessage>()
  let wake: () => void = () => {}
  const client: TestClient = {
    link,
    pays,
    closed: undefined,
    send(...messages) {
      for (const pay of messages) link.send({ type: LINK_MESSAGE.PAY, pay })
    },
    async next<K extends PayKind>(kind: K): Promise<Of<K>> {
      for (;;) {
        const found = pays.find((pay): pay is Of<K> => pay.kind === kind && !given.has(pay))
        if (found) {
          given.add(found)
          return found
        }
        if (client.closed !== undefined) throw new Error(`the link closed: ${client.closed}`)
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
    [Symbol.asyncDispose]: async () => {
      link.close('local')
      await Promise.resolve()
    },
  }
  link.handler = {
    onCell() {},
    onMessage(message) {
      if (message.type === LINK_MESSAGE.PAY) pays.push(message.pay)
      wake()
    },
    onClose(reason) {
      client.closed = reason
      wake()
    },
  }
  return client
}
