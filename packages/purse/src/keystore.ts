/**
 * Seals and opens a secret with a passphrase, as a keystore of version 3: scrypt, AES-128-CTR, and a Keccak MAC that tells a wrong passphrase. The derivation runs on
 * a thread of libuv's pool, not on the event loop.
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  pbkdf2,
  randomBytes,
  randomUUID,
  scrypt,
  timingSafeEqual,
} from 'node:crypto'
import { totalmem } from 'node:os'
import { promisify } from 'node:util'
import { scryptAsync as slowScrypt } from '@noble/hashes/scrypt.js'
import { concatBytes, toHex, utf8Bytes } from '@byway/protocol/base'
import { keccak256 } from 'viem/utils'
import { purseError } from './errors.ts'
import { parseKeystore, type JsonRecord, type KeystoreKdf } from './keystore-format.ts'
import { secretBytes } from './secret-bytes.ts'

/**
 * What guessing a passphrase costs. `standard`: N = 2^18, 256 MiB and about 0.7 s a guess; 2^17 where the machine has less than 2 GiB. `local`: next to nothing, for
 * purses of a network on one machine, which hold no money.
 */
export type KeystoreCost = 'standard' | 'local'

const STANDARD_N = 262_144
/** N = 2^18 would take an eighth of the memory of such a machine, or more. */
const SMALL_MACHINE_N = 131_072
const SMALL_MACHINE_BYTES = 2_147_483_648
const LOCAL_N = 1024
const SCRYPT_R = 8
const SCRYPT_P = 1
const SALT_BYTES = 32
const IV_BYTES = 16
const CIPHER_KEY_BYTES = 16
const DERIVED_BYTES = 32

/** Seals `secret` (1 to 32 bytes). The object is JSON that geth and others read; `address` is written beside it in the clear. */
export async function sealKeystore(
  secret: Uint8Array,
  passphrase: string,
  options: { readonly cost: KeystoreCost; readonly address: Uint8Array },
): Promise<JsonRecord> {
  const kdf = { ...kdfFor(options.cost), salt: randomBytes(SALT_BYTES) }
  const iv = randomBytes(IV_BYTES)
  const derived = await deriveFrom(passphrase, kdf)
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, CIPHER_KEY_BYTES), iv)
  const ciphertext = concatBytes(cipher.update(secret), cipher.final())
  const mac = macOf(derived, ciphertext)
  derived.fill(0)
  const { n, r, p, dklen, salt } = kdf
  return {
    address: toHex(options.address),
    crypto: {
      cipher: 'aes-128-ctr',
      ciphertext: toHex(ciphertext),
      cipherparams: { iv: toHex(iv) },
      kdf: 'scrypt',
      kdfparams: { dklen, n, p, r, salt: toHex(salt) },
      mac: toHex(mac),
    },
    id: randomUUID(),
    version: 3,
  }
}

/**
 * Opens a keystore. The secret is the caller's to overwrite.
 * @throws PURSE_PASSPHRASE_WRONG, and what `parseKeystore` throws
 */
export async function unsealKeystore(file: JsonRecord, passphrase: string): Promise<Uint8Array> {
  const { kdf, ciphertext, mac, iv } = parseKeystore(file)
  const derived = await deriveFrom(passphrase, kdf)
  try {
    if (!timingSafeEqual(macOf(derived, ciphertext), mac)) {
      throw purseError('PURSE_PASSPHRASE_WRONG', {})
    }
    const cipher = createDecipheriv('aes-128-ctr', derived.subarray(0, CIPHER_KEY_BYTES), iv)
    // A counter mode gives everything at once. What it gives is outside of V8's heap (`secret-bytes.ts`).
    const secret = cipher.update(ciphertext)
    // Overwrites the cipher's own state now, not when it is collected.
    cipher.final()
    return secret
  } finally {
    derived.fill(0)
  }
}

/** True when guessing costs less than it must outside a local network: such a keystore holds play money only. */
export function isCheap(file: JsonRecord): boolean {
  const { kdf } = parseKeystore(file)
  return kdf.name !== 'scrypt' || kdf.n * kdf.r < SMALL_MACHINE_N * SCRYPT_R
}

function kdfFor(cost: KeystoreCost): Extract<KeystoreKdf, { name: 'scrypt' }> {
  const standard = totalmem() < SMALL_MACHINE_BYTES ? SMALL_MACHINE_N : STANDARD_N
  const n = cost === 'local' ? LOCAL_N : standard
  return { name: 'scrypt', n, r: SCRYPT_R, p: SCRYPT_P, dklen: DERIVED_BYTES, salt: EMPTY }
}

async function deriveFrom(passphrase: string, kdf: KeystoreKdf): Promise<Uint8Array> {
  const secret = utf8Bytes(passphrase)
  try {
    if (kdf.name === 'pbkdf2') {
      return await promisify(pbkdf2)(secret, kdf.salt, kdf.c, kdf.dklen, 'sha256')
    }
    return isBeyondOpenssl(kdf)
      ? await slowScrypt(secret, kdf.salt, { N: kdf.n, r: kdf.r, p: kdf.p, dkLen: kdf.dklen })
      : await nativeScrypt(secret, kdf)
  } finally {
    secret.fill(0)
  }
}

/** Keccak-256 of the derived key's second half and the ciphertext. */
function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const text = secretBytes(DERIVED_BYTES - CIPHER_KEY_BYTES + ciphertext.length)
  text.set(derived.subarray(CIPHER_KEY_BYTES, DERIVED_BYTES))
  text.set(ciphertext, DERIVED_BYTES - CIPHER_KEY_BYTES)
  const mac = keccak256(text, 'bytes')
  text.fill(0)
  return mac
}

/**
 * RFC 7914 §2 wants N below 2^(16·r), and OpenSSL insists. The case in the definition of these files, and files of some old wallets, have r = 1 and N = 2^18: they take
 * seconds in plain TypeScript instead, once, when such a file is restored.
 */
function isBeyondOpenssl({ n, r }: { readonly n: number; readonly r: number }): boolean {
  return r < 4 && n >= 2 ** (16 * r)
}

async function nativeScrypt(
  secret: Uint8Array,
  { n, r, p, salt, dklen }: Extract<KeystoreKdf, { name: 'scrypt' }>,
): Promise<Uint8Array> {
  const maxmem = 128 * r * (n + p + SCRYPT_SPARE_BLOCKS)
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  scrypt(secret, salt, dklen, { N: n, r, p, maxmem }, (error, derived) => {
    if (error) reject(error)
    else resolve(derived)
  })
  return await promise
}

/** OpenSSL needs some blocks besides the N of the table. */
const SCRYPT_SPARE_BLOCKS = 64
const EMPTY = new Uint8Array(0)
