/** A chain that is asked through nodes of the network (ADR-0034): what is believed, who is replaced, and when the endpoints are asked. The nodes answer about a real chain. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  decodeChainLogs,
  encodeChainLogs,
  type ChainQuestion,
} from '@byway/protocol/wire'
import type { ChainReader } from '../../src/chain-reader.ts'
import type { ChainNews } from '../../src/chain-view.ts'
import { chainError } from '../../src/errors.ts'
import type { EndpointAlert } from '../../src/rpc/quorum.ts'
import { bytesOf, hexOf } from '../../src/contracts/bytes.ts'
import type { ToldChain } from '../../src/through/chain-answerer.ts'
import type { AskNode } from '../../src/through/node-endpoint.ts'
import { openChainThrough } from '../../src/through/open-through.ts'
import { createRoutedReader, type ChainRoute } from '../../src/through/routed-reader.ts'
import { deployWorld, type DeployedWorld } from '../support/deployed-world.ts'
import { startHostileProxy, type HostileProxy } from '../support/hostile-proxy.ts'
import { answererOf } from '../support/through-nodes.ts'

/** How a node behaves: what it says instead, from what it would say. */
type Manner = (told: () => Promise<ToldChain>, question: ChainQuestion) => Promise<ToldChain>

const HONEST: Manner = (told) => told()
const AWAY: Manner = () => Promise.reject(new Error('the circuit ended'))
const REFUSING: Manner = async () => ({ verdict: CHAIN_VERDICT.TRY_LATER, body: new Uint8Array(0) })

type Through = ReturnType<typeof openChainThrough> & {
  readonly world: DeployedWorld
  /** In front of the network file's endpoint: what it was asked. */
  readonly endpoint: HostileProxy
  /** May be changed at any time. */
  readonly manners: Manner[]
  readonly replaced: (readonly [seat: number, isWrong: boolean])[]
  readonly routes: ChainRoute[]
  readonly alerts: EndpointAlert[]
  /** Resolves when nodes are asked. */
  untilNetwork(): Promise<void>
  deposit(count: number): Promise<void>
}

async function openThrough(t: TestContext, manners: Manner[]): Promise<Through> {
  const world = await deployWorld(t)
  const { token, lane, payment, pool, run } = world
  await run(token.mint(lane.account, 10n ** 20n))
  await run(token.approve(payment.pool, 10n ** 20n))
  const endpoint = await startHostileProxy(t, world.anvil.url)
  const replaced: (readonly [number, boolean])[] = []
  const routes: ChainRoute[] = []
  const alerts: EndpointAlert[] = []
  const seats = manners.map((_, at) => {
    const answerer = answererOf(world)
    const ask: AskNode = (question, signal) =>
      (manners[at] ?? AWAY)(() => answerer.answer(question, signal), question)
    return { ask, replace: (isWrong: boolean) => void replaced.push([at, isWrong]) }
  })
  const moved = Promise.withResolvers<void>()
  const opened = openChainThrough({
    payment: { ...payment, rpcUrls: [endpoint.url] },
    isLocal: true,
    pollMs: 0,
    followMs: 5,
    seats,
    onAlert: (alert) => void alerts.push(alert),
    onRoute(route) {
      routes.push(route)
      moved.resolve()
    },
  })
  const stop = new AbortController()
  let trying: Promise<void> = Promise.resolve()
  t.after(async () => {
    stop.abort()
    await trying
  })
  let owner = 7n
  return {
    ...opened,
    world,
    endpoint,
    manners,
    replaced,
    routes,
    alerts,
    async untilNetwork() {
      trying = opened.routed.keepTrying(5, stop.signal)
      await moved.promise
    },
    async deposit(count) {
      for (let i = 0; i < count; i++) await run(pool.deposit(owner++, 50))
    },
  }
}

async function newsUntil(
  news: AsyncIterator<ChainNews>,
  isEnough: (all: readonly ChainNews[]) => boolean,
): Promise<readonly ChainNews[]> {
  const all: ChainNews[] = []
  while (!isEnough(all)) {
    const next = await news.next()
    assert.ok(next.done !== true)
    all.push(next.value)
  }
  return all
}

test('reads leaves and follows events through nodes, and asks the endpoints nothing more', async (t) => {
  const through = await openThrough(t, [HONEST, HONEST, HONEST])
  const { view, world, endpoint } = through
  await through.deposit(3)
  assert.equal((await view.leaves(0, t.signal)).length, 3)
  assert.ok(endpoint.asked.length > 0, 'the endpoints were asked first')
  await through.untilNetwork()
  const before = endpoint.asked.length
  const stop = new AbortController()
  const news = view.events(world.payment.deployBlock, stop.signal)[Symbol.asyncIterator]()
  const leavesIn = (all: readonly ChainNews[]): number =>
    all.filter((each) => each.type === 'event' && each.event.name === 'leaf').length
  await newsUntil(news, (all) => leavesIn(all) === 3)
  await through.deposit(2)
  await newsUntil(news, (all) => leavesIn(all) === 2)
  stop.abort()
  assert.deepEqual(await view.leaves(0, t.signal), await world.chain.view.leaves(0, t.signal))
  assert.equal(await view.newestRoot(t.signal), undefined)
  await world.run(world.pool.snapshot())
  assert.deepEqual(await view.newestRoot(t.signal), await world.chain.view.newestRoot(t.signal))
  const account = world.lane.account
  assert.equal(
    await view.tokenBalance(account, t.signal),
    await world.chain.view.tokenBalance(account, t.signal),
  )
  assert.equal(endpoint.asked.length, before, 'nobody asked the endpoints')
  assert.deepEqual([through.routes, through.replaced, through.alerts], [['network'], [], []])
})

test('what a slot, a transaction and a refusal are comes through nodes as from the endpoints', async (t) => {
  const through = await openThrough(t, [HONEST, HONEST])
  const { view, world, reader } = through
  await through.deposit(1)
  await through.untilNetwork()
  const hash = await world.run(world.pool.snapshot())
  assert.deepEqual(
    await view.eventsOf(hash, t.signal),
    await world.chain.view.eventsOf(hash, t.signal),
  )
  assert.deepEqual(
    await view.slot(new Uint8Array(32).fill(9), t.signal),
    await world.chain.view.slot(new Uint8Array(32).fill(9), t.signal),
  )
  const [head, account] = [await reader.freshHead(t.signal), hexOf(world.lane.account)]
  const own = world.chain.reader
  assert.equal(
    await reader.nonce(account, head, t.signal),
    await own.nonce(account, head, t.signal),
  )
  assert.equal(
    await reader.balance(account, head, t.signal),
    await own.balance(account, head, t.signal),
  )
  assert.equal(await reader.receipt(`0x${'11'.repeat(32)}`, t.signal), undefined)
  assert.equal(await reader.block(head.number + 5, t.signal), undefined)
})

const LIES: readonly (readonly [what: string, lie: Manner])[] = [
  [
    'holds logs back',
    async (told, { kind }) => {
      const answer = await told()
      const isLogs = kind === CHAIN_QUESTION.LOGS && answer.verdict === CHAIN_VERDICT.OK
      if (!isLogs) return answer
      const { set } = decodeChainLogs(answer.body)
      return { ...answer, body: encodeChainLogs({ total: 0, set, logs: [] }) }
    },
  ],
  [
    'invents a block',
    async (told, { kind }) => {
      const answer = await told()
      const isBlock = kind === CHAIN_QUESTION.HEAD || kind === CHAIN_QUESTION.BLOCK
      const body = answer.body.slice()
      // In the midst of the hash.
      if (isBlock && answer.verdict === CHAIN_VERDICT.OK) body.fill(1, 12, 20)
      return { ...answer, body }
    },
  ],
]
for (const [what, lie] of LIES) {
  test(`a node that ${what} is found out, the endpoints say who, and nothing wrong is believed`, async (t) => {
    const through = await openThrough(t, [HONEST, HONEST, HONEST])
    const { view, world } = through
    await through.deposit(2)
    await through.untilNetwork()
    await world.anvil.mine(70)
    through.manners[1] = lie
    assert.equal((await view.leaves(0, t.signal)).length, 2)
    assert.deepEqual(new Set(through.replaced.map(String)), new Set(['1,true']))
    assert.ok(through.alerts.some(({ type }) => type === 'disagree'))
    assert.deepEqual(through.routes, ['network'])
  })
}

test('a node that nobody can settle with is believed as little as the others', async (t) => {
  const through = await openThrough(t, [HONEST, HONEST])
  const { view, endpoint } = through
  await through.deposit(1)
  await through.untilNetwork()
  await through.world.anvil.mine(70)
  through.manners[0] = LIES[0]?.[1] ?? AWAY
  endpoint.manner = { type: 'hang-up' }
  await assert.rejects(view.leaves(0, t.signal), { code: 'CHAIN_DISAGREE' })
  assert.deepEqual(through.replaced, [
    [0, false],
    [1, false],
  ])
})

test('one of three may be away; one alone is not believed', async (t) => {
  const through = await openThrough(t, [HONEST, HONEST, AWAY])
  const { reader } = through
  await through.untilNetwork()
  assert.ok(await reader.freshHead(t.signal))
  through.manners[1] = REFUSING
  await assert.rejects(reader.freshHead(t.signal), { code: 'CHAIN_UNREACHABLE' })
  assert.deepEqual(through.replaced, [])
  await assert.rejects(reader.freshHead(t.signal), { code: 'CHAIN_UNREACHABLE' })
  await assert.rejects(reader.freshHead(t.signal), { code: 'CHAIN_UNREACHABLE' })
  // Who is of no use is not known: all are replaced.
  assert.equal(through.replaced.length, 3)
  through.manners[1] = HONEST
  assert.ok(await reader.freshHead(t.signal))
  assert.deepEqual(through.routes, ['network'])
})

test('nodes of another chain than the endpoints are left before they are asked anything', async (t) => {
  const other = await deployWorld(t)
  await other.anvil.mine(50)
  const foreign = answererOf(other)
  const asForeign: Manner = (_, question) => foreign.answer(question, t.signal)
  const through = await openThrough(t, [asForeign, asForeign])
  await through.world.anvil.mine(100)
  const stop = new AbortController()
  const trying = through.routed.keepTrying(5, stop.signal)
  while (!through.replaced.some(([, isWrong]) => isWrong)) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  stop.abort()
  await trying
  assert.deepEqual(through.routes, [])
  assert.equal(through.routed.route, 'endpoints')
})

test('logs come in pages and in halves, whole', async (t) => {
  let pages = 0
  /** As a node that keeps less than any real one: three logs a page, and two blocks a set. */
  const small: Manner = async (told, question) => {
    const isLogs = question.kind === CHAIN_QUESTION.LOGS
    if (isLogs && question.to - question.from > 2) {
      return { verdict: CHAIN_VERDICT.TOO_LARGE, body: new Uint8Array(0) }
    }
    const answer = await told()
    if (!('skip' in question) || answer.verdict !== CHAIN_VERDICT.OK) return answer
    pages++
    const page = decodeChainLogs(answer.body)
    return { ...answer, body: encodeChainLogs({ ...page, logs: page.logs.slice(0, 1) }) }
  }
  const through = await openThrough(t, [small, small])
  const { reader, world } = through
  await through.deposit(6)
  await through.untilNetwork()
  const { number: to } = await reader.freshHead(t.signal)
  const pool = hexOf(world.payment.pool)
  const range = [[pool], world.payment.deployBlock, to, t.signal] as const
  assert.deepEqual(await reader.logs(...range), await world.chain.reader.logs(...range))
  assert.ok(pages > 12)
})

test('a node that sends without end, or nonsense, is as good as away', async (t) => {
  const endless: Manner = async (told, question) => {
    const answer = await told()
    if (!('skip' in question)) return answer
    return {
      ...answer,
      body: encodeChainLogs({ total: 2 ** 31, set: bytesOf(`0x${'00'.repeat(8)}`), logs: [] }),
    }
  }
  const nonsense: Manner = async (told, question) =>
    'skip' in question ? { verdict: CHAIN_VERDICT.OK, body: new Uint8Array(5) } : told()
  const through = await openThrough(t, [HONEST, endless, nonsense])
  const { view } = through
  await through.deposit(1)
  await through.untilNetwork()
  await assert.rejects(view.leaves(0, t.signal), { code: 'CHAIN_UNREACHABLE' })
  assert.deepEqual(through.alerts, [])
})

test('a network that has not answered for a minute is passed by, and asked again when it answers', async (t) => {
  const world = await deployWorld(t)
  const own = world.chain.reader
  let [nowMs, isAway] = [0, false]
  const away = chainError('CHAIN_UNREACHABLE', {
    method: 'eth_getBlockByNumber',
    answers: 0,
    needed: 2,
    fault: 'connect',
  })
  const freshHead: ChainReader['freshHead'] = async (signal) => {
    if (isAway) throw away
    return await own.freshHead(signal)
  }
  const routes: ChainRoute[] = []
  const changed = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const routed = createRoutedReader({
    endpoints: own,
    network: { ...own, freshHead },
    seats: [],
    onRoute(route) {
      routes.push(route)
      if (route === 'network') changed.shift()?.resolve()
    },
    nowMs: () => nowMs,
  })
  const [first, second] = changed
  const stop = new AbortController()
  const trying = routed.keepTrying(5, stop.signal)
  await first?.promise
  const ask = (): Promise<unknown> => routed.reader.freshHead(t.signal)
  await ask()
  // A machine that slept has not been without an answer all the while.
  nowMs += 3_600_000
  isAway = true
  await assert.rejects(ask(), { code: 'CHAIN_UNREACHABLE' })
  nowMs += 59_000
  await assert.rejects(ask(), { code: 'CHAIN_UNREACHABLE' })
  nowMs += 2000
  assert.ok(await ask())
  assert.deepEqual(routes, ['network', 'endpoints'])
  isAway = false
  await second?.promise
  stop.abort()
  await trying
  assert.deepEqual(routes, ['network', 'endpoints', 'network'])
})
