/** A relayer on the real contracts (SPEC §15.8): slots of several owners, taken one a circuit, sent together, ended after their delay. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { u256Bytes } from '@byway/protocol/ticket'
import {
  REDEEM_ANSWER,
  RETURN_KIND,
  type CloseRequest,
  type RefundRequest,
  type ReturnRequest,
} from '@byway/protocol/wire'
import { type Address, hexToBytes, toEventSelector, toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import type { Slot } from '../../../../contracts/test/kit/slots.ts'
import { startRedeemingWorld } from './redeeming-world.ts'
import {
  openRelayer as openRelayerIn,
  type RelayerChange,
  type RunningRelayer,
} from './relayer-kit.ts'

const world = await startRedeemingWorld()
const { scene } = world
const { profile, rpc, pool } = scene.world
after(() => world[Symbol.asyncDispose]())

const SKIPPED = toEventSelector('Skipped(uint256,uint8)')

/** After which what is back stays back. */
const SETTLED_S = 3600

const openRelayer = (name: string, change?: RelayerChange): Promise<RunningRelayer> =>
  openRelayerIn(world, name, change)

/** Works, and lets delays pass. */
async function relayUntil(running: RunningRelayer, slot: Slot, state: string): Promise<void> {
  while ((await stateOf(slot)) !== state) {
    world.signal.throwIfAborted()
    await running.work()
    await rpc.pass(profile.refundDelay)
  }
}

/** Each of another owner; all deposited before the first comes back as a leaf that this tree does not know. */
const stock: Slot[] = []
for (let i = 0; i < 15; i++) stock.push(...(await scene.slots(`owner ${i}`, 1)))
const slotsOf = (count: number): readonly Slot[] => stock.splice(0, count)

const bytes = (value: bigint): Uint8Array => u256Bytes(value)
const heir = (i: number): bigint => scene.client.idcOf(keyOf(`heir ${i}`))

function destinationOf(slot: Slot, relay: string, i = 0) {
  const { idc, feeTo, signature } = scene.client.destination(slot, heir(i), keyOf(relay).address)
  return { idc: bytes(idc), feeTo: hexToBytes(feeTo), signature: hexToBytes(signature) }
}

const closeOf = (slot: Slot, provider: Address, relay: string): CloseRequest => ({
  kind: RETURN_KIND.CLOSE,
  nullifier: bytes(slot.nullifier),
  provider: hexToBytes(provider),
  sessionKey: hexToBytes(slot.session.address),
  destination: destinationOf(slot, relay),
})

function refundOf(slot: Slot, relay: string, i = 0, attempt = 0): RefundRequest {
  const { client } = scene
  const asked = client.refund(slot, heir(i), keyOf(relay).address, attempt)
  return {
    kind: RETURN_KIND.REFUND,
    root: bytes(asked.root),
    nullifier: bytes(asked.nullifier),
    idc: bytes(asked.idc),
    feeTo: hexToBytes(asked.feeTo),
    attempt,
    proof: hexToBytes(asked.proof),
  }
}

const receiver = keyOf('receiver').address

function withdrawalOf({ leaf, j }: Slot, relay: string): ReturnRequest {
  const feeTo = keyOf(relay).address
  const { nullifier, proof, root } = scene.client.unused(leaf, j, receiver, feeTo)
  return {
    kind: RETURN_KIND.WITHDRAW,
    root: bytes(root),
    nullifier: bytes(nullifier),
    to: hexToBytes(receiver),
    feeTo: hexToBytes(feeTo),
    proof: hexToBytes(proof),
  }
}

const stateOf = async ({ nullifier }: Slot): Promise<string> => (await scene.word(nullifier)).state
const statesOf = async (slots: readonly Slot[]): Promise<readonly string[]> => [
  ...new Set(await Promise.all(slots.map(stateOf))),
]

test('slots of several owners go in one call, and again once their delay is over; each pays the fee once', async () => {
  const slots = slotsOf(3)
  await using running = await openRelayer('relay')
  const { relayer, work } = running
  assert.equal(await relayer.ask(world.signal), REDEEM_ANSWER.TAKEN)
  for (const [i, slot] of slots.entries()) {
    const request = refundOf(slot, 'relay', i)
    assert.equal(await relayer.take(request, world.signal), REDEEM_ANSWER.TAKEN)
    // A client that lost the answer asks again.
    assert.equal(await relayer.take(request, world.signal), REDEEM_ANSWER.TAKEN)
  }
  const nonce = async (): Promise<number> =>
    Number(await rpc.request('eth_getTransactionCount', keyOf('relay').address, 'latest'))
  const before = await nonce()
  await work()
  assert.deepEqual(await statesOf(slots), ['REFUNDING'])
  await work()
  assert.equal(await nonce(), before + 1, 'one call for all, and none before its time')
  await rpc.pass(profile.refundDelay)
  await work()
  assert.deepEqual(await statesOf(slots), ['REFUNDED'])
  assert.equal(await nonce(), before + 2)
  assert.equal(await scene.world.balance(keyOf('relay').address), 3n * profile.bond)
  assert.equal(await relayer.look(world.signal), 3)
  assert.equal(await relayer.look(world.signal), 3, 'a reorganisation might undo it')
  await rpc.pass(SETTLED_S)
  assert.equal(await relayer.look(world.signal), 3)
  assert.equal(await relayer.look(world.signal), 0, 'nothing is left to do')
  const earned: bigint[] = []
  for await (const { event } of running.store.ledger.read())
    if (event.type === 'fee-earned') earned.push(event.amount)
  assert.deepEqual(earned, [3n * profile.bond])
})

test('a relayer whose coin is gone keeps what it has taken, and sends it once there is some', async () => {
  const [slot] = slotsOf(1)
  assert.ok(slot)
  const { address } = keyOf('drained')
  await using running = await openRelayer('drained')
  const { relayer, work } = running
  assert.equal(await relayer.take(refundOf(slot, 'drained'), world.signal), REDEEM_ANSWER.TAKEN)
  await rpc.request('anvil_setBalance', address, '0x0')
  for (let looks = 0; looks < 2; looks++) assert.equal(await relayer.look(world.signal), 1)
  assert.equal(await stateOf(slot), 'NONE')
  await rpc.request('anvil_setBalance', address, toHex(10n ** 21n))
  await work()
  assert.equal(await stateOf(slot), 'REFUNDING')
})

test('what was promised is done by the next run, though the first died between its steps', async () => {
  const [slot] = slotsOf(1)
  assert.ok(slot)
  {
    await using first = await openRelayer('mortal')
    const request = refundOf(slot, 'mortal')
    assert.equal(await first.relayer.take(request, world.signal), REDEEM_ANSWER.TAKEN)
    // Sent and not seen: the next run finds it in the lane.
    await first.relayer.look(world.signal)
  }
  await world.mine(1)
  {
    await using second = await openRelayer('mortal')
    await second.work()
    assert.equal(await stateOf(slot), 'REFUNDING')
    await rpc.pass(profile.refundDelay)
    await second.relayer.look(world.signal)
  }
  await world.mine(1)
  assert.equal(await stateOf(slot), 'REFUNDED')
  for (let run = 0; run < 2; run++) {
    await using next = await openRelayer('mortal')
    // Settled before the relayer takes it up.
    await next.lane.look(world.signal)
    await next.relayer.look(world.signal)
    const told: string[] = []
    for await (const { event } of next.store.ledger.read())
      if (event.type === 'fee-earned') told.push(`earned ${event.amount}`)
      else told.push(event.type)
    const booked = ['gas-paid', 'gas-paid', `earned ${profile.bond}`]
    assert.deepEqual(told.toSorted(), booked.toSorted(), 'each once, in whatever run')
  }
})

test('a bound slot is closed; a withdrawal pays its receiver; the lone first of a batch waits for company', async () => {
  const [bound, unused] = slotsOf(2)
  assert.ok(bound && unused)
  const provider = await scene.provider('binder')
  await scene.bind(provider, [[bound, scene.client.winning(bound, provider.address, 1)]])
  await using running = await openRelayer('both')
  await using patient = await openRelayer('patient', { batchWaitS: 3600 })
  const close = closeOf(bound, provider.address, 'both')
  const withdraw = withdrawalOf(unused, 'both')
  for (const request of [close, withdraw])
    assert.equal(await running.relayer.take(request, world.signal), REDEEM_ANSWER.TAKEN)
  // One kind a call.
  await running.work()
  await running.work()
  assert.deepEqual([await stateOf(bound), await stateOf(unused)], ['CLOSING', 'WITHDRAWING'])
  await rpc.pass(profile.closeDelay)
  await running.work()
  await running.work()
  assert.deepEqual([await stateOf(bound), await stateOf(unused)], ['CLOSED', 'WITHDRAWN'])
  const slotValue = profile.winValue * BigInt(profile.winsPerSlot) + profile.bond
  assert.equal(await scene.world.balance(receiver), slotValue - profile.bond)
  assert.equal(await scene.world.balance(keyOf('both').address), 2n * profile.bond)

  const [lone] = slotsOf(1)
  assert.ok(lone)
  const request = refundOf(lone, 'patient')
  assert.equal(await patient.relayer.take(request, world.signal), REDEEM_ANSWER.TAKEN)
  await patient.work()
  assert.equal(await stateOf(lone), 'NONE')
})

test('a close that another began is ended for whom the session key names, and for nobody else', async () => {
  const [slot] = slotsOf(1)
  assert.ok(slot)
  const provider = await scene.provider('closer')
  await scene.bind(provider, [[slot, scene.client.winning(slot, provider.address, 1)]])
  await using first = await openRelayer('first closer')
  await using running = await openRelayer('second closer')
  assert.equal(
    await first.relayer.take(closeOf(slot, provider.address, 'first closer'), world.signal),
    REDEEM_ANSWER.TAKEN,
  )
  await first.work()
  assert.equal(await stateOf(slot), 'CLOSING')
  const good = closeOf(slot, provider.address, 'second closer')
  const { destination } = good
  const others: readonly ReturnRequest[] = [
    { ...good, destination: { ...destination, idc: bytes(heir(8)) } },
    { ...good, provider: hexToBytes(keyOf('another').address) },
    { ...good, sessionKey: hexToBytes(keyOf('another').address) },
  ]
  for (const other of others)
    assert.equal(await running.relayer.take(other, world.signal), REDEEM_ANSWER.BAD_ORDER)
  assert.equal(await running.relayer.take(good, world.signal), REDEEM_ANSWER.TAKEN)
  await rpc.pass(profile.closeDelay)
  await running.work()
  assert.equal(await stateOf(slot), 'CLOSED')
  assert.equal(await scene.world.balance(keyOf('second closer').address), profile.bond)
})

test('takes nothing that would not be carried out, that pays another, or that does not cover its gas', async () => {
  const [slot] = slotsOf(1)
  assert.ok(slot)
  await using running = await openRelayer('strict')
  await using dear = await openRelayer('dear', { coinPrice: 10n ** 40n })
  const take = (request: ReturnRequest) => running.relayer.take(request, world.signal)
  const good = refundOf(slot, 'strict')
  assert.equal(await take(refundOf(slot, 'dear')), REDEEM_ANSWER.BAD_ORDER, 'the fee is not ours')
  const stolen = { ...good, idc: refundOf(slot, 'strict', 9).idc }
  assert.equal(await take(stolen), REDEEM_ANSWER.BAD_ORDER, 'not where its proof says')
  const forged = { ...good, proof: Uint8Array.from(good.proof, (byte) => byte ^ 1) }
  assert.equal(await take(forged), REDEEM_ANSWER.BAD_ORDER)
  assert.equal(await dear.relayer.ask(world.signal), REDEEM_ANSWER.FEE_TOO_LOW)
  const lowFee = await dear.relayer.take(refundOf(slot, 'dear'), world.signal)
  assert.equal(lowFee, REDEEM_ANSWER.FEE_TOO_LOW)
  assert.equal((await running.store.handOvers.list('return', 'open')).length, 0)
})

test('what another began and never ended is begun anew and ended, once its time is over twice', async () => {
  const [slot] = slotsOf(1)
  assert.ok(slot)
  await using gone = await openRelayer('gone')
  await using running = await openRelayer('second')
  const take = (attempt: number) =>
    running.relayer.take(refundOf(slot, 'second', 9, attempt), world.signal)
  const first = await gone.relayer.take(refundOf(slot, 'gone', 9), world.signal)
  assert.equal(first, REDEEM_ANSWER.TAKEN)
  await gone.work()
  assert.equal(await stateOf(slot), 'REFUNDING')
  assert.equal(await take(1), REDEEM_ANSWER.BAD_ORDER, 'the first may still end it')
  await rpc.pass(2 * profile.refundDelay)
  assert.equal(await take(0), REDEEM_ANSWER.BAD_ORDER, 'no later attempt')
  assert.equal(await take(1), REDEEM_ANSWER.TAKEN)
  await running.work()
  assert.equal(await stateOf(slot), 'REFUNDING')
  // The first comes back: its request was passed over, and it sends nothing.
  const nonce = () => rpc.request('eth_getTransactionCount', keyOf('gone').address, 'latest')
  const before = await nonce()
  await gone.work()
  assert.equal(await nonce(), before)
  await running.work()
  assert.equal(await stateOf(slot), 'REFUNDED')
  assert.equal(await scene.world.balance(keyOf('second').address), profile.bond)
  assert.equal(await scene.world.balance(keyOf('gone').address), 0n)
})

test('an owner who asks for one slot many times has one request sent, whatever differs in them', async () => {
  const [slot, other] = slotsOf(2)
  assert.ok(slot && other)
  await using running = await openRelayer('courted')
  const { relayer, work } = running
  const take = (request: ReturnRequest) => relayer.take(request, world.signal)
  const pair = [refundOf(slot, 'courted', 5), refundOf(slot, 'courted', 5, 1)] as const
  const answers = await Promise.all(pair.map(take))
  const [first, later] = answers[0] === REDEEM_ANSWER.TAKEN ? pair : pair.toReversed()
  assert.ok(first && later)
  const [taken, tryLater] = [REDEEM_ANSWER.TAKEN, REDEEM_ANSWER.TRY_LATER]
  assert.deepEqual(new Set(answers), new Set([taken, tryLater]), 'judged at once')
  for (const request of [later, refundOf(slot, 'courted', 6), withdrawalOf(slot, 'courted')])
    assert.equal(await take(request), REDEEM_ANSWER.TRY_LATER)
  assert.equal(await take(first), REDEEM_ANSWER.TAKEN, 'known already')
  assert.equal(await take(refundOf(other, 'courted', 7)), REDEEM_ANSWER.TAKEN)
  const before = await rpc.request('eth_blockNumber')
  await work()
  assert.deepEqual(await statesOf([slot, other]), ['REFUNDING'])
  await rpc.pass(profile.refundDelay)
  await work()
  assert.deepEqual(await statesOf([slot, other]), ['REFUNDED'])
  const logs = await rpc.request('eth_getLogs', {
    address: pool,
    fromBlock: before,
    topics: [SKIPPED],
  })
  assert.deepEqual(logs, [], 'nothing was paid for in vain')
})

test('a slot that somebody bound meanwhile is let go', async () => {
  const [slot] = slotsOf(1)
  assert.ok(slot)
  await using running = await openRelayer('late')
  assert.equal(
    await running.relayer.take(refundOf(slot, 'late'), world.signal),
    REDEEM_ANSWER.TAKEN,
  )
  const provider = await scene.provider('quick')
  await scene.bind(provider, [[slot, scene.client.winning(slot, provider.address, 1)]])
  await running.work()
  assert.equal(await stateOf(slot), 'BOUND')
  // What there is no more to do for does not stand in the way of what there is.
  const close = closeOf(slot, provider.address, 'late')
  assert.equal(await running.relayer.take(close, world.signal), REDEEM_ANSWER.TAKEN)
  await running.work()
  assert.equal(await stateOf(slot), 'CLOSING')
  await rpc.pass(profile.closeDelay)
  await running.work()
  assert.equal(await stateOf(slot), 'CLOSED')
  await rpc.pass(SETTLED_S)
  await running.work()
  assert.equal(await running.relayer.look(world.signal), 0)
})

test('what a reorganisation undoes is sent again, however deep; and what was ended is taken anew in the same words', async () => {
  const [slot] = slotsOf(1)
  assert.ok(slot)
  await using running = await openRelayer('undone')
  const { relayer, store } = running
  const work = () => running.work()
  const request = withdrawalOf(slot, 'undone')
  const had = await scene.world.balance(receiver)
  const before = Number(await rpc.request('eth_blockNumber'))
  const paid = async (): Promise<bigint> => (await scene.world.balance(receiver)) - had
  assert.equal(await relayer.take(request, world.signal), REDEEM_ANSWER.TAKEN)
  await work()
  assert.equal(await stateOf(slot), 'WITHDRAWING')
  await rpc.pass(profile.refundDelay)
  await work()
  await work()
  const value = await paid()
  assert.ok(value > 0n)
  // Both steps are gone, and the lane has long forgotten them.
  const reorg = async (): Promise<void> => {
    const blocks = Number(await rpc.request('eth_blockNumber')) - before
    await rpc.request('anvil_reorg', blocks, [])
    await world.mine(1)
    assert.equal(await stateOf(slot), 'NONE')
  }
  await reorg()
  await relayUntil(running, slot, 'WITHDRAWN')
  assert.equal(await paid(), value)

  // Settled, as it thought.
  await rpc.pass(SETTLED_S)
  await work()
  assert.deepEqual(await store.handOvers.list('return', 'open'), [])
  await reorg()
  assert.equal(await relayer.take(request, world.signal), REDEEM_ANSWER.TAKEN)
  assert.equal((await store.handOvers.list('return', 'open')).length, 1)
  await relayUntil(running, slot, 'WITHDRAWN')
  assert.equal(await paid(), value)
})
