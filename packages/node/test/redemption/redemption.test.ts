/** Winners become money on the real contracts (DESIGN §7.1, §7.4). */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { hexToBytes, toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import {
  openProvider,
  settingsOf,
  startRedeemingWorld,
  statesOf,
  untilLocked,
} from './redeeming-world.ts'

const world = await startRedeemingWorld()
const { scene } = world
after(() => world[Symbol.asyncDispose]())
const { winValue } = scene.world.profile
const NET = (winValue * 90n) / 100n
const mine = (): Promise<void> => world.mine(1)

async function fundGas(name: string): Promise<void> {
  await scene.world.rpc.request('anvil_setBalance', keyOf(name).address, toHex(10n ** 21n))
}

test('locks, binds and claims the wins of a slot, each paid once, and the ledger says so', async () => {
  const key = await scene.provider('simple')
  await fundGas('simple')
  const [first, second] = await scene.slots('simple payer', 2)
  if (!first || !second) assert.fail()
  await using provider = await openProvider(settingsOf(world, 'simple'))
  for (const winner of [
    world.winner(first, key, 3),
    world.winner(first, key, 9),
    world.winner(second, key, 1),
  ])
    await provider.store.winners.add(winner)
  await provider.until(({ open }) => open === 0, mine)
  await provider.until(async () => statesOf(await provider.winners())['done'] === 3, mine)
  assert.equal(await scene.credit(key.address), 3n * NET)
  assert.equal((await scene.word(first.nullifier)).lastIndex, 9)
  const paid = []
  for await (const { event } of provider.store.ledger.read())
    if (event.type === 'claim-paid') paid.push(event)
  assert.equal(paid.length, 3)
  assert.ok(
    paid.every(
      ({ received, burned, heldBack, amount }) =>
        received === NET && burned + heldBack + received === amount,
    ),
  )
  assert.deepEqual(provider.alerts, [])
})

test('waits for company, and no longer than told: binds by age, claims by age and number', async () => {
  const key = await scene.provider('patient')
  await fundGas('patient')
  const [slot] = await scene.slots('patient payer', 1)
  if (!slot) assert.fail()
  let nowMs = 1_000_000
  const policy = { bindWaitMs: 60_000, claimWaitMs: 3_600_000 }
  await using provider = await openProvider(settingsOf(world, 'patient'), {
    policy,
    nowMs: () => nowMs,
  })
  await provider.store.winners.add(world.winner(slot, key, 1, nowMs))
  await untilLocked(world, provider, slot, mine)
  await provider.redemption.look(world.signal)
  assert.deepEqual(statesOf(await provider.winners()), { received: 1 })
  nowMs += 60_000
  await provider.until(async () => (await scene.word(slot.nullifier)).state === 'BOUND', mine)
  await provider.store.winners.add(world.winner(slot, key, 2, nowMs))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
  assert.equal((await scene.word(slot.nullifier)).wins, 1)
  nowMs += 3_600_000
  await provider.until(async () => statesOf(await provider.winners())['done'] === 2, mine)
})

test('locks a slot ahead of its wins, once, and binds when it wins; one that is held is left alone', async () => {
  const key = await scene.provider('ahead')
  await fundGas('ahead')
  const [slot, winning, held] = await scene.slots('bulk payer', 3)
  if (!slot || !winning || !held) assert.fail()
  await using provider = await openProvider(settingsOf(world, 'ahead'))
  const { redemption, store } = provider
  const name = (nullifier: bigint): Uint8Array => hexToBytes(toHex(nullifier, { size: 32 }))
  await store.winners.add(world.winner(held, key, 1))
  for (const each of [slot, winning, held]) redemption.lockAhead(name(each.nullifier))
  await redemption.look(world.signal)
  // It wins while its lock is on its way: it is not locked a second time.
  await store.winners.add(world.winner(winning, key, 4))
  await untilLocked(world, provider, slot, mine)
  await provider.until(async () => statesOf(await provider.winners())['done'] === 2, mine)
  assert.equal((await scene.word(slot.nullifier)).state, 'LOCKED')
  assert.equal((await scene.word(winning.nullifier)).state, 'BOUND')
  redemption.lockAhead(name(slot.nullifier))
  await redemption.look(world.signal)
  const nonce = await scene.world.rpc.request('eth_getTransactionCount', key.address, 'latest')
  // A lock ahead of two slots, the lock of a win, a bind or two.
  assert.ok(Number(nonce) <= 4, `${Number(nonce)} transactions`)
  let gas = 0
  for await (const { event } of store.ledger.read()) if (event.type === 'gas-paid') gas++
  assert.equal(gas, Number(nonce), 'each is booked')
})

test('binds at once when the payer asks the slot back', async () => {
  const key = await scene.provider('asked')
  await fundGas('asked')
  const [slot] = await scene.slots('asking payer', 1)
  if (!slot) assert.fail()
  const { client, payer } = scene
  const asked = client.refund(slot, client.idcOf(keyOf('back')))
  await scene.world.sendPool(payer, 'refund', [asked])
  assert.equal((await scene.word(slot.nullifier)).state, 'REFUNDING')
  const policy = { bindWaitMs: 1e9, claimWaitMs: 1e9 }
  await using provider = await openProvider(settingsOf(world, 'asked'), { policy })
  await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 1, mine)
})

test('of two providers on one slot the first bind is final; the other writes down why it lost', async () => {
  const [winning, losing] = [await scene.provider('first'), await scene.provider('second')]
  await fundGas('first')
  await fundGas('second')
  const [slot] = await scene.slots('double payer', 1)
  if (!slot) assert.fail()
  await using first = await openProvider(settingsOf(world, 'first'))
  await using second = await openProvider(settingsOf(world, 'second'))
  await first.store.winners.add(world.winner(slot, winning, 1))
  await second.store.winners.add(world.winner(slot, losing, 1))
  await first.until(async () => (await scene.word(slot.nullifier)).state === 'BOUND', mine)
  await second.until(async () => (await second.winners())[0]?.state === 'lost', mine)
  assert.deepEqual(statesOf(await second.winners()), { 'lost taken': 1 })
  assert.deepEqual(second.alerts, [{ type: 'win-lost', winners: 1, reason: 'taken' }])
  assert.equal(await scene.credit(losing.address), 0n)
})

test('gives up what the contract refuses for good, and pays the rest of the batch', async () => {
  const key = await scene.provider('spoiled')
  await fundGas('spoiled')
  const [good, bad] = await scene.slots('spoiled payer', 2)
  if (!good || !bad) assert.fail()
  await using provider = await openProvider(settingsOf(world, 'spoiled'))
  await provider.store.winners.add(world.winner(good, key, 1))
  const winner = world.winner(bad, key, 1)
  const signature = Uint8Array.from(winner.signature)
  signature[3] = (signature[3] ?? 0) ^ 1
  await provider.store.winners.add({ ...winner, signature })
  await provider.until(
    async () =>
      (await provider.winners()).every(({ state }) => state === 'done' || state === 'lost'),
    mine,
  )
  assert.deepEqual(statesOf(await provider.winners()), { done: 1, 'lost refused': 1 })
})

test('a reorganisation of 12 blocks undoes payments; they are made again, once', async () => {
  const key = await scene.provider('reorged')
  await fundGas('reorged')
  const slots = await scene.slots('reorged payer', 3)
  const { rpc } = scene.world
  await using provider = await openProvider(settingsOf(world, 'reorged', 2))
  const goBack = await rpc.remember()
  for (const slot of slots) await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.until(async () => statesOf(await provider.winners())['done'] === 3, mine)
  await world.mine(10)
  await goBack()
  assert.equal(await scene.credit(key.address), 0n)
  await world.mine(14)
  await provider.until(async () => statesOf(await provider.winners())['done'] !== 3, mine)
  await provider.until(async () => statesOf(await provider.winners())['done'] === 3, mine)
  assert.equal(await scene.credit(key.address), 3n * NET)
  const sums = { paid: 0, reversed: 0 }
  for await (const { event } of provider.store.ledger.read()) {
    if (event.type === 'claim-paid') sums.paid++
    if (event.type === 'reversed' && event.of.startsWith('paid:')) sums.reversed++
  }
  assert.equal(sums.paid - sums.reversed, 3)
})
