/**
 * What a hop says to a showing, a ticket or a purchase (SPEC §15.6).
 * @module
 */
import { wireError } from './errors.ts'

/** SPEC §15.6. Names are those of the table. */
export const VERDICT = {
  OK: 0,
  BAD_PROOF: 1,
  UNKNOWN_ROOT: 2,
  SLOT_TAKEN: 3,
  SLOT_USED: 4,
  BAD_SIGNATURE: 5,
  BAD_INDEX: 6,
  BAD_AMOUNT: 7,
  NOT_PAID: 8,
  UNKNOWN_KEY: 9,
  BAD_TOKEN: 10,
  SPENT: 11,
  TRY_LATER: 12,
  EXPIRED: 13,
} as const
export type Verdict = (typeof VERDICT)[keyof typeof VERDICT]
export type VerdictName = keyof typeof VERDICT

/** A verdict that says no: what REFUSED may carry. */
export type Refusal = Exclude<Verdict, typeof VERDICT.OK>

/** Reads a verdict. @throws WIRE_VALUE for one that the table does not have */
export function parseVerdict(byte: number): Verdict {
  if (!isVerdict(byte)) throw wireError('WIRE_VALUE', { field: 'verdict', value: byte })
  return byte
}

/** Reads a verdict that says no. @throws WIRE_VALUE for OK and for one that the table does not have */
export function parseRefusal(byte: number): Refusal {
  const verdict = parseVerdict(byte)
  if (verdict === VERDICT.OK) throw wireError('WIRE_VALUE', { field: 'verdict', value: byte })
  return verdict
}

/** Returns the name of SPEC §15.6, for logs and messages. */
export function verdictName(verdict: Verdict): VerdictName {
  return VERDICT_NAMES[verdict]!
}

function isVerdict(byte: number): byte is Verdict {
  return byte >= VERDICT.OK && byte <= VERDICT.EXPIRED
}

const VERDICT_NAMES = Object.keys(VERDICT) as VerdictName[]
