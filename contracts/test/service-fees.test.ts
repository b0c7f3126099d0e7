/** What who commits, settles or answers in a provider's place is paid (SPEC §17.5, ADR 0042). */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { serviceProofsArtifact } from '@byway/chain'
import { type Key, keyOf } from './kit/keys.ts'
import { eventsOf } from './kit/rpc.ts'
import { startScene } from './kit/scene.ts'
import { CLAIMED, createService } from './kit/service.ts'
import type { Slot } from './kit/slots.ts'
import { BURN, PROFILE } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('BadProviderSignature', 'FeeNotCovered', 'FeeTooHigh')

const scene = await startScene()
const { client, world } = scene
const service = createService(scene)
after(() => scene[Symbol.asyncDispose]())

const HELD = PROFILE.winValue / 20n
const anyone = keyOf('anyone').address
const payoutOf = (name: string) => keyOf(`${name} payout`).address

/** A provider that wins `wins` times in an epoch, which ends then. */
async function served(name: string, wins = 2): Promise<readonly [Key, readonly Slot[], number]> {
  const provider = await scene.provider(name)
  const slots = await scene.slots(`${name} client`, wins)
  const won = slots.map((slot) => [slot, client.winning(slot, provider.address, 1)] as const)
  await service.until(service.endOf(await service.epoch()))
  const epoch = await service.epoch()
  await scene.bind(provider, won)
  await service.until(service.endOf(epoch))
  return [provider, slots, epoch]
}

test('who commits and who settles for a provider without coin is paid out of what was held back (SPEC §17.5)', async () => {
  const [provider, , epoch] = await served('poor')
  const [first, second] = [keyOf('sends the commitment').address, keyOf('settles').address]
  const FEE = HELD / 2n
  const { abi } = serviceProofsArtifact
  const head = { provider: provider.address, epoch }
  const [committed, paid] = eventsOf(abi, await service.commitFor(first, provider, epoch, FEE))
  assert.equal(committed?.args['held'], 2n * HELD)
  assert.deepEqual(paid, {
    ...paid,
    eventName: 'HeldFeePaid',
    args: { ...head, to: first, amount: FEE },
  })
  assert.equal(await world.balance(first), FEE)
  await service.draw(epoch)
  await service.until(service.challengeEnd(epoch))
  const settled = eventsOf(abi, await service.send(second, 'settle', provider.address, epoch))
  const to = payoutOf('poor')
  assert.deepEqual(
    settled.map(({ eventName, args }) => [eventName, args]),
    [
      ['Released', { ...head, to, amount: 2n * HELD - 2n * FEE, held: 2n * HELD }],
      ['HeldFeePaid', { ...head, to: second, amount: FEE }],
    ],
  )
  assert.equal(await world.balance(second), FEE)
  assert.equal(await world.balance(to), 2n * HELD - 2n * FEE)
})

test('a provider that settles itself keeps that fee; what no beacon was drawn for is burned without it', async () => {
  const FEE = HELD / 2n
  const [own, , epoch] = await served('settles itself')
  await service.commitFor(anyone, own, epoch, FEE)
  await service.draw(epoch)
  await service.until(service.challengeEnd(epoch))
  await service.send(own.address, 'settle', own.address, epoch)
  assert.equal(await world.balance(payoutOf('settles itself')), 2n * HELD - FEE)
  assert.equal(await world.balance(own.address), 0n)
  const [other, , later] = await served('undrawn')
  await service.commitFor(anyone, other, later, FEE)
  await service.until(service.challengeEnd(later))
  const [before, burned] = [await world.balance(anyone), await world.balance(BURN)]
  await service.send(anyone, 'settle', other.address, later)
  assert.equal(await world.balance(anyone), before)
  assert.equal((await world.balance(BURN)) - burned, 2n * HELD - FEE)
})

test('a fee is signed, at most 12 % of a win, covered twice, and not the provider’s own', async () => {
  const [provider, , epoch] = await served('dear', 6)
  const most = (PROFILE.winValue * 12n) / 100n
  const refused = (reason: string, sent: Promise<unknown>) => assert.rejects(sent, { reason })
  await refused('FeeTooHigh', service.commitFor(anyone, provider, epoch, most + 1n))
  await refused('FeeTooHigh', service.commit(provider, epoch, {}, 1n))
  const { root, total, maxUnits } = CLAIMED
  const cheap = service.sign(provider, epoch, CLAIMED, 1n)
  const args = [provider.address, epoch, root, total, maxUnits, 2n, cheap]
  await refused('BadProviderSignature', service.send(anyone, 'commit', ...args))
  await service.commitFor(anyone, provider, epoch, most)
  assert.equal((await service.commitment(provider.address, epoch)).held, 6n * HELD - most)
  const [small, , own] = await served('covers one')
  await refused('FeeNotCovered', service.commitFor(anyone, small, own, HELD + 1n))
  await service.commitFor(anyone, small, own, HELD)
})
