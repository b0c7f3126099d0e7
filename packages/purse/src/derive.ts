/**
 * The daily keys, all from the funds key, each by HKDF-SHA-256 (RFC 5869) under a label of its own: none leads to another, nor back to the funds key. So
 * one keystore holds them all, and it is one that other wallets read too. The owner key is not among them (`words.ts`).
 *
 * | label | what |
 * |---|---|
 * | `provider` | a node's registered key: signs claims, pays gas |
 * | `deposit` ‖ u32 index | owner of the index-th deposit, of which its secret is made (SPEC §13.3) |
 * | `voucher` ‖ u32 index | owner of the index-th deposit that was made to be given away |
 * | `session` | secret from which the client makes session keys |
 * | `store` | key of the row MACs in the stores |
 * | `files` | key that seals what the purse file holds besides: redeemed vouchers |
 *
 * A key of the curve is the first of the outputs with a further byte 0, 1, … that is one; the second is needed once in 2^128.
 * @module
 */
import { hkdfSync } from 'node:crypto'
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import { isKey, KEY_BYTES } from './keys.ts'

/** Labels of secrets that are no keys of the curve. */
export type SecretLabel = 'session' | 'store' | 'files'

/** Labels of numbered keys. */
export type OwnerLabel = 'deposit' | 'voucher'

/** Version 1 of this table. */
const SALT = utf8Bytes('byway purse v1')

/** 32 secret bytes; the caller's to overwrite, as are the keys below. */
export function deriveSecret(fundsKey: Uint8Array, label: SecretLabel): Uint8Array {
  return expand(fundsKey, utf8Bytes(label))
}

/** The node's registered key. */
export function deriveProviderKey(fundsKey: Uint8Array): Uint8Array {
  return deriveKey(fundsKey, utf8Bytes('provider'))
}

/** The owner key of a deposit; `index` counts from 0. */
export function deriveOwnerKey(fundsKey: Uint8Array, label: OwnerLabel, index: number): Uint8Array {
  const number = new Uint8Array(4)
  new DataView(number.buffer).setUint32(0, index)
  return deriveKey(fundsKey, concatBytes(utf8Bytes(label), number))
}

function deriveKey(fundsKey: Uint8Array, info: Uint8Array): Uint8Array {
  for (let attempt = 0; ; attempt++) {
    const key = expand(fundsKey, concatBytes(info, Uint8Array.of(attempt)))
    if (isKey(key)) return key
  }
}

function expand(fundsKey: Uint8Array, info: Uint8Array): Uint8Array {
  // A view of the library's buffer, outside of V8's heap (`secret-bytes.ts`).
  return new Uint8Array(hkdfSync('sha256', fundsKey, SALT, info, KEY_BYTES))
}
