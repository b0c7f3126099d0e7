/** Amounts as people read them. Exact: no digit is dropped from money that moved; bytes and what was computed are rounded. */

/** The money of a network. */
export type MoneyUnit = { readonly symbol: string; readonly decimals: number }

/** `1.25 TEST`; without a unit the smallest parts as they are. */
export function moneyText(amount: bigint, unit: MoneyUnit | undefined): string {
  if (!unit) return amount.toString()
  return `${decimalText(amount, unit.decimals)} ${unit.symbol}`
}

/** The same with at most five digits that count, rounded down: for what was computed, such as a deviation. */
export function roundedText(amount: bigint, unit: MoneyUnit | undefined): string {
  const digits = (amount < 0n ? -amount : amount).toString().length
  const dropped = 10n ** BigInt(Math.max(0, digits - 5))
  return moneyText((amount / dropped) * dropped, unit)
}

/** Wei as ether, exactly. */
export function gasText(wei: bigint): string {
  return `${decimalText(wei, 18)} ETH`
}

/** A whole number of parts as a decimal number, without needless zeros. */
export function decimalText(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`
}

/** `12.25 MiB`, `1.10 GiB`; two decimals. */
export function bytesText(bytes: bigint): string {
  for (const [name, shift] of [
    ['GiB', 30n],
    ['MiB', 20n],
    ['KiB', 10n],
  ] as const) {
    const one = 1n << shift
    if (bytes < one && bytes > -one) continue
    const hundredths = (bytes * 100n) / one
    const cents = (hundredths < 0n ? -hundredths : hundredths) % 100n
    return `${hundredths / 100n}.${cents.toString().padStart(2, '0')} ${name}`
  }
  return `${bytes} B`
}
