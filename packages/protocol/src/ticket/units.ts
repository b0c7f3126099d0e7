/**
 * What is counted and paid for (SPEC §13.1, §16): units of cell bytes, and tokens of several units.
 * @module
 */

// Protocol constants (change needs a spec change): SPEC §13.1, §16.
/** "A unit is 1 MiB (2^20 bytes) of cells." */
export const UNIT_BYTES = 1_048_576
/** "bandwidth, worth 4 units". */
export const TOKEN_UNITS = 4
/** "bulk, worth 32 units". */
export const BULK_TOKEN_UNITS = 32
