/**
 * Exits without a coin for gas, in a network of real processes with a chain of its own: their wins are locked, bound and paid through two redeemers at once, one of which may
 * take everything and send nothing. With `SLOW=1` also: what is won before a shutdown is paid while the node is off.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openChain, type ChainEvent, type ChainView } from '../packages/chain/src/index.ts'
import { writeLocalNetwork } from '../packages/cli/src/engine/local-network.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import { openOwnStore } from '../packages/cli/src/engine/own-store.ts'
import { PROGRAM } from '../packages/cli/test/running-byway.ts'
import { toHex } from '../packages/protocol/src/base/index.ts'
import { readPurseFile } from '../packages/purse/src/index.ts'
import {
  startProcesses,
  type NodeProcess,
  type ProcessNetwork,
} from '../packages/testnet/src/index.ts'
import { startBigOrigin, type BigOrigin } from './lib/big-origin.ts'
import { startCensorNode, type CensorNode } from './lib/censor-node.ts'
import { download } from './lib/download.ts'

const BODY_BYTES = 20_000_000
/** The dearest: a win every 256 units. */
const PRICE_STEP = 8
/** Half of the nodes: all exits. */
const WITHOUT_GAS = 3
/** Luck and a slow machine; what takes longer has stopped. */
const PATIENCE_MS = 400_000
const LOOK_MS = 500

/** Luck and six processes with a prover each decide how long it takes. */
const skip = process.env['SLOW'] === undefined && 'SLOW=1 runs it'

suite('nodes without gas', { skip }, () => {
  const stop = new AbortController()
  const parts = new AsyncDisposableStack()
  let origin: BigOrigin
  let network: ProcessNetwork
  let censor: CensorNode
  let view: ChainView
  const ended = new Set<string>()
  before(async () => {
    origin = parts.use(await startBigOrigin(BODY_BYTES))
    const started = await startProcesses(
      {
        program: PROGRAM,
        env: process.env,
        writeNetwork: writeLocalNetwork,
        askStatus: (home, program) => askControl(home, program, 'status'),
      },
      {
        priceStep: PRICE_STEP,
        nodesWithoutGas: WITHOUT_GAS,
        exitTargets: [{ address: '127.0.0.1', port: origin.port }],
        onNodeEnded: (id) => ended.add(id),
        signal: stop.signal,
      },
    )
    network = parts.use(started)
    censor = parts.use(await turnHostile(network, ended, stop.signal))
    assert.ok(network.payment)
    view = openChain({ payment: network.payment, isLocal: true, onAlert: () => {} }).view
  })
  after(async () => {
    stop.abort()
    await parts.disposeAsync()
  })
  const exits = (): readonly NodeProcess[] =>
    network.nodes.filter(({ id, plan }) => !plan.hasGas && !ended.has(id))
  const providerOf = async ({ home }: NodeProcess): Promise<Uint8Array> =>
    (await readPurseFile(home)).provider

  const winsOf = async (exit: NodeProcess): Promise<number> => {
    const { money } = ((await network.statusOf(exit)) ?? {}) as {
      readonly money?: { readonly wins: number }
    }
    return money?.wins ?? 0
  }

  /** Downloads until an exit wins; gives it while its win is fresh: it waits half a minute for company. */
  const untilWon = async (): Promise<NodeProcess> => {
    const had = new Map<string, number>()
    for (const exit of exits()) had.set(exit.id, await winsOf(exit))
    const over = new AbortController()
    const loading = downloadUntil(over.signal)
    try {
      for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs;) {
        for (const exit of exits()) if ((await winsOf(exit)) > (had.get(exit.id) ?? 0)) return exit
        await Promise.race([delay(LOOK_MS), loading])
      }
    } finally {
      over.abort()
    }
    return assert.fail('no exit has won')
  }

  const downloadUntil = async (over: AbortSignal): Promise<void> => {
    const proxyPort = Number(/:(\d+)$/.exec(network.proxy)?.[1])
    while (!over.aborted) {
      const options = { proxyPort, originPort: origin.port, username: 'luck', path: '/body' }
      const { ending } = await download(options)
      // The exit may be stopped by now.
      if (!over.aborted) assert.equal(ending, 'end')
    }
  }

  test('lock, bind and are paid through redeemers, with the fee from the win', async () => {
    const exit = await untilWon()
    const provider = await providerOf(exit)
    const won = await untilFound(view, network, (events) =>
      events.find((event) => event.name === 'won' && isOf(event, provider)),
    )
    assert.equal(await view.gasBalance(provider, stop.signal), 0n, 'it has no gas')
    const { winValue } = network.payment ?? assert.fail()
    assert.equal(
      won.name === 'won' && won.paid,
      (winValue * 80n) / 100n,
      '5 % burned, 5 % held back, 10 % fee',
    )
    const redeemers = await Promise.all(
      network.nodes.filter(({ plan }) => plan.isRedeemer).map(providerOf),
    )
    const sender = await view.senderOf(won.transaction, stop.signal)
    assert.ok(sender && redeemers.some((each) => toHex(each) === toHex(sender)))
  })

  test('have what they won before a shutdown paid while they are off', async () => {
    const exit = await untilWon()
    const provider = await providerOf(exit)
    // No block is made before it has stopped: or it would see itself paid.
    await setMining(network, false)
    process.kill(exit.pid, 'SIGTERM')
    await until(async () => ended.has(exit.id))
    await using store = await openOwnStore(exit.home, 'node')
    const open = await store.winners.list(['received', 'queued', 'sent'])
    assert.ok(open.length > 0, 'it stopped with an open win')
    for (const { state, carrier } of open)
      assert.ok(state === 'sent' && carrier?.startsWith('via-'), `left it ${state} by ${carrier}`)
    await setMining(network, true)
    for (const { nullifier, index } of open)
      await untilFound(view, network, (events) =>
        events.find(
          (event) =>
            event.name === 'won' &&
            isOf(event, provider) &&
            toHex(event.nullifier) === toHex(nullifier) &&
            event.index === index,
        ),
      )
  })

  test('survive a redeemer that takes orders and sends none', () => {
    assert.ok(censor.taken > 0, 'the censor was asked, and all was paid')
  })
})

/** One of the redeemers is stopped, and another program has its folder from then on: its stake, its keys, its address. */
async function turnHostile(
  network: ProcessNetwork,
  ended: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<CensorNode> {
  const [, victim] = network.nodes.filter(({ plan }) => plan.isRedeemer)
  const { host } = victim?.plan ?? {}
  assert.ok(victim && host)
  process.kill(victim.pid, 'SIGTERM')
  await until(async () => ended.has(victim.id))
  return await startCensorNode({
    networkFile: network.networkFile,
    home: victim.home,
    host,
    signal,
  })
}

function isOf(event: ChainEvent, provider: Uint8Array): boolean {
  return 'provider' in event && toHex(event.provider) === toHex(provider)
}

/** Stops and starts the making of blocks; all else of the chain goes on. */
async function setMining({ payment }: ProcessNetwork, isOn: boolean): Promise<void> {
  const [url] = payment?.rpcUrls ?? []
  assert.ok(url)
  const ask = async (method: string, param: unknown): Promise<void> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [param] })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url, { method: 'POST', headers, body })
    assert.equal('error' in ((await answer.json()) as object), false, method)
  }
  await ask('evm_setIntervalMining', isOn ? 1 : 0)
  await ask('evm_setAutomine', isOn)
}

/** Reads the pool's events again and again until one is there. */
async function untilFound(
  view: ChainView,
  { payment }: ProcessNetwork,
  find: (events: readonly ChainEvent[]) => ChainEvent | undefined,
): Promise<ChainEvent> {
  const found: ChainEvent[] = []
  const limit = AbortSignal.timeout(PATIENCE_MS)
  for await (const news of view.events(payment?.deployBlock ?? 0, limit)) {
    if (news.type !== 'event') continue
    found.push(news.event)
    const one = find(found)
    if (one) return one
  }
  return assert.fail('the chain has not told it in time')
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + PATIENCE_MS; performance.now() < endMs;) {
    if (await isDone()) return
    await delay(LOOK_MS)
  }
  assert.fail('it never came to that')
}
