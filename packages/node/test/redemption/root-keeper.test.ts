/** Who publishes the roots, on a real chain whose clock the test moves. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { chainError, createPoolCalls } from '@byway/chain'
import { hexToBytes, toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { createRootKeeper } from '../../src/redemption/root-keeper.ts'
import { openProvider, settingsOf, startRedeemingWorld } from './redeeming-world.ts'

const INTERVAL_S = 6 * 3600
/** What a delay of half the spread is: the spread is half an hour here. */
const HALF_MS = 15 * 60_000

const world = await startRedeemingWorld({ profile: { snapshotInterval: INTERVAL_S } })
after(() => world[Symbol.asyncDispose]())
const { client, payer, world: contracts } = world.scene
const { rpc } = contracts

const ONE_COIN = 10n ** 18n

/** A node with gas, and a clock of its own. */
async function keeperOf(
  name: string,
  random: number,
  { wei = ONE_COIN, rootIntervalS = INTERVAL_S, isFull = (): boolean => false } = {},
) {
  const { address } = keyOf(name)
  await rpc.request('anvil_setBalance', address, toHex(wei))
  const provider = await openProvider(settingsOf(world, name))
  let nowMs = 0
  const keeper = createRootKeeper({
    chain: {
      head: async (signal) => {
        if (node.isAway)
          throw chainError('CHAIN_UNREACHABLE', {
            method: 'eth_blockNumber',
            answers: 0,
            needed: 1,
            fault: 'timeout',
          })
        return provider.chain.view.head(signal)
      },
      newestRoot: (signal) => provider.chain.view.newestRoot(signal),
    },
    lane: {
      send: async (call, signal) => {
        if (isFull()) throw chainError('CHAIN_LANE_FULL', { pending: 48 })
        return await provider.lane.send(call, signal)
      },
    },
    calls: createPoolCalls(hexToBytes(contracts.pool)),
    rootIntervalS,
    random: () => random,
    nowMs: () => nowMs,
  })
  const node = {
    isAway: false,
    /** Looks at once, and again after so many milliseconds of its own clock; what it sent is mined. */
    async look(laterMs = 0) {
      nowMs += laterMs
      await keeper.look(world.signal)
      await provider.lane.look(world.signal)
    },
    sent: async () => Number(await rpc.request('eth_getTransactionCount', address, 'latest')),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  }
  return node
}

const newestRoot = () => contracts.readPool('newestRoot')
/** Into the next interval of UTC time. */
const toNextInterval = async () => rpc.pass(INTERVAL_S - ((await rpc.now()) % INTERVAL_S))

test('each interval with new leaves gets one root, from whoever drew the shortest delay (SPEC §14.1)', async () => {
  await using early = await keeperOf('early', 0.5)
  await using late = await keeperOf('late', 0.9)
  const both = [early, late]
  await client.deposit(payer, 'first', 5)
  for (const keeper of both) await keeper.look()
  assert.equal(await newestRoot(), 0n, 'nobody is due')
  for (const keeper of both) await keeper.look(HALF_MS)
  assert.equal(await newestRoot(), client.tree.root)
  const first = client.tree.root
  for (const keeper of both) await keeper.look(HALF_MS)
  assert.deepEqual([await early.sent(), await late.sent()], [1, 0], 'the other sees the root')

  await client.deposit(payer, 'second', 5)
  for (const keeper of both) await keeper.look(HALF_MS)
  assert.equal(await newestRoot(), first, 'no second root in one interval')
  await toNextInterval()
  for (const keeper of both) await keeper.look()
  for (const keeper of both) await keeper.look(HALF_MS)
  assert.equal(await newestRoot(), client.tree.root)
  for (const keeper of both) await keeper.look(HALF_MS)

  await toNextInterval()
  for (const keeper of both) await keeper.look()
  for (const keeper of both) await keeper.look(2 * HALF_MS)
  assert.deepEqual(
    [await early.sent(), await late.sent()],
    [2, 0],
    'a quiet interval costs nothing',
  )
})

test('without coin it leaves the root to others, without a chain it looks again', async () => {
  await using poor = await keeperOf('poor', 0, { wei: 0n })
  await using rich = await keeperOf('rich', 0)
  await client.deposit(payer, 'third', 5)
  await toNextInterval()
  const before = await newestRoot()
  await poor.look()
  assert.equal(await newestRoot(), before)
  rich.isAway = true
  await rich.look()
  assert.equal(await newestRoot(), before)
  rich.isAway = false
  await rich.look()
  assert.equal(await newestRoot(), client.tree.root)
})

test('with as many transactions under way as may be it looks again', async () => {
  let isFull = true
  await using busy = await keeperOf('busy', 0, { isFull: () => isFull })
  await client.deposit(payer, 'while busy', 5)
  await toNextInterval()
  const before = await newestRoot()
  await busy.look()
  assert.equal(await newestRoot(), before)
  isFull = false
  await busy.look()
  assert.equal(await newestRoot(), client.tree.root)
})

test('in a local network of short intervals each look may publish', async () => {
  await using short = await keeperOf('short', 0, { rootIntervalS: 1 })
  for (const name of ['fourth', 'fifth']) {
    await client.deposit(payer, name, 5)
    await toNextInterval()
    await short.look()
    assert.equal(await newestRoot(), client.tree.root)
  }
})
