/**
 * The steps of RFC 9474 on one RSA public key of any size: blind, finalise, verify. Modular powers and the check of a signature are
 * OpenSSL's; see node-blind-number.ts for what is not.
 * @module
 */
import * as node from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { assert } from '@byway/protocol/base'
import { encodePss, HASH_BYTES } from './node-blind-encode.ts'
import { invertAll, toBytes, toNumber } from './node-blind-number.ts'

/** A public key with exponent 65537 in the two forms that are needed. */
export type RsaPublicKey = {
  readonly key: KeyObject
  readonly n: bigint
  readonly bytes: number
}

/** What blinds one message. */
export type BlindingFactor = {
  /** {@link SALT_BYTES} bytes. */
  readonly salt: Uint8Array
  /** r of RFC 9474 §4.2, 1 to n − 1. */
  readonly r: bigint
}

/** A blinded message, and what takes the blinding off again. */
export type BlindedMessage = { readonly element: Uint8Array; readonly inverse: bigint }

/** Reads a modulus whose top bit is set. */
export function rsaPublicKey(modulus: Uint8Array): RsaPublicKey {
  const key = node.createPublicKey({
    format: 'jwk',
    key: { kty: 'RSA', n: Buffer.from(modulus).toString('base64url'), e: EXPONENT },
  })
  return { key, n: toNumber(modulus), bytes: modulus.length }
}

/** RFC 9474 §4.2 for a batch; undefined when a factor or an encoded message is no unit modulo n. */
export function blindAll(
  { key, n, bytes }: RsaPublicKey,
  messages: readonly Uint8Array[],
  factors: readonly BlindingFactor[],
): readonly BlindedMessage[] | undefined {
  assert(messages.length === factors.length, 'one blinding factor for each message')
  const encoded = messages.map((message, i) => {
    return toNumber(encodePss(message, factors[i]?.salt ?? NO_SALT, bytes * 8))
  })
  const inverses = invertAll(
    factors.map(({ r }) => r),
    encoded,
    n,
  )
  return inverses?.map((inverse, i) => {
    const power = toNumber(rawPublic(key, toBytes(factors[i]?.r ?? 1n, bytes)))
    const element = toBytes(((encoded[i] ?? 1n) * power) % n, bytes)
    return { element, inverse }
  })
}

/** RFC 9474 §4.4: takes the blinding off and verifies; undefined for a signature that does not hold. */
export function unblind(
  key: RsaPublicKey,
  message: Uint8Array,
  inverse: bigint,
  signature: Uint8Array,
): Uint8Array | undefined {
  if (signature.length !== key.bytes) return undefined
  const token = toBytes((toNumber(signature) * inverse) % key.n, key.bytes)
  return verifyPss(key, message, token) ? token : undefined
}

/** RFC 9474 §4.5. OpenSSL refuses a number that is not below n. */
export function verifyPss(
  { key, bytes }: RsaPublicKey,
  message: Uint8Array,
  token: Uint8Array,
): boolean {
  if (token.length !== bytes) return false
  const padding = node.constants.RSA_PKCS1_PSS_PADDING
  return node.verify('sha384', message, { key, padding, saltLength: SALT_BYTES }, token)
}

function rawPublic(key: KeyObject, value: Uint8Array): Uint8Array {
  return node.publicEncrypt({ key, padding: node.constants.RSA_NO_PADDING }, value)
}

/** RFC 9474 §5: the salt is as long as the hash. */
export const SALT_BYTES: number = HASH_BYTES
const NO_SALT = new Uint8Array(SALT_BYTES)
/** 65537 in base64url. */
const EXPONENT = 'AQAB'
