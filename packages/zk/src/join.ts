/**
 * The join statement's inputs (SPEC §14.6, `zk-programs/src/join.circom`).
 * @module
 */
import { pathInput, type LeafPath } from './leaf-path.ts'
import type { SignalInput } from './witness.ts'

/** Leaves that one proof joins at most. */
export const JOIN_LEAVES = 4

/** What everybody sees. */
export type JoinPublic = {
  /** Nullifiers of the leaves' rests, {@link JOIN_LEAVES} of them; 0 for a place that is not used. */
  readonly rests: readonly bigint[]
  /** Of the rests together. */
  readonly units: bigint
  readonly root: bigint
  /** What the proof is bound to: the new leaf (SPEC §14.6). */
  readonly x: bigint
  readonly tag: bigint
  /** S / u of the profile, below 2^16. */
  readonly unitsPerSlot: bigint
}

/** A leaf whose rest is to be joined: what only its owner knows. */
export type JoinedLeaf = {
  readonly secret: bigint
  /** Units, at most 65 535; what they have beyond whole slots is joined. */
  readonly limit: number
  readonly path: LeafPath
}

/** One to {@link JOIN_LEAVES} leaves, with what the owner chooses to show. */
export type JoinWitness = Omit<JoinPublic, 'rests' | 'units'> & {
  readonly leaves: readonly JoinedLeaf[]
}

/** A place that is not used; its values count for nothing. */
const NO_LEAF: JoinedLeaf = { secret: 0n, limit: 0, path: [] }

/** In the order in which the program publishes them: outputs, then inputs as declared. */
export function joinSignals(statement: JoinPublic): readonly bigint[] {
  const { rests, units, root, x, tag, unitsPerSlot } = statement
  return [...rests, units, root, x, tag, unitsPerSlot]
}

/** The program's inputs. More leaves than {@link JOIN_LEAVES} are left out. */
export function joinInput({ leaves, root, x, tag, unitsPerSlot }: JoinWitness): SignalInput {
  const places = Array.from({ length: JOIN_LEAVES }, (_, i) => leaves[i] ?? NO_LEAF)
  const paths = places.map(({ path }) => pathInput(path))
  return {
    root,
    x,
    tag,
    unitsPerSlot,
    secrets: places.map(({ secret }) => secret),
    limits: places.map(({ limit }) => BigInt(limit)),
    slotCounts: places.map(({ limit }) => BigInt(limit) / unitsPerSlot),
    restCounts: places.map(({ limit }) => BigInt(limit) % unitsPerSlot),
    isUsed: places.map((_, i) => (i < leaves.length ? 1n : 0n)),
    active: paths.map(({ active }) => active),
    isRight: paths.map(({ isRight }) => isRight),
    siblings: paths.map(({ siblings }) => siblings),
  }
}
