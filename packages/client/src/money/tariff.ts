/**
 * What a node asks for its service, as its descriptor says it to everybody (SPEC §10.1, §13.1).
 * @module
 */
import type { PathNode, PaymentParameters } from '@byway/protocol/directory'
import { unitPrice } from '@byway/protocol/ticket'
import type { PoolTerms } from '@byway/protocol/ticket'
import type { TrafficClass } from '@byway/protocol/wire'

/** A price and who gets it. */
export type Tariff = {
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly priceStep: number
  /** Of a unit, in the token's smallest part; never 0. */
  readonly unitPrice: bigint
}

/** SPEC §13.1: the dearest. */
export const MAX_PRICE_STEP = 8

/** What a network's file says of its pool. */
export function poolTerms(parameters: PaymentParameters): PoolTerms {
  const { chainId, pool, winValue, winsPerSlot, bond, unit } = parameters
  return { chainId, pool, faceValue: winValue, winsPerSlot, bond, unit }
}

/** The step at which a node is paid in a place on a path: an exit's is that of the tunnel's class. */
export function priceStepOf({ entry }: PathNode, trafficClass: TrafficClass | undefined): number {
  const { classPrices, priceStep } = entry.descriptor
  return (trafficClass && classPrices[trafficClass]) ?? priceStep
}

/** A node's tariff, or undefined when it serves for nothing. */
export function tariffOf(pool: PoolTerms, { entry }: PathNode): Tariff | undefined {
  const { provider, priceStep } = entry.descriptor
  const price = unitPrice(pool, priceStep)
  return provider && price > 0n ? { provider, priceStep, unitPrice: price } : undefined
}
