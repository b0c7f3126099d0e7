/**
 * Public keys and signatures in minisign's format (SPEC §18.1), as the tool of that name writes and reads them: Ed25519 over the BLAKE2b-512 of a file,
 * and over that signature and a comment. Only hashed signatures (`ED`) are taken, not the old ones over the whole file (`Ed`). Whom to believe is not
 * decided here.
 */
import { createHash } from 'node:crypto'
import { concatBytes, equalBytes, utf8Bytes } from '@byway/protocol/base'
import type { SigningKey } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  COMMENT_PREFIX,
  fromBase64,
  isComment,
  isShown,
  linesOf,
  MAX_TRUSTED_COMMENT_CHARS,
  toBase64,
} from './text-form.ts'

/** Who signs. The id only helps to find the key; it proves nothing. */
export type PublicKey = {
  /** 8 bytes, chosen at random with the key. */
  readonly id: Uint8Array
  /** 32 bytes: an Ed25519 public key. */
  readonly key: Uint8Array
}

/** A key that can sign. */
export type KeyPair = { readonly publicKey: PublicKey; readonly signingKey: SigningKey }

export type Signature = {
  readonly keyId: Uint8Array
  /** Over the file's hash, 64 bytes. */
  readonly signature: Uint8Array
  /** Over `signature` and the comment, 64 bytes. */
  readonly global: Uint8Array
  /** Signed, so that it can be believed as far as the key is. */
  readonly trustedComment: string
}

/** What is wrong with a signature: not in the format, of an algorithm that is not taken, of another key, not of this file, or of another comment. */
export type SignatureFault = 'form' | 'algorithm' | 'key' | 'file' | 'comment'

/** What Ed25519 keys are marked with in the format. */
export const KEY_ALGORITHM: Uint8Array = utf8Bytes('Ed')
export const KEY_ID_BYTES = 8
const HASHED = utf8Bytes('ED')
const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
const TRUSTED_PREFIX = 'trusted comment: '

/** Reads a key: its line alone, or the file in which it stands. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const lines =
    linesOf(text.trim(), 1) ?? linesOf(text.trim(), 2)?.filter((line) => !isComment(line))
  const [line = '', ...rest] = lines ?? []
  if (rest.length > 0) return undefined
  const bytes = fromBase64(line, KEY_ALGORITHM.length + KEY_ID_BYTES + KEY_BYTES)
  if (!bytes || !equalBytes(bytes.subarray(0, 2), KEY_ALGORITHM)) return undefined
  return { id: bytes.slice(2, 10), key: bytes.slice(10) }
}

/** Whether a text is a key's line and no more. */
export function isPublicKey(text: string): boolean {
  const key = parsePublicKey(text)
  return key !== undefined && formatPublicKey(key) === text
}

/** The key's line: 56 characters. */
export function formatPublicKey({ id, key }: PublicKey): string {
  return toBase64(concatBytes(KEY_ALGORITHM, id, key))
}

/** The file in which a key is given to others. */
export function publicKeyFile(key: PublicKey): string {
  return `${COMMENT_PREFIX}minisign public key ${keyIdText(key.id)}\n${formatPublicKey(key)}\n`
}

/** A key's id as the tool shows it: a number, its first byte the least. */
export function keyIdText(id: Uint8Array): string {
  return Buffer.from(id.toReversed()).toString('hex').toUpperCase()
}

export function isSameKey(a: PublicKey, b: PublicKey): boolean {
  return equalBytes(a.key, b.key) && equalBytes(a.id, b.id)
}

/** Reads a `.minisig` file. Never throws. */
export function parseSignature(text: string): Signature | SignatureFault {
  const lines = linesOf(text, 4)
  if (!lines) return 'form'
  const [comment = '', body = '', trusted = '', last = ''] = lines
  const bytes = fromBase64(body, 2 + KEY_ID_BYTES + SIGNATURE_BYTES)
  const global = fromBase64(last, SIGNATURE_BYTES)
  const trustedComment = trusted.slice(TRUSTED_PREFIX.length)
  const isWhole =
    isComment(comment) && trusted.startsWith(TRUSTED_PREFIX) && isTrustable(trustedComment)
  if (!isWhole || !bytes || !global) return 'form'
  if (!equalBytes(bytes.subarray(0, 2), HASHED)) return 'algorithm'
  return { keyId: bytes.slice(2, 10), signature: bytes.slice(10), global, trustedComment }
}

/** Says what is wrong with a signature of these bytes by this key; undefined when it holds. */
export function signatureFault(
  { keyId, signature, global, trustedComment }: Signature,
  file: Uint8Array,
  { id, key }: PublicKey,
): SignatureFault | undefined {
  if (!equalBytes(keyId, id)) return 'key'
  if (!nodeCrypto.ed25519Verify(key, fileHash(file), signature)) return 'file'
  const commented = concatBytes(signature, utf8Bytes(trustedComment))
  return nodeCrypto.ed25519Verify(key, commented, global) ? undefined : 'comment'
}

/** Signs a file: the text of its `.minisig`. The comment must be one line that can be shown. */
export function signFile(
  { publicKey, signingKey }: KeyPair,
  file: Uint8Array,
  trustedComment: string,
): string {
  if (!isTrustable(trustedComment)) throw new RangeError('a trusted comment is one line')
  const signature = nodeCrypto.ed25519Sign(signingKey, fileHash(file))
  const commented = concatBytes(signature, utf8Bytes(trustedComment))
  const global = nodeCrypto.ed25519Sign(signingKey, commented)
  return [
    `${COMMENT_PREFIX}signature from minisign secret key`,
    toBase64(concatBytes(HASHED, publicKey.id, signature)),
    `${TRUSTED_PREFIX}${trustedComment}`,
    toBase64(global),
    '',
  ].join('\n')
}

/** BLAKE2b-512: what is signed of a file, 64 bytes. */
export function fileHash(file: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('blake2b512').update(file).digest())
}

function isTrustable(comment: string): boolean {
  return comment.length <= MAX_TRUSTED_COMMENT_CHARS && isShown(comment)
}
