/** What the contract holds back of wins (SPEC §17.5). */
import type { PaymentParameters } from '@byway/protocol/directory'

/** Of a win, held back by the contract until its epoch's commitment has stood, in hundredths. */
const HELD_PERCENT = 5n

/** Of a win, burned at once. */
const BURNED_PERCENT = 5n

/** What was burned of the wins of which so much was held back. */
export function burnedBeside(held: bigint): bigint {
  return (held * BURNED_PERCENT) / HELD_PERCENT
}

/** What of a win the contract holds back. */
export function heldPerWin({ proofs, winValue }: PaymentParameters): bigint {
  return proofs?.contract ? (winValue * HELD_PERCENT) / 100n : 0n
}
