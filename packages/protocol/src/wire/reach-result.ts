/** What a node found when it tried to reach another one from outside (SPEC §10.5). @module */
import type { ByteReader } from './byte-reader.ts'
import { wireError } from './errors.ts'

/** SPEC §10.5: how the trial ended. */
export const REACH_RESULT = {
  /** The node answered there and proved itself. */
  REACHED: 0,
  /** Something refuses connections there. */
  REFUSED: 1,
  /** Nothing answered in time. */
  SILENT: 2,
  /** Something answered that is not this node. */
  STRANGER: 3,
  /** The asked one does not try now, or not there. */
  UNTRIED: 4,
} as const
export type ReachResult = (typeof REACH_RESULT)[keyof typeof REACH_RESULT]

/** @throws WIRE_VALUE */
export function readReachResult(reader: ByteReader): ReachResult {
  const result = reader.u8('result')
  const known = Object.values(REACH_RESULT).find((one) => one === result)
  if (known === undefined) throw wireError('WIRE_VALUE', { field: 'result', value: result })
  return known
}
