/** Nodes without gas leave their claims with others (SPEC §15.7) on the real contracts. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { decodeRedeemOrder, REDEEM_ANSWER, type RedeemAnswer } from '@byway/protocol/wire'
import { toHex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { type Ask, openRedeemer, PEER, redeemersIn, taker } from './redeemer-kit.ts'
import { openProvider, settingsOf, startRedeemingWorld, statesOf } from './redeeming-world.ts'

const world = await startRedeemingWorld()
const { scene } = world
const { profile, rpc } = scene.world
after(() => world[Symbol.asyncDispose]())

const FEE = (profile.winValue * 10n) / 100n
const LOCK_FEE = FEE / 5n
const NET = (profile.winValue * 90n) / 100n

const redeemersOf = (name: string, asked: readonly Ask[]) =>
  redeemersIn(world, name, asked, { fee: FEE, lockFee: LOCK_FEE })

/** Says that it takes everything and does nothing. */
const censor = async (): Promise<RedeemAnswer> => REDEEM_ANSWER.TAKEN

test('a node without gas is paid through two redeemers, each win once, less the fee', async () => {
  const key = await scene.provider('poor')
  const slots = await scene.slots('poor payer', 3)
  await using first = await openRedeemer(world, 'redeemer one')
  await using second = await openRedeemer(world, 'redeemer two')
  const redeemers = redeemersOf('poor', [taker(first.service), taker(second.service)])
  await using provider = await openProvider(settingsOf(world, 'poor'), {
    redeemers,
    withoutGas: true,
  })
  for (const slot of slots) {
    await provider.store.winners.add(world.winner(slot, key, 1))
    await provider.store.winners.add(world.winner(slot, key, 2))
  }
  await provider.until(
    async () => statesOf(await provider.winners())['done'] === 6,
    async () => {
      await first.work()
      await second.work()
      await world.mine(1)
    },
  )
  // Three locks are paid for out of the credit, or the stake while there is none.
  const stake = (await rpc.read(scene.world.inRegistry('node', key.address))) as { stake: bigint }
  const fromStake = 50n * 10n ** 18n - stake.stake
  assert.equal((await scene.credit(key.address)) - fromStake, 6n * (NET - FEE) - 3n * LOCK_FEE)
  const earned = await Promise.all(
    ['redeemer one', 'redeemer two'].map((name) => scene.world.balance(keyOf(name).address)),
  )
  assert.equal((earned[0] ?? 0n) + (earned[1] ?? 0n), 6n * FEE + 3n * LOCK_FEE)
  let fees = 0n
  for await (const { event } of provider.store.ledger.read())
    if (event.type === 'claim-paid') fees += event.redeemerFee
  assert.equal(fees, 6n * FEE)
})

test('redeemers that take claims and do nothing are survived: others are asked', async () => {
  const key = await scene.provider('censored')
  const [slot] = await scene.slots('censored payer', 1)
  if (!slot) assert.fail()
  await using honest = await openRedeemer(world, 'honest redeemer')
  const redeemers = redeemersOf('censored', [censor, censor, taker(honest.service)])
  let nowMs = Date.now()
  const options = { redeemers, withoutGas: true, nowMs: () => nowMs }
  await using provider = await openProvider(settingsOf(world, 'censored'), options)
  await provider.store.winners.add(world.winner(slot, key, 1, nowMs))
  await provider.until(
    async () => statesOf(await provider.winners())['done'] === 1,
    async () => {
      nowMs += 60_000
      await honest.work()
      await world.mine(1)
    },
  )
})

test('what is left with a redeemer before a shutdown is paid while the home sleeps', async () => {
  const key = await scene.provider('sleeping')
  const slots = await scene.slots('sleeping payer', 2)
  await using redeemer = await openRedeemer(world, 'weekend redeemer')
  const redeemers = redeemersOf('sleeping', [taker(redeemer.service)])
  const policy = { bindWaitMs: 1e9, claimWaitMs: 1e9 }
  const options = { redeemers, withoutGas: true, policy }
  {
    await using provider = await openProvider(settingsOf(world, 'sleeping'), options)
    for (const slot of slots) await provider.store.winners.add(world.winner(slot, key, 1))
    await provider.redemption.look(world.signal)
    await redeemer.work()
    await provider.redemption.look(world.signal)
    assert.equal(await provider.redemption.leave(world.signal), 2)
    assert.equal(await provider.redemption.leave(world.signal), 0, 'they are left already')
    const [slot] = slots
    if (!slot) assert.fail()
    await provider.store.winners.add(world.winner(slot, key, 2))
    assert.equal(await provider.redemption.leave(world.signal), 1, 'won while streams ended')
  }
  for (let round = 0; round < 8; round++) {
    await redeemer.work()
    await world.mine(1)
  }
  const wins = await Promise.all(
    slots.map(async ({ nullifier }) => (await scene.word(nullifier)).wins),
  )
  assert.deepEqual(wins, [2, 1])
  await using provider = await openProvider(settingsOf(world, 'sleeping'), options)
  await provider.until(
    async () => statesOf(await provider.winners())['done'] === 3,
    () => world.mine(1),
  )
})

test('a win of the last moment, whose lock is still on its way, is left with redeemers too', async () => {
  const key = await scene.provider('hasty')
  const [slot] = await scene.slots('hasty payer', 1)
  if (!slot) assert.fail()
  await using redeemer = await openRedeemer(world, 'evening redeemer')
  const redeemers = redeemersOf('hasty', [taker(redeemer.service)])
  const options = { redeemers, withoutGas: true, policy: { bindWaitMs: 1e9 } }
  {
    await using provider = await openProvider(settingsOf(world, 'hasty'), options)
    await provider.store.winners.add(world.winner(slot, key, 1))
    await provider.redemption.look(world.signal)
    assert.equal(await provider.redemption.leave(world.signal), 1)
  }
  for (let round = 0; round < 4; round++) {
    await redeemer.work()
    await world.mine(1)
  }
  assert.equal((await scene.word(slot.nullifier)).wins, 1)
})

test('a node that redeems and has no coin takes no order: it could not keep its promise', async () => {
  const key = await scene.provider('trusting')
  const [slot] = await scene.slots('trusting payer', 1)
  if (!slot) assert.fail()
  await using broke = await openRedeemer(world, 'broke redeemer')
  await rpc.request('anvil_setBalance', keyOf('broke redeemer').address, '0x0')
  const answers: RedeemAnswer[] = []
  const ask: Ask = async (_nodeId, order, signal) => {
    answers.push(await broke.service.take(PEER, order, signal))
    return answers.at(-1)
  }
  const options = { redeemers: redeemersOf('trusting', [ask]), withoutGas: true }
  await using provider = await openProvider(settingsOf(world, 'trusting'), options)
  await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.redemption.look(world.signal)
  assert.deepEqual(answers, [REDEEM_ANSWER.NO_REDEEMER])
  assert.ok(provider.alerts.some(({ type }) => type === 'no-sender'))
})

test('a node whose signer signs no transaction leaves its wins with a redeemer, and waits where it signs nothing at all', async () => {
  const key = await scene.provider('spent')
  const [slot] = await scene.slots('spent payer', 1)
  if (!slot) assert.fail()
  await using redeemer = await openRedeemer(world, 'redeemer of the spent')
  let isLocked = true
  const fees = { fee: FEE, lockFee: LOCK_FEE }
  const redeemers = redeemersIn(world, 'spent', [taker(redeemer.service)], fees, () => isLocked)
  await rpc.request('anvil_setBalance', key.address, toHex(10n ** 21n))
  const options = { redeemers, isUnsigned: () => true }
  await using provider = await openProvider(settingsOf(world, 'spent'), options)
  await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.redemption.look(world.signal)
  assert.deepEqual(provider.alerts, [{ type: 'unsigned', winners: 1 }])
  isLocked = false
  await provider.until(
    async () => statesOf(await provider.winners())['done'] === 1,
    async () => {
      await redeemer.work()
      await world.mine(1)
    },
  )
  assert.deepEqual(provider.over, ['unsigned'])
})

test('a redeemer whose coin is gone keeps what it has taken, and sends it once there is some', async () => {
  const key = await scene.provider('patient')
  const [slot] = await scene.slots('patient payer', 1)
  if (!slot) assert.fail()
  const name = 'drained redeemer'
  await using drained = await openRedeemer(world, name)
  const options = { redeemers: redeemersOf('patient', [taker(drained.service)]), withoutGas: true }
  await using provider = await openProvider(settingsOf(world, 'patient'), options)
  await provider.store.winners.add(world.winner(slot, key, 1))
  await provider.redemption.look(world.signal)
  await rpc.request('anvil_setBalance', keyOf(name).address, '0x0')
  for (let looks = 0; looks < 3; looks++) assert.equal(await drained.service.look(world.signal), 1)
  assert.equal((await scene.word(slot.nullifier)).state, 'NONE')
  await rpc.request('anvil_setBalance', keyOf(name).address, toHex(10n ** 21n))
  while ((await scene.word(slot.nullifier)).state === 'NONE') {
    world.signal.throwIfAborted()
    await drained.work()
    await world.mine(1)
  }
})

test('a redeemer takes no order that is wrong, unpaid for or too late, and keeps what it takes through a restart', async () => {
  const key = await scene.provider('judged')
  const [slot, other] = await scene.slots('judged payer', 2)
  if (!slot || !other) assert.fail()
  const orders: Uint8Array[] = []
  const note: Ask = async (_nodeId, order) => {
    orders.push(Uint8Array.from(order))
    return undefined
  }
  const redeemers = redeemersOf('judged', [note])
  await using provider = await openProvider(settingsOf(world, 'judged'), {
    redeemers,
    withoutGas: true,
  })
  await provider.store.winners.add(world.winner(slot, key, 1))
  const now = await rpc.now()
  const winners = await provider.winners()
  for (const deadlineS of [now + 600, now + 10, now + 40 * 86_400])
    await redeemers.handOver({ kind: 'bind', winners, isUrgent: false }, deadlineS, world.signal)
  const [good, late, endless] = orders
  assert.ok(good && late && endless)
  const { take } = await (async () => {
    // Dear at the lowest price of gas: it falls with each block of the chain.
    const poor = await openRedeemer(world, 'dear redeemer', 10n ** 30n)
    const answer = await poor.service.take(PEER, good, world.signal)
    await poor[Symbol.asyncDispose]()
    return { take: answer }
  })()
  assert.equal(take, REDEEM_ANSWER.FEE_TOO_LOW)
  {
    await using redeemer = await openRedeemer(world, 'judging redeemer')
    const judge = (order: Uint8Array) => redeemer.service.take(PEER, order, world.signal)
    const forged = Uint8Array.from(good)
    forged[30] = (forged[30] ?? 0) ^ 1
    assert.equal(await judge(late), REDEEM_ANSWER.BAD_ORDER)
    assert.equal(await judge(endless), REDEEM_ANSWER.BAD_ORDER)
    assert.equal(await judge(forged), REDEEM_ANSWER.BAD_ORDER)
    assert.equal(await judge(good.subarray(0, 50)), REDEEM_ANSWER.BAD_ORDER)
    assert.equal(await judge(good), REDEEM_ANSWER.TAKEN)
    assert.equal(decodeRedeemOrder(good).fee, FEE)
  }
  await using redeemer = await openRedeemer(world, 'judging redeemer')
  await redeemer.work()
  await world.mine(1)
  await redeemer.work()
  assert.equal((await scene.word(slot.nullifier)).wins, 1)
  assert.equal(await redeemer.service.look(world.signal), 0)
  assert.equal((await redeemer.store.handOvers.list('taken', 'done')).length, 1)
  let earned = 0n
  for await (const { event } of redeemer.store.ledger.read())
    if (event.type === 'fee-earned') earned += event.amount
  assert.equal(earned, FEE, 'its books have the fee')
})

test('a redeemer takes no order whose entries the contract would skip: it would pay the gas for nothing', async () => {
  const key = await scene.provider('bluffer')
  const [slot] = await scene.slots('bluffed payer', 1)
  if (!slot) assert.fail()
  const orders: Uint8Array[] = []
  const note: Ask = async (_nodeId, order) => {
    orders.push(Uint8Array.from(order))
    return undefined
  }
  await using provider = await openProvider(settingsOf(world, 'bluffer'), { withoutGas: true })
  await provider.store.winners.add(world.winner(slot, key, 1))
  const forged = (await provider.winners()).map((one) => ({
    ...one,
    nonce: new Uint8Array(16).fill(255),
  }))
  const deadlineS = (await rpc.now()) + 600
  const redeemers = redeemersOf('bluffer', [note])
  await redeemers.handOver(
    { kind: 'bind', winners: forged, isUrgent: false },
    deadlineS,
    world.signal,
  )
  const [order] = orders
  assert.ok(order)
  await using redeemer = await openRedeemer(world, 'wary redeemer')
  assert.equal(await redeemer.service.take(PEER, order, world.signal), REDEEM_ANSWER.FEE_TOO_LOW)
})

// The two below make many blocks, in which gas becomes cheap.
test('all that is open before a shutdown is paid by others: later wins too, and what a censor has taken before', async () => {
  const key = await scene.provider('weary')
  const [slot, bound] = await scene.slots('weary payer', 2)
  if (!slot || !bound) assert.fail()
  await using redeemer = await openRedeemer(world, 'night redeemer')
  await using other = await openRedeemer(world, 'other redeemer')
  const asked: Ask[] = [censor, censor]
  const options = { redeemers: redeemersOf('weary', asked), withoutGas: true }
  {
    await using provider = await openProvider(settingsOf(world, 'weary'), options)
    await provider.store.winners.add(world.winner(slot, key, 1))
    await provider.store.winners.add(world.winner(slot, key, 2))
    await provider.store.winners.add(world.winner(bound, key, 1))
    await provider.redemption.look(world.signal)
    asked.splice(0, 2, taker(redeemer.service), taker(other.service))
    await provider.redemption.look(world.signal)
    assert.equal(await provider.redemption.leave(world.signal), 3)
  }
  for (let round = 0; round < 80; round++) {
    await redeemer.work()
    await other.work()
    await world.mine(1)
    if ((await scene.word(slot.nullifier)).wins === 2) break
  }
  assert.equal((await scene.word(slot.nullifier)).wins, 2)
  assert.equal((await scene.word(bound.nullifier)).wins, 1)
})

test('a redeemer keeps an order that another has carried out until no reorganisation can undo that', async () => {
  const key = await scene.provider('undone')
  const [slot] = await scene.slots('undone payer', 1)
  if (!slot) assert.fail()
  await using redeemer = await openRedeemer(world, 'patient redeemer')
  await using quick = await openRedeemer(world, 'quick redeemer')
  const redeemers = redeemersOf('undone', [taker(redeemer.service), taker(quick.service)])
  const options = { redeemers, withoutGas: true }
  {
    await using provider = await openProvider(settingsOf(world, 'undone'), options)
    await provider.store.winners.add(world.winner(slot, key, 1))
    assert.equal(await provider.redemption.leave(world.signal), 1)
  }
  const goBack = await rpc.remember()
  await quick.work()
  await world.mine(1)
  await quick.work()
  assert.equal((await scene.word(slot.nullifier)).wins, 1)
  assert.equal(await redeemer.service.look(world.signal), 1, 'nothing to do, and not forgotten')
  await goBack()
  assert.equal((await scene.word(slot.nullifier)).wins, 0)
  for (let round = 0; round < 12; round++) {
    await redeemer.work()
    await world.mine(1)
  }
  assert.equal((await scene.word(slot.nullifier)).wins, 1)
  for (let round = 0; round < 3; round++) {
    await redeemer.work()
    await world.mine(40)
  }
  assert.equal(await redeemer.service.look(world.signal), 0)
})
