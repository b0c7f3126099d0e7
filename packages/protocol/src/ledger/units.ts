/**
 * Units in bytes (SPEC §13.1, §16).
 * @module
 */

import type { TokenKindName } from './events.ts'

/** A unit is 1 MiB of cell bytes. */
export const UNIT_BYTES: bigint = 1n << 20n
/** What tokens of a kind are worth; admission is worth none. */
export function bytesOfTokens(kind: TokenKindName, count: number): bigint {
  return BigInt(count) * UNITS_OF[kind] * UNIT_BYTES
}

const UNITS_OF: Readonly<Record<TokenKindName, bigint>> = {
  bandwidth: 4n,
  admission: 0n,
  bulk: 32n,
}

export function bytesOfUnits(units: number): bigint {
  return BigInt(units) * UNIT_BYTES
}
