/** What a table should hold. It is written with every change, so it tells when rows are gone or were put back to an older version. */
import { isSameMac, macOf, type MacKey } from './row-mac.ts'

export type Tally = {
  readonly rows: number
  /** Place of the next fresh row; places are never used again. */
  readonly next: number
  /** Number of the table's last write. */
  readonly revision: number
  /** XOR of the MACs of all rows. */
  readonly mixed: bigint
}

export const EMPTY_TALLY: Tally = { rows: 0, next: 1, revision: 0, mixed: 0n }

/** Columns of the table of tallies, in the order in which they lie on the disk. */
export const TALLY_COLUMNS = ['name', 'rows', 'next', 'revision', 'mixed', 'mac'] as const

const LABEL = 'byway tally v1'
const MIXED_HEX_DIGITS = 66

type TallyCells = readonly [string, number, number, number, Uint8Array, Uint8Array]

/** A tally as it is stored. */
export function tallyCells(key: MacKey, name: string, tally: Tally): TallyCells {
  const { rows, next, revision } = tally
  const mixed = Buffer.from(tally.mixed.toString(16).padStart(MIXED_HEX_DIGITS, '0'), 'hex')
  return [name, rows, next, revision, mixed, macOf(key, [LABEL, name, rows, next, revision, mixed])]
}

/** Reads a stored tally; nothing when its MAC is wrong. */
export function readTally(key: MacKey, cells: readonly unknown[]): Tally | undefined {
  const [name, rows, next, revision, mixed, mac] = cells
  if (typeof name !== 'string' || !isCount(rows) || !isCount(next) || !isCount(revision))
    return undefined
  if (!(mixed instanceof Uint8Array) || mixed.length === 0) return undefined
  const right = macOf(key, [LABEL, name, rows, next, revision, mixed])
  if (!isSameMac(right, mac)) return undefined
  return { rows, next, revision, mixed: BigInt(`0x${Buffer.from(mixed).toString('hex')}`) }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}
