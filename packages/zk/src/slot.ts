/**
 * The slot statement's inputs (SPEC §13.2, `zk-programs/src/slot.circom`).
 * @module
 */
import { pathInput, type LeafPath } from './leaf-path.ts'
import type { SignalInput } from './witness.ts'

/** What everybody sees. */
export type SlotPublic = {
  readonly root: bigint
  readonly nullifier: bigint
  readonly domain: bigint
  readonly x: bigint
  readonly tag: bigint
  /** S / u of the profile, below 2^16. */
  readonly unitsPerSlot: bigint
}

/** What only the client knows, with what it chooses to show. */
export type SlotWitness = Omit<SlotPublic, 'root' | 'nullifier'> & {
  readonly secret: bigint
  /** Bond units of the deposit, a u32. */
  readonly limit: number
  /** Which slot, a u32. */
  readonly j: number
  readonly path: LeafPath
}

/** In the order in which the program publishes them: outputs, then inputs as declared. */
export function slotSignals(statement: SlotPublic): readonly bigint[] {
  const { root, nullifier, domain, x, tag, unitsPerSlot } = statement
  return [root, nullifier, domain, x, tag, unitsPerSlot]
}

/** The program's inputs; the path is filled up to its greatest depth. */
export function slotInput(witness: SlotWitness): SignalInput {
  const { secret, domain, x, tag, unitsPerSlot, path, limit, j } = witness
  return {
    secret,
    domain,
    x,
    tag,
    unitsPerSlot,
    limit: BigInt(limit),
    j: BigInt(j),
    ...pathInput(path),
  }
}
