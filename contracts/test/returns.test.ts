import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { returnDigest } from './kit/bytes.ts'
import { type Key, keyOf } from './kit/keys.ts'
import type { Receipt } from './kit/rpc.ts'
import { boundTo, startScene } from './kit/scene.ts'
import { type Destination, type Slot, ZERO } from './kit/slots.ts'
import { PROFILE, SLOT, UNITS_PER_SLOT } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('LengthMismatch', 'ZeroAddress')

const FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617n
const scene = await startScene()
const { client, payer, world } = scene
after(() => scene[Symbol.asyncDispose]())

const provider = await scene.provider('provider')
const anyone = keyOf('anyone').address
const win = (slot: Slot, index: number, to = provider) =>
  [slot, client.winning(slot, to.address, index)] as const
const refund = async (slot: Slot, to: Destination, from = anyone) =>
  scene.skips(await world.sendPool(from, 'refund', [slot.opening], [to]))
const finishRefund = async (slot: Slot, to: Destination) =>
  world.sendPool(anyone, 'finishRefund', [slot.nullifier], [to])
const close = async (slot: Slot, to: Destination, who: Key = provider) =>
  scene.skips(await world.sendPool(anyone, 'close', [boundTo(who, slot)], [to]))
const finishClose = async (slot: Slot, to: Destination) =>
  world.sendPool(anyone, 'finishClose', [boundTo(provider, slot)], [to])
const withdraw = async (slot: Slot, to = payer) =>
  scene.skips(
    await world.sendPool(anyone, 'withdrawUnused', [client.unused(slot.leaf, slot.j, to)], to),
  )
const stateOf = async (slot: Slot) => (await scene.word(slot.nullifier)).state

const inserted = (receipt: Receipt, owner: Key) => client.noteInserted(receipt, client.idcOf(owner))

async function slotsOf(name: string, count: number): Promise<[Slot, ...Slot[]]> {
  const [first, ...rest] = await scene.slots(name, count)
  return [first ?? assert.fail(), ...rest]
}

test('a refund puts the whole slot into a new leaf after T_refund, finished by anyone (SPEC §14.4)', async () => {
  const [slot] = await slotsOf('refunded', 1)
  const heir = keyOf('refunded heir')
  const to = client.destination(slot, client.idcOf(heir))
  assert.deepEqual(await refund(slot, to), [])
  assert.equal(await stateOf(slot), 'REFUNDING')
  assert.deepEqual(scene.skips(await finishRefund(slot, to)), ['TOO_EARLY'])
  await world.rpc.pass(PROFILE.refundDelay - 60)
  assert.deepEqual(scene.skips(await finishRefund(slot, to)), ['TOO_EARLY'])
  await world.rpc.pass(60)
  assert.equal(inserted(await finishRefund(slot, to), heir), UNITS_PER_SLOT)
  assert.equal(await stateOf(slot), 'REFUNDED')
  assert.deepEqual(scene.skips(await finishRefund(slot, to)), ['SLOT_FINISHED'])
  assert.deepEqual(await refund(slot, to), ['SLOT_FINISHED'])
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slot, 1)])), ['SLOT_FINISHED'])
})

test('the leaf of a refund is spendable like any other', async () => {
  const [slot] = await slotsOf('spent again', 1)
  const heir = keyOf('spent again heir')
  const to = client.destination(slot, client.idcOf(heir))
  await refund(slot, to)
  await world.rpc.pass(PROFILE.refundDelay)
  const limit = inserted(await finishRefund(slot, to), heir)
  await client.snapshot(payer)
  const leaf = { owner: heir, limit, index: client.tree.size - 1 }
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(client.open(leaf, 0), 1)])), [])
  const beyond = client.open(leaf, 1)
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(beyond, 1)])), ['BAD_PROOF'])
})

test('during T_refund a provider may still bind, and the refund is off', async () => {
  const [slot] = await slotsOf('bound late', 1)
  const to = client.destination(slot, 5n)
  await refund(slot, to)
  await world.rpc.pass(PROFILE.refundDelay - 60)
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slot, 1)])), [])
  await world.rpc.pass(60)
  assert.deepEqual(scene.skips(await finishRefund(slot, to)), ['WRONG_STATE'])
  assert.deepEqual(await close(slot, to), [], 'the same signature closes it')
})

test('only where the session key says, whoever sends and whatever he holds', async () => {
  const [slot] = await slotsOf('thieves', 1)
  const thief = keyOf('thief')
  const good = client.destination(slot, 5n)
  const elsewhere = [
    { ...good, idc: 6n },
    { ...good, feeTo: thief.address },
    { ...good, signature: thief.sign(returnDigest(client.pool, slot.nullifier, 5n, ZERO)) },
    { ...good, signature: '0x' as const },
    client.destination({ ...slot, nullifier: slot.nullifier + 1n }, 5n),
  ]
  for (const to of elsewhere) assert.deepEqual(await refund(slot, to), ['BAD_SIGNATURE'])
  await refund(slot, good)
  await world.rpc.pass(PROFILE.refundDelay)
  for (const to of elsewhere)
    assert.deepEqual(scene.skips(await finishRefund(slot, to)), ['BAD_SIGNATURE'])
  const signed = slot.session.sign(returnDigest(client.pool, slot.nullifier, FIELD, ZERO))
  const outside = { idc: FIELD, feeTo: ZERO, signature: signed } as const
  assert.deepEqual(scene.skips(await finishRefund(slot, outside)), ['BAD_DESTINATION'])
  assert.deepEqual(scene.skips(await finishRefund(slot, { ...outside, idc: 0n })), [
    'BAD_DESTINATION',
  ])
  assert.equal(client.noteInserted(await finishRefund(slot, good), 5n), UNITS_PER_SLOT)
})

test('a refund needs an opening that holds', async () => {
  const [slot] = await slotsOf('unproven', 1)
  const to = client.destination(slot, 5n)
  assert.deepEqual(await refund({ ...slot, opening: { ...slot.opening, proof: '0x' } }, to), [
    'BAD_PROOF',
  ])
  assert.deepEqual(await refund({ ...slot, opening: { ...slot.opening, root: 1n } }, to), [
    'UNKNOWN_ROOT',
  ])
  const session = keyOf('made up')
  const opening = { ...slot.opening, sessionKey: session.address }
  const taken = { ...slot, session, opening }
  assert.deepEqual(await refund(taken, client.destination(taken, 6n)), ['BAD_PROOF'])
})

test('a batch may ask for slots of several owners; a bad or repeated entry spoils only itself', async () => {
  const [one] = await slotsOf('relay one', 1)
  const [other, unused] = await slotsOf('relay other', 2)
  if (!unused) assert.fail()
  const bad = { ...other.opening, proof: one.opening.proof }
  const to = [one, one, other, other].map((slot) => client.destination(slot, 5n))
  const batch = [one.opening, one.opening, bad, other.opening]
  const receipt = await world.sendPool(anyone, 'refund', batch, to)
  assert.deepEqual(scene.skips(receipt), ['WRONG_STATE', 'BAD_PROOF'])
  assert.deepEqual([await stateOf(one), await stateOf(other)], ['REFUNDING', 'REFUNDING'])
  const proof = client.unused(unused.leaf, unused.j, payer)
  const withdrawals = [proof, { ...proof, nullifier: 77n }, proof]
  const withdrawn = await world.sendPool(anyone, 'withdrawUnused', withdrawals, payer)
  assert.deepEqual(scene.skips(withdrawn), ['BAD_PROOF', 'WRONG_STATE'])
})

test('nobody stops a refund: not by depositing to its destination, nor by a request of his own', async () => {
  const [slot, other] = await slotsOf('griefed', 2)
  const heir = keyOf('griefed heir')
  const to = client.destination(slot, client.idcOf(heir))
  await refund(slot, to)
  await client.deposit(keyOf('payer').address, 'griefed heir', UNITS_PER_SLOT)
  await scene.lock(provider, [slot])
  await withdraw(slot)
  await refund(slot, client.destination(slot, 9n))
  await scene.bind(provider, [[slot, client.winning(other ?? slot, provider.address, 1)]])
  await world.rpc.pass(PROFILE.refundDelay)
  assert.equal(inserted(await finishRefund(slot, to), heir), UNITS_PER_SLOT)
})

test('a closed slot gives back what was not won, bond included, after T_close (SPEC §14.4)', async () => {
  for (const [name, wins, units] of [
    ['half', 1, 3],
    ['all', 2, 1],
  ] as const) {
    const [slot] = await slotsOf(`closed ${name}`, 1)
    const heir = keyOf(`closed ${name} heir`)
    const to = client.destination(slot, client.idcOf(heir))
    await scene.bind(provider, [win(slot, 1)])
    if (wins === 2) await scene.claim(provider, [win(slot, 2)])
    assert.deepEqual(await close(slot, to), [])
    assert.deepEqual(await close(slot, to), ['WRONG_STATE'])
    await world.rpc.pass(PROFILE.closeDelay - 60)
    assert.deepEqual(scene.skips(await finishClose(slot, to)), ['TOO_EARLY'])
    await world.rpc.pass(60)
    assert.equal(inserted(await finishClose(slot, to), heir), units)
    assert.equal(await stateOf(slot), 'CLOSED')
    assert.deepEqual(scene.skips(await finishClose(slot, to)), ['SLOT_FINISHED'])
    assert.deepEqual(await close(slot, to), ['SLOT_FINISHED'])
    assert.deepEqual(scene.skips(await scene.claim(provider, [win(slot, 3)])), ['SLOT_FINISHED'])
  }
})

test('while a slot closes its provider claims what it won', async () => {
  const [slot] = await slotsOf('closing', 1)
  const heir = keyOf('closing heir')
  const to = client.destination(slot, client.idcOf(heir))
  await scene.bind(provider, [win(slot, 1)])
  await close(slot, to)
  await world.rpc.pass(PROFILE.closeDelay - 60)
  assert.deepEqual(scene.skips(await scene.claim(provider, [win(slot, 2)])), [])
  await world.rpc.pass(60)
  assert.equal(inserted(await finishClose(slot, to), heir), 1)
})

test('only the owner of a bound slot closes it', async () => {
  const [slot, unbound] = await slotsOf('not yours', 2)
  const to = client.destination(slot, 5n)
  await scene.bind(provider, [win(slot, 1)])
  assert.deepEqual(await close(slot, { ...to, idc: 6n }), ['BAD_SIGNATURE'])
  assert.deepEqual(await close(slot, to, keyOf('another')), ['SLOT_TAKEN'])
  const thief = keyOf('close thief')
  const stolen = { ...slot, session: thief }
  assert.deepEqual(await close(stolen, client.destination(stolen, 6n)), ['SLOT_TAKEN'])
  assert.deepEqual(await close(unbound ?? slot, to), ['WRONG_STATE'])
  assert.deepEqual(scene.skips(await finishClose(slot, to)), ['WRONG_STATE'])
  assert.deepEqual(await close(slot, to), [])
  await world.rpc.pass(PROFILE.closeDelay)
  assert.deepEqual(scene.skips(await finishClose(slot, { ...to, idc: 6n })), ['BAD_SIGNATURE'])
})

test('the fee of a return is one bond unit, to whom the session key named', async () => {
  const relayer = keyOf('relayer').address
  const [slot, bound] = await slotsOf('relayed', 2)
  if (!bound) assert.fail()
  const heir = keyOf('relayed heir')
  const to = client.destination(slot, client.idcOf(heir), relayer)
  await refund(slot, to)
  await scene.bind(provider, [win(bound, 1)])
  await scene.claim(provider, [win(bound, 2)])
  const last = client.destination(bound, client.idcOf(heir), relayer)
  await close(bound, last)
  await world.rpc.pass(PROFILE.closeDelay)
  assert.equal(inserted(await finishRefund(slot, to), heir), UNITS_PER_SLOT - 1)
  assert.equal(await world.balance(relayer), PROFILE.bond)
  assert.equal(inserted(await finishClose(bound, last), heir), 0, 'only the bond was left')
  assert.equal(await world.balance(relayer), 2n * PROFILE.bond)
})

test('never-shown slots are paid out after T_refund, to whom the proofs name (SPEC §14.4)', async () => {
  const receiver = keyOf('receiver').address
  const slots = await slotsOf('unused', 2)
  const proofs = slots.map((slot) => client.unused(slot.leaf, slot.j, receiver))
  const thief = keyOf('withdraw thief').address
  const stolen = await world.sendPool(thief, 'withdrawUnused', proofs, thief)
  assert.deepEqual(scene.skips(stolen), ['BAD_PROOF', 'BAD_PROOF'])
  await assert.rejects(world.sendPool(anyone, 'withdrawUnused', proofs, ZERO), {
    reason: 'ZeroAddress',
  })
  await world.sendPool(anyone, 'withdrawUnused', proofs, receiver)
  const nullifiers = slots.map(({ nullifier }) => nullifier)
  const finish = async () => scene.skips(await world.sendPool(anyone, 'finishWithdraw', nullifiers))
  assert.deepEqual(await finish(), ['TOO_EARLY', 'TOO_EARLY'])
  await world.rpc.pass(PROFILE.refundDelay)
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slots[0], 1)])), [])
  assert.deepEqual(await finish(), ['WRONG_STATE'])
  assert.equal(await world.balance(receiver), SLOT)
  assert.deepEqual(await finish(), ['WRONG_STATE', 'SLOT_FINISHED'])
  assert.equal(await world.balance(receiver), SLOT)
})

test('what is locked, bound or asked back is not withdrawn, nor refunded twice', async () => {
  const [bound, refunding, withdrawing] = await slotsOf('not unused', 3)
  if (!refunding || !withdrawing) assert.fail()
  await scene.bind(provider, [win(bound, 1)])
  await refund(refunding, client.destination(refunding, 5n))
  await withdraw(withdrawing)
  assert.deepEqual(await withdraw(bound), ['SLOT_TAKEN'])
  assert.deepEqual(await withdraw(refunding), ['WRONG_STATE'])
  assert.deepEqual(await withdraw(withdrawing), ['WRONG_STATE'])
  for (const [slot, reason] of [
    [bound, 'SLOT_TAKEN'],
    [refunding, 'WRONG_STATE'],
    [withdrawing, 'WRONG_STATE'],
  ] as const)
    assert.deepEqual(await refund(slot, client.destination(slot, 5n)), [reason])
  const unknown = { ...client.unused(bound.leaf, 0, payer), root: 3n, nullifier: 99n }
  const receipt = await world.sendPool(anyone, 'withdrawUnused', [unknown], payer)
  assert.deepEqual(scene.skips(receipt), ['UNKNOWN_ROOT'])
})

test('arrays that go together must be of one length', async () => {
  const [slot] = await slotsOf('lengths', 1)
  const calls: readonly (readonly [string, readonly unknown[]])[] = [
    ['refund', [[slot.opening], []]],
    ['finishRefund', [[slot.nullifier], []]],
    ['close', [[boundTo(provider, slot)], []]],
    ['finishClose', [[], [client.destination(slot, 5n)]]],
  ]
  for (const [name, args] of calls)
    await assert.rejects(world.sendPool(anyone, name, ...args), { reason: 'LengthMismatch' })
})
