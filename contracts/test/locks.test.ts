import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { keyOf } from './kit/keys.ts'
import { lockBytes } from './kit/batches.ts'
import { startScene } from './kit/scene.ts'
import type { Slot } from './kit/slots.ts'
import { BURN, PROFILE, STAKES } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('RedemptionExpired')

const scene = await startScene()
const { client, payer, world } = scene
after(() => scene[Symbol.asyncDispose]())

const provider = await scene.provider('provider')
const rival = await scene.provider('rival')
const win = (slot: Slot, index: number, to = provider) =>
  [slot, client.winning(slot, to.address, index)] as const
const stakeOf = async (name: string) => {
  const call = world.inRegistry('node', keyOf(name).address)
  return ((await world.rpc.read(call)) as { stake: bigint }).stake
}

async function oneSlot(name: string): Promise<Slot> {
  const [slot] = await scene.slots(name, 1)
  return slot ?? assert.fail()
}

test('a lock keeps all others from binding until it ends, and its provider may bind (SPEC §14.3)', async () => {
  const slot = await oneSlot('locked')
  await scene.lock(provider, [slot])
  const word = await scene.word(slot.nullifier)
  assert.deepEqual([word.state, word.holder], ['LOCKED', provider.address.toLowerCase()])
  assert.deepEqual(scene.skips(await scene.bind(rival, [win(slot, 1, rival)])), ['SLOT_TAKEN'])
  assert.deepEqual(scene.skips(await scene.lock(rival, [slot])), ['SLOT_TAKEN'])
  await world.rpc.pass(PROFILE.lockDuration - 100)
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slot, 1)])), [])
  assert.equal(await stakeOf('provider'), STAKES.minStake)
})

test('a lock without a bind lapses, costs its provider a little, and anyone with a win may bind', async () => {
  const slot = await oneSlot('lapsed')
  const before = [await stakeOf('provider'), await world.balance(BURN)]
  await scene.lock(provider, [slot])
  await world.rpc.pass(PROFILE.lockDuration)
  assert.deepEqual(scene.skips(await scene.bind(rival, [win(slot, 1, rival)])), [])
  assert.equal(await stakeOf('provider'), (before[0] ?? 0n) - PROFILE.lockPenalty)
  assert.equal(await world.balance(BURN), (before[1] ?? 0n) + PROFILE.lockPenalty)
})

test('a slot is locked once in its life: locks cannot hold up an owner for longer', async () => {
  const slot = await oneSlot('once')
  await scene.lock(provider, [slot])
  await world.rpc.pass(PROFILE.lockDuration)
  for (const locker of [rival, provider, rival])
    assert.deepEqual(scene.skips(await scene.lock(locker, [slot])), ['WRONG_STATE'])
  assert.equal((await scene.word(slot.nullifier)).state, 'LAPSED')
  const asked = [client.refund(slot, 5n)]
  assert.deepEqual(scene.skips(await world.sendPool(payer, 'refund', asked)), [])
})

test('an owner cannot dissolve a live lock by asking the slot back', async () => {
  const slot = await oneSlot('dissolve')
  await scene.lock(provider, [slot])
  const refund = await world.sendPool(payer, 'refund', [client.refund(slot, 5n)])
  assert.deepEqual(scene.skips(refund), ['SLOT_TAKEN'])
  const unused = client.unused(slot.leaf, 0, payer)
  assert.deepEqual(scene.skips(await world.sendPool(payer, 'withdrawUnused', [unused], payer)), [
    'SLOT_TAKEN',
  ])
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slot, 1)])), [])
})

test('what is bound, asked back or finished cannot be locked', async () => {
  const [bound, refunding, withdrawing, refunded] = await scene.slots('unlockable', 4)
  if (!bound || !refunding || !withdrawing || !refunded) assert.fail()
  await scene.bind(provider, [win(bound, 1)])
  for (const slot of [refunding, refunded])
    await world.sendPool(payer, 'refund', [client.refund(slot, 5n)])
  await world.sendPool(payer, 'withdrawUnused', [client.unused(withdrawing.leaf, 2, payer)], payer)
  await world.rpc.pass(PROFILE.refundDelay)
  await world.sendPool(payer, 'finishRefund', [client.refund(refunded, 5n)])
  client.tree.insert(client.leafOf(5n, 5))
  const receipt = await scene.lock(rival, [bound, refunding, withdrawing, refunded])
  assert.deepEqual(scene.skips(receipt), [
    'SLOT_TAKEN',
    'WRONG_STATE',
    'WRONG_STATE',
    'SLOT_FINISHED',
  ])
})

test('only a provider with a live stake locks', async () => {
  const slot = await oneSlot('stakeless')
  assert.deepEqual(scene.skips(await scene.lock(keyOf('stranger'), [slot])), ['NOT_ACTIVE'])
  const leaver = await scene.provider('leaver')
  await world.rpc.send(keyOf('leaver owner').address, world.inRegistry('unbond', leaver.address))
  assert.deepEqual(scene.skips(await scene.lock(leaver, [slot])), ['NOT_ACTIVE'])
  const named = lockBytes([slot.nullifier], provider, {
    fee: 0n,
    deadline: 0n,
    signature: `0x${'0'.repeat(130)}`,
  })
  await assert.rejects(world.sendPool(rival.address, 'lock', named), {
    reason: 'RedemptionExpired',
  })
})

test('anyone may charge lapsed locks, each once', async () => {
  const [lapsed, live] = await scene.slots('settle', 2)
  if (!lapsed || !live) assert.fail()
  await scene.lock(provider, [lapsed])
  await world.rpc.pass(PROFILE.lockDuration)
  await scene.lock(provider, [live])
  const before = await stakeOf('provider')
  const settle = () =>
    world.sendPool(payer, 'settleLocks', [lapsed.nullifier, live.nullifier, 404n])
  assert.deepEqual(scene.skips(await settle()), ['TOO_EARLY', 'WRONG_STATE'])
  assert.deepEqual(scene.skips(await settle()), ['WRONG_STATE', 'TOO_EARLY', 'WRONG_STATE'])
  assert.equal(await stakeOf('provider'), before - PROFILE.lockPenalty)
})

test('a lapsed lock of a provider without stake holds up nobody', async () => {
  const poor = await scene.provider('poor')
  const slot = await oneSlot('poor slot')
  await scene.lock(poor, [slot])
  await world.rpc.send(world.pool, world.inRegistry('slash', poor.address, STAKES.minStake, BURN))
  await world.rpc.pass(PROFILE.lockDuration)
  const refund = await world.sendPool(payer, 'refund', [client.refund(slot, 5n)])
  assert.deepEqual(scene.skips(refund), [])
})
