/** What a node of one's own network has earned: what its units are worth beside what its wins pay. Lottery pay looks wrong without both. */
import type { PaymentParameters } from '@byway/protocol/directory'
import { unitPrice } from '@byway/protocol/ticket'
import type { ProgramEvent } from '@byway/testnet'
import type { JsonObject } from '../output.ts'
import { formatAmount } from '../wallet/amounts.ts'

export type Earnings = {
  readonly units: number
  readonly wins: number
  /** Wins that the chain has not paid yet. */
  readonly openWins: number
  /** What the units are worth, the token's smallest parts. */
  readonly expected: bigint
  /** What the wins pay, before the fee. */
  readonly won: bigint
}

/** Reads a node's status; undefined for a node that is not paid. */
export function earningsOf(status: ProgramEvent, payment: PaymentParameters): Earnings | undefined {
  const { money } = status
  if (typeof money !== 'object' || money === null) return undefined
  const units = countOf(Reflect.get(money, 'unitsPaid'))
  const wins = countOf(Reflect.get(money, 'wins'))
  const price = unitPrice({ ...payment, faceValue: payment.winValue }, countOf(status['priceStep']))
  return {
    units,
    wins,
    openWins: countOf(status['openWins']),
    expected: BigInt(Math.floor(units)) * price,
    won: BigInt(wins) * payment.winValue,
  }
}

/** The same for scripts: whole tokens as text. */
export function earningsFields(
  { units, wins, openWins, expected, won }: Earnings,
  { tokenDecimals, tokenSymbol }: Pick<PaymentParameters, 'tokenDecimals' | 'tokenSymbol'>,
): JsonObject {
  return {
    token: tokenSymbol,
    units,
    expected: formatAmount(expected, tokenDecimals),
    wins,
    won: formatAmount(won, tokenDecimals),
    openWins,
  }
}

/** `0.0123 tBYW`, cut after four digits. */
export function describeAmount(
  amount: bigint,
  { tokenDecimals, tokenSymbol }: Pick<PaymentParameters, 'tokenDecimals' | 'tokenSymbol'>,
): string {
  const shown = Math.min(SHOWN_DECIMALS, tokenDecimals)
  const cut = amount / 10n ** BigInt(tokenDecimals - shown)
  const text = cut.toString().padStart(shown + 1, '0')
  const fraction = shown === 0 ? '' : `.${text.slice(-shown)}`
  return `${text.slice(0, text.length - shown)}${fraction} ${tokenSymbol}`
}

function countOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

const SHOWN_DECIMALS = 4
