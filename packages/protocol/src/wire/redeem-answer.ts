/** What a redeemer or a relayer answers (SPEC §15.7). @module */
import type { ByteReader } from './byte-reader.ts'
import { wireError } from './errors.ts'

/** SPEC §15.7: what a redeemer says of an order. */
export const REDEEM_ANSWER = {
  TAKEN: 0,
  NO_REDEEMER: 1,
  BAD_ORDER: 2,
  FEE_TOO_LOW: 3,
  TRY_LATER: 4,
} as const
export type RedeemAnswer = (typeof REDEEM_ANSWER)[keyof typeof REDEEM_ANSWER]

/** @throws WIRE_VALUE */
export function readRedeemAnswer(reader: ByteReader): RedeemAnswer {
  const answer = reader.u8('answer')
  const known = Object.values(REDEEM_ANSWER).find((one) => one === answer)
  if (known === undefined) throw wireError('WIRE_VALUE', { field: 'answer', value: answer })
  return known
}
