/**
 * What an exit asks for each traffic class that it takes (SPEC §10.1), from what the operator chose.
 * @module
 */
import { areClassPrices } from '@byway/protocol/wire'
import type { ClassPrices, TrafficClass, TunnelTerms } from '@byway/protocol/wire'
import { nodeError } from '../errors.ts'
import type { ExitRoleOptions } from './exit-options.ts'

/** The class that an exit takes unless its operator says otherwise. */
export const DEFAULT_CLASSES: readonly TrafficClass[] = ['browse']

/**
 * Gives the prices. A class without one of its own costs what the node's other service does.
 *
 * @param priceStep - the node's (SPEC §13.1); undefined in a network where nothing is paid: then prices of classes say nothing
 * @throws NODE_EXIT_CLASS for no class at all, and for one below the node's price
 */
export function classPricesOf(
  { classes = DEFAULT_CLASSES, classPrices = {} }: Pick<ExitRoleOptions, 'classes' | 'classPrices'>,
  priceStep: number | undefined,
): ClassPrices {
  const isTaken = new Set(classes)
  const priceOf = (each: TrafficClass): number | undefined => {
    if (!isTaken.has(each)) return undefined
    return priceStep === undefined ? 0 : (classPrices[each] ?? priceStep)
  }
  const prices: ClassPrices = { browse: priceOf('browse'), collect: priceOf('collect') }
  if (!areClassPrices(prices, priceStep ?? 0, true))
    throw nodeError('NODE_EXIT_CLASS', { priceStep })
  return prices
}

/** True for a tunnel of a class that is taken, whose client has read the prices that hold (SPEC §9.2). */
export function takesTunnel(prices: ClassPrices, priceStep: number, terms: TunnelTerms): boolean {
  return terms.priceStep === priceStep && prices[terms.trafficClass] === terms.classStep
}
