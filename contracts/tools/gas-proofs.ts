/**
 * What judging slot proofs costs on top of what the pool does: one real proof, judged alone and sixteen times over. Equal statements cost what different ones do. And what
 * joining four leaves and withdrawing what was never shown cost, proof and all.
 */
import { slotProofAuthoriserArtifact } from '@byway/chain'
import { createZkEngine, JOIN_LEAVES, slotInput } from '@byway/zk'
import { LeanIMT } from '@zk-kit/lean-imt'
import { poseidon1 } from 'poseidon-lite/poseidon1'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon3 } from 'poseidon-lite/poseidon3'
import { toHex } from 'viem'
import { profileTag, proofBytes } from '../test/kit/bytes.ts'
import { keyOf } from '../test/kit/keys.ts'
import { createLeafProver } from '../test/kit/leaf-proofs.ts'
import { startRpc } from '../test/kit/rpc.ts'
import { startScene } from '../test/kit/scene.ts'
import type { Leaf } from '../test/kit/slots.ts'
import { DEPLOYER, PROFILE, UNITS_PER_SLOT, unitsPerSlotOf } from '../test/kit/world.ts'

/** As long as a pool's: a scalar of one would cost nothing. */
const DOMAIN = (1n << 247n) - 19n
const X = 2n
const LIMIT = 40
const LEAVES = 64
/** Units of a bond, with the start values. */
const FINENESS = 5n
/** Rests that are withdrawn together, and units of each. */
const RESTS = 4
const REST_UNITS = 9
/** Of a transaction, without its call data. */
const INTRINSIC_GAS = 21_000

/** Adds a row for one proof and for two to sixteen together: execution only, for the call data is part of a bind already. */
export async function measureProofs(rows: Record<string, number>): Promise<void> {
  const { statement, proof } = await proveOne()
  await using rpc = await startRpc()
  const { abi } = slotProofAuthoriserArtifact
  const { winValue, winsPerSlot, bond, unit } = PROFILE
  const to = await rpc.deploy(DEPLOYER, slotProofAuthoriserArtifact, [
    winValue,
    winsPerSlot,
    bond,
    unit,
  ])
  for (const size of [1, 2, 4, 8, 16]) {
    const packed = proofBytes(Array(size).fill(statement), Array(size).fill(proof))
    const args = [DOMAIN, packed]
    const call = { abi, to, name: 'verifyAll', args }
    if ((await rpc.read(call)) !== true) throw new Error('the proof does not hold')
    const { gasUsed, inputGas } = await rpc.send(DEPLOYER, call)
    rows[`judge ${size}, slot proof`] = Number(gasUsed) - INTRINSIC_GAS - inputGas
  }
}

/** Four leaves that came back less a fee, as relayers make them, become one. */
export async function measureJoin(rows: Record<string, number>): Promise<void> {
  await using scene = await startScene({ profile: { unit: PROFILE.bond / FINENESS } })
  const { client, payer, world } = scene
  using prover = createLeafProver(client, BigInt(unitsPerSlotOf(world.profile)))
  const slots = await scene.slots('joined', JOIN_LEAVES)
  const owners = slots.map((_, i) => keyOf(`small ${i}`))
  const refunds = slots.map((slot, i) => client.refund(slot, client.idcOf(pick(owners, i)), payer))
  await world.sendPool(payer, 'refund', refunds)
  await world.rpc.pass(world.profile.refundDelay)
  const leaves: Leaf[] = []
  for (const [i, refund] of refunds.entries()) {
    const receipt = await world.sendPool(payer, 'finishRefund', [refund])
    const limit = client.noteInserted(receipt, client.idcOf(pick(owners, i)))
    leaves.push({ owner: pick(owners, i), limit, index: client.tree.size - 1 })
  }
  await client.snapshot(payer)
  const joining = await prover.join(leaves, client.idcOf(keyOf('whole')), payer)
  const receipt = await world.sendPool(payer, 'join', [joining])
  if (scene.skips(receipt).length > 0) throw new Error('the leaves were not joined')
  rows[`join, ${JOIN_LEAVES} leaves, slot proof`] = Number(receipt.gasUsed)
}

/** All that was never shown of a deposit, here two slots, asked for by one proof. */
export async function measurePart(rows: Record<string, number>): Promise<void> {
  await using scene = await startScene()
  const { client, payer, world } = scene
  using prover = createLeafProver(client)
  const [slot] = await scene.slots('withdrawn', 2)
  if (!slot) throw new Error('too few')
  const receiver = { to: keyOf('receiver').address, feeTo: payer }
  const part = await prover.part(slot.leaf, [0, 1], false, receiver)
  const receipt = await world.sendPool(payer, 'withdrawPart', [part], [receiver])
  if (scene.skips(receipt).length > 0) throw new Error('nothing was withdrawn')
  rows['withdrawPart, 2 slots, slot proof'] = Number(receipt.gasUsed)
}

/** The last rests of owners who want money, each by a proof of its own through a relayer: asked for, and paid once the delay is over. */
export async function measureRests(rows: Record<string, number>): Promise<void> {
  await using scene = await startScene({ profile: { unit: PROFILE.bond / FINENESS } })
  const { client, payer, world } = scene
  const unitsPerSlot = unitsPerSlotOf(world.profile)
  using prover = createLeafProver(client, BigInt(unitsPerSlot))
  const owners = Array.from({ length: 1 + RESTS }, (_, i) => `rest ${i}`)
  const leaves: Leaf[] = []
  for (const name of owners)
    leaves.push(await client.deposit(payer, name, unitsPerSlot + REST_UNITS))
  await client.snapshot(payer)
  const receiver = { to: keyOf('receiver').address, feeTo: payer }
  const parts = []
  for (const leaf of leaves) parts.push(await prover.part(leaf, [], true, receiver))
  for (const batch of [parts.slice(0, 1), parts.slice(1)]) {
    const receivers = batch.map(() => receiver)
    const begun = await world.sendPool(payer, 'withdrawPart', batch, receivers)
    await world.rpc.pass(world.profile.refundDelay)
    const rests = batch.map(({ rest }) => rest)
    const ended = await world.sendPool(payer, 'finishWithdraw', rests)
    if (scene.skips(begun).length + scene.skips(ended).length > 0)
      throw new Error('a rest was not paid')
    const count = batch.length === 1 ? 'a rest alone' : `${batch.length} rests alone`
    rows[`withdrawPart, ${count}, slot proof`] = Number(begun.gasUsed)
    rows[`finishWithdraw, ${count}, slot proof`] = Number(ended.gasUsed)
  }
}

function pick<T>(from: readonly T[], at: number): T {
  const one = from[at]
  if (one === undefined) throw new Error('too few')
  return one
}

async function proveOne() {
  const { winValue, winsPerSlot, bond } = PROFILE
  const tag = profileTag(winValue, winsPerSlot, bond)
  const tree = new LeanIMT((left: bigint, right: bigint) => poseidon2([left, right]))
  for (let secret = 1n; secret <= LEAVES; secret++)
    tree.insert(poseidon3([poseidon1([secret]), BigInt(LIMIT), tag]))
  const { siblings, index } = tree.generateProof(0)
  const path = siblings.map((sibling, i) => ({ sibling, isLeft: ((index >> i) & 1) === 1 }))
  const shown = { domain: DOMAIN, x: X, tag, unitsPerSlot: BigInt(UNITS_PER_SLOT) }
  using engine = createZkEngine()
  const witness = { ...shown, secret: 1n, limit: LIMIT, j: 0, path }
  const { signals, proof } = await engine.prove('slot', slotInput(witness))
  const [root = 0n, nullifier = 0n] = signals
  return { statement: { root, nullifier, x: X }, proof: toHex(proof) }
}
