/**
 * How much the bytes of a traffic class count (SPEC §15.4): tokens are bought at the exit's price step, and a tunnel of a dearer class uses up as many more. The exit's
 * meter and the client's allowance weigh with this one function, so that both come to the same byte.
 * @module
 */
import { assert } from '@byway/protocol/base'
import { isClassStep, PRICE_STEPS, type TunnelTerms } from '@byway/protocol/wire'

/** `counted = ⌈bytes · classParts / priceParts⌉`. Both are positive; classParts is not the smaller. */
export type ClassWeight = { readonly classParts: number; readonly priceParts: number }

/** Of links, relays and every class that costs what the exit's other service does. */
export const SAME_PRICE: ClassWeight = { classParts: 1, priceParts: 1 }

/** The weight of a tunnel at its exit. @throws ASSERTION for prices that no descriptor may have */
export function classWeight({
  classStep,
  priceStep,
}: Pick<TunnelTerms, 'classStep' | 'priceStep'>): ClassWeight {
  assert(isClassStep(classStep, priceStep), 'prices of a class were read by the codec')
  const classParts = PRICE_STEPS[classStep] ?? 0
  const priceParts = PRICE_STEPS[priceStep] ?? 0
  return classParts === priceParts ? SAME_PRICE : { classParts, priceParts }
}

/** What so many bytes count, all of a tunnel's together. Exact for whole numbers up to 2^48. */
export function weighedBytes(bytes: number, { classParts, priceParts }: ClassWeight): number {
  return classParts === priceParts ? bytes : Math.ceil((bytes * classParts) / priceParts)
}

/** The bytes behind what was counted, rounded up. */
export function unweighedBytes(counted: number, { classParts, priceParts }: ClassWeight): number {
  return classParts === priceParts ? counted : Math.ceil((counted * priceParts) / classParts)
}
