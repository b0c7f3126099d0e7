/**
 * What tickets need of cryptography, in production: the entry `@byway/protocol/node-ticket`.
 * @module
 */
import * as node from 'node:crypto'
import { nodePoseidon } from './node-poseidon.ts'
import { nodeSecp256k1 } from './node-secp256k1.ts'
import type { TicketCrypto } from './ticket-ports.ts'

export { createLeafTree, nodePoseidon } from './node-poseidon.ts'
export { nodeSecp256k1 } from './node-secp256k1.ts'

/** The production implementation. Stateless: one serves the whole process. */
export const nodeTicketCrypto: TicketCrypto = {
  ...nodeSecp256k1,
  ...nodePoseidon,
  sha256(...parts) {
    const [first] = parts
    // One call instead of three, for what is in one piece: half of a hash's time.
    if (first && parts.length === 1) return plain(node.hash('sha256', first, 'buffer'))
    const hash = node.createHash('sha256')
    for (const part of parts) hash.update(part)
    return plain(hash.digest())
  },
  hmacSha256(key, ...parts) {
    const hmac = node.createHmac('sha256', key)
    for (const part of parts) hmac.update(part)
    return plain(hmac.digest())
  },
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
