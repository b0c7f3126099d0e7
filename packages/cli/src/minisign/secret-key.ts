/**
 * Secret keys in minisign's format (SPEC §18.2), as the tool of that name writes and reads them: encrypted with a passphrase and scrypt, or open.
 *
 *   offset  bytes  what
 *   0       2      `Ed`
 *   2       2      `Sc`, or zeros where nothing is encrypted
 *   4       2      `B2`: how the checksum is made
 *   6       32     salt
 *   38      8      scrypt's operations, little-endian
 *   46      8      scrypt's memory, bytes, little-endian
 *   54      104    key id (8), Ed25519 seed (32) and public key (32), checksum (32), XOR what scrypt gives; the checksum is zeros where nothing is encrypted
 */
import { scrypt } from 'node:crypto'
import { totalmem } from 'node:os'
import { blake2b } from '@noble/hashes/blake2.js'
import { concatBytes, equalBytes, isAllZero, utf8Bytes } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { KEY_ALGORITHM, KEY_ID_BYTES, type KeyPair } from './signature.ts'
import { COMMENT_PREFIX, fromBase64, isComment, linesOf, toBase64 } from './text-form.ts'

/** What guessing a passphrase costs, in libsodium's measure. */
export type SecretKeyCost = { readonly operations: number; readonly memoryBytes: number }

/** A secret key as it stands in its file. */
export type SealedKey = {
  readonly isEncrypted: boolean
  readonly salt: Uint8Array
  readonly cost: SecretKeyCost
  /** 104 bytes. */
  readonly sealed: Uint8Array
}

/** What is wrong with a file: not in the format, another algorithm, or more work than this program does for one. */
export type SecretKeyFault = 'form' | 'algorithm' | 'cost'

// Local limits (tunable): docs/LIMITS.md.
/** What the tool takes: N = 2^20, a gibibyte and some seconds for each guess. */
const STANDARD_COST: SecretKeyCost = { operations: 2 ** 25, memoryBytes: 2 ** 30 }
/** On a machine for which that is too much: N = 2^17, as purses there. */
const SMALL_COST: SecretKeyCost = { operations: 2 ** 22, memoryBytes: 2 ** 27 }
/** Where the standard would take a quarter of the memory or more. */
const SMALL_MACHINE_BYTES = 2 ** 32
/** What is done to open a key of others' making: the standard and no more. */
const MAX_COST: SecretKeyCost = STANDARD_COST

const SCRYPT = utf8Bytes('Sc')
const CHECKSUM_ALGORITHM = utf8Bytes('B2')
const SALT_BYTES = 32
const SEED_BYTES = 32
const CHECKSUM_BYTES = 32
const SEALED_BYTES = KEY_ID_BYTES + 2 * SEED_BYTES + CHECKSUM_BYTES
const FILE_BYTES = 54 + SEALED_BYTES
const SCRYPT_R = 8
/** OpenSSL needs some blocks besides those of the table. */
const SPARE_BLOCKS = 64

/** The cost for a new key on this machine. */
export function usualCost(): SecretKeyCost {
  return totalmem() < SMALL_MACHINE_BYTES ? SMALL_COST : STANDARD_COST
}

/** A key from 8 random bytes and a seed of 32. */
export function keyPairOf(id: Uint8Array, seed: Uint8Array): KeyPair {
  const { privateKey, publicKey } = nodeCrypto.ed25519KeyPair(seed)
  return { signingKey: privateKey, publicKey: { id, key: publicKey } }
}

/** Reads a key file. Never throws. */
export function parseSecretKey(text: string): SealedKey | SecretKeyFault {
  const [comment = '', line = ''] = linesOf(text, 2) ?? []
  const bytes = fromBase64(line, FILE_BYTES)
  if (!isComment(comment) || !bytes) return 'form'
  const [algorithm, kdf, checksum] = [0, 2, 4].map((at) => bytes.subarray(at, at + 2))
  const isEncrypted = equalBytes(kdf ?? bytes, SCRYPT)
  const isKnown =
    equalBytes(algorithm ?? bytes, KEY_ALGORITHM) &&
    equalBytes(checksum ?? bytes, CHECKSUM_ALGORITHM) &&
    (isEncrypted || isAllZero(kdf ?? bytes))
  if (!isKnown) return 'algorithm'
  const view = new DataView(bytes.buffer)
  const [operations, memoryBytes] = [view.getBigUint64(38, true), view.getBigUint64(46, true)]
  const isDear = operations > MAX_COST.operations || memoryBytes > MAX_COST.memoryBytes
  if (isEncrypted && isDear) return 'cost'
  const cost = { operations: Number(operations), memoryBytes: Number(memoryBytes) }
  return { isEncrypted, salt: bytes.slice(6, 38), cost, sealed: bytes.slice(54) }
}

/** Opens a key; undefined for another passphrase than it was sealed with, or damage. An open one takes any passphrase. */
export async function unsealKey(
  { isEncrypted, salt, cost, sealed }: SealedKey,
  passphrase: string,
): Promise<KeyPair | undefined> {
  const plain = sealed.slice()
  try {
    if (isEncrypted) xorInto(plain, await stretch(passphrase, salt, cost))
    const [id, seed] = [plain.slice(0, KEY_ID_BYTES), plain.slice(8, 8 + SEED_BYTES)]
    const [secret, checksum] = [plain.subarray(0, -CHECKSUM_BYTES), plain.slice(-CHECKSUM_BYTES)]
    const isChecked = isEncrypted ? equalBytes(checksumOf(secret), checksum) : isAllZero(checksum)
    const pair = isChecked ? keyPairOf(id, seed) : undefined
    seed.fill(0)
    return pair && equalBytes(pair.publicKey.key, plain.slice(40, 72)) ? pair : undefined
  } finally {
    plain.fill(0)
  }
}

/**
 * Writes a key file. The seed stays the caller's to overwrite.
 *
 * @param lock - undefined leaves the key open to whoever reads the file; `salt` is 32 random bytes
 */
export async function sealKey(
  id: Uint8Array,
  seed: Uint8Array,
  lock:
    | { readonly passphrase: string; readonly salt: Uint8Array; readonly cost: SecretKeyCost }
    | undefined,
): Promise<string> {
  const secret = concatBytes(id, seed, keyPairOf(id, seed).publicKey.key)
  const checksum = lock ? checksumOf(secret) : new Uint8Array(CHECKSUM_BYTES)
  const sealed = concatBytes(secret, checksum)
  secret.fill(0)
  const numbers = new Uint8Array(16)
  if (lock) {
    const view = new DataView(numbers.buffer)
    view.setBigUint64(0, BigInt(lock.cost.operations), true)
    view.setBigUint64(8, BigInt(lock.cost.memoryBytes), true)
    xorInto(sealed, await stretch(lock.passphrase, lock.salt, lock.cost))
  }
  const kdf = lock ? SCRYPT : new Uint8Array(2)
  const salt = lock?.salt ?? new Uint8Array(SALT_BYTES)
  const line = toBase64(concatBytes(KEY_ALGORITHM, kdf, CHECKSUM_ALGORITHM, salt, numbers, sealed))
  return `${COMMENT_PREFIX}minisign ${lock ? 'encrypted' : 'unencrypted'} secret key\n${line}\n`
}

/** BLAKE2b-256 over the algorithm and the key. */
function checksumOf(secret: Uint8Array): Uint8Array {
  return blake2b(concatBytes(KEY_ALGORITHM, secret), { dkLen: CHECKSUM_BYTES })
}

function xorInto(bytes: Uint8Array, mask: Uint8Array): void {
  for (const [i, byte] of mask.entries()) bytes[i] = (bytes[i] ?? 0) ^ byte
  mask.fill(0)
}

/** scrypt with the numbers that libsodium's `pwhash_scryptsalsa208sha256` makes of its measure, on a thread of libuv's pool. */
async function stretch(
  passphrase: string,
  salt: Uint8Array,
  { operations, memoryBytes }: SecretKeyCost,
): Promise<Uint8Array> {
  const blocks = Math.max(2, Math.min(operations / 32, memoryBytes / 128 / SCRYPT_R))
  const n = 2 ** Math.floor(Math.log2(blocks))
  const p = Math.max(1, Math.floor(operations / 32 / n))
  const maxmem = 128 * SCRYPT_R * (n + p + SPARE_BLOCKS)
  const secret = utf8Bytes(passphrase)
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  scrypt(secret, salt, SEALED_BYTES, { N: n, r: SCRYPT_R, p, maxmem }, (error, derived) => {
    if (error) reject(error)
    else resolve(derived)
  })
  return await promise.finally(() => secret.fill(0))
}
