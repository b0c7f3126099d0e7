import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { bywayRegistryArtifact } from '@byway/chain'
import { concatBytes } from '@byway/protocol/base'
import { bytesToHex, hexToBytes, type Hex } from 'viem'
import { type Key, keyOf } from './kit/keys.ts'
import { eventsOf } from './kit/rpc.ts'
import { startScene } from './kit/scene.ts'
import { createStakedNode } from './kit/staked-node.ts'
import { BURN, STAKES } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('AlreadyShown', 'BadEdition', 'NotDouble', 'NotRegistered')

const scene = await startScene()
const { world } = scene
const { rpc } = world
after(() => scene[Symbol.asyncDispose]())

const reporter = keyOf('reporter')
const read = (name: string, ...args: readonly unknown[]) =>
  rpc.read(world.inRegistry(name, ...args))
const stakeOf = async (provider: Key) =>
  ((await read('node', provider.address)) as { stake: bigint }).stake
const report = (provider: Key, first: Hex, second: Hex) =>
  rpc.send(reporter.address, world.inRegistry('slashEditions', provider.address, first, second))

let count = 0

async function createNode() {
  const { edition, ...node } = await createStakedNode(world, ++count)
  const inHex = (...args: Parameters<typeof edition>): Hex => bytesToHex(edition(...args))
  return { ...node, edition: inHex }
}

test('two editions under one number cost half of the stake; a tenth of that is the reporter’s', async (t) => {
  const { provider, edition } = await createNode()
  const { address } = reporter
  const [burned, earned] = await Promise.all([world.balance(BURN), world.balance(address)])
  const receipt = await report(provider, edition(7), edition(7, { country: 'DE' }))
  t.diagnostic(`${receipt.gasUsed} of gas`)
  const taken = STAKES.minStake / 2n
  const reward = taken / 10n
  assert.equal(await stakeOf(provider), STAKES.minStake - taken)
  assert.equal((await world.balance(address)) - earned, reward)
  assert.equal((await world.balance(BURN)) - burned, taken - reward)
  assert.equal(await read('isActive', provider.address), false)
  const events = eventsOf(bywayRegistryArtifact.abi, receipt)
  const shown = events.map(({ eventName, args }) => [eventName, args['to'], args['amount']])
  assert.deepEqual(shown.slice(0, 2), [
    ['Slashed', BURN, taken - reward],
    ['Slashed', address, reward],
  ])
})

test('the longest editions are judged too', async (t) => {
  const { provider, edition } = await createNode()
  const addresses = [
    { family: 4 as const, bytes: new Uint8Array(4).fill(9), port: 443 },
    { family: 6 as const, bytes: new Uint8Array(16).fill(1), port: 443 },
  ]
  const attachments = Array.from({ length: 6 }, (_, at) => new Uint8Array(32).fill(at + 1))
  const long = { addresses, attachments, software: 'x'.repeat(32) }
  const receipt = await report(provider, edition(7, long), edition(7, { ...long, asn: 1 }))
  t.diagnostic(`${receipt.gasUsed} of gas`)
  assert.equal(await stakeOf(provider), STAKES.minStake - STAKES.minStake / 2n)
})

test('a number is paid for once, and none below it afterwards', async () => {
  const { provider, edition } = await createNode()
  await report(provider, edition(7), edition(7, { asn: 1 }))
  for (const number of [7, 6])
    await assert.rejects(report(provider, edition(number), edition(number, { asn: 2 })), {
      reason: 'AlreadyShown',
    })
  await report(provider, edition(8), edition(8, { asn: 2 }))
  assert.equal(await stakeOf(provider), STAKES.minStake / 4n)
})

test('a node that is leaving can still be slashed, and one that has left cannot', async () => {
  const { provider, owner, edition } = await createNode()
  await rpc.send(owner.address, world.inRegistry('unbond', provider.address))
  await report(provider, edition(7), edition(7, { asn: 1 }))
  await rpc.pass(STAKES.unbondingDelay)
  await rpc.send(owner.address, world.inRegistry('withdrawStake', provider.address))
  await assert.rejects(report(provider, edition(9), edition(9, { asn: 1 })), {
    reason: 'NotRegistered',
  })
})

test('nothing else is a proof', async () => {
  const { provider, edition } = await createNode()
  const other = await createNode()
  const good = edition(7)
  const second = edition(7, { asn: 1 })
  const flipped = (bytes: Hex, at: number): Hex => {
    const changed = hexToBytes(bytes)
    changed[at < 0 ? changed.length + at : at]! ^= 1
    return bytesToHex(changed)
  }
  const refusals: readonly (readonly [string, Hex, Hex])[] = [
    // The same edition, also where its signature differs.
    ['NotDouble', good, good],
    ['NotDouble', good, flipped(good, -1)],
    // Two numbers, two nodes, another version, no edition at all, one that is too long.
    ['NotDouble', good, edition(8)],
    ['NotDouble', good, other.edition(7)],
    ['NotDouble', good, flipped(second, 0)],
    ['NotDouble', flipped(good, 0), second],
    ['NotDouble', good, '0x'],
    ['NotDouble', good, bytesToHex(hexToBytes(second).subarray(0, 283))],
    ['NotDouble', good, bytesToHex(concatBytes(hexToBytes(second), new Uint8Array(1536)))],
    // Another provider than the edition names.
    ['NotDouble', edition(7, { provider: hexToBytes(other.provider.address) }), second],
    ['BadEdition', flipped(good, -1), second],
    ['BadEdition', flipped(good, 100), second],
    ['BadEdition', good, flipped(second, -40)],
    ['BadEdition', good, flipped(second, 100)],
  ]
  for (const [reason, first, next] of refusals)
    await assert.rejects(report(provider, first, next), { reason })
  await assert.rejects(report(other.provider, good, second), { reason: 'NotDouble' })
  await assert.rejects(report(keyOf('nobody'), good, second), { reason: 'NotRegistered' })
  assert.equal(await stakeOf(provider), STAKES.minStake)
})
