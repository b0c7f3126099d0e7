/** The bytes of `lock` and `claimMore` (SPEC §14.8): what the wire code makes is what the text says, what is of no form is refused whole, and wins of one slot share its bytes. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { encodeBatches, encodeClaimSlots, encodeLockSlots } from '@byway/protocol/wire'
import { type Address, bytesToHex, concat, type Hex, hexToBytes, slice } from 'viem'
import { seededRandom } from '../../packages/protocol/test/circuit/seeded.ts'
import {
  batchBytes,
  claimBytes,
  lockBytes,
  slotBytes,
  slotsBytes,
  type Win,
} from './kit/batches.ts'
import { CLAIM_KIND, LOCK_KIND, uint } from './kit/bytes.ts'
import { keyOf } from './kit/keys.ts'
import { RevertedError } from './kit/rpc.ts'
import { startScene } from './kit/scene.ts'
import type { Slot } from './kit/slots.ts'
import { PROFILE } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('BadBatchBytes', 'BadRedeemSignature', 'FeeTooHigh')

const K = 8
const SEED = 20_261_122
const CHANGES = 400
/** What whoever changes a batch may be told. */
const REFUSALS = new Set(['BadBatchBytes', 'BadRedeemSignature', 'FeeTooHigh', 'RedemptionExpired'])
const scene = await startScene({ profile: { winsPerSlot: K } })
const { client, world } = scene
after(() => scene[Symbol.asyncDispose]())

const NET = (PROFILE.winValue * 90n) / 100n
const FEE = PROFILE.winValue / 100n
const provider = await scene.provider('provider')
const rival = await scene.provider('rival')
const anyone = keyOf('anyone').address
const win = (slot: Slot, index: number, to = provider) =>
  [slot, client.winning(slot, to.address, index)] as const
const wins = (slot: Slot, ...indices: readonly number[]): readonly Win[] =>
  indices.map((index) => win(slot, index))

async function boundSlots(name: string, count: number): Promise<readonly Slot[]> {
  const slots = await scene.slots(name, count)
  await scene.bind(
    provider,
    slots.map((slot) => win(slot, 1)),
  )
  return slots
}
const gain = async (send: () => Promise<unknown>): Promise<bigint> => {
  const before = await scene.credit(provider.address)
  await send()
  return (await scene.credit(provider.address)) - before
}
const asSlotWins = (some: readonly Win[]) =>
  some.map(([{ nullifier }, { index, amount, reveal, nonce, signature }]) => ({
    nullifier: hexToBytes(uint(nullifier, 256)),
    ticket: {
      index,
      amount,
      reveal: hexToBytes(reveal),
      nonce: hexToBytes(nonce),
      signature: hexToBytes(signature),
    },
  }))

test('the wire code makes the bytes that the text says, with and without terms', async () => {
  const [first, second] = await scene.slots('encoded', 2)
  assert.ok(first && second)
  const some = [...wins(first, 1, 2), ...wins(second, 9), ...wins(first, 3)]
  const slots = encodeClaimSlots(asSlotWins(some))
  assert.equal(bytesToHex(slots), slotsBytes(some))
  assert.equal(slots.length, 3 * 33 + 4 * 129)
  assert.equal(bytesToHex(encodeBatches([{ slots }])), claimBytes(some))
  const given = await scene.terms(provider, CLAIM_KIND, [slotsBytes(some)], FEE)
  const terms = {
    provider: hexToBytes(provider.address),
    fee: FEE,
    deadlineS: Number(given.deadline),
    signature: hexToBytes(given.signature),
  }
  const signed = claimBytes(some, provider, given).toLowerCase()
  assert.equal(bytesToHex(encodeBatches([{ slots, terms }])), signed)
  const nullifiers = [first.nullifier, second.nullifier]
  const locks = encodeLockSlots(nullifiers.map((each) => hexToBytes(uint(each, 256))))
  assert.equal(bytesToHex(encodeBatches([{ slots: locks }])), lockBytes(nullifiers))
})

test('all wins of a slot stand in its bytes once, and are judged one by one', async () => {
  const [slot] = await boundSlots('of one slot', 1)
  assert.ok(slot)
  const [, stranger] = win({ ...slot, session: keyOf('stranger') }, 5)
  const some = [
    ...wins(slot, 2, 3, 3, 4),
    [slot, stranger] as const,
    [slot, { ...win(slot, 6)[1], amount: 0n }] as const,
    ...wins(slot, 7, 8, 9, 10),
  ]
  let receipt: Awaited<ReturnType<typeof scene.claim>> | undefined
  const paid = await gain(async () => (receipt = await scene.claim(provider, some)))
  assert.equal(paid, 7n * NET)
  assert.deepEqual(receipt && scene.skips(receipt), ['BAD_INDEX', 'SLOT_TAKEN', 'BAD_AMOUNT'])
  const word = await scene.word(slot.nullifier)
  assert.deepEqual([word.wins, word.lastIndex, word.state], [K, 10, 'BOUND'])
  assert.deepEqual(scene.skips(await scene.claim(provider, wins(slot, 11))), ['SLOT_FULL'])
})

test('a slot may come twice in a batch, and a second key after the first is seen through', async () => {
  const [first, second] = await boundSlots('twice', 2)
  assert.ok(first && second)
  const some = [...wins(first, 2), ...wins(second, 2), ...wins(first, 3, 3)]
  const receipt = await scene.claim(provider, some)
  assert.deepEqual(scene.skips(receipt), ['BAD_INDEX'])
  assert.equal((await scene.word(first.nullifier)).wins, 3)
  // The key that made the neighbour's holder signs nothing here.
  const mixed = [win(second, 3), win({ ...second, session: first.session }, 4), win(second, 5)]
  assert.deepEqual(scene.skips(await scene.claim(provider, mixed)), ['SLOT_TAKEN'])
})

test('refuses later wins whose ticket is no winning one of the session key (SPEC §13.4)', async () => {
  const [slot] = await boundSlots('bad later wins', 1)
  assert.ok(slot)
  const [, good] = win(slot, 2)
  const [r, s, v] = [
    slice(good.signature, 0, 32),
    BigInt(slice(good.signature, 32, 64)),
    slice(good.signature, 64),
  ]
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const highS = concat([r, uint(order - s, 256), v === '0x1b' ? '0x1c' : '0x1b'])
  const losing = client.draw(slot, provider.address, 2, 1n, 0)
  const cases: readonly (readonly [string, object])[] = [
    ['BAD_AMOUNT', { amount: 0n }],
    ['BAD_AMOUNT', { amount: PROFILE.winValue + 1n }],
    ['NOT_A_WIN', losing],
    ['BAD_SIGNATURE', { signature: highS }],
    ['BAD_SIGNATURE', { signature: concat([slice(good.signature, 0, 64), '0x00']) }],
    ['BAD_SIGNATURE', { signature: concat([slice(good.signature, 0, 64), '0x1d']) }],
    ['SLOT_TAKEN', { signature: keyOf('stranger').sign(good.digest) }],
    ['SLOT_TAKEN', { index: 3 }],
    ['SLOT_TAKEN', { nonce: uint(2n ** 100n, 128) }],
    ['SLOT_TAKEN', { reveal: uint(1, 256) }],
  ]
  for (const [reason, change] of cases) {
    const receipt = await scene.claim(provider, [[slot, { ...good, ...change }]])
    assert.deepEqual(scene.skips(receipt), [reason])
  }
  assert.equal((await scene.word(slot.nullifier)).wins, 1)
  assert.deepEqual(scene.skips(await scene.claim(provider, [[slot, good]])), [])
})

test('a call carries batches of several providers, each under its own terms', async () => {
  const [first, second, third] = await boundSlots('several', 3)
  const [theirs] = await scene.slots('of the rival', 1)
  assert.ok(first && second && third && theirs)
  await scene.bind(rival, [win(theirs, 1, rival)])
  const signed = [win(theirs, 2, rival)]
  const terms = await scene.terms(rival, CLAIM_KIND, [slotsBytes(signed)], FEE)
  const packed = concat([
    claimBytes(wins(first, 2, 3)),
    claimBytes(signed, rival, terms),
    claimBytes(wins(second, 2)),
  ])
  const before = [await scene.credit(rival.address), await world.balance(provider.address)]
  const paid = await gain(() => world.sendPool(provider.address, 'claimMore', packed))
  assert.equal(paid, 3n * NET)
  assert.equal((await scene.credit(rival.address)) - (before[0] ?? 0n), NET - FEE)
  assert.equal((await world.balance(provider.address)) - (before[1] ?? 0n), FEE)
  const locks = await scene.slots('to be locked', 3)
  const nullifiers = locks.map(({ nullifier }) => nullifier)
  const items = nullifiers.slice(1).map((each) => uint(each, 256))
  const promised = await scene.terms(rival, LOCK_KIND, items, 0n)
  const both = concat([
    lockBytes(nullifiers.slice(0, 1)),
    lockBytes(nullifiers.slice(1), rival, promised),
  ])
  assert.deepEqual(scene.skips(await world.sendPool(provider.address, 'lock', both)), [])
  const holders = await Promise.all(nullifiers.map((each) => scene.word(each)))
  const own = [provider, rival, rival].map(({ address }) => address.toLowerCase())
  assert.deepEqual(
    holders.map(({ holder }) => holder),
    own,
  )
})

test('bytes of no form are refused whole, whatever else stands in the call', async () => {
  const [slot] = await boundSlots('no form', 1)
  assert.ok(slot)
  const some = wins(slot, 2, 3)
  const good = claimBytes(some)
  const slots = slotsBytes(some)
  const shorter = slice(slots, 0, 290)
  const counted = (count: number): Hex =>
    concat([slice(slots, 0, 32), uint(count, 8), slice(slots, 33)])
  const terms = await scene.terms(provider, CLAIM_KIND, [slots], 0n)
  const signed = claimBytes(some, provider, terms)
  const bad: Readonly<Record<string, Hex>> = {
    'a byte': '0x00',
    'two bytes': '0x0000',
    'a third kind': concat(['0x02', slice(good, 1)]),
    'a kind of 255': concat(['0xff', slice(good, 1)]),
    'a batch past the end': concat(['0x00', uint(292, 16), slots]),
    'bytes behind the last batch': concat([good, '0x00']),
    'a batch without its last byte': slice(good, 0, 293),
    'a slot past the end of its batch': batchBytes(shorter),
    'more wins than there are': batchBytes(counted(3)),
    'fewer wins than there are': batchBytes(counted(1)),
    'no win and bytes behind it': batchBytes(counted(0)),
    'a slot without its count': batchBytes(slice(slots, 0, 32)),
    'a head without the end of its signature': slice(signed, 0, 107),
    'terms without their slots': slice(signed, 0, 108),
  }
  for (const [why, packed] of Object.entries(bad))
    for (const call of [packed, concat([good, packed])])
      await assert.rejects(
        world.sendPool(provider.address, 'claimMore', call),
        { reason: 'BadBatchBytes' },
        why,
      )
  assert.equal((await scene.word(slot.nullifier)).wins, 1)
  const nullifier = uint(slot.nullifier, 256)
  for (const locks of [slice(nullifier, 0, 31), concat([nullifier, '0x00'])])
    await assert.rejects(world.sendPool(provider.address, 'lock', batchBytes(locks)), {
      reason: 'BadBatchBytes',
    })
  await assert.rejects(world.sendPool(provider.address, 'lock', '0x000020'), {
    reason: 'BadBatchBytes',
  })
})

test(`any changed byte pays less, or reverts: ${CHANGES} changes of seed ${SEED}`, async () => {
  const [first, second] = await boundSlots('changed', 2)
  assert.ok(first && second)
  const some = [...wins(first, 2, 3), ...wins(second, 2)]
  const terms = await scene.terms(provider, CLAIM_KIND, [slotsBytes(some)], 0n)
  const own = claimBytes(some)
  const signed = claimBytes(some, provider, terms)
  const paid = async (packed: Hex, from: Address): Promise<bigint | string> => {
    try {
      return (await world.rpc.read(world.inPool('claimMore', packed), from)) as bigint
    } catch (error) {
      return error instanceof RevertedError ? error.reason : assert.fail(String(error))
    }
  }
  assert.equal(await paid(own, provider.address), 3n)
  assert.equal(await paid(signed, anyone), 3n)
  const random = seededRandom(SEED)
  for (let i = 0; i < CHANGES; i++) {
    const bytes = hexToBytes(i % 2 === 0 ? own : signed)
    const at = Math.floor(random() * bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(random() * 255))
    const came = await paid(bytesToHex(bytes), i % 2 === 0 ? provider.address : anyone)
    const name = `byte ${at} of the ${i % 2 === 0 ? 'own' : 'signed'} batch: ${came}`
    // Whoever sends another's batch changes nothing in it, and as the sender's own it pays nobody.
    const most = i % 2 === 0 ? 2n : 0n
    assert.ok(typeof came === 'string' ? REFUSALS.has(came) : came <= most, name)
  }
})

test('nothing is paid for bytes that hold no win', async () => {
  const [slot] = await boundSlots('no win', 1)
  assert.ok(slot)
  const empty = concat([uint(slot.nullifier, 256), '0x00'])
  for (const packed of ['0x' as const, batchBytes('0x'), batchBytes(empty)])
    assert.equal(await gain(() => world.sendPool(provider.address, 'claimMore', packed)), 0n)
  assert.equal(slotBytes(wins(slot, 2)).length, 2 + 2 * (33 + 129))
  assert.equal(await world.rpc.read(world.inPool('lock', '0x'), anyone), 0n)
})
