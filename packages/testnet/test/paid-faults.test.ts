/** What goes wrong in a paid network: a relay dies, the client starts again, the chain is away, the budget is spent. Downloads go on where they can, and nobody is paid twice. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createClient, createProxy } from '@byway/client'
import { NO_LOG, toHex } from '@byway/protocol/base'
import { nodeKeyOf } from '@byway/protocol/directory'
import type { ClientMoneyEvent, MoneyEvent } from '@byway/protocol/ledger'
import { testnet, type Testnet, type TestnetOptions } from '../src/index.ts'
import { proxyTargets } from '../src/in-process.ts'
import { curl } from './support/curl.ts'
import { bodyOf, startOrigin, type Origin } from './support/origin.ts'
import { createPaidWorld, eventsOf, type PaidWorld } from './support/paid-world.ts'

const MIB = 1024 * 1024
const TOKEN_BYTES = 4 * MIB

function start(
  world: PaidWorld,
  origin: Origin,
  options: Pick<TestnetOptions, 'hops' | 'payment'> = {},
): Promise<Testnet> {
  const exitTargets = [{ address: '127.0.0.1', port: origin.port }]
  return testnet({ payment: world.payment, exitTargets, ...options })
}

const socks = (port: number): string => `socks5h://127.0.0.1:${port}`

async function fetchBody(proxyPort: number, origin: Origin, bytes: number): Promise<void> {
  const answer = await curl(socks(proxyPort), `${origin.url}/paid/${bytes}`)
  assert.ok(answer.equals(bodyOf('paid', bytes)))
}

/** Looks until something holds; what it waits for has limits of its own, far below this. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 60_000
  while (!holds()) {
    assert.ok(performance.now() < endMs, what)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function tokensTakenBy(world: PaidWorld, role: 'relay' | 'exit'): Promise<number> {
  const all = await Promise.all([...world.nodes.values()].map(({ store }) => eventsOf(store)))
  return all.flat().reduce((sum, event) => sum + tokensIn(event, role), 0)
}

function tokensIn(event: MoneyEvent, role: 'relay' | 'exit'): number {
  const isOne = event.type === 'tokens-redeemed' && event.kind === 'bandwidth'
  return isOne && event.role === role ? event.count : 0
}

const spent = (events: readonly ClientMoneyEvent[]): bigint =>
  events.reduce((sum, event) => sum + (event.type === 'tickets-sent' ? event.amount : 0n), 0n)

suite('a paid network with faults', () => {
  test('a relay dies in a download: it completes, and what the exit was paid goes on with the tunnel', async () => {
    const bytes = 40 * MIB
    await using origin = await startOrigin()
    await using world = await createPaidWorld()
    {
      await using net = await start(world, origin, { hops: 3 })
      const download = fetchBody(net.proxyPort, origin, bytes)
      const middleKey = (): string | undefined => net.client.status().tunnels[0]?.hops[1]?.nodeId
      const middleOf = () =>
        net.nodes.find(({ node }) => nodeKeyOf(node.nodeId) === middleKey())?.node
      await until(
        'a part has come',
        () => (middleOf()?.status().backwardBytes ?? 0) > 2 * TOKEN_BYTES,
      )
      const middle = middleOf()
      assert.ok(middle)
      await middle[Symbol.asyncDispose]()
      await download
      assert.ok((net.client.status().tunnels[0]?.rejoins ?? 0) > 0)
    }
    const taken = await tokensTakenBy(world, 'exit')
    // Headers and small cells add a little; two tokens may be ahead, and one was under way when the leg died.
    assert.ok(taken * TOKEN_BYTES >= bytes)
    assert.ok(taken * TOKEN_BYTES <= bytes * 1.1 + 4 * TOKEN_BYTES, `${taken} tokens`)
  })

  test('a client that starts again goes on with its slots and tokens', async () => {
    await using origin = await startOrigin()
    await using world = await createPaidWorld({ priceStep: 8 })
    await using net = await start(world, origin)
    await fetchBody(net.proxyPort, origin, 12 * MIB)
    await net.client[Symbol.asyncDispose]()
    const before = await world.clientStore.slots.all()
    await using again = createClient({ network: net.network, payment: world.payment.client })
    await again.start(AbortSignal.timeout(20_000))
    await using proxy = createProxy(
      { dialer: again, log: NO_LOG },
      { port: 0, allowTargets: proxyTargets(net.network) },
    )
    const { port } = await proxy.start()
    await fetchBody(port, origin, 12 * MIB)
    const after = await world.clientStore.slots.all()
    // A slot may fill by luck, and only then is its hop shown another.
    const inUse = after.filter(({ standing }) => standing !== 'full')
    const places = inUse.map(({ hop, use }) => `${use} ${hop}`)
    assert.equal(new Set(places).size, places.length, 'no hop was shown a second slot beside one')
    assert.ok(
      inUse.every(({ standing }) => standing === 'shown'),
      'and none was refused',
    )
    for (const { nullifier } of before) {
      assert.ok(after.some((record) => toHex(record.nullifier) === toHex(nullifier)))
    }
  })

  test('the chain is away: what is in use is paid and goes on', async () => {
    await using origin = await startOrigin()
    await using world = await createPaidWorld()
    await using net = await start(world, origin)
    await fetchBody(net.proxyPort, origin, MIB)
    world.chain.mood = 'hangs'
    const before = net.client.status().money?.session ?? 0n
    await fetchBody(net.proxyPort, origin, 8 * MIB)
    assert.ok((net.client.status().money?.session ?? 0n) > before)
  })

  test('the deposit has no slot left: applications are told', async () => {
    await using origin = await startOrigin()
    // One for the exit that is met first; none is left for the entry.
    await using world = await createPaidWorld({ slots: 1 })
    await using net = await start(world, origin)
    await assert.rejects(fetchBody(net.proxyPort, origin, 40 * MIB))
    const refusal = curl(`http://127.0.0.1:${net.proxyPort}`, `${origin.url}/x/10`)
    await assert.rejects(refusal, /402/)
    assert.equal(net.client.status().money?.slots.unshown, 0)
  })

  test('the budget is spent: not a unit more is paid, and applications are told', async () => {
    // Sixteen units of the first token purchase, and a few for the entry.
    const budget = 20n * 4000n
    await using origin = await startOrigin()
    await using world = await createPaidWorld()
    {
      const payment = { ...world.payment, client: { ...world.payment.client, budget } }
      await using net = await start(world, origin, { payment })
      await assert.rejects(fetchBody(net.proxyPort, origin, 40 * MIB))
      await until('no money is left', () => net.client.status().money?.isBudgetLeft === false)
      const refusal = curl(`http://127.0.0.1:${net.proxyPort}`, `${origin.url}/x/10`)
      await assert.rejects(refusal, /402/)
    }
    assert.ok(spent(world.clientEvents) <= budget)
  })
})
