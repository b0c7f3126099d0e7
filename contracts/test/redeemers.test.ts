import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { concat, type Hex } from 'viem'
import { BIND_KIND, CLAIM_KIND, LOCK_KIND, uint } from './kit/bytes.ts'
import { keyOf } from './kit/keys.ts'
import { claimBytes, lockBytes, slotsBytes } from './kit/batches.ts'
import { startScene } from './kit/scene.ts'
import type { Drawn, Slot, Terms } from './kit/slots.ts'
import { PROFILE, STAKES } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('BadRedeemSignature', 'FeeTooHigh', 'RedemptionExpired')

const scene = await startScene()
const { client, world } = scene
after(() => scene[Symbol.asyncDispose]())

const NET = (PROFILE.winValue * 90n) / 100n
const FEE = (PROFILE.winValue * 12n) / 100n
const provider = await scene.provider('provider')
const redeemer = keyOf('redeemer').address
const thief = keyOf('thief').address

const bindBatch = (wins: readonly (readonly [Slot, Drawn])[], terms: Terms) => ({
  provider: provider.address,
  openings: wins.map(([slot]) => slot.opening),
  tickets: wins.map(([, ticket]) => ticket),
  terms,
})
const digests = (wins: readonly (readonly [Slot, Drawn])[]): readonly Hex[] =>
  wins.map(([, { digest }]) => digest)
const win = (slot: Slot, index: number) =>
  [slot, client.winning(slot, provider.address, index)] as const

test('a redeemer sends signed binds and later wins, and is paid from them (SPEC §14.5)', async () => {
  const slots = await scene.slots('redeemed', 2)
  const wins = slots.map((slot) => win(slot, 1))
  const terms = await scene.terms(provider, BIND_KIND, digests(wins), FEE)
  await world.sendPool(redeemer, 'bind', [bindBatch(wins, terms)])
  assert.equal(await world.balance(redeemer), 2n * FEE)
  assert.equal(await scene.credit(provider.address), 2n * (NET - FEE))
  const later = slots.map((slot) => win(slot, 2))
  const more = await scene.terms(provider, CLAIM_KIND, [slotsBytes(later)], FEE)
  await world.sendPool(redeemer, 'claimMore', claimBytes(later, provider, more))
  assert.equal(await world.balance(redeemer), 4n * FEE)
  assert.equal(await scene.credit(provider.address), 4n * (NET - FEE))
})

test('a fee is paid for each entry that succeeds, and once', async () => {
  const slots = await scene.slots('partly stale', 2)
  const wins = slots.map((slot) => win(slot, 1))
  await scene.bind(provider, wins.slice(0, 1))
  const terms = await scene.terms(provider, BIND_KIND, digests(wins), FEE)
  const before = await world.balance(thief)
  const receipt = await world.sendPool(thief, 'bind', [bindBatch(wins, terms)])
  assert.deepEqual(scene.skips(receipt), ['SLOT_TAKEN'])
  assert.equal((await world.balance(thief)) - before, FEE)
  await world.sendPool(thief, 'bind', [bindBatch(wins, terms)])
  assert.equal((await world.balance(thief)) - before, FEE)
})

test('refuses a fee that the provider did not promise for exactly this batch', async () => {
  const slots = await scene.slots('not promised', 2)
  const wins = slots.map((slot) => win(slot, 1))
  const good = await scene.terms(provider, BIND_KIND, digests(wins), FEE)
  const changed: readonly (readonly [string, Terms])[] = [
    ['BadRedeemSignature', { ...good, fee: FEE - 1n }],
    ['BadRedeemSignature', { ...good, deadline: good.deadline + 1n }],
    ['BadRedeemSignature', { ...good, signature: '0x' }],
    ['BadRedeemSignature', { ...good, signature: concat([good.signature, '0x00']) }],
    ['BadRedeemSignature', await scene.terms(provider, CLAIM_KIND, digests(wins), FEE)],
    ['BadRedeemSignature', await scene.terms(provider, BIND_KIND, digests(wins).slice(1), FEE)],
    ['BadRedeemSignature', await scene.terms(keyOf('x'), BIND_KIND, digests(wins), FEE)],
    ['FeeTooHigh', await scene.terms(provider, BIND_KIND, digests(wins), FEE + 1n)],
  ]
  for (const [reason, terms] of changed)
    await assert.rejects(world.sendPool(thief, 'bind', [bindBatch(wins, terms)]), { reason })
  const later = claimBytes(wins, provider, good)
  await assert.rejects(world.sendPool(thief, 'claimMore', later), {
    reason: 'BadRedeemSignature',
  })
  await world.rpc.pass(601)
  await assert.rejects(world.sendPool(redeemer, 'bind', [bindBatch(wins, good)]), {
    reason: 'RedemptionExpired',
  })
})

test('a redeemer locks for a provider without gas: the fee comes from its winnings, else its stake', async () => {
  const newcomer = await scene.provider('newcomer')
  const [first, second] = await scene.slots('locked for', 2)
  if (!first || !second) assert.fail()
  const send = async (slots: readonly Slot[], fee: bigint) => {
    const nullifiers = slots.map(({ nullifier }) => nullifier)
    const items = nullifiers.map((nullifier) => uint(nullifier, 256))
    const terms = await scene.terms(newcomer, LOCK_KIND, items, fee)
    return world.sendPool(redeemer, 'lock', lockBytes(nullifiers, newcomer, terms))
  }
  const before = await world.balance(redeemer)
  await send([first], FEE)
  assert.equal((await world.balance(redeemer)) - before, FEE)
  const call = world.inRegistry('node', newcomer.address)
  assert.equal(((await world.rpc.read(call)) as { stake: bigint }).stake, STAKES.minStake - FEE)
  await scene.bind(newcomer, [[first, client.winning(first, newcomer.address, 1)]])
  await send([second, first], FEE)
  assert.equal(await scene.credit(newcomer.address), NET - FEE)
  assert.equal((await world.balance(redeemer)) - before, 2n * FEE, 'a skipped lock costs nothing')
  const slot = (await scene.slots('free of charge', 1))[0] ?? assert.fail()
  assert.deepEqual(scene.skips(await send([slot], 0n)), [])
})

test('nobody locks in a provider’s name, even for nothing', async () => {
  const [slot] = await scene.slots('in the name', 1)
  const nullifiers = [slot?.nullifier ?? assert.fail()]
  const items = nullifiers.map((nullifier) => uint(nullifier, 256))
  for (const terms of [
    await scene.terms(keyOf('thief'), LOCK_KIND, items, 0n),
    await scene.terms(provider, BIND_KIND, items, 0n),
    await scene.terms(provider, LOCK_KIND, [uint(1, 256)], 0n),
  ])
    await assert.rejects(world.sendPool(thief, 'lock', lockBytes(nullifiers, provider, terms)), {
      reason: 'BadRedeemSignature',
    })
  const dear = await scene.terms(provider, LOCK_KIND, items, FEE + 1n)
  await assert.rejects(world.sendPool(redeemer, 'lock', lockBytes(nullifiers, provider, dear)), {
    reason: 'FeeTooHigh',
  })
})

test('a provider cannot carry its stake to a second account as fees of locks: nine tenths of the smallest stay', async () => {
  const cheat = await scene.provider('cheat')
  const accomplice = keyOf('accomplice').address
  // Nobody owns these slots: any number can be locked.
  const drain = async (first: bigint, count: number) => {
    const nullifiers = Array.from({ length: count }, (_, i) => first + BigInt(i))
    const items = nullifiers.map((nullifier) => uint(nullifier, 256))
    const terms = await scene.terms(cheat, LOCK_KIND, items, FEE)
    return world.sendPool(accomplice, 'lock', lockBytes(nullifiers, cheat, terms))
  }
  const stakeOf = async () =>
    ((await world.rpc.read(world.inRegistry('node', cheat.address))) as { stake: bigint }).stake
  const spare = STAKES.minStake / 10n
  const affordable = Number(spare / FEE)
  const receipt = await drain(1_000_000n, affordable + 3)
  assert.deepEqual(scene.skips(receipt), Array(3).fill('FEE_NOT_COVERED'))
  assert.equal(await world.balance(accomplice), BigInt(affordable) * FEE)
  assert.equal(await stakeOf(), STAKES.minStake - BigInt(affordable) * FEE)
  assert.deepEqual(scene.skips(await drain(2_000_000n, 2)), Array(2).fill('FEE_NOT_COVERED'))
  // The penalties of those locks come first: a batch that makes its own provider poorer locks nothing on credit.
  await world.rpc.pass(PROFILE.lockDuration)
  const lapsed = await world.sendPool(accomplice, 'settleLocks', [1_000_000n, 1_000_001n])
  assert.deepEqual(scene.skips(lapsed), [])
  assert.deepEqual(scene.skips(await drain(1_000_002n, 1)), ['NOT_ACTIVE'])
  assert.equal(await world.balance(accomplice), BigInt(affordable) * FEE)
  assert.equal(
    await world.rpc.read(world.inRegistry('spareStake', cheat.address)),
    0n,
    'nothing is left for fees',
  )
})

test('fees of locks come from winnings however small the stake is', async () => {
  const poor = await scene.provider('poor')
  const [won, next] = await scene.slots('poor wins', 2)
  if (!won || !next) assert.fail()
  await scene.bind(poor, [[won, client.winning(won, poor.address, 1)]])
  await world.rpc.send(
    world.pool,
    world.inRegistry('slash', poor.address, STAKES.minStake / 10n, redeemer),
  )
  const items = [uint(next.nullifier, 256)]
  const terms = await scene.terms(poor, LOCK_KIND, items, FEE)
  const before = await world.balance(redeemer)
  const batch = lockBytes([next.nullifier], poor, terms)
  assert.deepEqual(scene.skips(await world.sendPool(redeemer, 'lock', batch)), [])
  assert.equal((await world.balance(redeemer)) - before, FEE)
  assert.equal(await scene.credit(poor.address), NET - FEE)
})
