import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { bywayRegistryArtifact } from '@byway/chain'
import { concat, type Hex } from 'viem'
import { registerDigest, uint } from './kit/bytes.ts'
import { type Key, keyOf } from './kit/keys.ts'
import { eventsOf } from './kit/rpc.ts'
import { registration, startScene } from './kit/scene.ts'
import { ZERO } from './kit/slots.ts'
import { BURN, DEPLOYER, STAKES, TOKEN } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes(
  'AlreadyRegistered',
  'AlreadyUnbonding',
  'BadParameters',
  'BadProviderSignature',
  'NotOwner',
  'NotRegistered',
  'NotSlasher',
  'StakeTooSmall',
  'StillBonded',
  'ZeroAddress',
)

const scene = await startScene()
const { world } = scene
const { rpc } = world
after(() => scene[Symbol.asyncDispose]())

const DAY = 24 * 3600
const send = (from: Key, name: string, ...args: readonly unknown[]) =>
  rpc.send(from.address, world.inRegistry(name, ...args))
const read = (name: string, ...args: readonly unknown[]) =>
  rpc.read(world.inRegistry(name, ...args))
const stakeOf = async (provider: Key) =>
  ((await read('node', provider.address)) as { stake: bigint }).stake

/** A registered provider with its owner. */
async function registered(name: string): Promise<readonly [Key, Key]> {
  return [await scene.provider(name), keyOf(`${name} owner`)]
}

test('a registration holds stake, node id, owner and payout address (SPEC §14.6)', async () => {
  const [provider, owner] = await registered('first')
  const node = (await read('node', provider.address)) as Record<string, unknown>
  assert.equal(node['stake'], STAKES.minStake)
  assert.equal(node['owner'], owner.address)
  assert.equal(node['payout'], keyOf('first payout').address)
  assert.equal(node['nodeId'], `0x${Buffer.from('first').toString('hex').padEnd(64, '0')}`)
  assert.equal(await read('isActive', provider.address), true)
  assert.equal(await read('isActive', keyOf('stranger').address), false)
  assert.equal(await read('payoutOf', keyOf('stranger').address), ZERO)
})

test('nobody registers a key that is not his, nor with other values than the key signed', async () => {
  const provider = keyOf('victim')
  const thief = keyOf('thief')
  await world.fund(thief.address, STAKES.minStake)
  const nodeId = uint(7, 256)
  const payout = thief.address
  const place = { chainId: 31_337n, contract: world.registry }
  const signature = provider.sign(registerDigest(place, keyOf('owner').address, nodeId, payout))
  const attempts: readonly Hex[] = [
    signature,
    thief.sign(registerDigest(place, thief.address, nodeId, payout)),
    provider.sign(registerDigest({ ...place, chainId: 1n }, thief.address, nodeId, payout)),
    provider.sign(registerDigest(place, thief.address, uint(8, 256), payout)),
    provider.sign(registerDigest(place, thief.address, nodeId, keyOf('owner').address)),
    '0x',
  ]
  for (const attempt of attempts)
    await assert.rejects(
      send(thief, 'register', provider.address, nodeId, payout, STAKES.minStake, attempt),
      { reason: 'BadProviderSignature' },
    )
  const good = provider.sign(registerDigest(place, thief.address, nodeId, payout))
  await assert.rejects(
    send(
      thief,
      'register',
      provider.address,
      nodeId,
      payout,
      STAKES.minStake,
      concat([good, '0x00']),
    ),
    { reason: 'BadProviderSignature' },
  )
})

test('refuses zero addresses, a small stake and a second registration', async () => {
  const [provider, owner] = await registered('twice')
  const key = provider.address
  const refusals: readonly (readonly [string, readonly unknown[]])[] = [
    ['ZeroAddress', [ZERO, uint(1, 256), key, STAKES.minStake, '0x']],
    ['ZeroAddress', [key, uint(0, 256), key, STAKES.minStake, '0x']],
    ['ZeroAddress', [key, uint(1, 256), ZERO, STAKES.minStake, '0x']],
    ['StakeTooSmall', [key, uint(1, 256), key, STAKES.minStake - 1n, '0x']],
  ]
  for (const [reason, args] of refusals)
    await assert.rejects(send(owner, 'register', ...args), { reason })
  await assert.rejects(
    rpc.send(owner.address, registration(world, provider, owner.address, 'twice')),
    { reason: 'AlreadyRegistered' },
  )
})

test('one node id may stand in two registrations: squatting it stops nobody', async () => {
  const squatter = keyOf('squatter')
  const owner = keyOf('squatter owner')
  await world.fund(owner.address, STAKES.minStake)
  await rpc.send(owner.address, registration(world, squatter, owner.address, 'honest'))
  const [honest] = await registered('honest')
  assert.equal(await read('isActive', honest.address), true)
})

test('only the owner changes the payout address, and it takes effect after the delay', async () => {
  const [provider, owner] = await registered('payee')
  const next = keyOf('payee next').address
  const present = keyOf('payee payout').address
  for (const stranger of [provider, keyOf('payee payout'), keyOf('stranger')])
    await assert.rejects(send(stranger, 'changePayout', provider.address, next), {
      reason: 'NotOwner',
    })
  await assert.rejects(send(owner, 'changePayout', provider.address, ZERO), {
    reason: 'ZeroAddress',
  })
  await assert.rejects(send(owner, 'changePayout', keyOf('nobody').address, next), {
    reason: 'NotRegistered',
  })
  await send(owner, 'changePayout', provider.address, next)
  await rpc.pass(STAKES.payoutDelay - 10)
  assert.equal(await read('payoutOf', provider.address), present)
  await rpc.pass(10)
  assert.equal(await read('payoutOf', provider.address), next)
})

test('a second change starts the delay anew, and naming the present address withdraws it', async () => {
  const [provider, owner] = await registered('changer')
  const present = keyOf('changer payout').address
  await send(owner, 'changePayout', provider.address, keyOf('one').address)
  await rpc.pass(2 * DAY)
  await send(owner, 'changePayout', provider.address, keyOf('two').address)
  await rpc.pass(2 * DAY)
  assert.equal(await read('payoutOf', provider.address), present)
  await send(owner, 'changePayout', provider.address, present)
  await rpc.pass(5 * DAY)
  assert.equal(await read('payoutOf', provider.address), present)
  await send(owner, 'changePayout', provider.address, keyOf('three').address)
  await rpc.pass(3 * DAY)
  await send(owner, 'changePayout', provider.address, keyOf('four').address)
  assert.equal(await read('payoutOf', provider.address), keyOf('three').address)
})

test('a stake grows by its owner only and not while it leaves', async () => {
  const [provider, owner] = await registered('grower')
  await assert.rejects(send(provider, 'addStake', provider.address, 1n), { reason: 'NotOwner' })
  await assert.rejects(send(owner, 'addStake', keyOf('nobody').address, 1n), {
    reason: 'NotRegistered',
  })
  await send(owner, 'addStake', provider.address, 5n * TOKEN)
  assert.equal(await stakeOf(provider), STAKES.minStake + 5n * TOKEN)
  await send(owner, 'unbond', provider.address)
  await assert.rejects(send(owner, 'addStake', provider.address, 1n), {
    reason: 'AlreadyUnbonding',
  })
})

test('a stake comes back to its owner after the unbonding delay, and the payout address stays', async () => {
  const [provider, owner] = await registered('leaver')
  await assert.rejects(send(provider, 'unbond', provider.address), { reason: 'NotOwner' })
  await assert.rejects(send(owner, 'withdrawStake', provider.address), { reason: 'StillBonded' })
  await send(owner, 'unbond', provider.address)
  await assert.rejects(send(owner, 'unbond', provider.address), { reason: 'AlreadyUnbonding' })
  assert.equal(await read('isActive', provider.address), false)
  await rpc.pass(STAKES.unbondingDelay - 10)
  await assert.rejects(send(owner, 'withdrawStake', provider.address), { reason: 'StillBonded' })
  await rpc.pass(10)
  await assert.rejects(send(provider, 'withdrawStake', provider.address), { reason: 'NotOwner' })
  const before = await world.balance(owner.address)
  await send(owner, 'withdrawStake', provider.address)
  assert.equal((await world.balance(owner.address)) - before, STAKES.minStake)
  assert.equal(await read('payoutOf', provider.address), keyOf('leaver payout').address)
  await assert.rejects(send(owner, 'withdrawStake', provider.address), { reason: 'NotRegistered' })
  await assert.rejects(send(owner, 'unbond', provider.address), { reason: 'NotRegistered' })
})

test('who left comes back under the same owner only: a stolen provider key claims nothing', async () => {
  const [provider, owner] = await registered('returner')
  await send(owner, 'unbond', provider.address)
  await rpc.pass(STAKES.unbondingDelay)
  await send(owner, 'withdrawStake', provider.address)
  const thief = keyOf('thief')
  await assert.rejects(
    rpc.send(thief.address, registration(world, provider, thief.address, 'returner')),
    { reason: 'NotOwner' },
  )
  await rpc.send(owner.address, registration(world, provider, owner.address, 'returner'))
  assert.equal(await read('isActive', provider.address), true)
})

test('only pool and evidence contract take from a stake, at most what is there, also while it leaves', async () => {
  const [provider, owner] = await registered('culprit')
  for (const stranger of [owner, provider, keyOf('stranger')])
    await assert.rejects(send(stranger, 'slash', provider.address, 1n, BURN), {
      reason: 'NotSlasher',
    })
  await send(owner, 'unbond', provider.address)
  const burned = await world.balance(BURN)
  const slash = world.inRegistry('slash', provider.address, 20n * TOKEN, BURN)
  const receipt = await rpc.send(world.pool, slash)
  const [event] = eventsOf(bywayRegistryArtifact.abi, receipt)
  assert.equal(event?.eventName, 'Slashed')
  assert.equal(event?.args['stake'], 30n * TOKEN)
  await rpc.send(world.pool, world.inRegistry('slash', provider.address, 100n * TOKEN, BURN))
  assert.equal(await stakeOf(provider), 0n)
  assert.equal((await world.balance(BURN)) - burned, STAKES.minStake)
  assert.equal(await rpc.read(slash, world.pool), 0n, 'an empty stake gives nothing, and no error')
})

test('a node stays active down to nine tenths of the smallest stake', async () => {
  const [provider] = await registered('borderline')
  await rpc.send(
    world.pool,
    world.inRegistry('slash', provider.address, STAKES.minStake / 10n, BURN),
  )
  assert.equal(await read('isActive', provider.address), true)
  await rpc.send(world.pool, world.inRegistry('slash', provider.address, 1n, BURN))
  assert.equal(await read('isActive', provider.address), false)
})

test('cannot be deployed with parameters that make no sense', async () => {
  const good: readonly unknown[] = [world.token, world.pool, ZERO, 1n, 20, 10]
  const bad: readonly (readonly [string, readonly unknown[]])[] = [
    ['ZeroAddress', good.with(0, ZERO)],
    ['ZeroAddress', good.with(1, ZERO)],
    ['BadParameters', good.with(3, 0n)],
    ['BadParameters', good.with(4, 9)],
    ['BadParameters', good.with(4, 366 * DAY)],
  ]
  for (const [reason, args] of bad)
    await assert.rejects(rpc.deploy(DEPLOYER, bywayRegistryArtifact, args), { reason })
  await rpc.deploy(DEPLOYER, bywayRegistryArtifact, good)
})
