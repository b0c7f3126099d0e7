/** What random play begins with: deposits and slots of two honest clients and two that cheat, providers, and what makes no slot. */
import assert from 'node:assert/strict'
import type { Address } from 'viem'
import { openingSaid } from './bytes.ts'
import { type Key, keyOf } from './keys.ts'
import { type Scene } from './scene.ts'
import { poolProbeArtifact } from '../artifacts/pool-probe.ts'
import { DEPLOYER, unitsPerSlotOf } from './world.ts'
import { createLeafProver, type Joining, type Part } from './leaf-proofs.ts'
import { type Leaf, type Slot, type Unused } from './slots.ts'

/** One move. Numbers choose among what there is; each kind uses those that it needs. */
export type Move = {
  readonly kind: string
  readonly slot: number
  readonly session: number
  readonly provider: number
  readonly index: number
  readonly sender: number
}

/** A slot as its owner and others may play it: under either of two session keys. */
export type Piece = {
  readonly faces: readonly [Slot, Slot]
  readonly unused: Unused
  readonly conflicting: readonly [object, object]
}

/** What makes no slot, under its nullifier. */
export type Rest = { readonly nullifier: bigint; readonly units: number }

export type Board = {
  readonly scene: Scene
  readonly pieces: readonly Piece[]
  readonly providers: readonly Key[]
  /** Of what makes no slot: small leaves and the end of one. Their words stand behind those of the pieces. */
  readonly rests: readonly Rest[]
  /** Makes one leaf of the small ones. */
  readonly joining: Joining
  /** A slot and the rest of its leaf, never shown. */
  readonly part: Part
  /** All that the pool holds at the start. */
  readonly deposited: bigint
  /** Reads a position in one call. */
  readonly probe: Address
}

/** Who plays against the honest: it never has anything in the end. */
export const THIEF: Key = keyOf('thief')
export const REPORTER: Address = keyOf('reporter').address
export const REDEEMER: Address = keyOf('redeemer').address
/** The commitment under which all comes back. */
export const HEIR: bigint = 4242n
/** Of `withdrawPart`, which pays for itself. */
export const feeTo: Address = REDEEMER
export const receiver: Address = keyOf('receiver').address

/** Deposits, providers, openings: the same at the start of every play. */
export async function setUpBoard(scene: Scene): Promise<Board> {
  const { client, payer, world } = scene
  const providers = [await scene.provider('p0'), await scene.provider('p1'), keyOf('unregistered')]
  const unitsPerSlot = unitsPerSlotOf(world.profile)
  const small = await smallLeaves(scene)
  const other = await client.deposit(payer, 'other', unitsPerSlot + REST_UNITS)
  const leaves = [
    await client.deposit(payer, 'one', 2 * unitsPerSlot),
    other,
    await client.deposit(payer, 'third', unitsPerSlot),
  ]
  await client.snapshot(payer)
  using prover = createLeafProver(client, BigInt(unitsPerSlot))
  const joining = await prover.join(small, HEIR, REDEEMER)
  const part = await prover.part(other, [0], true, { to: receiver, feeTo })
  const rests = [
    ...small.map(({ limit }, i) => ({ nullifier: joining.rests[i] ?? 0n, units: limit })),
    { nullifier: part.rest, units: REST_UNITS },
  ]
  const pieces = leaves.flatMap((leaf) =>
    Array.from({ length: Math.floor(leaf.limit / unitsPerSlot) }, (_, j): Piece => {
      const faces = [
        client.open(leaf, j),
        client.open(leaf, j, `${leaf.index} ${j} again`),
      ] as const
      const [first, second] = faces.map(({ opening }) => ({
        root: opening.root,
        said: openingSaid(opening.sessionKey, opening.receiptKey),
        proof: opening.proof,
      }))
      const conflicting = [first ?? {}, second ?? {}] as const
      return { faces, unused: client.unused(leaf, j, receiver), conflicting }
    }),
  )
  const probe = await world.rpc.deploy(DEPLOYER, poolProbeArtifact, [])
  const deposited = await world.balance(world.pool)
  return { scene, pieces, providers, rests, joining, part, deposited, probe }
}

/** At the end of a leaf. */
const REST_UNITS = 15

/** Slots that came back through a relayer: each a unit too small to be shown. */
async function smallLeaves(scene: Scene): Promise<readonly Leaf[]> {
  const { client, payer, world } = scene
  const back = await scene.slots('came back', 2)
  const owners = back.map((_, i) => keyOf(`owner of small ${i}`))
  const refunds = owners.map((owner, i) =>
    client.refund(back[i] ?? assert.fail(), client.idcOf(owner), REDEEMER),
  )
  await world.sendPool(payer, 'refund', refunds)
  await world.rpc.pass(world.profile.refundDelay)
  const leaves: Leaf[] = []
  for (const [i, owner] of owners.entries()) {
    const receipt = await world.sendPool(payer, 'finishRefund', [refunds[i]])
    const limit = client.noteInserted(receipt, client.idcOf(owner))
    leaves.push({ owner, limit, index: client.tree.size - 1 })
  }
  return leaves
}
