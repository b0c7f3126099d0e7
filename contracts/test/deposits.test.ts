import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { bywayPoolArtifact, bywayRegistryArtifact } from '@byway/chain'
import { LeanIMT } from '@zk-kit/lean-imt'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { ticketDomain } from './kit/bytes.ts'
import { keyOf } from './kit/keys.ts'
import { eventsOf, type Receipt } from './kit/rpc.ts'
import { startScene } from './kit/scene.ts'
import { ZERO } from './kit/slots.ts'
import { DEPLOYER, linked, nextContract, STAKES, startWorld, TOKEN } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes(
  'BadCommitment',
  'BadLimit',
  'BadParameters',
  'NothingDue',
  'NothingNew',
  'TooEarly',
  'WrongRegistry',
  'ZeroAddress',
)

const FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const scene = await startScene({ profile: { snapshotInterval: 600 } })
const { client, payer, world } = scene
after(() => scene[Symbol.asyncDispose]())

const events = (receipt: Receipt, name: string) =>
  eventsOf(bywayPoolArtifact.abi, receipt).filter(({ eventName }) => eventName === name)

test('names itself as SPEC §13.1 and §13.2 say', async () => {
  assert.equal(await world.readPool('domain'), client.domain)
  assert.equal(await world.readPool('ticketDomain'), ticketDomain(client.pool))
  assert.equal(await world.readPool('tag'), client.tag)
  assert.deepEqual(await world.readPool('parameters'), {
    token: world.token,
    registry: world.registry,
    authoriser: world.authoriser,
    proofs: world.proofs,
    ...world.profile,
  })
})

test('a deposit takes limit · b and makes the leaf itself (SPEC §14.1)', async () => {
  const before = await world.balance(payer)
  const owner = keyOf('depositor')
  const receipt = await world.sendPool(payer, 'deposit', client.idcOf(owner), 20)
  assert.equal(client.noteInserted(receipt, client.idcOf(owner)), 20)
  assert.equal(before - (await world.balance(payer)), 20n * world.profile.bond)
  const [inserted] = events(receipt, 'Inserted')
  assert.deepEqual(inserted?.args, {
    index: 0n,
    leaf: client.leafOf(client.idcOf(owner), 20),
    idc: client.idcOf(owner),
    limit: 20,
  })
})

test('refuses what is no commitment, less than a slot, and more than 16 bits of units', async () => {
  for (const idc of [0n, FIELD, 2n ** 256n - 1n])
    await assert.rejects(world.sendPool(payer, 'deposit', idc, 20), { reason: 'BadCommitment' })
  for (const limit of [0, 4, 65_536])
    await assert.rejects(world.sendPool(payer, 'deposit', 1n, limit), { reason: 'BadLimit' })
  await world.sendPool(payer, 'deposit', 1n, 65_535)
  client.tree.insert(client.leafOf(1n, 65_535))
  await world.sendPool(payer, 'deposit', FIELD - 1n, 5)
  client.tree.insert(client.leafOf(FIELD - 1n, 5))
})

test('takes nothing from who has not approved it', async () => {
  const poor = keyOf('poor').address
  await assert.rejects(world.sendPool(poor, 'deposit', 1n, 5), /0xfb8f41b2/)
})

test('publishes a root once in each interval, by anyone, and only with new leaves', async () => {
  await world.rpc.pass(600)
  const receipt = await world.sendPool(keyOf('anyone').address, 'snapshot')
  const [published] = events(receipt, 'RootPublished')
  assert.equal(published?.args['root'], client.tree.root)
  assert.equal(published?.args['leaves'], BigInt(client.tree.size))
  assert.equal(await world.readPool('newestRoot'), client.tree.root)
  const first = client.tree.root
  const firstAt = await world.rpc.now()
  assert.deepEqual(await world.readPool('rootTimes', first), [firstAt, 0])
  assert.deepEqual(await world.readPool('rootTimes', 123n), [0, 0])
  await client.deposit(payer, 'late', 5)
  await assert.rejects(world.sendPool(payer, 'snapshot'), { reason: 'TooEarly' })
  await world.rpc.pass(600)
  await world.sendPool(payer, 'snapshot')
  const secondAt = await world.rpc.now()
  assert.deepEqual(await world.readPool('rootTimes', first), [firstAt, secondAt])
  assert.deepEqual(await world.readPool('rootTimes', client.tree.root), [secondAt, 0])
  await world.rpc.pass(600)
  await assert.rejects(world.sendPool(payer, 'snapshot'), { reason: 'NothingNew' })
})

test('an interval is one of UTC time, not one since the last root', async () => {
  await client.deposit(payer, 'early bird', 5)
  // Not the next one, which may begin in a second; and far enough before it for a slow machine's deposits.
  const next = (Math.floor((await world.rpc.now()) / 600) + 2) * 600
  await world.rpc.pass(next - 300 - (await world.rpc.now()))
  await client.deposit(payer, 'second bird', 5)
  await world.sendPool(payer, 'snapshot')
  await client.deposit(payer, 'third bird', 5)
  await world.rpc.pass(next - (await world.rpc.now()) + 1)
  await world.sendPool(payer, 'snapshot')
})

test('every root is that of a LeanIMT, whatever the number of leaves', async () => {
  await using small = await startScene()
  await assert.rejects(small.world.sendPool(small.payer, 'snapshot'), { reason: 'NothingNew' })
  for (let leaf = 0; leaf < 20; leaf++) {
    await small.client.deposit(small.payer, `leaf ${leaf}`, 5)
    await small.client.snapshot(small.payer)
    assert.equal(await small.world.readPool('newestRoot'), small.client.tree.root, `${leaf + 1}`)
  }
  assert.equal(await small.world.readPool('leafCount'), 20n)
})

test('equal leaves may stand twice: nobody blocks a refund by depositing to its destination first', async () => {
  await client.deposit(payer, 'twin', 5)
  await client.deposit(payer, 'twin', 5)
})

test('a full tree is published with its last leaf, and the next leaf begins an empty one', async () => {
  await using small = await startScene({ profile: { treeDepth: 2 } })
  const { world: place } = small
  const slots = []
  for (const name of ['one', 'two', 'three', 'four'])
    slots.push(await small.client.deposit(small.payer, name, 5))
  const full = small.client.tree.root
  assert.equal(await place.readPool('newestRoot'), full)
  await place.rpc.pass(1)
  await assert.rejects(place.sendPool(small.payer, 'snapshot'), { reason: 'NothingNew' })
  const last = small.client.open(slots[3] ?? assert.fail(), 0)
  const second = new LeanIMT((left: bigint, right: bigint) => poseidon2([left, right]))
  for (const [i, idc] of [77n, 78n, 79n, 80n].entries()) {
    const receipt = await place.sendPool(small.payer, 'deposit', idc, 5)
    assert.equal(events(receipt, 'Inserted')[0]?.args['index'], BigInt(4 + i))
    second.insert(small.client.leafOf(idc, 5))
    if (i < 3) await small.client.snapshot(small.payer)
    assert.equal(await place.readPool('newestRoot'), second.root)
  }
  const provider = keyOf('provider')
  const bound = await small.bind(provider, [
    [last, small.client.winning(last, provider.address, 0)],
  ])
  assert.deepEqual(small.skips(bound), [], 'slots of the full tree go on')
})

test('cannot be deployed with parameters that make no sense (SPEC §14)', async () => {
  const { rpc, libraries, profile, token, authoriser, proofs } = world
  const pool = linked(bywayPoolArtifact, libraries)
  const deploy = async (change: Record<string, unknown>) => {
    const target = await nextContract(rpc, 1)
    const delays = [STAKES.minStake, STAKES.unbondingDelay, STAKES.payoutDelay]
    const registry = await rpc.deploy(DEPLOYER, bywayRegistryArtifact, [
      token,
      target,
      ZERO,
      ...delays,
    ])
    return rpc.deploy(DEPLOYER, pool, [
      { token, registry, authoriser, proofs, ...profile, ...change },
    ])
  }
  const bad: readonly (readonly [string, Record<string, unknown>])[] = [
    ['ZeroAddress', { token: ZERO }],
    ['ZeroAddress', { registry: ZERO }],
    ['ZeroAddress', { authoriser: ZERO }],
    ['BadParameters', { winValue: 0n }],
    ['BadParameters', { winsPerSlot: 0 }],
    ['BadParameters', { bond: 0n }],
    ['BadParameters', { bond: profile.winValue - 1n }],
    ['BadParameters', { feeBps: 5000 }],
    ['BadParameters', { feeBps: 4500, holdBps: 500 }],
    ['BadParameters', { holdBps: 0 }],
    ['BadParameters', { proofs: ZERO }],
    ['BadParameters', { epochDuration: 0 }],
    ['BadParameters', { winValue: 2n ** 80n, bond: 2n ** 78n }],
    ['BadParameters', { treeDepth: 0 }],
    ['BadParameters', { treeDepth: 27 }],
    ['BadParameters', { snapshotInterval: 0 }],
    ['BadParameters', { lockDuration: 0 }],
    ['BadParameters', { lockDuration: STAKES.unbondingDelay }],
    ['BadParameters', { winValue: 70_000n, bond: 1n }],
    ['WrongRegistry', { registry: world.registry }],
  ]
  for (const [reason, change] of bad)
    await assert.rejects(deploy(change), { reason }, JSON.stringify(Object.keys(change)))
  await deploy({})
  await deploy({ proofs: ZERO, holdBps: 0 })
})

test('money that is not deposited through the contract changes nothing', async () => {
  await using other = await startWorld()
  const donor = keyOf('donor').address
  await other.fund(donor, TOKEN)
  await other.rpc.send(donor, other.inToken('transfer', other.pool, TOKEN))
  assert.equal(await other.readPool('leafCount'), 0n)
  await assert.rejects(other.sendPool(donor, 'burn'), { reason: 'NothingDue' })
})
