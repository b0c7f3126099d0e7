/**
 * The key that signs a slot's tickets: made of the purse's session secret, so that a client that lost its state makes the same again.
 * @module
 */
import { utf8Bytes } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'

const LABEL = utf8Bytes('byway session key v1')

/** The secp256k1 private key of a slot, 32 bytes. */
export function sessionKeyOf(
  crypto: TicketCrypto,
  sessionSecret: Uint8Array,
  nullifier: Uint8Array,
): Uint8Array {
  for (let attempt = 0; ; attempt++) {
    const key = crypto.hmacSha256(sessionSecret, LABEL, nullifier, Uint8Array.of(attempt))
    // One in 2^128 is no key.
    if (crypto.isSecret(key)) return key
  }
}
