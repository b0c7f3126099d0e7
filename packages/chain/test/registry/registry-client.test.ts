import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeSecp256k1 } from '@byway/protocol/node-ticket'
import { wordOf } from '../../src/contracts/bytes.ts'
import { openChainReader } from '../../src/open-chain.ts'
import {
  createRegistryClient,
  type RegistryCache,
  type RegistryClient,
} from '../../src/registry/registry-client.ts'
import { deployWorld, PARAMETERS, type DeployedWorld } from '../support/deployed-world.ts'
import { startHostileProxy } from '../support/hostile-proxy.ts'
import { KEYS, signerOf } from '../support/test-chain.ts'

const STAKE = PARAMETERS.minStake
const PROVIDER = signerOf(1).address
const NODE_ID = new Uint8Array(32).fill(7)
const CLAIM = { provider: PROVIDER, nodeId: NODE_ID }
const DAY_MS = 24 * 3_600_000

async function stakedWorld(t: TestContext): Promise<DeployedWorld> {
  const world = await deployWorld(t)
  const { token, lane, payment, run } = world
  await run(token.mint(lane.account, 10n * STAKE))
  await run(token.approve(payment.registry, 10n * STAKE))
  return world
}

function registerCall({ registry, payment, lane }: DeployedWorld) {
  const digest = nodeCrypto.sha256(
    concatBytes(
      utf8Bytes('byway register v1'),
      wordOf(BigInt(payment.chainId)),
      payment.registry,
      lane.account,
      NODE_ID,
      lane.account,
    ),
  )
  const signature = nodeSecp256k1.signDigest(KEYS[1] ?? new Uint8Array(32), digest)
  return registry.register({
    provider: PROVIDER,
    nodeId: NODE_ID,
    payout: lane.account,
    stake: STAKE,
    signature,
  })
}

function memoryCache(): RegistryCache & { text: string | undefined } {
  return {
    text: undefined,
    async load() {
      return this.text
    },
    async save(text) {
      this.text = text
    },
  }
}

function clientOf(
  t: TestContext,
  world: DeployedWorld,
  options: { urls?: readonly string[]; cache?: RegistryCache; nowMs?: () => number } = {},
): RegistryClient {
  const { payment, anvil } = world
  const urls = options.urls ?? [anvil.url]
  const reader = openChainReader({
    rpcUrls: urls,
    chainId: payment.chainId,
    isLocal: urls.length === 1,
    onAlert: () => {},
    pollMs: 0,
    timeoutMs: 5000,
  })
  const client = createRegistryClient({
    reader,
    payment,
    isLocal: true,
    cache: options.cache,
    nowMs: options.nowMs ?? (() => Date.now()),
    pollMs: 5,
  })
  t.after(() => client[Symbol.asyncDispose]())
  return client
}

/** Resolves when the view says so. */
async function until(client: RegistryClient, holds: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = client.onChange(() => holds() && resolve())
  if (holds()) resolve()
  await promise
  stop()
}

suite('the registry client (SPEC §14.6)', () => {
  test('knows the stakes from before, and follows a node from its registration to its leaving', async (t) => {
    const world = await stakedWorld(t)
    const client = clientOf(t, world)
    await client.start(t.signal)
    assert.equal(client.view.activeCount, 0)
    await world.run(registerCall(world))
    await until(client, () => client.view.stakeOf(CLAIM) === STAKE)
    const late = clientOf(t, world)
    await late.start(t.signal)
    assert.equal(late.view.stakeOf(CLAIM), STAKE)
    await world.run(world.registry.addStake(PROVIDER, STAKE))
    await until(client, () => client.view.activeStake === 2n * STAKE)
    await world.run(world.registry.unbond(PROVIDER))
    await until(client, () => client.view.activeStake === 0n)
    assert.equal(client.view.records()[0]?.isUnbonding, true)
  })

  test('takes back what a reorganisation took back', async (t) => {
    const world = await stakedWorld(t)
    const client = clientOf(t, world)
    await client.start(t.signal)
    await world.run(registerCall(world))
    await until(client, () => client.view.activeCount === 1)
    await world.anvil.rpc('anvil_reorg', 1, [])
    await until(client, () => client.view.activeCount === 0)
    assert.equal(client.view.hasNode(NODE_ID), false)
  })

  test('starts from what it stored: without the chain for a day, and asking only for what is new', async (t) => {
    const world = await stakedWorld(t)
    await world.run(registerCall(world))
    const cache = memoryCache()
    const first = clientOf(t, world, { cache })
    await first.start(t.signal)
    await first[Symbol.asyncDispose]()
    const away = ['http://127.0.0.1:1']
    const offline = clientOf(t, world, { cache: { ...cache, save: async () => {} }, urls: away })
    await offline.start(t.signal)
    assert.equal(offline.view.stakeOf(CLAIM), STAKE)
    const tooOld = clientOf(t, world, {
      cache: { ...cache, save: async () => {} },
      urls: away,
      nowMs: () => Date.now() + DAY_MS + 1000,
    })
    await assert.rejects(tooOld.start(t.signal), { code: 'CHAIN_UNREACHABLE' })
    const asked: string[] = []
    const proxy = await startHostileProxy(t, world.anvil.url, {
      type: 'change',
      change: (result, { method, params }) => {
        if (method === 'eth_getLogs') asked.push(JSON.stringify(params))
        return result
      },
    })
    const again = clientOf(t, world, { cache, urls: [proxy.url] })
    await again.start(t.signal)
    assert.equal(again.view.stakeOf(CLAIM), STAKE)
    const from = `"fromBlock":"0x${world.payment.deployBlock.toString(16)}"`
    assert.ok(
      asked.every((each) => !each.includes(from)),
      'history was read again',
    )
    // The proxy is gone before what is disposed after the test.
    await again[Symbol.asyncDispose]()
  })

  test('does not build on a stored block that is no longer in the chain', async (t) => {
    const world = await stakedWorld(t)
    await world.run(registerCall(world))
    const cache = memoryCache()
    const first = clientOf(t, world, { cache })
    await first.start(t.signal)
    await first[Symbol.asyncDispose]()
    await world.anvil.rpc('anvil_reorg', 1, [])
    const again = clientOf(t, world, { cache })
    await again.start(t.signal)
    await until(again, () => again.view.activeCount === 0)
  })

  test('passes over a stored view that is damaged or of another contract', async (t) => {
    const world = await stakedWorld(t)
    const other = { ...memoryCache(), text: '{"version":1,"chainId":31337,"records":[[]]}' }
    const client = clientOf(t, world, { cache: other })
    await client.start(t.signal)
    assert.equal(client.view.activeCount, 0)
  })

  test('believes no endpoint alone: one of two that hides a registration stops the view', async (t) => {
    const world = await stakedWorld(t)
    await world.run(registerCall(world))
    const proxy = await startHostileProxy(t, world.anvil.url, {
      type: 'change',
      change: (result, { method }) => (method === 'eth_getLogs' ? [] : result),
    })
    const client = clientOf(t, world, { urls: [world.anvil.url, proxy.url] })
    await assert.rejects(client.start(t.signal), { code: 'CHAIN_UNREACHABLE' })
    assert.equal(client.view.activeCount, 0)
    await client[Symbol.asyncDispose]()
  })
})
