/**
 * What clients of the linkage test ask of a chain, through nodes and nobody else (SPEC §15.9): each pays in from an account of its own over circuits of that account's, and each reads what all read over others. The
 * chain is real, and so are the nodes' answers, the client's seats, its rule of whom to believe and its lane of transactions. The slots themselves live on a list (chain-list.ts).
 */
import assert from 'node:assert/strict'
import type { NodeKey } from '@byway/protocol/directory'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { TransactionSigner } from '@byway/protocol/payment'
import { identityCommitment } from '@byway/protocol/ticket'
import { PAY } from '@byway/protocol/wire'
import { createChainAnswerer } from '../../../chain/src/through/chain-answerer.ts'
import { openChainOverNodes } from '../../../chain/src/through/open-over-nodes.ts'
import { hexOf } from '../../../chain/src/contracts/bytes.ts'
import { createTransactionLane } from '../../../chain/src/lane/create-lane.ts'
import { createLocalSigner } from '../../../chain/src/lane/local-signer.ts'
import { createMemoryTransactionStore } from '../../../chain/src/lane/memory-store.ts'
import { keepLooking } from '../../../chain/src/transaction-lane.ts'
import type { Chain } from '../../../chain/src/open-chain.ts'
import { deployWorld, type DeployedWorld } from '../../../chain/test/support/deployed-world.ts'
import { hexNumber, type TestScope } from '../../../chain/test/support/test-chain.ts'
import { createChainTalk } from '../../../node/src/money/chain-talk.ts'
import { createChainSeats } from '../../src/engine/chain-seats.ts'
import type { ControlCarrier } from '../../src/money/control-circuit.ts'
import { NEVER } from '../money/money-world.ts'
import { answeringHop, type Say } from './answering-hop.ts'
import { type Client, type Hop, openControlTo, type Paying } from './paying.ts'
import { placeOf } from './recorder.ts'

export type ChainAsking = AsyncDisposable & {
  /** Everything that a client pays into the pool goes from an account that only this one uses. */
  payIn(client: Client, unit: string): Promise<void>
  /** The leaves, the newest root, and what happened up to the newest block; nothing of it is the client's own, so each circuit is a unit by itself. */
  read(client: Client): Promise<void>
  /** A root has what was paid in. */
  publish(): Promise<void>
  /** Time passes: there is another block. */
  moveOn(): Promise<void>
}

const COIN = 10n ** 18n
const TOKENS = 10n ** 20n
const DEPOSIT_UNITS = 50
const FEE_CAP = 10n ** 11n
const LOOK_MS = 10
const SECOND_MS = 1000

/** Starts a chain and nodes that know it. */
export async function createChainAsking(paying: Paying): Promise<ChainAsking> {
  const scope = createScope()
  const world = await deployWorld(scope)
  const answers = new Map(paying.hops.map(({ pay }) => [pay.node.key, answerer(world)]))

  let readings = 0
  /** @param unitOf - of each circuit over which it is asked */
  function chainOf(client: Client, unitOf: () => string): Chain {
    const open = async ({ key }: { readonly key: NodeKey }) => {
      const hop = paying.hops.find(({ pay }) => pay.node.key === key) ?? assert.fail()
      return openQuestions(paying, client, {
        hop,
        unit: unitOf(),
        answer: answers.get(key) ?? assert.fail(),
      })
    }
    const seats = createChainSeats({
      nodes: () => paying.hops.map(({ pay }) => pay.node),
      weightOf: () => 1,
      random: client.asking.random,
      open,
      onWrong: () => assert.fail('a node is wrong'),
      nowMs: paying.timers.nowMs,
      closing: NEVER,
      timers: paying.timers,
    })
    return openChainOverNodes({
      payment: world.payment,
      isLocal: true,
      pollMs: 0,
      followMs: LOOK_MS,
      seats: seats.map((seat) => ({
        ask: (question, signal) => seat.ask(question, signal),
        replace: () => assert.fail('a node is replaced'),
      })),
    })
  }

  return {
    async payIn(client, unit) {
      const signer = createLocalSigner(client.asking.randomBytes(32))
      await world.anvil.rpc('anvil_setBalance', hexOf(signer.address), hexNumber(COIN))
      await world.run(world.token.mint(signer.address, TOKENS))
      // The account is named in each question.
      await payInFrom(
        world,
        chainOf(client, () => unit),
        client,
        signer,
      )
    },
    async read(client) {
      const { view } = chainOf(client, () => `reading ${readings++}`)
      assert.ok((await view.leaves(0, NEVER)).length > 0)
      await view.newestRoot(NEVER)
      const stop = new AbortController()
      for await (const news of view.events(world.payment.deployBlock, stop.signal))
        if (news.type === 'head') stop.abort()
    },
    publish: async () => void (await world.run(world.pool.snapshot())),
    moveOn: () => world.anvil.mine(1),
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  }
}

/** As `byway wallet deposit` does. */
async function payInFrom(
  { payment, token, pool }: DeployedWorld,
  { reader, view }: Chain,
  client: Client,
  signer: TransactionSigner,
): Promise<void> {
  const account = signer.address
  assert.equal(await view.tokenBalance(account, NEVER), TOKENS)
  assert.equal(await view.gasBalance(account, NEVER), COIN)
  assert.equal(await view.tokenAllowance(account, payment.pool, NEVER), 0n)
  await using lane = createTransactionLane({
    reader,
    chainId: payment.chainId,
    signer,
    store: createMemoryTransactionStore(),
    confirmations: 1,
    feeCap: FEE_CAP,
    onAlert: ({ type }) => assert.fail(type),
  })
  const stop = new AbortController()
  const looking = keepLooking(lane, { everyMs: LOOK_MS, signal: stop.signal })
  const { secret } = client.deposits[0] ?? assert.fail('a deposit')
  const idc = identityCommitment(nodeTicketCrypto, secret)
  try {
    const approval = await lane.send(
      { ...token.approve(payment.pool, TOKENS), key: 'approve' },
      NEVER,
    )
    await approval.confirmed
    const deposit = await lane.send({ ...pool.deposit(idc, DEPOSIT_UNITS), key: 'deposit' }, NEVER)
    const { hash } = await deposit.confirmed
    const events = await view.eventsOf(hash, NEVER)
    assert.ok(events?.some(({ name }) => name === 'leaf'))
  } finally {
    stop.abort()
    await looking
  }
}

type Answer = ReturnType<typeof answerer>

/** A node's view of the chain, which is never short of looks: each second has its own. */
function answerer({ chain, payment }: DeployedWorld) {
  let nowMs = 0
  return createChainAnswerer({
    reader: chain.reader,
    payment,
    nowMs: () => (nowMs += SECOND_MS),
  })
}

/** A control circuit to a node that answers as nodes do. */
function openQuestions(
  paying: Paying,
  client: Client,
  { hop, unit, answer }: { readonly hop: Hop; readonly unit: string; readonly answer: Answer },
): ControlCarrier {
  const place = placeOf(unit)
  let send: Say = () => {}
  const talk = createChainTalk({
    answerer: answer,
    mayAsk: () => true,
    send: (told) => send(told),
    onTold() {},
  })
  const node = answeringHop((message, say) => {
    send = say
    assert.ok(message.kind === PAY.CHAIN && talk.onQuestion(message))
  })
  const carrier = paying.recorder.carrier(client.number, 'asking', node, place)
  // The chain answers in real time: what is drawn meanwhile comes out of a stream of its own.
  const asker = { ...client, ...client.asking }
  return openControlTo(paying, asker, hop, { carrier, place, role: 'chain' })
}

/** What a world of a chain needs of a test, for one that all tests of a file share. */
function createScope(): TestScope & AsyncDisposable {
  const stop = new AbortController()
  const ends: (() => unknown)[] = []
  return {
    signal: stop.signal,
    after: (end) => void ends.unshift(end),
    async [Symbol.asyncDispose]() {
      for (const end of ends) await end()
      stop.abort()
    },
  }
}
