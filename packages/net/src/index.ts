/**
 * TLS links between neighbours: listen, dial, prove identity, move cells. What a cell means is above; when it goes is the link
 * machine's in `@byway/protocol/link`.
 * @module
 */
export { DEFAULT_ADMISSION_LIMITS, createLinkListener } from './listen.ts'
export type {
  LinkListener,
  LinkListenerDeps,
  LinkListenerOptions,
  LinkListenerStats,
} from './listen.ts'
export type { AdmissionLimits, Refusal } from './admission.ts'
export { addressScopes } from './address-scopes.ts'
export type { AddressScope } from './address-scopes.ts'
export { createSelfSignedCertificate } from './certificate.ts'
export type { CertificateOptions, TlsCertificate } from './certificate.ts'
export { MAX_UNPACKED_BYTES, packDirectory, unpackDirectory } from './directory-blocks.ts'
export {
  createDirectoryQuestions,
  type DirectoryQuestions,
  MAX_DIRECTORY_PARTS,
} from './directory-questions.ts'
export { dialLink } from './dial.ts'
export type { DialDeps, DialOptions } from './dial.ts'
export { netError } from './errors.ts'
export type { DialStep, NetError, ProofFault } from './errors.ts'
export { issueLinkIdentity } from './greeting.ts'
export type { IssueLinkIdentity, LinkIdentity } from './greeting.ts'
export type { LinkStats, NetLink } from './link-driver.ts'
export { createMemoryLinkPair } from './memory-link.ts'
export type { MemoryLinkOptions } from './memory-link.ts'
export { systemRuntime } from './runtime.ts'
export type { LinkRuntime, LinkTimer } from './runtime.ts'
export { createLegLink } from './leg-link.ts'
export type { LegLinkOptions } from './leg-link.ts'
