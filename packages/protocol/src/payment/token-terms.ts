/**
 * What both sides of a token agree on (SPEC §16): names of keys, what is signed, days, prices.
 * @module
 */
import { concatBytes, utf8Bytes } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'
import { BULK_TOKEN_UNITS, TOKEN_UNITS, UNIT_BYTES } from '@byway/protocol/ticket'
import {
  encodePayMessage,
  PAY,
  TOKEN_KEY_ID_BYTES,
  TOKEN_KIND,
  type TokenKey,
  type TokenKind,
} from '@byway/protocol/wire'

/** What this folder needs of cryptography for tokens, apart from the blind scheme. */
export type TokenHash = Pick<CryptoProvider, 'sha256'>

/** Names a token key: the first 8 bytes of `H("byway token key v1" ‖ token kind ‖ public key)`. */
export function tokenKeyId(hash: TokenHash, kind: TokenKind, publicKey: Uint8Array): Uint8Array {
  return hash
    .sha256(utf8Bytes('byway token key v1'), Uint8Array.of(kind), publicKey)
    .slice(0, TOKEN_KEY_ID_BYTES)
}

/** The message under a token: `"byway token v1" ‖ token kind ‖ key id ‖ nonce` (SPEC §16.2). */
export function tokenMessage(kind: TokenKind, keyId: Uint8Array, nonce: Uint8Array): Uint8Array {
  return concatBytes(utf8Bytes('byway token v1'), Uint8Array.of(kind), keyId, nonce)
}

/** The hash of a node's token keys as its descriptor has it: `H(body of KEYS without its kind)`; 32 bytes. */
export function tokenKeysHash(hash: TokenHash, keys: readonly TokenKey[]): Uint8Array {
  return hash.sha256(encodePayMessage({ kind: PAY.KEYS, keys }).subarray(1))
}

/** The day of a time, counted from 1970 in UTC. */
export function dayOf(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS)
}

/**
 * When the days of a node's keys begin, whole seconds after midnight UTC. Drawn from its id, so that a hop cannot choose and everybody knows: nodes whose keys turned together would publish together, and
 * everybody would have to fetch all of them within that hour.
 */
export function keyDayStartS(hash: TokenHash, nodeId: Uint8Array): number {
  const drawn = hash.sha256(utf8Bytes('byway key day v1'), nodeId)
  return Math.floor((new DataView(drawn.buffer, drawn.byteOffset).getUint32(0) / 2 ** 32) * DAY_S)
}

/** The day of a node's keys at a time. @param startS - {@link keyDayStartS} */
export function keyDayOf(nowMs: number, startS: number): number {
  return dayOf(nowMs - startS * 1000)
}

/** The dates of a key of a day: issued under for that day, honoured for one more. */
export function keyDates(day: number, startS: number): Pick<TokenKey, 'notBeforeS' | 'notAfterS'> {
  const notBeforeS = day * DAY_S + startS
  return { notBeforeS, notAfterS: notBeforeS + 2 * DAY_S }
}

/** True for dates that a key of some day has. */
export function isDayKey({ notBeforeS, notAfterS }: TokenKey, startS: number): boolean {
  return (notBeforeS - startS) % DAY_S === 0 && notAfterS - notBeforeS === 2 * DAY_S
}

/** Every kind, in the order of KEYS. */
export const TOKEN_KINDS: readonly TokenKind[] = [
  TOKEN_KIND.BANDWIDTH,
  TOKEN_KIND.ADMISSION,
  TOKEN_KIND.BULK,
]

/** Units that a token pays for, and that it costs; 0 for admission, which pays for none. */
export function unitsOfToken(kind: TokenKind): number {
  return UNITS_OF[kind]
}

/** Bytes that a token pays for. */
export function bytesOfToken(kind: TokenKind): number {
  return UNITS_OF[kind] * UNIT_BYTES
}

// Protocol constants (change needs a spec change): SPEC §16.
const UNITS_OF: Readonly<Record<TokenKind, number>> = {
  [TOKEN_KIND.BANDWIDTH]: TOKEN_UNITS,
  [TOKEN_KIND.ADMISSION]: 0,
  [TOKEN_KIND.BULK]: BULK_TOKEN_UNITS,
}
/** Admission tokens that a slot gets for nothing each day; one more costs one unit. */
export const FREE_ADMISSIONS = 40
/** How long into a day a hop still signs under the key of the day before. */
export const ISSUE_GRACE_MS: number = 60 * 60 * 1000
/** A day. */
export const DAY_MS: number = 24 * 60 * 60 * 1000
const DAY_S = DAY_MS / 1000
