/** Real proofs about the leaves of a test's client: the owner's address is the secret, as in plain proofs. */
import {
  createZkEngine,
  JOIN_LEAVES,
  joinInput,
  slotInput,
  WITHDRAW_SLOTS,
  withdrawInput,
  type LeafPath,
} from '@byway/zk'
import { bytesToHex, type Address, type Hex } from 'viem'
import { hash, joinX, openingX, refundSaid, toField, withdrawalX } from './bytes.ts'
import { type Key, keyOf } from './keys.ts'
import type { Scene } from './scene.ts'
import { type Client, type Leaf, type Refund, type Slot, type Unused, ZERO } from './slots.ts'

export type Receiver = { readonly to: Address; readonly feeTo: Address }
export type Part = {
  readonly root: bigint
  readonly nullifiers: readonly bigint[]
  readonly rest: bigint
  readonly restUnits: bigint
  readonly proof: Hex
}
export type Joining = {
  readonly root: bigint
  readonly rests: readonly bigint[]
  readonly units: bigint
  readonly idc: bigint
  readonly feeTo: Address
  readonly proof: Hex
}

export interface LeafProver extends Disposable {
  /** The slot with a real proof in its opening. */
  open(slot: Slot): Promise<Slot>
  /** Under the root of the slot's opening. */
  refund(slot: Slot, idc: bigint, feeTo?: Address): Promise<Refund>
  unused(leaf: Leaf, j: number, receiver: Receiver): Promise<Unused>
  part(leaf: Leaf, slots: readonly number[], withRest: boolean, receiver: Receiver): Promise<Part>
  join(leaves: readonly Leaf[], idc: bigint, feeTo?: Address): Promise<Joining>
}

/** A provider, who sends for others, and a prover over the scene's leaves. */
export type Relaying = {
  readonly prover: LeafProver
  readonly provider: Key
  readonly relayer: Address
}

export async function startRelaying(scene: Scene): Promise<Relaying> {
  const provider = await scene.provider('provider')
  return { provider, relayer: keyOf('relayer').address, prover: createLeafProver(scene.client) }
}

/** Proves under the tree as it is now. */
export function createLeafProver(client: Client, unitsPerSlot = 5n): LeafProver {
  const engine = createZkEngine()
  const { domain, tag } = client
  const profile = { tag, unitsPerSlot }
  const secretOf = ({ owner }: Leaf): bigint => BigInt(owner.address)
  const pathIn = ({ siblings, index: bits }: Slot['path']): LeafPath =>
    siblings.map((sibling, i) => ({ sibling, isLeft: ((bits >> i) & 1) === 1 }))
  const pathOf = ({ index }: Leaf): LeafPath => pathIn(client.tree.generateProof(index))
  const slotProof = async (leaf: Leaf, j: number, x: bigint, path = pathOf(leaf)): Promise<Hex> => {
    const own = { secret: secretOf(leaf), limit: leaf.limit, path }
    const { proof } = await engine.prove('slot', slotInput({ ...profile, ...own, domain, j, x }))
    return bytesToHex(proof)
  }
  return {
    async open(slot) {
      const { sessionKey, receiptKey } = slot.opening
      const proof = await slotProof(slot.leaf, slot.j, openingX(sessionKey, receiptKey))
      return { ...slot, opening: { ...slot.opening, proof } }
    },
    async refund({ leaf, j, nullifier, path }, idc, feeTo = ZERO) {
      const x = toField(hash(refundSaid(idc, feeTo)))
      const proof = await slotProof(leaf, j, x, pathIn(path))
      return { root: path.root, nullifier, idc, feeTo, attempt: 0, proof }
    },
    async unused(leaf, j, { to, feeTo }) {
      const { root } = client.tree
      const nullifier = client.nullifierOf(leaf.owner, j)
      return { root, nullifier, proof: await slotProof(leaf, j, withdrawalX(to, feeTo)) }
    },
    async part(leaf, slots, withRest, { to, feeTo }) {
      const own = { secret: secretOf(leaf), limit: leaf.limit, path: pathOf(leaf) }
      const x = withdrawalX(to, feeTo)
      const input = withdrawInput({ ...profile, ...own, domain, x, slots, withRest })
      const { signals, proof } = await engine.prove('withdraw-unused', input)
      const [root = 0n, ...others] = signals
      const [rest = 0n, restUnits = 0n] = others.slice(WITHDRAW_SLOTS)
      const nullifiers = others.slice(0, WITHDRAW_SLOTS)
      return { root, nullifiers, rest, restUnits, proof: bytesToHex(proof) }
    },
    async join(leaves, idc, feeTo = ZERO) {
      const { root } = client.tree
      const small = leaves.map((leaf) => ({
        secret: secretOf(leaf),
        limit: leaf.limit,
        path: pathOf(leaf),
      }))
      const x = joinX(client.pool, idc, feeTo)
      const { signals, proof } = await engine.prove(
        'join',
        joinInput({ ...profile, root, x, leaves: small }),
      )
      const units = signals[JOIN_LEAVES] ?? 0n
      const rests = signals.slice(0, JOIN_LEAVES)
      return { root, rests, units, idc, feeTo, proof: bytesToHex(proof) }
    },
    [Symbol.dispose]: () => engine[Symbol.dispose](),
  }
}
