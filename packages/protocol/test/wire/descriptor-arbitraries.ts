/** Arbitrary descriptors, and traffic classes with the prices that one may have. */
import fc from 'fast-check'
import {
  type Descriptor,
  type IpBytes,
  NO_CLASSES,
  ROLE,
  type SocketAddressBytes,
  TRAFFIC_CLASSES,
  type TunnelTerms,
} from '@byway/protocol/wire'
import { bytes, nonZero, record, u16, u32, u64 } from './basic-arbitraries.ts'

/** A price step and one of a class that it allows. */
const steps = fc.integer({ min: 0, max: 8 }).chain((priceStep) =>
  fc.record({
    priceStep: fc.constant(priceStep),
    classStep: fc.integer({ min: priceStep, max: priceStep === 0 ? 0 : 8 }),
    otherStep: fc.integer({ min: priceStep, max: priceStep === 0 ? 0 : 8 }),
  }),
)
export const tunnelTerms: fc.Arbitrary<TunnelTerms> = fc
  .tuple(steps, fc.constantFrom(...TRAFFIC_CLASSES))
  .map(([{ priceStep, classStep }, trafficClass]) => ({ trafficClass, classStep, priceStep }))
/** Of an exit: one class, the other, or both. */
const exitPrices: fc.Arbitrary<Pick<Descriptor, 'priceStep' | 'classPrices'>> = fc
  .tuple(steps, fc.constantFrom('browse', 'collect', 'both'))
  .map(([{ priceStep, classStep, otherStep }, which]) => ({
    priceStep,
    classPrices: {
      browse: which === 'collect' ? undefined : classStep,
      collect: which === 'browse' ? undefined : otherStep,
    },
  }))

export const ip: fc.Arbitrary<IpBytes> = fc.oneof(
  record<IpBytes>({ family: fc.constant(4 as const), bytes: bytes(4) }),
  record<IpBytes>({ family: fc.constant(6 as const), bytes: bytes(16) }),
)
const anyPort = fc.integer({ min: 1, max: 0xffff })
/** One IPv4, one IPv6, or both. */
const ownAddresses: fc.Arbitrary<SocketAddressBytes[]> = fc
  .tuple(bytes(4), bytes(16), anyPort, anyPort, fc.constantFrom('4', '6', '46'))
  .map(([four, six, port4, port6, which]) => [
    ...(which.includes('4') ? [{ family: 4 as const, bytes: four, port: port4 }] : []),
    ...(which.includes('6') ? [{ family: 6 as const, bytes: six, port: port6 }] : []),
  ])
export const socketAddress: fc.Arbitrary<SocketAddressBytes> = fc
  .tuple(ip, anyPort)
  .map(([address, port]) => ({ ...address, port }))

const optional = (length: number): fc.Arbitrary<Uint8Array | undefined> =>
  fc.option(nonZero(length), { nil: undefined })
const optionalId = optional(32)

export const descriptor: fc.Arbitrary<Descriptor> = fc
  .tuple(
    record<Omit<Descriptor, 'publishedS' | 'expiresS' | 'priceStep' | 'classPrices'>>({
      nodeId: bytes(32),
      sequence: u64,
      onionKey: bytes(32),
      roles: fc.integer({ min: 0, max: 3 }),
      exitProfile: fc.constantFrom(0 as const, 1 as const, 2 as const),
      exitFlags: fc.integer({ min: 0, max: 3 }),
      country: fc.constantFrom('', 'DE', 'NO', 'ZZ'),
      asn: u32,
      familyId: optionalId,
      stakerId: optionalId,
      provider: optional(20),
      tokenKeysHash: optional(32),
      gossipPort: u16,
      addresses: ownAddresses,
      attachments: fc.array(bytes(32), { maxLength: 6 }),
      software: fc.string({ maxLength: 32, unit: 'grapheme-ascii' }),
    }),
    u32,
    fc.integer({ min: 1, max: 48 * 3600 }),
    exitPrices,
  )
  .map(([fields, publishedS, lifeS, { priceStep, classPrices }]) => ({
    ...fields,
    priceStep,
    classPrices: (fields.roles & ROLE.EXIT) === 0 ? NO_CLASSES : classPrices,
    publishedS,
    expiresS: publishedS + lifeS,
  }))
