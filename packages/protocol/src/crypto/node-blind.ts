/**
 * Blind tokens on node:crypto: the entry `@byway/protocol/node-blind`.
 * @module
 */
export { nodeBlindTokens } from './node-blind-scheme.ts'
export { createNodeBlindSigner } from './node-blind-signer.ts'
