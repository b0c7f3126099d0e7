/** Amounts of the token as people write them. */
import { walletError } from './wallet-errors.ts'

/** Writes an amount: `1234500` with 6 decimals is `1.2345`. */
export function formatAmount(amount: bigint, decimals: number): string {
  const digits = amount.toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const part = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return part === '' ? whole : `${whole}.${part}`
}

/** Reads an amount: digits, and a point with at most as many digits after it as the token has. @throws WALLET_AMOUNT */
export function parseAmount(text: string, decimals: number): bigint {
  const [, whole = '', part = ''] = /^(\d{1,30})(?:\.(\d{1,36}))?$/.exec(text) ?? []
  if (whole === '') throw walletError('WALLET_AMOUNT', { problem: 'must be a number such as 2.5' })
  if (part.length > decimals) {
    throw walletError('WALLET_AMOUNT', { problem: `the token has ${decimals} decimals` })
  }
  return BigInt(whole + part.padEnd(decimals, '0'))
}
