/** What a redeemer has earned leaves the account whose key is in a running program (DESIGN §7.4). */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createTokenCalls } from '@byway/chain'
import { hexToBytes, toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { createFeeKeeper } from '../../src/redemption/fee-keeper.ts'
import { openProvider, settingsOf, startRedeemingWorld } from './redeeming-world.ts'

const world = await startRedeemingWorld()
const { scene } = world
const { profile, rpc } = scene.world
after(() => world[Symbol.asyncDispose]())

test('without coin for gas the fees stay where they are, until there is some', async () => {
  const account = keyOf('poor redeemer with fees').address
  await using redeemer = await openProvider(settingsOf(world, 'poor redeemer with fees'))
  const { lane, store, chain } = redeemer
  let nowMs = 0
  const keeper = createFeeKeeper({
    chain: chain.view,
    lane,
    calls: createTokenCalls(hexToBytes(scene.world.token)),
    events: store.ledger,
    to: hexToBytes(keyOf('owner of few fees').address),
    least: 1n,
    nowMs: () => (nowMs += 3_600_000),
    wallMs: Date.now,
  })
  await scene.world.fund(account, 5n)
  await rpc.request('anvil_setBalance', account, '0x0')
  await keeper.look(world.signal)
  assert.equal(await scene.world.balance(account), 5n)
  await rpc.request('anvil_setBalance', account, toHex(10n ** 21n))
  await keeper.look(world.signal)
  await world.mine(1)
  assert.equal(await scene.world.balance(account), 0n)
})

test('the fees of a redeemer are moved to its owner once they are worth the gas, and its books say so', async () => {
  const account = keyOf('redeemer with fees').address
  const owner = keyOf('owner of fees').address
  await rpc.request('anvil_setBalance', account, toHex(10n ** 21n))
  await using redeemer = await openProvider(settingsOf(world, 'redeemer with fees'))
  const { lane, store, chain } = redeemer
  let nowMs = 0
  const keeper = createFeeKeeper({
    chain: chain.view,
    lane,
    calls: createTokenCalls(hexToBytes(scene.world.token)),
    events: store.ledger,
    to: hexToBytes(owner),
    least: profile.winValue,
    nowMs: () => (nowMs += 3_600_000),
    wallMs: Date.now,
  })
  const look = async (): Promise<void> => {
    await keeper.look(world.signal)
    await world.mine(1)
    await lane.look(world.signal)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await scene.world.fund(account, profile.winValue - 1n)
  await look()
  assert.equal(await scene.world.balance(owner), 0n, 'not for so little')
  await scene.world.fund(account, 1n)
  for (let round = 0; round < 3; round++) await look()
  assert.equal(await scene.world.balance(account), 0n)
  assert.equal(await scene.world.balance(owner), profile.winValue)
  const told = []
  for await (const { event } of store.ledger.read()) told.push(event.type)
  assert.deepEqual(told, ['gas-paid', 'fees-moved'])
})
