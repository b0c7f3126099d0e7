export { assertMade, assertSetUpServes } from './artefacts.ts'
export type { ProgramName } from './artefacts.ts'
export { AUDIT_DEPTH, AUDIT_SAMPLES, auditInput, auditSignals, sampledUnits } from './audit.ts'
export type { AuditPublic, AuditStatement } from './audit.ts'
export { proveAudit } from './audit-prover.ts'
export { buildAuditTreeInThreads } from './audit-thread.ts'
export type { AuditBuildOptions } from './audit-thread.ts'
export { buildAuditTree } from './audit-tree.ts'
export type { AuditPath, AuditStep, AuditTree } from './audit-tree.ts'
export { createZkEngine } from './engine.ts'
export type { Proved, ZkEngine, ZkEngineOptions } from './engine.ts'
export { zkError } from './errors.ts'
export type { ZkError } from './errors.ts'
export { PROOF_BYTES } from './proof.ts'
export { receiptOf } from './receipt-form.ts'
export { createReceiptCrypto } from './receipt-thread.ts'
export { isSignedReceipt, receiptKeyOf, receiptPublicKey, signReceipt } from './receipt.ts'
export type { JubPoint, Receipt, ReceiptBody } from './receipt.ts'
export { JOIN_LEAVES, joinInput, joinSignals } from './join.ts'
export type { JoinPublic, JoinWitness, SmallLeaf } from './join.ts'
export { MAX_SLOT_DEPTH } from './leaf-path.ts'
export type { LeafPath } from './leaf-path.ts'
export {
  decodeServiceProof,
  encodeServiceProof,
  SERVICE_PROOF_BYTES,
} from './service-proof-form.ts'
export type { ServiceProof } from './service-proof-form.ts'
export { makeServiceProof, verifyServiceProof } from './service-proof.ts'
export type {
  OpeningSource,
  ServiceClaim,
  ServiceProofFault,
  ServiceProofJudge,
} from './service-proof.ts'
export { slotInput, slotSignals } from './slot.ts'
export { createSlotProver, createSlotVerifier } from './slot-authorisation.ts'
export type { SlotProver } from './slot-authorisation.ts'
export type { SlotPublic, SlotWitness } from './slot.ts'
export { WITHDRAW_SLOTS, withdrawInput, withdrawSignals } from './withdraw-unused.ts'
export type { WithdrawPublic, WithdrawWitness } from './withdraw-unused.ts'
