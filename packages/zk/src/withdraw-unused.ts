/**
 * The withdrawal statement's inputs (SPEC §14.4, `zk-programs/src/withdraw-unused.circom`).
 * @module
 */
import { pathInput, type LeafPath } from './leaf-path.ts'
import type { SignalInput } from './witness.ts'

/** Slots that one proof takes back at most. */
export const WITHDRAW_SLOTS = 16

/** What everybody sees. */
export type WithdrawPublic = {
  readonly root: bigint
  /** Of the slots, {@link WITHDRAW_SLOTS} of them; 0 for a place that is not used. */
  readonly nullifiers: readonly bigint[]
  /** Nullifier of the units beyond the slots; 0 when they stay. */
  readonly rest: bigint
  /** How many they are; 0 when they stay. */
  readonly restUnits: bigint
  readonly domain: bigint
  /** What the proof is bound to: the receiver (SPEC §14.4). */
  readonly x: bigint
  readonly tag: bigint
  /** S / u of the profile, below 2^16. */
  readonly unitsPerSlot: bigint
}

/** What only the owner knows, with what it chooses to show. */
export type WithdrawWitness = Pick<WithdrawPublic, 'domain' | 'x' | 'tag' | 'unitsPerSlot'> & {
  readonly secret: bigint
  /** Bond units of the deposit, at most 65 535. */
  readonly limit: number
  /** Which slots, at most {@link WITHDRAW_SLOTS}: none that was ever shown. */
  readonly slots: readonly number[]
  /** Also the units that make no slot? */
  readonly withRest: boolean
  readonly path: LeafPath
}

/** In the order in which the program publishes them: outputs, then inputs as declared. */
export function withdrawSignals(statement: WithdrawPublic): readonly bigint[] {
  const { root, nullifiers, rest, restUnits, domain, x, tag, unitsPerSlot } = statement
  return [root, ...nullifiers, rest, restUnits, domain, x, tag, unitsPerSlot]
}

/** The program's inputs. More slots than {@link WITHDRAW_SLOTS} are left out. */
export function withdrawInput(witness: WithdrawWitness): SignalInput {
  const { domain, x, tag, unitsPerSlot, secret, limit, slots, withRest, path } = witness
  const place = (of: (i: number) => number): bigint[] =>
    Array.from({ length: WITHDRAW_SLOTS }, (_, i) => BigInt(of(i)))
  const units = BigInt(limit)
  return {
    domain,
    x,
    tag,
    unitsPerSlot,
    secret,
    limit: units,
    slotCount: units / unitsPerSlot,
    restCount: units % unitsPerSlot,
    js: place((i) => slots[i] ?? 0),
    isUsed: place((i) => (i < slots.length ? 1 : 0)),
    isRestUsed: withRest ? 1n : 0n,
    ...pathInput(path),
  }
}
