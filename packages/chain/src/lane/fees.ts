/**
 * What a unit of gas is offered (EIP-1559). The base fee comes from the block that the endpoints agree on and the tip is ours, so no endpoint can talk a fee up.
 */
import type { SignedForm } from '@byway/protocol/payment'

export type Fees = Pick<SignedForm, 'maxFeePerGas' | 'maxPriorityFeePerGas'>

// Protocol constants (change needs a spec change): docs/LIMITS.md.
/** Nodes take a replacement at 10 % more; others ask for an eighth. */
const BUMP_DIVISOR = 8n
/** The base fee rises by an eighth with each full block (EIP-1559): twice of it lasts for six. */
const BASE_FEE_FACTOR = 2n

/** First offer; undefined when even the next block may cost more than the cap. */
export function firstFees(baseFee: bigint, tip: bigint, feeCap: bigint): Fees | undefined {
  if (baseFee + tip > feeCap) return undefined
  const wanted = baseFee * BASE_FEE_FACTOR + tip
  return { maxFeePerGas: wanted < feeCap ? wanted : feeCap, maxPriorityFeePerGas: tip }
}

/** Offer for a replacement: an eighth more of both, and at least what a first offer would be; undefined when that is beyond the cap. */
export function higherFees(
  last: Fees,
  baseFee: bigint,
  tip: bigint,
  feeCap: bigint,
): Fees | undefined {
  const first = firstFees(baseFee, tip, feeCap)
  if (!first) return undefined
  const maxFeePerGas = larger(raised(last.maxFeePerGas), first.maxFeePerGas)
  if (maxFeePerGas > feeCap) return undefined
  return { maxFeePerGas, maxPriorityFeePerGas: larger(raised(last.maxPriorityFeePerGas), tip) }
}

/** Wei as gwei, for people. */
export function gweiOf(wei: bigint): number {
  return Number(wei) / 1e9
}

function raised(value: bigint): bigint {
  return value + value / BUMP_DIVISOR + 1n
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}
