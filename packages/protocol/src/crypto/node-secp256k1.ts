/**
 * secp256k1 on the native library (its JavaScript fallback where there is no binary for the machine), Keccak-256 from @noble/hashes.
 * @module
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { assert } from '@byway/protocol/base'
import secp256k1 from 'secp256k1'
import { ADDRESS_BYTES, RECOVERABLE_SIGNATURE_BYTES, type Secp256k1 } from './ticket-ports.ts'

/** The production implementation. Stateless: one serves the whole process. */
export const nodeSecp256k1: Secp256k1 = {
  isSecret: (secret) => secret.length === 32 && secp256k1.privateKeyVerify(secret),
  addressOfSecret: (secret) => addressOf(secp256k1.publicKeyCreate(secret, false).subarray(1)),
  signDigest(secret, digest) {
    assert(digest.length === 32, 'a digest has 32 bytes')
    const { signature, recid } = secp256k1.ecdsaSign(digest, secret)
    // The library normalises to low s, so that the point's parity is all there is to tell.
    assert(recid <= 1, 'r is below the order')
    const form = new Uint8Array(RECOVERABLE_SIGNATURE_BYTES)
    form.set(signature)
    form[64] = V_BASE + recid
    return form
  },
  recover(digest, signature) {
    if (signature.length !== RECOVERABLE_SIGNATURE_BYTES || digest.length !== 32) return undefined
    const recid = signature[64]! - V_BASE
    if ((recid !== 0 && recid !== 1) || !isLowS(signature)) return undefined
    try {
      return secp256k1.ecdsaRecover(signature.subarray(0, 64), recid, digest, false).slice(1)
    } catch {
      // r or s of zero or above the order, or an r that is no point's.
      return undefined
    }
  },
  addressOf,
}

function addressOf(publicKey: Uint8Array): Uint8Array {
  assert(publicKey.length === 64, 'a public key has 64 bytes')
  return keccak_256(publicKey).slice(-ADDRESS_BYTES)
}

/** s is bytes 32 to 64; compared with half the order from the front. */
function isLowS(signature: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) {
    const difference = signature[32 + i]! - HALF_ORDER[i]!
    if (difference !== 0) return difference < 0
  }
  return true
}

const V_BASE = 27
/** SEC 2, secp256k1: ⌊n / 2⌋. */
const HALF_ORDER = Uint8Array.from([
  0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
])
