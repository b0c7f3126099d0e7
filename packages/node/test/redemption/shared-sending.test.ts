/** A redeemer sends what several providers left with it in one transaction (DESIGN §7.1), on the real contracts. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { REDEEM_ANSWER } from '@byway/protocol/wire'
import { toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { openRedeemer, type OpenRedeemer, PEER, redeemersIn } from './redeemer-kit.ts'
import { openProvider, settingsOf, startRedeemingWorld } from './redeeming-world.ts'

const world = await startRedeemingWorld()
const { scene } = world
const { profile, rpc } = scene.world
after(() => world[Symbol.asyncDispose]())

const FEE = profile.winValue / 10n
const NET = (profile.winValue * 90n) / 100n
const PROMISE_S = 3600

/** A win of a new provider on a new slot, as an order to bind it. */
async function bindOrder(name: string): Promise<Uint8Array> {
  const [order] = await bindOrders(name, 1)
  return order ?? assert.fail('an order')
}

/** The same win in so many orders, each with another deadline. */
async function bindOrders(name: string, count: number): Promise<readonly Uint8Array[]> {
  const key = await scene.provider(name)
  const [slot] = await scene.slots(`payer of ${name}`, 1)
  assert.ok(slot)
  const orders: Uint8Array[] = []
  const redeemers = redeemersIn(
    world,
    name,
    [async (_nodeId, order) => void orders.push(Uint8Array.from(order))],
    { fee: FEE, lockFee: FEE / 5n },
  )
  await using provider = await openProvider(settingsOf(world, name), {
    redeemers,
    withoutGas: true,
  })
  await provider.store.winners.add(world.winner(slot, key, 1))
  const winners = await provider.winners()
  const deadlineS = (await rpc.now()) + PROMISE_S
  for (let i = 0; i < count; i++)
    await redeemers.handOver(
      { kind: 'bind', winners, isUrgent: false },
      deadlineS + i,
      world.signal,
    )
  return orders
}

const take = ({ service }: OpenRedeemer, order: Uint8Array) =>
  service.take(PEER, order, world.signal)
const sentBy = async (name: string): Promise<number> =>
  Number(await rpc.request('eth_getTransactionCount', keyOf(name).address, 'latest'))
const credits = (...names: readonly string[]) =>
  Promise.all(names.map((name) => scene.credit(keyOf(name).address)))

async function booksOf({ store }: OpenRedeemer): Promise<{ fees: bigint; gas: number }> {
  const books = { fees: 0n, gas: 0 }
  for await (const { event } of store.ledger.read()) {
    if (event.type === 'fee-earned') books.fees += event.amount
    if (event.type === 'gas-paid') books.gas++
  }
  return books
}

test('binds of three providers are one transaction, and the books have its gas once and all fees', async () => {
  const names = ['ann', 'ben', 'cleo']
  await using redeemer = await openRedeemer(world, 'sharing')
  for (const name of names)
    assert.equal(await take(redeemer, await bindOrder(name)), REDEEM_ANSWER.TAKEN)
  await redeemer.work()
  await world.mine(2)
  await redeemer.work()
  assert.equal(await sentBy('sharing'), 1)
  assert.deepEqual(
    await credits(...names),
    names.map(() => NET - FEE),
  )
  assert.deepEqual(await booksOf(redeemer), { fees: 3n * FEE, gas: 1 })
  assert.equal(await redeemer.service.look(world.signal), 0)
})

test('a bind waits for company no longer than it is told', async () => {
  await using redeemer = await openRedeemer(world, 'waiting', undefined, 3_600_000)
  await take(redeemer, await bindOrder('dora'))
  await redeemer.work()
  await world.mine(1)
  await redeemer.work()
  assert.equal(await sentBy('waiting'), 0)
  assert.equal(await redeemer.service.look(world.signal), 1)
  assert.equal(redeemer.service.isBusy, true)
})

test('a redeemer that dies with a shared transaction on its way pays for it once, and books it', async () => {
  const names = ['eve', 'finn']
  const orders = [await bindOrder('eve'), await bindOrder('finn')]
  const late = await bindOrder('gus')
  await rpc.request('evm_setAutomine', false)
  try {
    {
      await using redeemer = await openRedeemer(world, 'dying')
      for (const order of orders) assert.equal(await take(redeemer, order), REDEEM_ANSWER.TAKEN)
      await redeemer.service.look(world.signal)
    }
    await using redeemer = await openRedeemer(world, 'dying')
    // One more would make another group of them.
    assert.equal(await take(redeemer, late), REDEEM_ANSWER.TAKEN)
    await redeemer.service.look(world.signal)
    await world.mine(2)
    await redeemer.work()
    await world.mine(2)
    await redeemer.work()
    assert.equal(await sentBy('dying'), 2, 'the two together, and the late one')
    assert.deepEqual(await credits(...names, 'gus'), [NET - FEE, NET - FEE, NET - FEE])
    assert.deepEqual(await booksOf(redeemer), { fees: 3n * FEE, gas: 2 })
  } finally {
    await rpc.request('evm_setAutomine', true)
  }
})

for (const names of [['kim'], ['lea', 'max']])
  test(`what was mined for ${names.length} while a redeemer was off stands in its books all the same`, async () => {
    const orders: Uint8Array[] = []
    for (const name of names) orders.push(await bindOrder(name))
    const redeemerName = `sleeping for ${names.join(' and ')}`
    await rpc.request('evm_setAutomine', false)
    try {
      {
        await using redeemer = await openRedeemer(world, redeemerName)
        for (const order of orders) assert.equal(await take(redeemer, order), REDEEM_ANSWER.TAKEN)
        await redeemer.service.look(world.signal)
      }
      await world.mine(3)
      // The orders' time ends before it is back.
      await rpc.request('evm_increaseTime', toHex(2 * PROMISE_S))
      await world.mine(1)
      await using redeemer = await openRedeemer(world, redeemerName)
      // The lane has seen it before anybody asks what became of the orders.
      await redeemer.lane.look(world.signal)
      await redeemer.work()
      assert.equal(await sentBy(redeemerName), 1)
      assert.deepEqual(
        await credits(...names),
        names.map(() => NET - FEE),
      )
      assert.deepEqual(await booksOf(redeemer), { fees: BigInt(names.length) * FEE, gas: 1 })
      const done = await redeemer.store.handOvers.list('taken', 'done')
      assert.equal(done.length, names.length)
    } finally {
      await rpc.request('evm_setAutomine', true)
    }
  })

test('an order that another has carried out meanwhile costs those beside it nothing', async () => {
  await using redeemer = await openRedeemer(world, 'beside')
  await using quick = await openRedeemer(world, 'quicker')
  const [done, open] = [await bindOrder('hal'), await bindOrder('ida')]
  await take(redeemer, done)
  await take(redeemer, open)
  await take(quick, done)
  await quick.work()
  await world.mine(1)
  await redeemer.work()
  await world.mine(2)
  await redeemer.work()
  assert.deepEqual(await credits('hal', 'ida'), [NET - FEE, NET - FEE])
  assert.deepEqual(await booksOf(redeemer), { fees: FEE, gas: 1 })
})

test('the same order from two nodes brings its fee once', async () => {
  const name = 'jan'
  const order = await bindOrder(name)
  await using redeemer = await openRedeemer(world, 'doubled')
  await redeemer.service.take(PEER, order, world.signal)
  await redeemer.service.take(new Uint8Array(32).fill(8), order, world.signal)
  await redeemer.work()
  await world.mine(2)
  await redeemer.work()
  assert.deepEqual(await credits(name), [NET - FEE])
  assert.equal((await booksOf(redeemer)).fees, FEE)
})

test('a win that its provider leaves in many orders is sent once, and those beside it in the same company', async () => {
  await using redeemer = await openRedeemer(world, 'courted')
  for (const order of [...(await bindOrders('nan', 4)), await bindOrder('oda')])
    assert.equal(await take(redeemer, order), REDEEM_ANSWER.TAKEN)
  for (let look = 0; look < 3; look++) {
    await redeemer.work()
    await world.mine(2)
  }
  await redeemer.work()
  assert.equal(await sentBy('courted'), 1)
  assert.deepEqual(await credits('nan', 'oda'), [NET - FEE, NET - FEE])
  assert.deepEqual(await booksOf(redeemer), { fees: 2n * FEE, gas: 1 })
})
