import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { keyOf } from './kit/keys.ts'
import { startScene } from './kit/scene.ts'
import { openingSaid, refundSaid, withdrawalSaid } from './kit/bytes.ts'
import type { Drawn, Slot } from './kit/slots.ts'
import { PROFILE, SLOT } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('BondGone', 'NoConflict', 'UnknownRoot')

const scene = await startScene()
const { client, payer, world } = scene
after(() => scene[Symbol.asyncDispose]())

const provider = await scene.provider('provider')
const rival = await scene.provider('rival')
const win = (slot: Slot, index: number, to = provider) =>
  [slot, client.winning(slot, to.address, index)] as const
const evidence = ({ opening }: Slot) => ({
  root: opening.root,
  said: openingSaid(opening.sessionKey, opening.receiptKey),
  proof: opening.proof,
})
const signed = ({ index, amount, commit, nonce, signature }: Drawn, to: string) => ({
  provider: to,
  index,
  amount,
  commit,
  nonce,
  signature,
})
/** A ticket of a slot for a provider; whether it wins does not matter. */
const draws = (slot: Slot, to: string) =>
  signed(client.draw(slot, to as `0x${string}`, 9, 1n, 0), to)
const openings = (reporter: string, one: Slot, other: Slot) =>
  world.sendPool(
    keyOf(reporter).address,
    'conflictOpenings',
    one.nullifier,
    evidence(one),
    evidence(other),
  )
const tickets = (reporter: string, slot: Slot, one: object, other: object) =>
  world.sendPool(keyOf(reporter).address, 'conflictTickets', slot.opening, one, other)

/** A slot under two session keys. */
async function twice(name: string): Promise<readonly [Slot, Slot]> {
  const [slot] = await scene.slots(name, 1)
  if (!slot) assert.fail()
  return [slot, client.open(slot.leaf, 0, `${name} second session`)]
}

test('two openings of one slot burn the bond; the reporter gets a tenth (SPEC §14.4)', async () => {
  const [one, other] = await twice('openings')
  const before = (await world.readPool('unburned')) as bigint
  await openings('reporter', one, other)
  assert.equal(await world.balance(keyOf('reporter').address), PROFILE.bond / 10n)
  assert.equal(await world.readPool('unburned'), before + (PROFILE.bond * 9n) / 10n)
  const word = await scene.word(one.nullifier)
  assert.deepEqual([word.state, word.isBurned], ['NONE', true])
  await assert.rejects(openings('reporter', one, other), { reason: 'BondGone' })
})

test('the slot stays with its first binder and pays its wins, burned bond or not', async () => {
  const [one, other] = await twice('first binder')
  await scene.bind(provider, [win(one, 1)])
  await openings('another', one, other)
  const word = await scene.word(one.nullifier)
  assert.deepEqual([word.state, word.isBurned, word.wins], ['BOUND', true, 1])
  assert.deepEqual(scene.skips(await scene.bind(rival, [win(other, 1, rival)])), ['SLOT_TAKEN'])
  assert.deepEqual(scene.skips(await scene.claim(provider, [win(one, 2)])), [])
  assert.equal((await scene.word(one.nullifier)).isBurned, true)
})

test('a burned bond is missing from what comes back, in every way back', async () => {
  const leaf = await client.deposit(payer, 'burned returns', 15)
  await client.snapshot(payer)
  const [refunded, closed, withdrawn] = [0, 1, 2].map((j) => client.open(leaf, j))
  if (!refunded || !closed || !withdrawn) assert.fail()
  for (const slot of [refunded, closed, withdrawn])
    await openings('burner', slot, client.open(leaf, slot.j, 'second session'))
  const receiver = keyOf('burned receiver').address
  const [asked, toClose] = [client.refund(refunded, 5n), client.destination(closed, 5n)]
  await world.sendPool(payer, 'refund', [asked])
  await scene.bind(provider, [win(closed, 1)])
  const bound = [
    {
      nullifier: closed.nullifier,
      provider: provider.address,
      sessionKey: closed.session.address,
    },
  ]
  await world.sendPool(payer, 'close', bound, [toClose])
  await world.sendPool(payer, 'withdrawUnused', [client.unused(leaf, 2, receiver)], receiver)
  await world.rpc.pass(PROFILE.closeDelay)
  const refunding = await world.sendPool(payer, 'finishRefund', [asked])
  assert.equal(client.noteInserted(refunding, 5n), 4)
  const closing = await world.sendPool(payer, 'finishClose', bound, [toClose])
  assert.equal(client.noteInserted(closing, 5n), 2)
  await world.sendPool(payer, 'finishWithdraw', [withdrawn.nullifier])
  assert.equal(await world.balance(receiver), SLOT - PROFILE.bond)
})

test('one opening, twice, is no conflict; nor is one renewed under a newer root', async () => {
  const [slot] = await scene.slots('honest', 1)
  if (!slot) assert.fail()
  await assert.rejects(openings('liar', slot, slot), { reason: 'NoConflict' })
  await scene.slots('others', 1)
  const renewed = client.open(slot.leaf, 0)
  assert.notEqual(renewed.opening.root, slot.opening.root)
  await assert.rejects(openings('liar', slot, renewed), { reason: 'NoConflict' })
})

test('nobody frames an owner: proofs must hold, under a published root', async () => {
  const [one, other] = await twice('framed')
  const bad = (change: object) => ({ ...other, opening: { ...other.opening, ...change } })
  await assert.rejects(openings('liar', one, bad({ proof: '0x' })), { reason: 'NoConflict' })
  await assert.rejects(openings('liar', one, bad({ proof: one.opening.proof })), {
    reason: 'NoConflict',
  })
  await assert.rejects(openings('liar', bad({ root: 1n }), one), { reason: 'UnknownRoot' })
})

test('an opening and a withdrawal of the same slot are a conflict', async () => {
  const [slot] = await scene.slots('shown after all', 1)
  if (!slot) assert.fail()
  const { root, proof } = client.unused(slot.leaf, 0, payer)
  const second = { root, said: withdrawalSaid(payer), proof }
  const call = [slot.nullifier, evidence(slot), second] as const
  await world.sendPool(keyOf('watcher').address, 'conflictOpenings', ...call)
  assert.equal((await scene.word(slot.nullifier)).isBurned, true)
})

test('a refund is no conflict: not with the opening, nor with a refund to elsewhere', async () => {
  const [slot] = await scene.slots('refunded after all', 1)
  if (!slot) assert.fail()
  const [here, there] = [5n, 6n].map((idc) => {
    const { root, feeTo, proof } = client.refund(slot, idc)
    return { root, said: refundSaid(idc, feeTo), proof }
  })
  const report = (...proofs: readonly unknown[]) =>
    world.sendPool(keyOf('liar').address, 'conflictOpenings', slot.nullifier, ...proofs)
  for (const pair of [
    [evidence(slot), here],
    [here, evidence(slot)],
    [here, there],
    [evidence(slot), { ...evidence(slot), said: '0x' }],
  ])
    await assert.rejects(report(...pair), { reason: 'NoConflict' })
})

test('tickets of one session key for two providers burn the bond, winning or not (SPEC §14.4)', async () => {
  const [slot] = await scene.slots('two providers', 1)
  if (!slot) assert.fail()
  const one = signed(client.draw(slot, provider.address, 1, 1n, 0), provider.address)
  const other = signed(client.draw(slot, rival.address, 9, 2n, 0), rival.address)
  await tickets('ticket reporter', slot, one, other)
  assert.equal(await world.balance(keyOf('ticket reporter').address), PROFILE.bond / 10n)
  assert.equal((await scene.word(slot.nullifier)).isBurned, true)
  await assert.rejects(tickets('ticket reporter', slot, one, other), { reason: 'BondGone' })
})

test('tickets for one provider, or not of the slot’s session key, are no conflict', async () => {
  const [slot] = await scene.slots('one provider', 1)
  if (!slot) assert.fail()
  const mine = (to: string, index: number) =>
    signed(client.draw(slot, to as `0x${string}`, index, 1n, 0), to)
  const noConflict = { reason: 'NoConflict' }
  await assert.rejects(
    tickets('liar', slot, mine(provider.address, 1), mine(provider.address, 2)),
    noConflict,
  )
  const forger = { ...slot, session: keyOf('forger') }
  const forged = signed(client.draw(forger, rival.address, 1, 1n, 0), rival.address)
  await assert.rejects(tickets('liar', slot, mine(provider.address, 1), forged), noConflict)
  await assert.rejects(tickets('liar', slot, forged, mine(provider.address, 1)), noConflict)
  const own = { ...forger, opening: { ...slot.opening, sessionKey: forger.session.address } }
  const both = [provider, rival].map(({ address }) =>
    signed(client.draw(own, address, 1, 1n, 0), address),
  )
  await assert.rejects(tickets('liar', own, both[0] ?? {}, both[1] ?? {}), noConflict)
  const unknown = { ...slot, opening: { ...slot.opening, root: 1n } }
  await assert.rejects(
    tickets('liar', unknown, mine(provider.address, 1), mine(rival.address, 1)),
    { reason: 'UnknownRoot' },
  )
})

for (const state of ['BOUND', 'CLOSING'] as const)
  test(`a ticket for another provider than a ${state} slot is bound to burns the bond without a proof`, async () => {
    const [slot] = await scene.slots(`bound conflict ${state}`, 1)
    if (!slot) assert.fail()
    await scene.bind(provider, [win(slot, 1)])
    const { nullifier, session } = slot
    const bound = { nullifier, provider: provider.address, sessionKey: session.address }
    if (state === 'CLOSING')
      await world.sendPool(payer, 'close', [bound], [client.destination(slot, 5n)])
    assert.equal((await scene.word(nullifier)).state, state)
    const proofless = (change: object = {}) => ({
      ...slot,
      opening: { ...slot.opening, root: 1n, proof: '0x' as const, ...change },
    })
    const blank = (to: string) => ({ ...draws(slot, to), signature: '0x' })
    const other = draws(slot, rival.address)
    const reporter = `bound reporter ${state}`
    // Neither another session key, nor a binding that is not the slot's, nor a ticket that nobody signed.
    const forger = keyOf('forger')
    const forged = draws({ ...slot, session: forger }, rival.address)
    for (const call of [
      () =>
        tickets('liar', proofless({ sessionKey: forger.address }), blank(provider.address), forged),
      () => tickets('liar', proofless(), blank(rival.address), draws(slot, provider.address)),
      () => tickets('liar', proofless(), blank(provider.address), blank(rival.address)),
      () => tickets('liar', proofless(), blank(provider.address), forged),
      () => tickets('liar', proofless(), blank(provider.address), draws(slot, provider.address)),
    ])
      await assert.rejects(call(), { reason: 'NoConflict' })
    await tickets(reporter, proofless(), blank(provider.address), other)
    assert.equal(await world.balance(keyOf(reporter).address), PROFILE.bond / 10n)
    assert.equal((await scene.word(nullifier)).isBurned, true)
    await assert.rejects(tickets(reporter, proofless(), blank(provider.address), other), {
      reason: 'BondGone',
    })
  })

test('a lock shows nothing of whose the slot is: both tickets and the opening must hold', async () => {
  const [slot] = await scene.slots('locked conflict', 1)
  if (!slot) assert.fail()
  await scene.lock(provider, [slot])
  const [own, other] = [provider, rival].map(({ address }) => draws(slot, address))
  const blank = { ...own, signature: '0x' }
  const proofless = { ...slot, opening: { ...slot.opening, proof: '0x' as const } }
  for (const call of [
    () => tickets('liar', slot, blank, other ?? {}),
    () => tickets('liar', proofless, own ?? {}, other ?? {}),
  ])
    await assert.rejects(call(), { reason: 'NoConflict' })
  await tickets('lock reporter', slot, own ?? {}, other ?? {})
  assert.equal((await scene.word(slot.nullifier)).isBurned, true)
})

test('a slot that is finished has no bond to burn', async () => {
  const [one, other] = await twice('finished')
  const asked = client.refund(one, 5n)
  await world.sendPool(payer, 'refund', [asked])
  await world.rpc.pass(PROFILE.refundDelay)
  client.noteInserted(await world.sendPool(payer, 'finishRefund', [asked]), 5n)
  await assert.rejects(openings('late', one, other), { reason: 'BondGone' })
})
