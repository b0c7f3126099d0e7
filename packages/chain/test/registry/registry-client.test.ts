import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeSecp256k1 } from '@byway/protocol/node-ticket'
import { epochOf, type ContractCall } from '@byway/protocol/payment'
import { encodeAbiParameters, encodeEventTopics } from 'viem/utils'
import { PROOFS_ABI } from '../../src/contracts/abi.ts'
import { bytesOf, hexOf, wordOf } from '../../src/contracts/bytes.ts'
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
/** Logs what it is sent: three topics, then data. In the place of the contract of service proofs it says that an epoch stood, without the weeks that takes. */
const LOGGER = '0x366000600037604051602051600051606036036060a300'
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

/** What makes {@link LOGGER} say that an epoch of the provider was released. */
function releasedCall(to: Uint8Array, epoch: number, held: bigint): ContractCall {
  const provider = hexOf(PROVIDER)
  const args = { provider, epoch } as const
  const topics = encodeEventTopics({ abi: PROOFS_ABI, eventName: 'Released', args })
  const types = [{ type: 'address' }, { type: 'uint96' }, { type: 'uint96' }] as const
  // Redeemers had the rest: that takes nothing from what was proven.
  const data = encodeAbiParameters(types, [provider, held / 2n, held])
  const words = [...topics.map(String), data].map((hex) => bytesOf(hex))
  return { to, data: concatBytes(...words), value: 0n, gasCap: 100_000n }
}

/** Resolves when the view says so. */
async function until(client: RegistryClient, holds: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = client.onChange(() => holds() && resolve())
  if (holds()) resolve()
  await promise
  stop()
}

suite('the registry client (SPEC §14.7)', () => {
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
    assert.deepEqual(late.view.ownerOf(CLAIM), world.lane.account)
    await world.run(world.registry.addStake(PROVIDER, STAKE))
    await until(client, () => client.view.activeStake === 2n * STAKE)
    await world.run(world.registry.unbond(PROVIDER))
    await until(client, () => client.view.activeStake === 0n)
    assert.equal(client.view.records()[0]?.isUnbonding, true)
  })

  test('knows whose service stood, by what was burned of the same wins, and keeps it', async (t) => {
    const world = await stakedWorld(t)
    const proofs = world.payment.proofs?.contract
    assert.ok(proofs)
    await world.anvil.rpc('anvil_setCode', hexOf(proofs), LOGGER)
    const cache = memoryCache()
    const client = clientOf(t, world, { cache })
    await client.start(t.signal)
    await world.run(registerCall(world))
    await until(client, () => client.view.activeCount === 1)
    assert.deepEqual(client.provenOf(CLAIM), { epochs: 0, fees: 0n, factor: 1 })
    const epoch = epochOf(Date.now() / 1000, PARAMETERS.epochS) - 3
    const { winValue, holdBps, feeBps } = PARAMETERS
    const held = (10n * winValue * BigInt(holdBps)) / 10_000n
    const burned = (10n * winValue * BigInt(feeBps)) / 10_000n
    await world.run(releasedCall(proofs, epoch, held))
    await until(client, () => client.provenOf(CLAIM)?.epochs === 1)
    const proven = client.provenOf(CLAIM)
    assert.equal(proven?.fees, burned)
    assert.ok(proven.factor > 1)
    assert.equal(client.provenOf({ ...CLAIM, nodeId: new Uint8Array(32) })?.epochs, 0)
    await client[Symbol.asyncDispose]()
    const again = clientOf(t, world, { cache, urls: ['http://127.0.0.1:1'] })
    await again.start(t.signal)
    assert.deepEqual(again.provenOf(CLAIM), proven, 'from what was stored')
    const fresh = clientOf(t, world)
    await fresh.start(t.signal)
    assert.deepEqual(fresh.provenOf(CLAIM), proven, 'from history')
    await world.anvil.rpc('anvil_reorg', 1, [])
    await until(fresh, () => fresh.provenOf(CLAIM)?.epochs === 0)
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
    const stakeAgeMs = first.stakeAgeMs(CLAIM)
    assert.ok(stakeAgeMs !== undefined)
    await first[Symbol.asyncDispose]()
    const away = ['http://127.0.0.1:1']
    const clock = { aheadMs: 0 }
    const offline = clientOf(t, world, {
      cache: { ...cache, save: async () => {} },
      urls: away,
      nowMs: () => Date.now() + clock.aheadMs,
    })
    await offline.start(t.signal)
    clock.aheadMs = -DAY_MS / 48
    assert.equal(offline.ageMs, 0, 'half an hour back')
    clock.aheadMs = -DAY_MS / 12
    assert.equal(offline.ageMs, Number.POSITIVE_INFINITY, 'two hours back: nobody knows')
    clock.aheadMs = 0
    assert.equal(offline.view.stakeOf(CLAIM), STAKE)
    assert.deepEqual(offline.view.ownerOf(CLAIM), world.lane.account)
    const storedAgeMs = offline.stakeAgeMs(CLAIM)
    assert.ok(
      storedAgeMs !== undefined && storedAgeMs >= stakeAgeMs,
      'young stakes are known offline',
    )
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

  test('leaves a stored block that a reorganisation takes away while it builds on it', async (t) => {
    const world = await stakedWorld(t)
    await world.run(registerCall(world))
    const cache = memoryCache()
    const first = clientOf(t, world, { cache })
    await first.start(t.signal)
    await first[Symbol.asyncDispose]()
    const again = clientOf(t, world, { cache })
    await again.start(t.signal)
    assert.equal(again.view.activeCount, 1)
    // What it follows begins behind the stored block: only that one says that the registration is gone.
    await world.anvil.rpc('anvil_reorg', 1, [])
    await world.anvil.rpc('anvil_mine', '0x2')
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
