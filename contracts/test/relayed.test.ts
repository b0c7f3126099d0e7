/** What relayers send for owners under real slot proofs, in one batch: bind, refund, close, withdrawal. Sixteen of them with SLOW=1: each takes seconds to prove. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { slotProofAuthoriserArtifact } from '@byway/chain'
import { keyOf } from './kit/keys.ts'
import { startRelaying } from './kit/leaf-proofs.ts'
import { boundTo, startScene } from './kit/scene.ts'
import type { Destination, Refund, Slot } from './kit/slots.ts'
import { PROFILE, SLOT } from './kit/world.ts'
import { provokes } from './kit/provokes.ts'

provokes('LengthMismatch')

const BATCH = process.env['SLOW'] === '1' ? 16 : 4
const { winValue, winsPerSlot, bond, unit } = PROFILE
const { abi, bytecode } = slotProofAuthoriserArtifact
const scene = await startScene({
  authoriser: { abi, bytecode, args: [winValue, winsPerSlot, bond, unit] },
})
const { client, payer, world } = scene
const { prover, provider, relayer } = await startRelaying(scene)
after(async () => {
  prover[Symbol.dispose]()
  await scene[Symbol.asyncDispose]()
})

const finisher = keyOf('finisher').address
const heirOf = (i: number): bigint => client.idcOf(keyOf(`heir ${i}`))

/** Each of another owner. */
let slots: readonly Slot[]
let destinations: readonly Destination[]
let refunds: readonly Refund[]
before(async () => {
  const leaves = []
  for (let i = 0; i < BATCH; i++) leaves.push(await client.deposit(payer, `owner ${i}`, 5))
  await client.snapshot(payer)
  slots = await Promise.all(leaves.map((leaf) => prover.open(client.open(leaf, 0))))
  destinations = slots.map((slot, i) => client.destination(slot, heirOf(i), relayer))
  refunds = await Promise.all(slots.map((slot, i) => prover.refund(slot, heirOf(i), relayer)))
})

const nullifiers = () => slots.map(({ nullifier }) => nullifier)
const states = async () => {
  const words = await Promise.all(nullifiers().map((nullifier) => scene.word(nullifier)))
  return [...new Set(words.map(({ state }) => state))]
}
/** Everything in it is taken back afterwards: the proofs serve each test. */
const aside = (act: () => Promise<void>) => world.rpc.undoing(act)

test('wins of many slots bind in one call, and one proof that does not hold spoils only itself', async () => {
  const bindAll = (some: readonly Slot[]) =>
    scene.bind(
      provider,
      some.map((slot) => [slot, client.winning(slot, provider.address, 1)] as const),
      relayer,
    )
  await aside(async () => {
    assert.deepEqual(scene.skips(await bindAll(slots)), [])
    assert.deepEqual(await states(), ['BOUND'])
    const bound = slots.map((slot) => boundTo(provider, slot))
    const send = (name: string, from = relayer) => world.sendPool(from, name, bound, destinations)
    assert.deepEqual(scene.skips(await send('close')), [])
    await world.rpc.pass(PROFILE.closeDelay)
    // One signature for both steps, and anybody finishes; the fee is the relayer's all the same.
    assert.deepEqual(scene.skips(await send('finishClose', finisher)), [])
    assert.deepEqual(await states(), ['CLOSED'])
    assert.equal(await world.balance(relayer), BigInt(BATCH) * bond)
  })
  await aside(async () => {
    const [first, second, ...rest] = slots
    assert.ok(first && second)
    const wrong = { ...first, opening: { ...first.opening, proof: second.opening.proof } }
    assert.deepEqual(scene.skips(await bindAll([wrong, second, ...rest])), ['BAD_PROOF'])
    assert.equal((await scene.word(second.nullifier)).state, 'BOUND')
    assert.equal((await scene.word(first.nullifier)).state, 'NONE')
  })
})

test('refunds of as many owners go through one relayer, finished by anyone', async () => {
  await aside(async () => {
    const refund = async (some: readonly Refund[]) =>
      scene.skips(await world.sendPool(relayer, 'refund', some))
    const [first, ...others] = refunds
    const [second] = others
    assert.ok(first && second)
    const toOthers = refunds.map((each, i) => ({ ...each, idc: heirOf(i + 1) }))
    assert.deepEqual(await refund(toOthers), Array(BATCH).fill('BAD_PROOF'))
    assert.deepEqual(await refund([{ ...first, proof: second.proof }, ...others]), ['BAD_PROOF'])
    assert.deepEqual(await refund(refunds), Array(BATCH - 1).fill('WRONG_STATE'))
    await world.rpc.pass(PROFILE.refundDelay)
    assert.deepEqual(scene.skips(await world.sendPool(finisher, 'finishRefund', refunds)), [])
    assert.deepEqual(await states(), ['REFUNDED'])
    assert.equal(await world.balance(relayer), BigInt(BATCH) * bond)
  })
})

test('withdrawals of two owners go through one relayer, each to its receiver, less one unit', async () => {
  const owners = slots.slice(0, 2)
  const receivers = owners.map((_, i) => ({ to: keyOf(`receiver ${i}`).address, feeTo: relayer }))
  const unused = await Promise.all(
    owners.map(({ leaf }, i) => prover.unused(leaf, 0, receivers[i] ?? assert.fail())),
  )
  const send = (name: string, ...args: readonly unknown[]) => world.sendPool(relayer, name, ...args)
  const swapped = await send('withdrawThrough', unused, receivers.toReversed())
  assert.deepEqual(scene.skips(swapped), ['BAD_PROOF', 'BAD_PROOF'])
  const unpaid = receivers.map(({ to }) => ({ to, feeTo: finisher }))
  assert.deepEqual(scene.skips(await send('withdrawThrough', unused, unpaid)), [
    'BAD_PROOF',
    'BAD_PROOF',
  ])
  await assert.rejects(send('withdrawThrough', unused, []), { reason: 'LengthMismatch' })
  assert.deepEqual(scene.skips(await send('withdrawThrough', unused, receivers)), [])
  await world.rpc.pass(PROFILE.refundDelay)
  const named = unused.map(({ nullifier }) => nullifier)
  assert.deepEqual(scene.skips(await world.sendPool(finisher, 'finishWithdraw', named)), [])
  for (const { to } of receivers) assert.equal(await world.balance(to), SLOT - bond)
  assert.equal(await world.balance(relayer), 2n * bond)
})
