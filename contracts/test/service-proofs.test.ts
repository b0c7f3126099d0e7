import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { bywayPoolArtifact, bywayRegistryArtifact, serviceProofsArtifact } from '@byway/chain'
import { type Hex, keccak256 } from 'viem'
import { type Key, keyOf } from './kit/keys.ts'
import { eventsOf } from './kit/rpc.ts'
import { startScene } from './kit/scene.ts'
import { beaconOf, CLAIMED, type Claimed, createService, samplesOf } from './kit/service.ts'
import { type Slot, ZERO } from './kit/slots.ts'
import {
  BURN,
  DEPLOYER,
  linked,
  nextContract,
  PROFILE,
  PROOFS,
  STAKES,
  TOKEN,
} from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes(
  'BadCommitment',
  'BadHeader',
  'BadParameters',
  'BadProof',
  'BadProviderSignature',
  'BeaconKnown',
  'NoBeacon',
  'NoRandomness',
  'NotActive',
  'NotProofs',
  'TooEarly',
  'TooLate',
  'WrongContracts',
  'WrongState',
  'ZeroAddress',
)

const scene = await startScene()
const { client, world } = scene
const { rpc } = world
const service = createService(scene)
after(() => scene[Symbol.asyncDispose]())

const HELD = PROFILE.winValue / 20n
const anyone = keyOf('anyone').address
const challenger = keyOf('challenger').address
await world.fund(challenger, 100n * TOKEN)

/** A provider that wins `wins` times in an epoch, which ends then. */
async function served(name: string, wins = 2): Promise<readonly [Key, readonly Slot[], number]> {
  const provider = await scene.provider(name)
  const slots = await scene.slots(`${name} client`, wins)
  const won = slots.map((slot) => [slot, client.winning(slot, provider.address, 1)] as const)
  // Not across the end of an epoch.
  await service.until(service.endOf(await service.epoch()))
  const epoch = await service.epoch()
  await scene.bind(provider, won)
  await service.until(service.endOf(epoch))
  return [provider, slots, epoch]
}

/** The same, committed and drawn for. */
async function drawnFor(name: string): Promise<readonly [Key, readonly Slot[], number]> {
  const [provider, slots, epoch] = await served(name)
  await service.commit(provider, epoch)
  await service.draw(epoch)
  return [provider, slots, epoch]
}

const stakeOf = async ({ address }: Key) =>
  ((await rpc.read(world.inRegistry('node', address))) as { stake: bigint }).stake
const payoutOf = (name: string) => keyOf(`${name} payout`).address

test('5 % of a win wait for its epoch’s proof, and are paid when the commitment has stood (SPEC §17.5)', async () => {
  const [provider, , epoch] = await served('stands')
  assert.equal(await scene.credit(provider.address), (2n * PROFILE.winValue * 9n) / 10n)
  assert.deepEqual(await world.readPool('held', provider.address), [2n * HELD, 0n, 0n])
  const [committed] = eventsOf(serviceProofsArtifact.abi, await service.commit(provider, epoch))
  const head = { provider: provider.address, epoch }
  assert.deepEqual(committed?.args, { ...head, ...CLAIMED, held: 2n * HELD })
  assert.deepEqual(await world.readPool('held', provider.address), [0n, 0n, 0n])
  await service.draw(epoch)
  const settle = () => service.send(anyone, 'settle', provider.address, epoch)
  await service.until(service.challengeEnd(epoch) - 60)
  await assert.rejects(settle(), { reason: 'TooEarly' })
  await service.until(service.challengeEnd(epoch))
  const challenge = service.send(challenger, 'challenge', provider.address, epoch)
  await assert.rejects(challenge, { reason: 'TooLate' })
  const [released] = eventsOf(serviceProofsArtifact.abi, await settle())
  const paid = { to: payoutOf('stands'), amount: 2n * HELD, held: 2n * HELD }
  assert.deepEqual(released?.args, { ...head, ...paid })
  assert.equal(await world.balance(payoutOf('stands')), 2n * HELD)
  assert.equal((await service.commitment(provider.address, epoch)).state, 'SETTLED')
  await assert.rejects(settle(), { reason: 'WrongState' })
  // Clients weigh nodes by it (SPEC §10.3): the same wins burn so much when they are paid out.
  const before = (await world.readPool('unburned')) as bigint
  await world.sendPool(anyone, 'payout', provider.address)
  const burned = ((await world.readPool('unburned')) as bigint) - before
  assert.equal(burned, (2n * HELD * BigInt(PROFILE.feeBps)) / BigInt(PROFILE.holdBps))
})

test('what an epoch without a commitment held back is lost, and burned with the next payout', async () => {
  const [provider, [slot]] = await served('idle')
  if (!slot) assert.fail()
  await service.until(service.endOf(await service.epoch()))
  assert.deepEqual(await world.readPool('held', provider.address), [0n, 0n, 2n * HELD])
  const later = [slot, client.winning(slot, provider.address, 2)] as const
  const receipt = await scene.claim(provider, [later])
  const lost = eventsOf(world.inPool('slot').abi, receipt).find(
    ({ eventName }) => eventName === 'HeldLost',
  )
  assert.deepEqual(lost?.args, { provider: provider.address, amount: 2n * HELD })
  assert.deepEqual(await world.readPool('held', provider.address), [0n, HELD, 2n * HELD])
  const before = (await world.readPool('unburned')) as bigint
  await world.sendPool(anyone, 'payout', provider.address)
  const burned = (3n * PROFILE.winValue) / 20n + 2n * HELD
  assert.equal(await world.readPool('unburned'), before + burned)
  assert.deepEqual(await world.readPool('held', provider.address), [0n, HELD, 0n])
})

test('a win of one epoch is never released by the commitment to another', async () => {
  const [provider, [slot], epoch] = await served('apart')
  if (!slot) assert.fail()
  await scene.claim(provider, [[slot, client.winning(slot, provider.address, 2)]])
  assert.deepEqual(await world.readPool('held', provider.address), [2n * HELD, HELD, 0n])
  await service.commit(provider, epoch)
  assert.equal((await service.commitment(provider.address, epoch)).held, 2n * HELD)
  assert.deepEqual(await world.readPool('held', provider.address), [0n, HELD, 0n])
  await service.until(service.endOf(epoch + 1))
  await service.commit(provider, epoch + 1)
  assert.equal((await service.commitment(provider.address, epoch + 1)).held, HELD)
  await assert.rejects(world.sendPool(provider.address, 'takeHeld', provider.address), {
    reason: 'NotProofs',
  })
})

test('only the provider commits, in time, once, to something that can be proved', async () => {
  const [provider, , epoch] = await served('commits')
  // K·V at the cheapest price and beside it, at none, and at a step that is none.
  const cheapest = PROFILE.winsPerSlot * 4096
  const unpayable = [0, 1, cheapest - 1, cheapest + 1, Math.floor(cheapest / 5), 2 ** 48 - 1]
  const bad: readonly (readonly [string, Key, number, Partial<Claimed>])[] = [
    ['TooEarly', provider, epoch + 1, {}],
    ['TooLate', provider, epoch - 1, {}],
    ['BadCommitment', provider, epoch, { root: 0n }],
    ['BadCommitment', provider, epoch, { root: 2n ** 254n }],
    ['BadCommitment', provider, epoch, { total: 0 }],
    ...unpayable.map((maxUnits) => ['BadCommitment', provider, epoch, { maxUnits }] as const),
    ['NotActive', keyOf('stranger'), epoch, {}],
  ]
  for (const [reason, ...attempt] of bad)
    await assert.rejects(service.commit(...attempt), { reason }, reason)
  const args = [CLAIMED.root, CLAIMED.total, CLAIMED.maxUnits]
  const others: readonly Hex[] = [
    '0x',
    service.sign(keyOf('stranger'), epoch),
    service.sign(provider, epoch - 1),
    service.sign(provider, epoch, { ...CLAIMED, total: 1 }),
    service.sign(provider, epoch, { ...CLAIMED, maxUnits: 1 }),
    service.sign(provider, epoch, { ...CLAIMED, root: 1n }),
  ]
  for (const signature of others)
    await assert.rejects(
      service.send(anyone, 'commit', provider.address, epoch, ...args, 0n, signature),
      { reason: 'BadProviderSignature' },
    )
  const signature = service.sign(provider, epoch)
  await service.send(anyone, 'commit', provider.address, epoch, ...args, 0n, signature)
  await assert.rejects(service.commit(provider, epoch), { reason: 'WrongState' })
  // Each step's number of units passes, and stands.
  for (const step of [1, 2, 3, 4, 6, 8, 12, 16]) {
    const price = (PROFILE.winValue * BigInt(step)) / 4096n
    const maxUnits = Number((BigInt(PROFILE.winsPerSlot) * PROFILE.winValue) / price)
    const [other, , own] = await served(`commits at step ${step}`)
    await service.commit(other, own, { maxUnits })
    assert.equal((await service.commitment(other.address, own)).state, 'COMMITTED')
  }
  const [late, , same] = await served('commits late')
  await service.until(service.endOf(same) + PROOFS.commitWindow)
  await assert.rejects(service.commit(late, same), { reason: 'TooLate' })
})

test('who leaves commits as long as the stake stays to answer for it', async () => {
  const [provider, , epoch] = await served('leaves')
  const owner = keyOf('leaves owner').address
  await rpc.send(owner, world.inRegistry('unbond', provider.address))
  await service.commit(provider, epoch)
  const early = await scene.provider('leaves early')
  const now = await service.epoch()
  await service.until(service.endOf(now) - STAKES.unbondingDelay + 4 * 24 * 3600)
  await rpc.send(keyOf('leaves early owner').address, world.inRegistry('unbond', early.address))
  await service.until(service.endOf(now))
  await assert.rejects(service.commit(early, now), { reason: 'NotActive' })
})

test('the beacon is that of the first block of a round, whoever writes it down (SPEC §17.5)', async () => {
  const [, , epoch] = await served('beacon')
  const draw = async (headers = service.headers()) =>
    service.send(anyone, 'draw', epoch, ...(await headers))
  await service.until(service.beaconTime(epoch) - 60)
  await assert.rejects(draw(), { reason: 'TooEarly' })
  await service.until(service.beaconTime(epoch))
  const [first, parent] = await service.headers()
  const { mixHash } = (await rpc.request('eth_getBlockByNumber', 'latest', false)) as {
    mixHash: Hex
  }
  const flipped = `0x${first.slice(2, -2)}ff` as const
  for (const headers of [
    [parent, first],
    [first, first],
    [flipped, parent],
    ['0x', '0x'],
    [first.slice(0, 600) as Hex, parent],
  ] as const)
    await assert.rejects(draw(Promise.resolve(headers)), { reason: /BadHeader|TooEarly/ })
  await service.until(service.beaconTime(epoch) + 60)
  // A later block of the round does not do: nobody chooses among them.
  await assert.rejects(draw(), { reason: 'BadHeader' })
  await draw(Promise.resolve([first, parent]))
  assert.equal(await service.read('beacon', epoch), beaconOf(world, epoch, mixHash))
  await assert.rejects(draw(Promise.resolve([first, parent])), { reason: 'BeaconKnown' })
})

test('a block without randomness draws nothing: a chain that gives none has no beacon', async () => {
  const [, , epoch] = await served('no randomness')
  await service.until(service.beaconTime(epoch))
  const [header, parent] = await service.headers()
  const block = await rpc.request('eth_getBlockByNumber', 'latest', false)
  const { mixHash, number } = block as { readonly mixHash: Hex; readonly number: Hex }
  const draw = (of: Hex): Promise<unknown> =>
    rpc.readAfter({ [Number(number)]: keccak256(of) }, world.inProofs('draw', epoch, of, parent))
  const none = header.replace(mixHash.slice(2), '00'.repeat(32)) as Hex
  await assert.rejects(draw(none), { reason: 'NoRandomness' })
  assert.equal(await draw(header), beaconOf(world, epoch, mixHash))
})

test('a round that nobody wrote down is followed by others, and then by none', async () => {
  const [provider, , epoch] = await served('rounds')
  await service.commit(provider, epoch)
  await service.until(service.beaconTime(epoch))
  const forgotten = await service.headers()
  await rpc.request('anvil_mine', 256, 1)
  const old = service.send(anyone, 'draw', epoch, ...forgotten)
  await assert.rejects(old, { reason: 'BadHeader' })
  await rpc.undoing(async () => {
    const last = service.beaconTime(epoch) + (PROOFS.beaconRounds - 1) * PROOFS.beaconSpacing
    await service.until(last)
    await service.send(anyone, 'draw', epoch, ...(await service.headers()))
    assert.notEqual(await service.read('beacon', epoch), 0n)
  })
  await service.until(service.beaconTime(epoch) + PROOFS.beaconRounds * PROOFS.beaconSpacing)
  const late = service.send(anyone, 'draw', epoch, ...(await service.headers()))
  await assert.rejects(late, { reason: 'TooLate' })
  await assert.rejects(service.send(challenger, 'challenge', provider.address, epoch), {
    reason: 'NoBeacon',
  })
  const burned = await world.balance(BURN)
  await service.until(service.challengeEnd(epoch))
  await service.send(anyone, 'settle', provider.address, epoch)
  assert.equal((await world.balance(BURN)) - burned, 2n * HELD)
  assert.equal((await service.commitment(provider.address, epoch)).state, 'FAILED')
  assert.equal(await stakeOf(provider), STAKES.minStake)
})

test('a proof in time takes the challenger’s bond, and frees what was held back', async () => {
  const [provider, slots, epoch] = await drawnFor('honest')
  const openings = samplesOf(slots)
  const proof = await service.proof(provider, epoch, openings)
  const answer = (with_: readonly unknown[], by: Hex = proof) =>
    service.send(anyone, 'answer', provider.address, epoch, with_, by)
  await assert.rejects(answer(openings), { reason: 'WrongState' })
  const [before, stake] = [await world.balance(challenger), await stakeOf(provider)]
  await service.send(challenger, 'challenge', provider.address, epoch)
  assert.equal(before - (await world.balance(challenger)), PROOFS.challengeBond)
  await assert.rejects(service.send(challenger, 'challenge', provider.address, epoch), {
    reason: 'WrongState',
  })
  const settle = () => service.send(anyone, 'settle', provider.address, epoch)
  await assert.rejects(settle(), { reason: 'WrongState' })
  await assert.rejects(service.send(anyone, 'slash', provider.address, epoch), {
    reason: 'TooEarly',
  })
  await answer(openings)
  assert.equal(await world.balance(payoutOf('honest')), (PROOFS.challengeBond * 9n) / 10n)
  assert.equal(await stakeOf(provider), stake)
  await assert.rejects(answer(openings), { reason: 'WrongState' })
  await settle()
  const paid = (PROOFS.challengeBond * 9n) / 10n + 2n * HELD
  assert.equal(await world.balance(payoutOf('honest')), paid)
})

test('the whole bond goes to a payout address whose provider answers itself', async () => {
  const [provider, slots, epoch] = await drawnFor('answers itself')
  await service.send(challenger, 'challenge', provider.address, epoch)
  const openings = samplesOf(slots)
  const proof = await service.proof(provider, epoch, openings)
  await service.send(provider.address, 'answer', provider.address, epoch, openings, proof)
  assert.equal(await world.balance(payoutOf('answers itself')), PROOFS.challengeBond)
  assert.equal(await world.balance(provider.address), 0n)
})

test('an answer must be a proof of this commitment, over slots that are there', async () => {
  const [provider, slots, epoch] = await drawnFor('answers')
  await service.send(challenger, 'challenge', provider.address, epoch)
  const openings = samplesOf(slots)
  const [first, ...rest] = openings
  if (!first) assert.fail()
  const answer = async (samples: readonly object[], proof?: Hex) => {
    const made = proof ?? (await service.proof(provider, epoch, samples as typeof openings))
    return service.send(anyone, 'answer', provider.address, epoch, samples, made)
  }
  const stranger = keyOf('stranger').address
  const bad: readonly (readonly object[])[] = [
    [{ ...first, root: first.root + 1n }, ...rest],
    [{ ...first, nullifier: first.nullifier + 1n }, ...rest],
    [{ ...first, sessionKey: stranger }, ...rest],
    [{ ...first, receiptKey: `0x${'00'.repeat(31)}01` }, ...rest],
    [{ ...first, proof: '0x' }, ...rest],
  ]
  for (const samples of bad) await assert.rejects(answer(samples), { reason: 'BadProof' })
  await assert.rejects(answer(openings, `0x${'11'.repeat(32)}`), { reason: 'BadProof' })
  const other = await service.proof(provider, epoch, samplesOf(slots.toReversed()))
  await assert.rejects(answer(openings, other), { reason: 'BadProof' })
  await answer(openings)
})

test('who does not answer is slashed once: a tenth to the challenger, the rest burned', async () => {
  const [provider, slots, epoch] = await drawnFor('silent')
  const bystander = await scene.provider('bystander')
  const slash = () => service.send(anyone, 'slash', provider.address, epoch)
  await assert.rejects(slash(), { reason: 'WrongState' })
  await service.send(challenger, 'challenge', provider.address, epoch)
  const before = [await world.balance(challenger), await world.balance(BURN)] as const
  await rpc.pass(PROOFS.answerWindow)
  const samples = samplesOf(slots)
  const proof = await service.proof(provider, epoch, samples)
  const late = service.send(anyone, 'answer', provider.address, epoch, samples, proof)
  await assert.rejects(late, { reason: 'TooLate' })
  await slash()
  const stake = STAKES.minStake
  assert.equal(await stakeOf(provider), 0n)
  assert.equal(await stakeOf(bystander), STAKES.minStake)
  assert.equal((await world.balance(challenger)) - before[0], stake / 10n + PROOFS.challengeBond)
  assert.equal((await world.balance(BURN)) - before[1], (stake * 9n) / 10n + 2n * HELD)
  await assert.rejects(slash(), { reason: 'WrongState' })
  await assert.rejects(service.send(anyone, 'settle', provider.address, epoch), {
    reason: 'WrongState',
  })
})

test('a challenge needs a commitment, a beacon and the bond', async () => {
  const [provider, , epoch] = await served('challenged')
  const challenge = (from = challenger) => service.send(from, 'challenge', provider.address, epoch)
  await assert.rejects(challenge(), { reason: 'WrongState' })
  await service.commit(provider, epoch)
  await assert.rejects(challenge(), { reason: 'NoBeacon' })
  await service.draw(epoch)
  await assert.rejects(challenge(anyone))
  await challenge()
})

test('is deployed with its pool and registry only, and with times that fit each other', async () => {
  const { token, authoriser, auditor, libraries } = world
  const deploy = async (change: object) => {
    const [pool, proofs] = [await nextContract(rpc, 1), await nextContract(rpc, 2)]
    const stakes = [STAKES.minStake, STAKES.unbondingDelay, STAKES.payoutDelay]
    const named = [token, pool, proofs, ...stakes]
    const registry = await rpc.deploy(DEPLOYER, bywayRegistryArtifact, named)
    const fields = { token, registry, authoriser, proofs, ...PROFILE }
    await rpc.deploy(DEPLOYER, linked(bywayPoolArtifact, libraries), [fields])
    const own = { pool, auditor, ...PROOFS, ...change }
    return rpc.deploy(DEPLOYER, serviceProofsArtifact, [own])
  }
  const bad: readonly (readonly [string, object])[] = [
    ['ZeroAddress', { pool: ZERO }],
    ['ZeroAddress', { auditor: ZERO }],
    ['WrongContracts', { pool: world.pool }],
    ['BadParameters', { commitWindow: 0 }],
    ['BadParameters', { commitWindow: PROFILE.epochDuration + 1 }],
    ['BadParameters', { beaconSpacing: 0 }],
    ['BadParameters', { beaconRounds: 0 }],
    ['BadParameters', { challengeWindow: 0 }],
    ['BadParameters', { answerWindow: 0 }],
    ['BadParameters', { challengeWindow: STAKES.unbondingDelay }],
  ]
  for (const [reason, change] of bad)
    await assert.rejects(deploy(change), { reason }, JSON.stringify(Object.keys(change)))
  await deploy({})
  const { pool } = world
  assert.deepEqual(await service.read('parameters'), { pool, auditor, ...PROOFS })
})
