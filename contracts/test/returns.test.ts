import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Key, keyOf } from './kit/keys.ts'
import type { Receipt } from './kit/rpc.ts'
import { boundTo, startScene } from './kit/scene.ts'
import { type Destination, type Refund, type Slot, ZERO } from './kit/slots.ts'
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
const refund = async (...asked: readonly Refund[]) =>
  scene.skips(await world.sendPool(anyone, 'refund', asked))
const finishRefund = async (...begun: readonly Omit<Refund, 'root' | 'proof'>[]) =>
  world.sendPool(anyone, 'finishRefund', begun)
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
  const asked = client.refund(slot, client.idcOf(heir))
  assert.deepEqual(await refund(asked), [])
  assert.equal(await stateOf(slot), 'REFUNDING')
  assert.deepEqual(scene.skips(await finishRefund(asked)), ['TOO_EARLY'])
  await world.rpc.pass(PROFILE.refundDelay - 60)
  assert.deepEqual(scene.skips(await finishRefund(asked)), ['TOO_EARLY'])
  await world.rpc.pass(60)
  assert.equal(inserted(await finishRefund(asked), heir), UNITS_PER_SLOT)
  assert.equal(await stateOf(slot), 'REFUNDED')
  assert.deepEqual(scene.skips(await finishRefund(asked)), ['SLOT_FINISHED'])
  assert.deepEqual(await refund(asked), ['SLOT_FINISHED'])
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slot, 1)])), ['SLOT_FINISHED'])
})

test('the leaf of a refund is spendable like any other', async () => {
  const [slot] = await slotsOf('spent again', 1)
  const heir = keyOf('spent again heir')
  const asked = client.refund(slot, client.idcOf(heir))
  await refund(asked)
  await world.rpc.pass(PROFILE.refundDelay)
  const limit = inserted(await finishRefund(asked), heir)
  await client.snapshot(payer)
  const leaf = { owner: heir, limit, index: client.tree.size - 1 }
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(client.open(leaf, 0), 1)])), [])
  const beyond = client.open(leaf, 1)
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(beyond, 1)])), ['BAD_PROOF'])
})

test('during T_refund a provider may still bind, and the refund is off', async () => {
  const [slot] = await slotsOf('bound late', 1)
  const asked = client.refund(slot, 5n)
  await refund(asked)
  await world.rpc.pass(PROFILE.refundDelay - 60)
  assert.deepEqual(scene.skips(await scene.bind(provider, [win(slot, 1)])), [])
  await world.rpc.pass(60)
  assert.deepEqual(scene.skips(await finishRefund(asked)), ['WRONG_STATE'])
  assert.deepEqual(await refund(asked, client.refund(slot, 6n)), ['SLOT_TAKEN', 'SLOT_TAKEN'])
  assert.deepEqual(await close(slot, client.destination(slot, 5n)), [], 'its rest can be closed')
})

test('only where the proof says, whoever sends and whatever he holds', async () => {
  const [slot, other] = await slotsOf('thieves', 2)
  if (!other) assert.fail()
  const thief = keyOf('thief').address
  const good = client.refund(slot, 5n)
  const elsewhere = [
    { ...good, idc: 6n },
    { ...good, feeTo: thief },
    { ...good, attempt: 1 },
    { ...good, proof: slot.opening.proof },
    { ...good, proof: client.refund(other, 5n).proof },
    { ...client.refund(other, 5n), nullifier: slot.nullifier },
    { ...good, proof: client.unused(slot.leaf, slot.j, thief).proof },
  ]
  for (const asked of elsewhere) assert.deepEqual(await refund(asked), ['BAD_PROOF'])
  await refund(good)
  await world.rpc.pass(2 * PROFILE.refundDelay)
  for (const asked of elsewhere.map((each) => ({ ...each, attempt: 1 })))
    assert.deepEqual(await refund(asked), ['BAD_PROOF'], 'nor when it might go elsewhere')
  for (const changed of [{ idc: 6n }, { feeTo: thief }, { idc: FIELD }, { idc: 0n }])
    assert.deepEqual(scene.skips(await finishRefund({ ...good, ...changed })), ['BAD_DESTINATION'])
  for (const idc of [FIELD, 0n])
    assert.deepEqual(await refund(client.refund(other, idc)), ['BAD_DESTINATION'])
  assert.equal(client.noteInserted(await finishRefund(good), 5n), UNITS_PER_SLOT)
})

test('a refund needs a proof that holds, under a root that was published', async () => {
  const [slot] = await slotsOf('unproven', 1)
  const asked = client.refund(slot, 5n)
  assert.deepEqual(await refund({ ...asked, proof: '0x' }), ['BAD_PROOF'])
  assert.deepEqual(await refund({ ...asked, root: 1n }), ['UNKNOWN_ROOT'])
})

test('what nobody puts back goes elsewhere by a later attempt, after as long again as its delay', async () => {
  const [slot, other] = await slotsOf('sent elsewhere', 2)
  if (!other) assert.fail()
  const [gone, there] = [keyOf('gone relayer').address, keyOf('other relayer').address]
  const heir = keyOf('elsewhere heir')
  const first = client.refund(slot, 5n, gone)
  const second = client.refund(slot, client.idcOf(heir), there, 7)
  await refund(first)
  const begun = (await scene.word(slot.nullifier)).time
  await world.rpc.pass(2 * PROFILE.refundDelay - 60)
  assert.deepEqual(await refund(second), ['TOO_EARLY'], 'its relayer has time to finish it')
  await world.rpc.pass(60)
  const early = client.refund(slot, 6n, there, 0)
  assert.deepEqual(await refund(first, early), ['WRONG_STATE', 'WRONG_STATE'], 'no later attempt')
  // Another's proof spoils only itself, and both ways of judging end alike.
  const bad = { ...client.refund(other, 5n), proof: second.proof }
  assert.deepEqual(await refund(second, bad, second), ['BAD_PROOF', 'WRONG_STATE'])
  const { time, lastIndex } = await scene.word(slot.nullifier)
  assert.ok(time >= begun + PROFILE.refundDelay && lastIndex === 7)
  const third = client.refund(slot, 6n, gone, 8)
  assert.deepEqual(await refund(first, third), ['WRONG_STATE', 'TOO_EARLY'], 'nobody takes it back')
  assert.deepEqual(scene.skips(await finishRefund(first)), ['BAD_DESTINATION'])
  assert.equal(inserted(await finishRefund(second), heir), UNITS_PER_SLOT - 1)
  assert.deepEqual([await world.balance(gone), await world.balance(there)], [0n, PROFILE.bond])
})

test('a batch may ask for slots of several owners; a bad or repeated entry spoils only itself', async () => {
  const [one] = await slotsOf('relay one', 1)
  const [other, unused] = await slotsOf('relay other', 2)
  if (!unused) assert.fail()
  const [asked, another] = [client.refund(one, 5n), client.refund(other, 5n)]
  const skipped = await refund(asked, asked, { ...another, proof: asked.proof }, another)
  assert.deepEqual(skipped, ['WRONG_STATE', 'BAD_PROOF'])
  assert.deepEqual([await stateOf(one), await stateOf(other)], ['REFUNDING', 'REFUNDING'])
  const proof = client.unused(unused.leaf, unused.j, payer)
  const withdrawals = [proof, { ...proof, nullifier: 77n }, proof]
  const withdrawn = await world.sendPool(anyone, 'withdrawUnused', withdrawals, payer)
  assert.deepEqual(scene.skips(withdrawn), ['BAD_PROOF', 'WRONG_STATE'])
})

test('nobody stops a refund: not by depositing to its destination, nor by a request of his own', async () => {
  const [slot, other] = await slotsOf('griefed', 2)
  const heir = keyOf('griefed heir')
  const asked = client.refund(slot, client.idcOf(heir))
  await refund(asked)
  await client.deposit(keyOf('payer').address, 'griefed heir', UNITS_PER_SLOT)
  await scene.lock(provider, [slot])
  await withdraw(slot)
  await refund({ ...asked, idc: 9n })
  await scene.bind(provider, [[slot, client.winning(other ?? slot, provider.address, 1)]])
  await world.rpc.pass(PROFILE.refundDelay)
  assert.equal(inserted(await finishRefund(asked), heir), UNITS_PER_SLOT)
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

test('the fee of a return is one bond unit, to whom its owner named', async () => {
  const relayer = keyOf('relayer').address
  const [slot, bound] = await slotsOf('relayed', 2)
  if (!bound) assert.fail()
  const heir = keyOf('relayed heir')
  const asked = client.refund(slot, client.idcOf(heir), relayer)
  await refund(asked)
  await scene.bind(provider, [win(bound, 1)])
  await scene.claim(provider, [win(bound, 2)])
  const last = client.destination(bound, client.idcOf(heir), relayer)
  await close(bound, last)
  await world.rpc.pass(PROFILE.closeDelay)
  assert.equal(inserted(await finishRefund(asked), heir), UNITS_PER_SLOT - 1)
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
  await refund(client.refund(refunding, 5n))
  await withdraw(withdrawing)
  assert.deepEqual(await withdraw(bound), ['SLOT_TAKEN'])
  assert.deepEqual(await withdraw(refunding), ['WRONG_STATE'])
  assert.deepEqual(await withdraw(withdrawing), ['WRONG_STATE'])
  for (const [slot, reason] of [
    [bound, 'SLOT_TAKEN'],
    [refunding, 'WRONG_STATE'],
    [withdrawing, 'WRONG_STATE'],
  ] as const)
    assert.deepEqual(await refund(client.refund(slot, 5n)), [reason])
  const unknown = { ...client.unused(bound.leaf, 0, payer), root: 3n, nullifier: 99n }
  const receipt = await world.sendPool(anyone, 'withdrawUnused', [unknown], payer)
  assert.deepEqual(scene.skips(receipt), ['UNKNOWN_ROOT'])
})

test('arrays that go together must be of one length', async () => {
  const [slot] = await slotsOf('lengths', 1)
  const calls: readonly (readonly [string, readonly unknown[]])[] = [
    ['close', [[boundTo(provider, slot)], []]],
    ['finishClose', [[], [client.destination(slot, 5n)]]],
  ]
  for (const [name, args] of calls)
    await assert.rejects(world.sendPool(anyone, name, ...args), { reason: 'LengthMismatch' })
})
