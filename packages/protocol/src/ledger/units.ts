/**
 * Units in bytes (SPEC §13.1, §16).
 * @module
 */

/** A unit is 1 MiB of cell bytes. */
export const UNIT_BYTES: bigint = 1n << 20n
/** A bandwidth token is worth four units. */
export const TOKEN_BYTES: bigint = 4n * UNIT_BYTES

export function bytesOfUnits(units: number): bigint {
  return BigInt(units) * UNIT_BYTES
}
