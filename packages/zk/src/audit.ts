/**
 * The service proof's inputs (SPEC §17, `zk-programs/src/service-audit.circom`): which units a beacon draws, and the samples that answer it.
 * @module
 */
import { poseidon2 } from 'poseidon-lite/poseidon2'
import type { AuditPath, AuditTree } from './audit-tree.ts'
import type { SignalInput } from './witness.ts'

/** Samples of a proof. */
export const AUDIT_SAMPLES = 12
/** Levels of the tree: 131 072 receipts a week. */
export const AUDIT_DEPTH = 17

/** What the provider committed to, and what it is asked. */
export type AuditStatement = {
  readonly provider: bigint
  readonly epoch: bigint
  readonly root: bigint
  readonly total: bigint
  /** What one slot can pay for, K·V / price. */
  readonly maxUnits: bigint
  readonly beacon: bigint
}

/** What everybody sees of a proof. */
export type AuditPublic = AuditStatement & {
  /** Of the samples, in their order. */
  readonly receiptKeys: readonly bigint[]
  readonly nullifiers: readonly bigint[]
}

/** In the order in which the program publishes them: outputs, then inputs as declared. */
export function auditSignals(shown: AuditPublic): readonly bigint[] {
  const { receiptKeys, provider, epoch, root, total, maxUnits, beacon, nullifiers } = shown
  return [...receiptKeys, provider, epoch, root, total, maxUnits, beacon, ...nullifiers]
}

/** The units, counted from 0, that a beacon draws of a total. */
export function sampledUnits(
  beacon: bigint,
  total: bigint,
  samples: number = AUDIT_SAMPLES,
): bigint[] {
  return Array.from({ length: samples }, (_, m) => sampledUnit(beacon, m, total))
}

/** The unit of one sample, `floor(low 64 bits of Poseidon2(beacon, m) · total / 2^64)`. */
export function sampledUnit(beacon: bigint, m: number, total: bigint): bigint {
  return (BigInt.asUintN(64, poseidon2([beacon, BigInt(m)])) * total) >> 64n
}

/** The program's inputs for this beacon. */
export function auditInput(
  tree: AuditTree,
  statement: AuditStatement,
  samples: number = AUDIT_SAMPLES,
): SignalInput {
  const paths = sampledUnits(statement.beacon, tree.total, samples).map((unit) => tree.find(unit))
  const each = (of: (path: AuditPath) => bigint): bigint[] => paths.map(of)
  const steps = (of: (step: AuditPath['steps'][number]) => bigint): bigint[][] =>
    paths.map((path) => path.steps.map(of))
  return {
    ...statement,
    nullifiers: each(({ receipt }) => receipt.nullifier),
    ax: each(({ receipt }) => receipt.publicKey[0]),
    ay: each(({ receipt }) => receipt.publicKey[1]),
    units: each(({ receipt }) => receipt.units),
    r8x: each(({ receipt }) => receipt.signature.r8[0]),
    r8y: each(({ receipt }) => receipt.signature.r8[1]),
    s: each(({ receipt }) => receipt.signature.s),
    isRight: steps(({ isRight }) => (isRight ? 1n : 0n)),
    siblingHashes: steps(({ siblingHash }) => siblingHash),
    siblingSums: steps(({ siblingSum }) => siblingSum),
    splits: steps(({ split }) => split),
  }
}
