/** What became of slots by all events, beside the word that the contract has of each: on real contracts, with a slot in every state that a call can bring about. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainNews } from '@byway/chain'
import { hexToBytes } from 'viem'
import { uint } from '../../../../contracts/test/kit/bytes.ts'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { registration } from '../../../../contracts/test/kit/scene.ts'
import { STAKES } from '../../../../contracts/test/kit/world.ts'
import {
  openProvider,
  settingsOf,
  startRedeemingWorld,
} from '../../../node/test/redemption/redeeming-world.ts'
import { readSlotStories } from '../../src/wallet/slot-stories.ts'

test('a chain that is away is said to be, and not waited for', async (t) => {
  const away = new Error('away')
  async function* events(): AsyncGenerator<ChainNews> {
    yield { type: 'quiet' }
    await new Promise(() => {})
  }
  const reader = { freshHead: async () => Promise.reject(away), block: async () => undefined }
  await assert.rejects(readSlotStories({ view: { events }, reader }, 0, t.signal), away)
})

test('a story says what the word says, without a question for any slot', async () => {
  await using world = await startRedeemingWorld()
  const { scene, signal } = world
  const { client, payer, world: contracts } = scene
  const provider = keyOf('provider of stories')
  const owner = keyOf('owner of stories').address
  await contracts.fund(owner, 2n * STAKES.minStake)
  await contracts.rpc.send(owner, registration(contracts, provider, owner, 'stories'))
  const slots = await scene.slots('stories', 9)
  const [, locked, bound, full, closing, closed, refunding, refunded, withdrawing] = slots
  assert.ok(locked && bound && full && closing && closed && refunding && refunded && withdrawing)
  const win = async (slot: typeof bound, index: number) =>
    [slot, client.winning(slot, provider.address, index)] as const
  const to = (slot: typeof bound, name: string) =>
    client.destination(slot, client.idcOf(keyOf(name)))
  const back = (slot: typeof bound, name: string) => client.refund(slot, client.idcOf(keyOf(name)))
  const boundTo = ({ nullifier, session }: typeof bound) => ({
    nullifier,
    provider: provider.address,
    sessionKey: session.address,
  })
  for (const slot of [bound, full, closing, closed])
    await scene.bind(provider, [await win(slot, 3)])
  await scene.claim(provider, [await win(full, 7)])
  for (const slot of [closing, closed])
    await contracts.sendPool(payer, 'close', [boundTo(slot)], [to(slot, 'heir')])
  await contracts.sendPool(payer, 'refund', [back(refunded, 'other heir')])
  await contracts.rpc.pass(contracts.profile.closeDelay)
  await contracts.sendPool(payer, 'finishClose', [boundTo(closed)], [to(closed, 'heir')])
  await contracts.sendPool(payer, 'finishRefund', [back(refunded, 'other heir')])
  await contracts.sendPool(payer, 'refund', [back(refunding, 'third heir')])
  const unused = client.unused(withdrawing.leaf, withdrawing.j, payer)
  await contracts.sendPool(payer, 'withdrawUnused', [unused], payer)
  await scene.lock(provider, [locked])
  // A later win is paid while its slot is being closed.
  await scene.claim(provider, [await win(closing, 9)])
  // The bond of a bound slot is burned for a ticket to another provider.
  const signed = (address: typeof owner) => ({
    provider: address,
    ...client.draw(bound, address, 9, 1n, 0),
  })
  const none = { ...signed(provider.address), signature: '0x' }
  const shown = { ...bound.opening, proof: '0x' }
  const reporter = keyOf('reporter of stories').address
  await contracts.sendPool(reporter, 'conflictTickets', shown, none, signed(keyOf('rival').address))

  await using reading = await openProvider(settingsOf(world, 'reader of stories'))
  const { chain } = reading
  const storyOf = await readSlotStories(chain, 0, signal)
  const states = []
  for (const { nullifier } of slots) {
    const name = hexToBytes(uint(nullifier, 256))
    const { state, wins, isBurned, timeS } = await chain.view.slot(name, signal)
    const story = storyOf(name)
    // Of what is over only that is asked.
    const isOver = state === 'closed' || state === 'refunded'
    assert.deepEqual(isOver ? { state: story.state } : story, {
      state,
      ...(isOver ? {} : { wins, isBurned, timeS }),
    })
    states.push(story.isBurned ? `${state}, burned` : state)
  }
  assert.deepEqual(states, [
    'none',
    'locked',
    'bound, burned',
    'bound',
    'closing',
    'closed',
    'refunding',
    'refunded',
    'withdrawing',
  ])
})
