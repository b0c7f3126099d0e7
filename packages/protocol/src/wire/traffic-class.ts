/**
 * Traffic classes (SPEC §10.1): what a client says its traffic is, which exits take or not and price apart. The class is what the client says of itself; nothing here
 * proves it.
 *
 * ```text
 * in a descriptor   2 class prices: browse, collect; each 0 where it is not taken, else 1 + price step
 * in OPEN           1 class   1 price step of the class   1 price step of the exit
 * ```
 * @module
 */
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import { MAX_PRICE_STEP } from './price-step.ts'

/** In the order of their numbers in OPEN and of their prices in a descriptor. */
export const TRAFFIC_CLASSES = ['browse', 'collect'] as const

/** `browse`: a person looks at pages. `collect`: a program gathers them. */
export type TrafficClass = (typeof TRAFFIC_CLASSES)[number]

/** The price step of each class that an exit takes; undefined for one that it does not. */
export type ClassPrices = Readonly<Record<TrafficClass, number | undefined>>

/** Of a node that is no exit. */
export const NO_CLASSES: ClassPrices = { browse: undefined, collect: undefined }

/** What a tunnel is opened for, and the prices that its client has read (SPEC §9.2). */
export type TunnelTerms = {
  readonly trafficClass: TrafficClass
  /** Of the class. */
  readonly classStep: number
  /** Of the exit: what its tokens are bought at. */
  readonly priceStep: number
}

/** What a client says when it opens a tunnel to this exit; undefined where the exit does not take the class. */
export function tunnelTerms(
  { classPrices, priceStep }: { readonly classPrices: ClassPrices; readonly priceStep: number },
  trafficClass: TrafficClass,
): TunnelTerms | undefined {
  const classStep = classPrices[trafficClass]
  return classStep === undefined ? undefined : { trafficClass, classStep, priceStep }
}

/** SPEC §10.1: a class costs no less than the node's price step, and nothing where that is 0. */
export function isClassStep(classStep: number, priceStep: number): boolean {
  const isInTable = Number.isInteger(classStep) && classStep >= 0 && classStep <= MAX_PRICE_STEP
  return isInTable && (priceStep === 0 ? classStep === 0 : classStep >= priceStep)
}

/** The classes that are taken, in their order. */
export function classesOf(prices: ClassPrices): readonly TrafficClass[] {
  return TRAFFIC_CLASSES.filter((each) => prices[each] !== undefined)
}

/** SPEC §10.1: an exit takes at least one class, another node none. */
export function areClassPrices(prices: ClassPrices, priceStep: number, isExit: boolean): boolean {
  const steps = TRAFFIC_CLASSES.flatMap((each) => prices[each] ?? [])
  return steps.length > 0 === isExit && steps.every((step) => isClassStep(step, priceStep))
}

/** @throws WIRE_VALUE for a step that is not in the table */
export function readClassPrices(reader: ByteReader): ClassPrices {
  return { browse: readClassPrice(reader), collect: readClassPrice(reader) }
}

export function writeClassPrices(writer: ByteWriter, prices: ClassPrices): ByteWriter {
  for (const each of TRAFFIC_CLASSES) writer.u8(byteOfPrice(prices[each]), 'classPrices')
  return writer
}

/** @throws WIRE_VALUE for an unknown class, and for prices that no descriptor may have */
export function readTunnelTerms(reader: ByteReader): TunnelTerms {
  const number = reader.u8('trafficClass')
  const trafficClass = TRAFFIC_CLASSES[number]
  if (!trafficClass) throw wireError('WIRE_VALUE', { field: 'trafficClass', value: number })
  const classStep = reader.u8('classStep')
  const priceStep = reader.u8('priceStep')
  if (priceStep > MAX_PRICE_STEP)
    throw wireError('WIRE_VALUE', { field: 'priceStep', value: priceStep })
  if (!isClassStep(classStep, priceStep))
    throw wireError('WIRE_VALUE', { field: 'classStep', value: classStep })
  return { trafficClass, classStep, priceStep }
}

/** @throws WIRE_ENCODE */
export function writeTunnelTerms(
  writer: ByteWriter,
  { trafficClass, classStep, priceStep }: TunnelTerms,
): ByteWriter {
  if (priceStep > MAX_PRICE_STEP || !isClassStep(classStep, priceStep))
    throw wireError('WIRE_ENCODE', { field: 'classStep' })
  return writer
    .u8(TRAFFIC_CLASSES.indexOf(trafficClass), 'trafficClass')
    .u8(classStep, 'classStep')
    .u8(priceStep, 'priceStep')
}

function readClassPrice(reader: ByteReader): number | undefined {
  const byte = reader.u8('classPrices')
  if (byte > MAX_PRICE_STEP + 1)
    throw wireError('WIRE_VALUE', { field: 'classPrices', value: byte })
  return byte === 0 ? undefined : byte - 1
}

function byteOfPrice(step: number | undefined): number {
  return step === undefined ? 0 : step + 1
}
