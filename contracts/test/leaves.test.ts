/** Rests of leaves joined, and what was never shown of a deposit paid back, by real proofs. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { concat, type Hex } from 'viem'
import { REST, uint } from './kit/bytes.ts'
import { keyOf } from './kit/keys.ts'
import { startRelaying, type Joining, type Part, type Receiver } from './kit/leaf-proofs.ts'
import { lockBytes } from './kit/batches.ts'
import { boundTo, startScene } from './kit/scene.ts'
import { type Leaf, type Slot, ZERO } from './kit/slots.ts'
import { poseidon3 } from 'poseidon-lite/poseidon3'
import { PROFILE } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('LengthMismatch', 'ZeroAddress')

const FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const scene = await startScene()
const { client, payer, world } = scene
const { prover, provider, relayer } = await startRelaying(scene)
after(async () => {
  prover[Symbol.dispose]()
  await scene[Symbol.asyncDispose]()
})

const receiver = keyOf('receiver').address
const UNIT = PROFILE.bond
/** Of each closed slot that paid one win: two units of the five are gone. */
const SMALL_UNITS = 3
const NO_PROOF: Hex = '0x'
/** A point at infinity in the place of A; identity-points.test.ts has those of proofs that hold otherwise. */
const identityOf = (proof: Hex): Hex =>
  concat([uint(0, 256), uint(0, 256), `0x${proof.slice(130)}`])
const stateOf = async (nullifier: bigint) => (await scene.word(nullifier)).state
const restOf = ({ owner }: Leaf): bigint => poseidon3([BigInt(owner.address), REST, 0n])
const send = async (name: string, ...args: readonly unknown[]) =>
  scene.skips(await world.sendPool(relayer, name, ...args))
const join = (...joinings: readonly Joining[]) => send('join', joinings)
const withdraw = (part: Part, to: Receiver) => send('withdrawPart', [part], [to])

/** Leaves of three units: slots that were bound, and closed after one win. */
async function smallLeaves(name: string, count: number): Promise<readonly Leaf[]> {
  const slots = await scene.slots(name, count)
  const heirs = slots.map((_, i) => keyOf(`${name} heir ${i}`))
  const destinations = slots.map((slot, i) =>
    client.destination(slot, client.idcOf(heirs[i] ?? assert.fail())),
  )
  const bound = slots.map((slot) => boundTo(provider, slot))
  await scene.bind(
    provider,
    slots.map((slot: Slot) => [slot, client.winning(slot, provider.address, 1)] as const),
  )
  await world.sendPool(payer, 'close', bound, destinations)
  await world.rpc.pass(PROFILE.closeDelay)
  await world.sendPool(payer, 'finishClose', bound, destinations)
  const leaves = heirs.map((owner, i) => {
    const leaf = { owner, limit: SMALL_UNITS, index: client.tree.size }
    client.tree.insert(client.leafOf(client.idcOf(heirs[i] ?? assert.fail()), SMALL_UNITS))
    return leaf
  })
  await client.snapshot(payer)
  return leaves
}

let small: readonly Leaf[]
let whole: Joining
const heir = keyOf('joined')
before(async () => {
  small = await smallLeaves('small', 3)
  whole = await prover.join(small.slice(0, 2), client.idcOf(heir))
})

test('a join that does not hold to the letter is skipped, with the reason (SPEC §14.6)', async () => {
  const [first = 0n, second = 0n] = whole.rests
  const changes: readonly (readonly [string, Partial<Joining>])[] = [
    ['BAD_PROOF', { idc: client.idcOf(keyOf('thief')) }],
    ['BAD_PROOF', { feeTo: relayer }],
    ['BAD_PROOF', { units: 7n }],
    ['BAD_PROOF', { rests: [first, 0n, 0n, 0n] }],
    ['BAD_PROOF', { rests: [second, first, 0n, 0n] }],
    ['BAD_PROOF', { rests: [first + FIELD, second, 0n, 0n] }],
    ['BAD_PROOF', { proof: NO_PROOF }],
    ['BAD_PROOF', { proof: concat([whole.proof, '0x00']) }],
    ['BAD_PROOF', { proof: identityOf(whole.proof) }],
    ['BAD_PROOF', { proof: `0x${'00'.repeat(256)}` }],
    ['SLOT_FINISHED', { rests: [first, first, 0n, 0n] }],
    ['BAD_AMOUNT', { units: 0n }],
    ['BAD_AMOUNT', { units: 6n + FIELD }],
    ['BAD_AMOUNT', { units: 2n, feeTo: relayer }],
    ['BAD_DESTINATION', { idc: 0n }],
    ['BAD_DESTINATION', { idc: FIELD }],
    ['UNKNOWN_ROOT', { root: 123n }],
  ]
  for (const [reason, change] of changes)
    assert.deepEqual(
      await join({ ...whole, ...change }),
      [reason],
      JSON.stringify(Object.keys(change)),
    )
  assert.equal(await stateOf(first), 'NONE')
})

test('joins small leaves into one of their sum, at once and once; a lock on a rest counts for nothing', async () => {
  const [first = 0n, second = 0n] = whole.rests
  assert.deepEqual([first, second], small.slice(0, 2).map(restOf))
  await world.sendPool(provider.address, 'lock', lockBytes([first]))
  const held = await world.balance(world.pool)
  const receipt = await world.sendPool(relayer, 'join', [whole, whole])
  assert.deepEqual(scene.skips(receipt), ['SLOT_FINISHED'])
  assert.equal(client.noteInserted(receipt, client.idcOf(heir)), 2 * SMALL_UNITS)
  assert.equal(await world.balance(world.pool), held, 'no money moves')
  for (const rest of [first, second]) assert.equal(await stateOf(rest), 'REFUNDED')
  assert.deepEqual(await join(whole), ['SLOT_FINISHED'])
  const overlapping = { ...whole, rests: [second, 77n, 0n, 0n] }
  assert.deepEqual(await join(overlapping), ['SLOT_FINISHED'])
  await client.snapshot(payer)
  const leaf = { owner: heir, limit: 2 * SMALL_UNITS, index: client.tree.size - 1 }
  const slot = client.open(leaf, 0)
  const win = [slot, client.winning(slot, provider.address, 1)] as const
  assert.deepEqual(scene.skips(await scene.bind(provider, [win])), [])
})

test('a relayer’s fee for a join is two units of it', async () => {
  const [, , third] = small
  const owner = keyOf('two units less')
  const joining = await prover.join([third ?? assert.fail()], client.idcOf(owner), relayer)
  const had = await world.balance(relayer)
  const receipt = await world.sendPool(relayer, 'join', [joining])
  assert.equal(client.noteInserted(receipt, client.idcOf(owner)), SMALL_UNITS - 2)
  assert.equal((await world.balance(relayer)) - had, 2n * UNIT)
  await client.snapshot(payer)
})

test('pays what was never shown of a deposit by one proof, in two steps, the fee from its first slot (SPEC §14.4)', async () => {
  // Three slots and three units.
  const leaf = await client.deposit(payer, 'never shown', 18)
  await client.snapshot(payer)
  const to: Receiver = { to: receiver, feeTo: relayer }
  const part = await prover.part(leaf, [2, 0, 1], true, to)
  assert.deepEqual([part.rest, part.restUnits], [restOf(leaf), 3n])
  const [first = 0n] = part.nullifiers
  const changes: readonly (readonly [string, Partial<Part>, Partial<Receiver>])[] = [
    ['BAD_PROOF', {}, { to: relayer }],
    ['BAD_PROOF', {}, { feeTo: ZERO }],
    ['BAD_PROOF', {}, { feeTo: receiver }],
    ['BAD_PROOF', { restUnits: 4n }, {}],
    ['BAD_PROOF', { restUnits: 3n + FIELD }, {}],
    ['BAD_PROOF', { rest: 0n }, {}],
    ['BAD_PROOF', { nullifiers: part.nullifiers.with(0, first + FIELD) }, {}],
    ['BAD_PROOF', { nullifiers: part.nullifiers.with(5, first) }, {}],
    ['BAD_PROOF', { proof: NO_PROOF }, {}],
    ['BAD_PROOF', { proof: identityOf(part.proof) }, {}],
    ['UNKNOWN_ROOT', { root: 123n }, {}],
  ]
  for (const [reason, change, other] of changes)
    assert.deepEqual(await withdraw({ ...part, ...change }, { ...to, ...other }), [reason])
  await assert.rejects(withdraw(part, { ...to, to: ZERO }), { reason: 'ZeroAddress' })
  await assert.rejects(send('withdrawPart', [part], []), { reason: 'LengthMismatch' })

  // One of the three was shown after all, and won.
  const shown = client.open(leaf, 0)
  await scene.bind(provider, [[shown, client.winning(shown, provider.address, 1)]])
  assert.deepEqual(await withdraw(part, to), ['SLOT_TAKEN'])
  assert.deepEqual(await withdraw(part, to), [
    'WRONG_STATE',
    'SLOT_TAKEN',
    'WRONG_STATE',
    'WRONG_STATE',
  ])
  const taken = [...part.nullifiers.slice(0, 3), part.rest]
  assert.deepEqual(await Promise.all(taken.map(stateOf)), [
    'WITHDRAWING',
    'BOUND',
    'WITHDRAWING',
    'WITHDRAWING',
  ])
  const joining = { ...whole, rests: [part.rest, 0n, 0n, 0n] }
  assert.deepEqual(await join(joining), ['WRONG_STATE'])
  const finish = () => send('finishWithdraw', taken)
  assert.deepEqual(await finish(), ['TOO_EARLY', 'WRONG_STATE', 'TOO_EARLY', 'TOO_EARLY'])
  await world.rpc.pass(PROFILE.refundDelay)
  const [had, relayed] = [await world.balance(receiver), await world.balance(relayer)]
  assert.deepEqual(await finish(), ['WRONG_STATE'])
  assert.equal((await world.balance(receiver)) - had, (5n + 5n + 3n - 1n) * UNIT)
  assert.equal((await world.balance(relayer)) - relayed, UNIT)
  assert.deepEqual(await finish(), [
    'SLOT_FINISHED',
    'WRONG_STATE',
    'SLOT_FINISHED',
    'SLOT_FINISHED',
  ])
  assert.deepEqual(await join(joining), ['SLOT_FINISHED'])
})

test('joins the rest of a leaf with slots: they stay, and the rest is no money any more', async () => {
  const [leaf, other] = [
    await client.deposit(payer, 'slots and a rest', 18),
    await client.deposit(payer, 'slots alone', 10),
  ]
  await client.snapshot(payer)
  const owner = keyOf('of rests')
  const joining = await prover.join([leaf, other], client.idcOf(owner))
  assert.deepEqual([joining.rests.slice(0, 2), joining.units], [[leaf, other].map(restOf), 3n])
  const receipt = await world.sendPool(relayer, 'join', [joining])
  assert.equal(client.noteInserted(receipt, client.idcOf(owner)), 3)
  await client.snapshot(payer)
  const to: Receiver = { to: receiver, feeTo: ZERO }
  assert.deepEqual(await withdraw(await prover.part(leaf, [0], true, to), to), ['SLOT_FINISHED'])
  assert.equal(await stateOf(client.nullifierOf(leaf.owner, 0)), 'WITHDRAWING')
  const slot = client.open(leaf, 1)
  const win = [slot, client.winning(slot, provider.address, 1)] as const
  assert.deepEqual(scene.skips(await scene.bind(provider, [win])), [])
})

test('a leaf that was joined has nothing left to withdraw', async () => {
  const [leaf] = await smallLeaves('joined first', 1)
  assert.ok(leaf)
  const to: Receiver = { to: receiver, feeTo: ZERO }
  const part = await prover.part(leaf, [], true, to)
  assert.deepEqual(await join(await prover.join([leaf], client.idcOf(keyOf('sixth')))), [])
  assert.deepEqual(await withdraw(part, to), ['SLOT_FINISHED'])
})
