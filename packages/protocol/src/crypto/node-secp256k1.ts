/**
 * secp256k1: the native library where it has a binding for the machine (which is not built at installation), else @noble/curves, some
 * twenty times slower. Never the library's own fallback, an older implementation in JavaScript. Keccak-256 from @noble/hashes.
 * @module
 */
import { createRequire } from 'node:module'
import { secp256k1 as curve } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { assert } from '@byway/protocol/base'
import type * as Secp256k1Library from 'secp256k1'
import { joinForm, parityOf } from './secp256k1-form.ts'
import { ADDRESS_BYTES, type Secp256k1 } from './ticket-ports.ts'

type NativeLibrary = Pick<
  typeof Secp256k1Library,
  'ecdsaRecover' | 'ecdsaSign' | 'privateKeyVerify' | 'publicKeyCreate'
>

/** Of a public key, without the byte that says so. */
const PUBLIC_KEY_BYTES = 64
/** `r ‖ s`. */
const COMPACT_BYTES = 64
const DIGEST_BYTES = 32

/** On @noble/curves: the stand-in, and in tests the oracle. */
export const nobleSecp256k1: Secp256k1 = {
  isSecret: (secret) => curve.utils.isValidSecretKey(secret),
  addressOfSecret: (secret) => addressOf(curve.getPublicKey(secret, false).subarray(1)),
  signDigest(secret, digest) {
    const form = curve.sign(digestOf(digest), secret, { ...AS_IT_IS, format: 'recovered' })
    return joinForm(form.subarray(1), form[0]!)
  },
  recover(digest, signature) {
    const parity = parityOf(signature)
    if (parity === undefined || digest.length !== 32) return undefined
    try {
      const form = Uint8Array.of(parity, ...signature.subarray(0, 64))
      const point = curve.Point.fromBytes(curve.recoverPublicKey(form, digest, AS_IT_IS))
      return point.toBytes(false).slice(1)
    } catch {
      // r or s of zero or above the order, or an r that is no point's.
      return undefined
    }
  },
  addressOf,
}

/** On the native library; undefined where there is none. */
export const nativeSecp256k1: Secp256k1 | undefined = fromNative(loadNative())

/** The production implementation. Stateless: one serves the whole process. */
export const nodeSecp256k1: Secp256k1 = nativeSecp256k1 ?? nobleSecp256k1

function fromNative(native: NativeLibrary | undefined): Secp256k1 | undefined {
  if (!native) return undefined
  /** What the library reads and writes, taken once: an array in V8's own heap would have to be moved out of it for each call. */
  const form = new Uint8Array(new ArrayBuffer(1 + PUBLIC_KEY_BYTES))
  const compact = new Uint8Array(new ArrayBuffer(COMPACT_BYTES))
  const message = new Uint8Array(new ArrayBuffer(DIGEST_BYTES))
  return {
    isSecret: (secret) => secret.length === 32 && native.privateKeyVerify(secret),
    addressOfSecret: (secret) => addressOf(native.publicKeyCreate(secret, false).subarray(1)),
    signDigest(secret, digest) {
      const { signature, recid } = native.ecdsaSign(digestOf(digest), secret)
      // The library normalises to low s, so that the point's parity is all there is to tell.
      assert(recid <= 1, 'r is below the order')
      return joinForm(signature, recid)
    },
    recover(digest, signature) {
      const parity = parityOf(signature)
      if (parity === undefined || digest.length !== DIGEST_BYTES) return undefined
      for (let i = 0; i < COMPACT_BYTES; i++) compact[i] = signature[i]!
      message.set(digest)
      try {
        return native.ecdsaRecover(compact, parity, message, false, form).slice(1)
      } catch {
        return undefined
      }
    },
    addressOf,
  }
}

function loadNative(): NativeLibrary | undefined {
  try {
    return createRequire(import.meta.url)('secp256k1/bindings.js') as NativeLibrary
  } catch {
    return undefined
  }
}

function digestOf(digest: Uint8Array): Uint8Array {
  assert(digest.length === 32, 'a digest has 32 bytes')
  return digest
}

function addressOf(publicKey: Uint8Array): Uint8Array {
  assert(publicKey.length === PUBLIC_KEY_BYTES, 'a public key has 64 bytes')
  return keccak_256(publicKey).slice(-ADDRESS_BYTES)
}

/** The digest is signed as it is; low s is the library's default, said here because the chain asks for it. */
const AS_IT_IS = { prehash: false, lowS: true } as const
