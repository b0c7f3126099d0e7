/** Leaves and fees that count in a part of the bond (ADR 0023): every way back, with a fee and without. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { slotProofAuthoriserArtifact } from '@byway/chain'
import { keyOf } from './kit/keys.ts'
import { createLeafProver } from './kit/leaf-proofs.ts'
import { boundTo, startScene } from './kit/scene.ts'
import type { Leaf, Slot } from './kit/slots.ts'
import { PROFILE, SLOT } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('BadLimit')

/** DESIGN §7: a slot is 25 units of a cent. */
const UNITS_PER_SLOT = 25
const unit = PROFILE.bond / 5n
const { winValue, winsPerSlot, bond } = PROFILE
const { abi, bytecode } = slotProofAuthoriserArtifact
const scene = await startScene({ profile: { unit } })
after(() => scene[Symbol.asyncDispose]())
const { client, payer, world } = scene
const provider = await scene.provider('provider')
const relayer = keyOf('relayer').address
const win = (slot: Slot, index: number) =>
  [slot, client.winning(slot, provider.address, index)] as const

/** Asks a slot back and gives the units of the leaf that it becomes. */
async function returned(
  idc: bigint,
  [begin, finish]: readonly [string, string],
  ...args: readonly unknown[]
): Promise<number> {
  await world.sendPool(relayer, begin, ...args)
  await world.rpc.pass(PROFILE.closeDelay)
  const receipt = await world.sendPool(relayer, finish, ...args)
  assert.deepEqual(scene.skips(receipt), [])
  return client.noteInserted(receipt, idc)
}
const refunded = (slot: Slot, name: string) => {
  const asked = client.refund(slot, client.idcOf(keyOf(name)), relayer)
  return returned(asked.idc, ['refund', 'finishRefund'], [asked])
}
const closed = (slot: Slot, name: string) => {
  const to = client.destination(slot, client.idcOf(keyOf(name)), relayer)
  return returned(to.idc, ['close', 'finishClose'], [boundTo(provider, slot)], [to])
}

test('a fee is a fifth of a bond, of whatever comes back (SPEC §14.4)', async () => {
  const [unwon, once, full, burned] = await scene.slots('fees', 4)
  assert.ok(unwon && once && full && burned)
  await scene.bind(provider, [win(once, 1), win(full, 1), win(burned, 1)])
  await scene.claim(provider, [win(full, 2)])
  const had = await world.balance(relayer)
  assert.equal(await refunded(unwon, 'a'), UNITS_PER_SLOT - 1)
  assert.equal(await closed(once, 'b'), 15 - 1)
  // The bond alone: the fee leaves four fifths of it.
  assert.equal(await closed(full, 'c'), 5 - 1)
  assert.equal((await world.balance(relayer)) - had, 3n * unit)
  assert.equal(await world.balance(world.pool), SLOT + 14n * unit + 24n * unit + 4n * unit + held())
})

/** Three wins, not paid out yet. */
const held = (): bigint => 3n * winValue

test('a deposit is paid in units, and what is withdrawn too', async () => {
  const before = await world.balance(payer)
  const leaf = await client.deposit(payer, 'odd', UNITS_PER_SLOT + 7)
  assert.equal(before - (await world.balance(payer)), BigInt(UNITS_PER_SLOT + 7) * unit)
  await assert.rejects(client.deposit(payer, 'small', UNITS_PER_SLOT - 1), { reason: 'BadLimit' })
  await client.snapshot(payer)
  const receiver = keyOf('receiver').address
  await world.sendPool(payer, 'withdrawUnused', [client.unused(leaf, 0, receiver)], receiver)
  await world.rpc.pass(PROFILE.refundDelay)
  await world.sendPool(payer, 'finishWithdraw', [client.nullifierOf(leaf.owner, 0)])
  assert.equal(await world.balance(receiver), SLOT)
})

test('four slots that came back less a fee are three and a rest again, and the rest has its units (SPEC §14.6)', async () => {
  await using real = await startScene({
    profile: { unit },
    authoriser: { abi, bytecode, args: [winValue, winsPerSlot, bond, unit] },
  })
  using prover = createLeafProver(real.client, BigInt(UNITS_PER_SLOT))
  const leaf = await real.client.deposit(real.payer, 'whole', 4 * UNITS_PER_SLOT)
  await real.client.snapshot(real.payer)
  const slots: Slot[] = []
  for (let j = 0; j < 4; j++) slots.push(real.client.open(leaf, j))
  const small: Leaf[] = []
  for (const [j, slot] of slots.entries()) {
    const owner = keyOf(`came back ${j}`)
    const asked = await prover.refund(slot, real.client.idcOf(owner), relayer)
    await real.world.sendPool(relayer, 'refund', [asked])
    await real.world.rpc.pass(PROFILE.refundDelay)
    const receipt = await real.world.sendPool(relayer, 'finishRefund', [asked])
    const limit = real.client.noteInserted(receipt, asked.idc)
    small.push({ owner, limit, index: real.client.tree.size - 1 })
  }
  await real.client.snapshot(real.payer)
  const owner = keyOf('joined')
  const joining = await prover.join(small, real.client.idcOf(owner), relayer)
  const receipt = await real.world.sendPool(relayer, 'join', [joining])
  assert.deepEqual(real.skips(receipt), [])
  const limit = real.client.noteInserted(receipt, real.client.idcOf(owner))
  assert.equal(limit, 4 * (UNITS_PER_SLOT - 1) - 2)
  assert.equal(Math.floor(limit / UNITS_PER_SLOT), 3)
  await real.client.snapshot(real.payer)
  const joined = { owner, limit, index: real.client.tree.size - 1 }
  const shown = real.client.open(joined, 2)
  const asked = await prover.refund(shown, real.client.idcOf(keyOf('last')), relayer)
  const again = await real.world.sendPool(relayer, 'refund', [asked])
  assert.deepEqual(real.skips(again), [])
  assert.equal(await real.world.balance(relayer), 6n * unit)
})
