/**
 * The keys of an open purse, in memory that the collector does not move (`secret-bytes.ts`). `wipe` overwrites those that are kept; derived ones are made for one signature and
 * overwritten after it. The secrets of deposits are numbers and the passphrase is a string: these are beyond reach, and docs/THREAT-MODEL.md says so.
 * @module
 */
import { createHash } from 'node:crypto'
import { assert } from '@byway/protocol/base'
import { depositSecret, u256Bytes } from '@byway/protocol/ticket'
import { deriveOwnerKey, deriveProviderKey, deriveSecret, type OwnerLabel } from './derive.ts'
import { addressOfKey, signDigest } from './keys.ts'

/** Which key signs. */
export type KeyName =
  | { readonly name: 'funds' }
  | { readonly name: 'provider' }
  | { readonly name: OwnerLabel; readonly index: number }
  | { readonly name: 'redeemed'; readonly index: number }

/** Names the owner key of a deposit. */
export type OwnerKeyName = Extract<KeyName, { readonly index: number }>

export interface KeyRing {
  addressOf(key: KeyName): Uint8Array
  /** 65 bytes over a digest that the caller made from the fields of a known statement. */
  sign(key: KeyName, digest: Uint8Array): Uint8Array
  /** What a deposit's owner key is the secret of (SPEC §13.3): a field element as 32 bytes. */
  depositSecret(key: OwnerKeyName): Uint8Array
  readonly redeemed: number
  /** A copy of a derived secret; the caller's to overwrite. */
  secret(label: 'session' | 'store' | 'files'): Uint8Array
  /** Overwrites the keys. Nothing works after it. */
  wipe(): void
}

/** Takes over the arrays. */
export function createKeyRing(fundsKey: Uint8Array, redeemed: readonly Uint8Array[]): KeyRing {
  let isWiped = false
  const withKey = <Result>(key: KeyName, use: (bytes: Uint8Array) => Result): Result => {
    assert(!isWiped, 'the purse is locked')
    if (key.name === 'funds') return use(fundsKey)
    if (key.name === 'redeemed') {
      const bytes = redeemed[key.index]
      assert(bytes !== undefined, 'no such redeemed voucher')
      return use(bytes)
    }
    const bytes =
      key.name === 'provider'
        ? deriveProviderKey(fundsKey)
        : deriveOwnerKey(fundsKey, key.name, key.index)
    try {
      return use(bytes)
    } finally {
      bytes.fill(0)
    }
  }
  return {
    redeemed: redeemed.length,
    addressOf: (key) => withKey(key, addressOfKey),
    sign: (key, digest) => withKey(key, (bytes) => signDigest(bytes, digest)),
    depositSecret: (key) => withKey(key, (bytes) => u256Bytes(depositSecret(HASH, bytes))),
    secret: (label) => withKey({ name: 'funds' }, (bytes) => deriveSecret(bytes, label)),
    wipe() {
      isWiped = true
      fundsKey.fill(0)
      for (const key of redeemed) key.fill(0)
    },
  }
}

const HASH = {
  sha256(...parts: readonly Uint8Array[]): Uint8Array {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return new Uint8Array(hash.digest())
  },
}
