/** secp256k1 keys: addresses, and signatures in the one form that Byway takes (SPEC §13.4). Keys stay bytes, so that they can be overwritten. */
import secp256k1 from 'secp256k1'
import { keccak256 } from 'viem/utils'
import { concatBytes } from '@byway/protocol/base'
import { purseError } from './errors.ts'

export const KEY_BYTES = 32
export const ADDRESS_BYTES = 20

/** The first byte of an uncompressed point; the rest is what an address is made of. */
const POINT_PREFIX_BYTES = 1
/** `v` of a signature is this plus the parity. */
const V_BASE = 27

/** The 20-byte address of a key. @throws PURSE_KEY for bytes that are no key of the curve */
export function addressOfKey(key: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES || !secp256k1.privateKeyVerify(key)) {
    throw purseError('PURSE_KEY', { key: 'secp256k1' })
  }
  const point = secp256k1.publicKeyCreate(key, false)
  return keccak256(point.subarray(POINT_PREFIX_BYTES), 'bytes').slice(-ADDRESS_BYTES)
}

/** True for 32 bytes that are a key of the curve. */
export function isKey(bytes: Uint8Array): boolean {
  return bytes.length === KEY_BYTES && secp256k1.privateKeyVerify(bytes)
}

/** Signs a 32-byte digest (RFC 6979, lower half): 65 bytes `r ‖ s ‖ v`, `v` 27 or 28. */
export function signDigest(key: Uint8Array, digest: Uint8Array): Uint8Array {
  const { signature, recid } = secp256k1.ecdsaSign(digest, key)
  return concatBytes(signature, Uint8Array.of(V_BASE + recid))
}
