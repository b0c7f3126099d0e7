/**
 * Errors of the client's money. None holds a nullifier, an address of the chain or a node id.
 * @module
 */
import { errorBuilder, isBywayError } from '@byway/protocol/base'
import type { ErrorBuilder, ErrorOf } from '@byway/protocol/base'

type MoneyErrors = {
  /** What may be spent in this session or month is spent: raise `--budget`. Amounts are the token's smallest parts. */
  BUDGET_SPENT: { limit: string }
  /** No slot is left to show to another hop: deposit more, or take back what is no longer used. */
  DEPOSIT_SPENT: { slots: number }
  /** The deposit stands under no published root yet: wait for the next one. */
  DEPOSIT_TOO_NEW: Record<string, never>
  /** A hop does not take what it is offered, or does not answer; `verdict` is its name in SPEC §15.6, or what went wrong. */
  PAYMENT_REFUSED: { verdict: string }
}

export type MoneyError = ErrorOf<MoneyErrors>

export const moneyError: ErrorBuilder<MoneyErrors> = errorBuilder<MoneyErrors>({
  BUDGET_SPENT: ['payment', 'the budget is spent: raise it with --budget'],
  DEPOSIT_SPENT: ['payment', 'no slot of the deposit is left: see byway wallet deposit'],
  DEPOSIT_TOO_NEW: ['payment', 'the deposit is not published yet: wait for the next root'],
  PAYMENT_REFUSED: ['peer', 'a hop does not take the payment'],
})

/** True where a hop took no pay. */
export function isRefused(error: unknown): boolean {
  return isBywayError(error) && error.code === 'PAYMENT_REFUSED'
}

/** True where a hop took no pay and turned nothing down: the same slot may be shown to it again, and costs nothing more. */
export function isPutOff(error: unknown): boolean {
  if (!isBywayError(error) || error.code !== 'PAYMENT_REFUSED') return false
  return PUT_OFF.has((error.context as { readonly verdict: string }).verdict)
}

/** Verdicts that say nothing against the slot (SPEC §15.6), and what is said of a hop that says nothing. */
const PUT_OFF: ReadonlySet<string> = new Set([
  'TRY_LATER',
  'UNKNOWN_ROOT',
  'NO_ANSWER',
  'CLOSED',
  'DISK',
])
