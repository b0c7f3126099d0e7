/** Who signs two editions under one number loses half of its stake to whoever has both (SPEC §14.7). */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { createRegistryCalls } from '@byway/chain'
import type { StakeRecord } from '@byway/protocol/directory'
import { hexToBytes, toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { createStakedNode, type StakedNode } from '../../../../contracts/test/kit/staked-node.ts'
import { STAKES } from '../../../../contracts/test/kit/world.ts'
import { createDoubleEditions, type DoubleEditions } from '../../src/redemption/double-editions.ts'
import {
  openProvider,
  settingsOf,
  startRedeemingWorld,
  type RunningProvider,
} from './redeeming-world.ts'

const world = await startRedeemingWorld()
const chainWorld = world.scene.world
after(() => world[Symbol.asyncDispose]())
const REWARD = STAKES.minStake / 20n

const recordOf = ({ provider, nodeId }: StakedNode): StakeRecord => ({
  provider: hexToBytes(provider.address),
  nodeId,
  owner: hexToBytes(provider.address),
  stake: STAKES.minStake,
  isUnbonding: false,
  sinceBlock: 1,
  proven: [],
})

/** A provider with coin that looks for what can be shown. */
async function openReporter(name: string): Promise<RunningProvider> {
  const key = keyOf(name)
  await chainWorld.rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  return await openProvider(settingsOf(world, name))
}

function editionsOf(
  reporter: RunningProvider,
  records: readonly StakeRecord[],
  coinPrice = 1n,
): DoubleEditions {
  return createDoubleEditions({
    lane: reporter.lane,
    calls: createRegistryCalls(hexToBytes(chainWorld.registry)),
    stakes: { records: () => records },
    chain: reporter.chain.view,
    events: reporter.store.ledger,
    coinPrice,
    nowMs: () => 1_800_000_000_000,
  })
}

async function booked({ store }: RunningProvider): Promise<readonly string[]> {
  const found: string[] = []
  for await (const { event } of store.ledger.read())
    found.push('amount' in event ? `${event.type} ${event.amount}` : event.type)
  return found
}

const stakeOf = async ({ provider }: StakedNode): Promise<bigint> => {
  const call = chainWorld.inRegistry('node', provider.address)
  return ((await chainWorld.rpc.read(call)) as { readonly stake: bigint }).stake
}

/** A look of the keeper and one of its lane, and a block. */
async function look({ lane }: RunningProvider, editions: DoubleEditions): Promise<void> {
  const signal = AbortSignal.timeout(120_000)
  await editions.look(signal)
  await lane.look(signal)
  await world.mine(1)
}

/** Until the books have what a showing costs and brings. */
async function lookUntilBooked(reporter: RunningProvider, editions: DoubleEditions): Promise<void> {
  const limit = AbortSignal.timeout(120_000)
  while ((await booked(reporter)).length < 2) {
    limit.throwIfAborted()
    await look(reporter, editions)
  }
}

test('is shown once, whichever edition came first, and the books have gas and reward', async () => {
  const liar = await createStakedNode(chainWorld, 11)
  await using reporter = await openReporter('editions reporter')
  const editions = editionsOf(reporter, [recordOf(liar)])
  const [first, second] = [liar.edition(7, { provider: undefined }), liar.edition(7)]
  editions.add({ first, second })
  editions.add({ first: second, second: first })
  await lookUntilBooked(reporter, editions)
  assert.deepEqual(await booked(reporter), ['gas-paid', `fee-earned ${REWARD}`])
  assert.equal(await stakeOf(liar), STAKES.minStake / 2n)
  assert.equal(await chainWorld.balance(keyOf('editions reporter').address), REWARD)
})

test('is not shown where that costs more than it brings, nor while no stake is behind it', async () => {
  const liar = await createStakedNode(chainWorld, 12)
  await using reporter = await openReporter('editions miser')
  const pair = { first: liar.edition(7), second: liar.edition(7, { asn: 1 }) }
  const dear = editionsOf(reporter, [recordOf(liar)], 10n ** 30n)
  const unknown = editionsOf(reporter, [])
  for (const editions of [dear, unknown]) {
    editions.add(pair)
    for (let looks = 0; looks < 2; looks++) await look(reporter, editions)
  }
  assert.equal(await stakeOf(liar), STAKES.minStake)
  // The stake has come into view.
  const editions = editionsOf(reporter, [recordOf(liar)])
  editions.add(pair)
  await lookUntilBooked(reporter, editions)
  assert.equal(await stakeOf(liar), STAKES.minStake / 2n)
})

test('what another has shown is forgotten', async () => {
  const liar = await createStakedNode(chainWorld, 13)
  const pair = { first: liar.edition(7), second: liar.edition(7, { asn: 1 }) }
  await using one = await openReporter('editions one')
  await using other = await openReporter('editions other')
  const faster = editionsOf(one, [recordOf(liar)])
  faster.add(pair)
  await lookUntilBooked(one, faster)
  const slower = editionsOf(other, [recordOf(liar)])
  slower.add(pair)
  for (let looks = 0; looks < 3; looks++) await look(other, slower)
  assert.deepEqual(await booked(other), [])
  assert.equal(await stakeOf(liar), STAKES.minStake / 2n)
})
