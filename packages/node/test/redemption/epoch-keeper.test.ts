/** A provider's commitments, on a real chain whose clock the test moves. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Key, keyOf } from '../../../../contracts/test/kit/keys.ts'
import { CLAIMED, createService } from '../../../../contracts/test/kit/service.ts'
import { PROOFS, TOKEN } from '../../../../contracts/test/kit/world.ts'
import { HELD, keeperOf } from './epoch-world.ts'
import { startRedeemingWorld } from './redeeming-world.ts'

const world = await startRedeemingWorld()
after(() => world[Symbol.asyncDispose]())
const { scene } = world
const { world: contracts } = scene
const { rpc } = contracts
const service = createService(scene)
const challenger = keyOf('challenger').address
await contracts.fund(challenger, 100n * TOKEN)

test('commits, draws, and fetches what was held back, by itself (SPEC §17.5)', async () => {
  await using node = await keeperOf(world, 'keeps')
  const { epoch } = node
  // The last receipts may still be on their way to the disk.
  await node.at(service.endOf(epoch) + 5)
  assert.equal(await node.state(), 'NONE')
  await node.at(service.endOf(epoch) + 60)
  assert.equal(await node.state(), 'COMMITTED')
  await node.at(service.beaconTime(epoch) - 10)
  assert.equal(await service.read('beacon', epoch), 0n)
  await node.at(service.beaconTime(epoch) + 3)
  assert.notEqual(await service.read('beacon', epoch), 0n)
  node.restart()
  await node.at(service.beaconTime(epoch) + 60)
  assert.ok(node.asked.proofs >= 1, 'the proof is ready before anybody asks')
  assert.equal(node.asked.root, CLAIMED.root, 'it is of what the chain has')
  await node.at(service.challengeEnd(epoch))
  assert.equal(await node.state(), 'SETTLED')
  assert.equal(await contracts.balance(keyOf('keeps payout').address), 2n * HELD)
  assert.deepEqual(node.alerts, [])
  assert.equal(node.asked.commitments, 1)
  let gas = 0
  for await (const { event } of node.store.ledger.read()) gas += Number(event.type === 'gas-paid')
  assert.equal(gas, 3, 'commit, draw and settle are in the books')
})

test('answers a challenge by itself, and tells its operator', async () => {
  await using node = await keeperOf(world, 'answers')
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  await node.at(service.beaconTime(epoch) + 3)
  await service.send(challenger, 'challenge', key.address, epoch)
  await node.at((await rpc.now()) + 60)
  assert.deepEqual(
    node.alerts.map(({ type }) => type),
    ['challenged'],
  )
  await node.at((await rpc.now()) + 60)
  assert.equal(await node.state(), 'SETTLED')
  const payout = await contracts.balance(keyOf('answers payout').address)
  assert.equal(payout, PROOFS.challengeBond + 2n * HELD)
})

test('says that it cannot prove, tries again, and says when it has failed', async () => {
  await using node = await keeperOf(world, 'cannot', { canProve: false })
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  await node.at(service.beaconTime(epoch) + 3)
  await node.at((await rpc.now()) + 60)
  assert.deepEqual(node.alerts, [{ type: 'proof-missing', epoch, code: 'ZK_NOT_MADE' }])
  assert.equal(node.asked.proofs, 1)
  await service.send(challenger, 'challenge', key.address, epoch)
  await node.at((await rpc.now()) + 600)
  assert.equal(node.asked.proofs, 2)
  await rpc.pass(PROOFS.answerWindow)
  await service.send(challenger, 'slash', key.address, epoch)
  await node.at((await rpc.now()) + 60)
  assert.deepEqual(
    node.alerts.map(({ type }) => type),
    ['proof-missing', 'challenged', 'epoch-failed'],
  )
})

test('commits to an epoch while the proof of the one before is still being made', async () => {
  await using node = await keeperOf(world, 'busy', { isProvingLong: true })
  const { epoch, key } = node
  await node.at(service.endOf(epoch) + 60)
  await node.at(service.beaconTime(epoch) + 3)
  await node.at((await rpc.now()) + 60)
  assert.equal(node.asked.proofs, 1)
  await node.at(service.endOf(epoch + 1) + 60)
  assert.equal((await service.commitment(key.address, epoch + 1)).state, 'COMMITTED')
})

test('says what it takes to commit where there is no coin for gas, and commits when there is', async () => {
  await using node = await keeperOf(world, 'poor')
  const { epoch, key } = node
  await rpc.request('anvil_setBalance', key.address, '0x0')
  await node.at(service.endOf(epoch) + 60)
  const deadlineS = service.endOf(epoch) + PROOFS.commitWindow
  assert.deepEqual(node.alerts, [{ type: 'commit-no-coin', epoch, deadlineS }])
  assert.equal(await node.state(), 'NONE')
  await rpc.request('anvil_setBalance', key.address, `0x${(10n ** 20n).toString(16)}`)
  await node.at(service.endOf(epoch) + 120)
  assert.equal(await node.state(), 'COMMITTED')
})

test('says what is lost with an epoch to which nothing was committed in time', async () => {
  await using node = await keeperOf(world, 'late')
  const { epoch } = node
  await node.at(service.endOf(epoch) + PROOFS.commitWindow)
  assert.deepEqual(node.alerts, [{ type: 'epoch-lost', epoch, held: 2n * HELD }])
  assert.equal(await node.state(), 'NONE')
})

test('commits to nothing where nobody signed, and waits for its own clock too', async () => {
  await using silent = await keeperOf(world, 'unsigned', { hasReceipts: false })
  await silent.at(service.endOf(silent.epoch) + 60)
  assert.equal(await silent.state(), 'NONE')
  await using early = await keeperOf(world, 'slow clock')
  early.setWall((service.endOf(early.epoch) + 59) * 1000)
  await early.at(service.endOf(early.epoch) + 120)
  assert.equal(early.asked.commitments, 0)
  early.setWall((service.endOf(early.epoch) + 61) * 1000)
  await early.at(service.endOf(early.epoch) + 180)
  assert.equal(await early.state(), 'COMMITTED')
})

test('as a redeemer draws the beacon of an epoch to which somebody committed, and none of one to which nobody did', async () => {
  await using node = await keeperOf(world, 'draws', { hasReceipts: false, drawsForAll: true })
  const { epoch } = node
  await node.at(service.endOf(epoch) + 60)
  for (let round = 0; round < PROOFS.beaconRounds; round++)
    await node.at(service.beaconTime(epoch) + round * PROOFS.beaconSpacing + 3)
  assert.equal(await service.read('beacon', epoch), 0n)
  const wanted = await service.epoch()
  await service.until(service.endOf(wanted))
  const { key: other } = await committerIn(wanted)
  await node.at(service.beaconTime(wanted) + 3)
  assert.notEqual(await service.read('beacon', wanted), 0n)
  assert.equal((await service.commitment(other.address, wanted)).state, 'COMMITTED')
  let gas = 0
  for await (const { event } of node.store.ledger.read()) gas += Number(event.type === 'gas-paid')
  assert.equal(gas, 1, 'one draw')
})

/** Somebody else, who has committed to this epoch. */
async function committerIn(epoch: number): Promise<{ readonly key: Key }> {
  const key = await scene.provider('somebody else')
  await service.commit(key, epoch, CLAIMED)
  return { key }
}
