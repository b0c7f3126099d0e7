/**
 * Descriptors: a node's signed self-description (SPEC §10.1). Encodes canonically, decodes strictly; signing and
 * checking the signature are the crypto folder's over `descriptorSigningMessage`.
 *
 * ```text
 * offset size field
 *      0    1 version, 1
 *      1   32 node id
 *     33    8 sequence
 *     41    8 published
 *     49    8 expires, at most 48 h after published
 *     57   32 onion key
 *     89    1 roles           90 1 exit profile     91 1 exit flags
 *     92    2 country         94 4 ASN
 *     98   32 family id      130 32 staker id
 *    162   20 provider         182    1 price step
 *    183    2 class prices
 *    185   32 hash of the token keys
 *    217    2 gossip port, or 0
 *    219    1 a, then a × (u8 family ‖ address ‖ u16 port)
 *           1 t, then t × node id
 *           1 v, then the software version
 * end−64   64 signature over "byway descriptor v1" ‖ all before
 * ```
 * @module
 */
import { concatBytes, isAllZero } from '@byway/protocol/base'
import { addressBytesOf, readIp, type SocketAddressBytes, writeIp } from './address.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import { CHAIN_ADDRESS_BYTES } from './opening.ts'
import { MAX_PRICE_STEP } from './price-step.ts'
import { asciiBytes, asciiText, requireVersion, WIRE_VERSION } from './text.ts'
import {
  areClassPrices,
  type ClassPrices,
  readClassPrices,
  writeClassPrices,
} from './traffic-class.ts'

/** SPEC §10.1. */
export const MAX_DESCRIPTOR_BYTES = 1536
/** The fixed fields, one IPv4 address and nothing else. */
export const MIN_DESCRIPTOR_BYTES: number = 220 + 7 + 1 + 1 + 64
/** SPEC §10.1: "expires, at most 48 h after published". */
export const MAX_DESCRIPTOR_LIFE_S: number = 48 * 3600
/** SPEC §10.1: "at most one IPv4 and one IPv6, in this order". */
export const MAX_ADDRESSES = 2
/** SPEC §10.1: "number of attachment candidates, at most 6". */
export const MAX_ATTACHMENTS = 6
/** SPEC §10.1: "bytes of the software version, at most 32". */
export const MAX_SOFTWARE_BYTES = 32

/** SPEC §10.1, "roles". */
export const ROLE = { RELAY: 1, EXIT: 2 } as const

/** SPEC §10.1, "exit profile". */
export const EXIT_PROFILE = { NONE: 0, WEB: 1, REDUCED: 2 } as const
export type ExitProfile = (typeof EXIT_PROFILE)[keyof typeof EXIT_PROFILE]

/** SPEC §10.1, "exit flags". */
export const EXIT_FLAG = { IPV6: 1, DATAGRAMS: 2 } as const

/** A decoded descriptor; every byte field is a copy. */
export type Descriptor = {
  readonly nodeId: Uint8Array
  readonly sequence: number
  readonly publishedS: number
  readonly expiresS: number
  readonly onionKey: Uint8Array
  /** Bits of {@link ROLE}. */
  readonly roles: number
  readonly exitProfile: ExitProfile
  /** Bits of {@link EXIT_FLAG}. */
  readonly exitFlags: number
  /** Two upper-case letters, or '' when not said. */
  readonly country: string
  /** 0 when not said. */
  readonly asn: number
  /** Undefined when the node is in no family. */
  readonly familyId: Uint8Array | undefined
  readonly stakerId: Uint8Array | undefined
  /** The 20-byte address to which tickets are made out (SPEC §13.1); undefined when the node takes no pay. */
  readonly provider: Uint8Array | undefined
  /** SPEC §13.1; 0 is free. */
  readonly priceStep: number
  /** What an exit takes, and for how much; nothing at another node. */
  readonly classPrices: ClassPrices
  /** Hash of the token keys (SPEC §16); undefined when the node sells none. */
  readonly tokenKeysHash: Uint8Array | undefined
  /** Where the node listens for gossip (SPEC §10.4), at the same addresses; 0 when it does not. */
  readonly gossipPort: number
  readonly addresses: readonly SocketAddressBytes[]
  /** Node ids of the relays that this node may be attached to. */
  readonly attachments: readonly Uint8Array[]
  readonly software: string
}

/** A descriptor with its signature, not checked here. */
export type SignedDescriptor = { readonly descriptor: Descriptor; readonly signature: Uint8Array }

/**
 * Decodes a signed descriptor. Accepts only what {@link encodeDescriptor} makes of the result.
 *
 * @throws WIRE_VERSION, WIRE_LENGTH, WIRE_VALUE
 */
export function decodeDescriptor(bytes: Uint8Array): SignedDescriptor {
  if (bytes.length < MIN_DESCRIPTOR_BYTES || bytes.length > MAX_DESCRIPTOR_BYTES) {
    const want = MAX_DESCRIPTOR_BYTES
    throw wireError('WIRE_LENGTH', { field: 'descriptor', want, have: bytes.length })
  }
  const reader = new ByteReader(bytes)
  requireVersion(reader.u8('version'))
  const descriptor: Descriptor = {
    nodeId: reader.copy(32, 'nodeId'),
    sequence: reader.u64('sequence'),
    ...readLife(reader),
    onionKey: reader.copy(32, 'onionKey'),
    roles: readBits(reader, 'roles', ROLE.RELAY | ROLE.EXIT),
    exitProfile: readExitProfile(reader),
    exitFlags: readBits(reader, 'exitFlags', EXIT_FLAG.IPV6 | EXIT_FLAG.DATAGRAMS),
    country: readCountry(reader),
    asn: reader.u32('asn'),
    familyId: readOptional(reader, 32, 'familyId'),
    stakerId: readOptional(reader, 32, 'stakerId'),
    provider: readOptional(reader, CHAIN_ADDRESS_BYTES, 'provider'),
    priceStep: readCount(reader, MAX_PRICE_STEP, 'priceStep'),
    classPrices: readClassPrices(reader),
    tokenKeysHash: readOptional(reader, 32, 'tokenKeysHash'),
    gossipPort: reader.u16('gossipPort'),
    addresses: readCounted(reader, MAX_ADDRESSES, 'addresses', readAddress),
    attachments: readCounted(reader, MAX_ATTACHMENTS, 'attachments', (r) => r.copy(32, 'nodeId')),
    software: asciiText(reader.view(readCount(reader, MAX_SOFTWARE_BYTES, 'software'), 'software')),
  }
  const signature = reader.copy(SIGNATURE_BYTES, 'signature')
  reader.end('descriptor')
  const count = descriptor.addresses.length
  if (count + descriptor.attachments.length === 0 || !isOneOfEach(descriptor.addresses)) {
    throw wireError('WIRE_VALUE', { field: 'addresses', value: count })
  }
  if (!hasFittingPrices(descriptor)) {
    throw wireError('WIRE_VALUE', { field: 'classPrices', value: descriptor.priceStep })
  }
  return { descriptor, signature }
}

/**
 * Encodes a descriptor up to its signature, which the caller makes over these bytes.
 *
 * @throws WIRE_ENCODE
 */
export function encodeUnsignedDescriptor(descriptor: Descriptor): Uint8Array {
  requireEncodable(descriptor)
  const software = asciiBytes(descriptor.software)
  const writer = new ByteWriter(new Uint8Array(unsignedBytes(descriptor)))
  writer
    .u8(WIRE_VERSION, 'version')
    .fixed(descriptor.nodeId, 32, 'nodeId')
    .u64(descriptor.sequence, 'sequence')
    .u64(descriptor.publishedS, 'published')
    .u64(descriptor.expiresS, 'expires')
    .fixed(descriptor.onionKey, 32, 'onionKey')
    .u8(descriptor.roles, 'roles')
    .u8(descriptor.exitProfile, 'exitProfile')
    .u8(descriptor.exitFlags, 'exitFlags')
    .raw(countryBytes(descriptor.country), 'country')
    .u32(descriptor.asn, 'asn')
    .fixed(descriptor.familyId ?? NO_ID, 32, 'familyId')
    .fixed(descriptor.stakerId ?? NO_ID, 32, 'stakerId')
    .fixed(descriptor.provider ?? NO_PROVIDER, CHAIN_ADDRESS_BYTES, 'provider')
    .u8(descriptor.priceStep, 'priceStep')
  writeClassPrices(writer, descriptor.classPrices)
    .fixed(descriptor.tokenKeysHash ?? NO_ID, 32, 'tokenKeysHash')
    .u16(descriptor.gossipPort, 'gossipPort')
    .u8(descriptor.addresses.length, 'addresses')
  for (const address of descriptor.addresses) writeIp(writer, address).u16(address.port, 'port')
  writer.u8(descriptor.attachments.length, 'attachments')
  for (const nodeId of descriptor.attachments) writer.fixed(nodeId, 32, 'nodeId')
  return writer.u8(software.length, 'software').raw(software, 'software').done()
}

/** Joins what {@link encodeUnsignedDescriptor} made and the signature over it. @throws WIRE_ENCODE */
export function encodeDescriptor(descriptor: Descriptor, signature: Uint8Array): Uint8Array {
  if (signature.length !== SIGNATURE_BYTES) throw wireError('WIRE_ENCODE', { field: 'signature' })
  return concatBytes(encodeUnsignedDescriptor(descriptor), signature)
}

/** Returns a view of what the identity key signs of a whole descriptor: all before the signature. */
export function unsignedPartOf(descriptorBytes: Uint8Array): Uint8Array {
  return descriptorBytes.subarray(0, Math.max(0, descriptorBytes.length - SIGNATURE_BYTES))
}

function readLife(reader: ByteReader): { publishedS: number; expiresS: number } {
  const publishedS = reader.u64('published')
  const expiresS = reader.u64('expires')
  const lifeS = expiresS - publishedS
  if (lifeS <= 0 || lifeS > MAX_DESCRIPTOR_LIFE_S) {
    throw wireError('WIRE_VALUE', { field: 'expires', value: lifeS })
  }
  return { publishedS, expiresS }
}

function readBits(reader: ByteReader, field: string, known: number): number {
  const bits = reader.u8(field)
  if ((bits & ~known) !== 0) throw wireError('WIRE_VALUE', { field, value: bits })
  return bits
}

function readExitProfile(reader: ByteReader): ExitProfile {
  const profile = reader.u8('exitProfile')
  if (!isExitProfile(profile)) {
    throw wireError('WIRE_VALUE', { field: 'exitProfile', value: profile })
  }
  return profile
}

function isExitProfile(byte: number): byte is ExitProfile {
  return byte <= EXIT_PROFILE.REDUCED
}

/** Two letters, or '' for two zeros. @throws WIRE_VALUE */
export function readCountry(reader: ByteReader): string {
  const letters = reader.view(2, 'country')
  if (letters[0] === 0 && letters[1] === 0) return ''
  const country = asciiText(letters)
  if (!isCountry(country)) throw wireError('WIRE_VALUE', { field: 'country', value: letters[0]! })
  return country
}

/** The bytes of two letters, or of ''. */
export function countryBytes(country: string): Uint8Array {
  return country === '' ? NO_COUNTRY : asciiBytes(country)
}

function isCountry(text: string): boolean {
  return /^[A-Z]{2}$/.test(text)
}

/** SPEC §10.1, "or zeros". */
function readOptional(reader: ByteReader, bytes: number, field: string): Uint8Array | undefined {
  const value = reader.copy(bytes, field)
  return isAllZero(value) ? undefined : value
}

function readAddress(reader: ByteReader): SocketAddressBytes {
  const ip = readIp(reader)
  const port = reader.u16('port')
  if (port === 0) throw wireError('WIRE_VALUE', { field: 'port', value: 0 })
  return { ...ip, port }
}

function readCount(reader: ByteReader, max: number, field: string): number {
  const count = reader.u8(field)
  if (count > max) throw wireError('WIRE_VALUE', { field, value: count })
  return count
}

function readCounted<T>(
  reader: ByteReader,
  max: number,
  field: string,
  read: (reader: ByteReader) => T,
): T[] {
  return Array.from({ length: readCount(reader, max, field) }, () => read(reader))
}

function unsignedBytes({ addresses, attachments, software }: Descriptor): number {
  const addressBytes = addresses.reduce((sum, { family }) => sum + 3 + addressBytesOf(family), 0)
  return FIXED_BYTES + addressBytes + 1 + 32 * attachments.length + 1 + software.length
}

/** What the decoder refuses and a field's width does not show. */
function requireEncodable(descriptor: Descriptor): void {
  const lifeS = descriptor.expiresS - descriptor.publishedS
  const faults: Record<string, boolean> = {
    expires: lifeS <= 0 || lifeS > MAX_DESCRIPTOR_LIFE_S,
    roles: (descriptor.roles & ~(ROLE.RELAY | ROLE.EXIT)) !== 0,
    exitFlags: (descriptor.exitFlags & ~(EXIT_FLAG.IPV6 | EXIT_FLAG.DATAGRAMS)) !== 0,
    country: descriptor.country !== '' && !isCountry(descriptor.country),
    familyId: isZeros(descriptor.familyId),
    stakerId: isZeros(descriptor.stakerId),
    provider: isZeros(descriptor.provider),
    priceStep: descriptor.priceStep > MAX_PRICE_STEP,
    classPrices: !hasFittingPrices(descriptor),
    tokenKeysHash: isZeros(descriptor.tokenKeysHash),
    addresses:
      !isOneOfEach(descriptor.addresses) ||
      descriptor.addresses.some(({ port }) => port === 0) ||
      descriptor.addresses.length + descriptor.attachments.length === 0,
    attachments: descriptor.attachments.length > MAX_ATTACHMENTS,
    software: descriptor.software.length > MAX_SOFTWARE_BYTES,
  }
  for (const [field, isFault] of Object.entries(faults)) {
    if (isFault) throw wireError('WIRE_ENCODE', { field })
  }
}

/** SPEC §10.1: "at most one IPv4 and one IPv6, in this order": each address more would be a block in which its node lowers the share of others. */
function isOneOfEach(addresses: readonly SocketAddressBytes[]): boolean {
  return addresses.every(({ family }, index) => family > (addresses[index - 1]?.family ?? 0))
}

/** SPEC §10.1: "An exit takes one class or more". */
function hasFittingPrices({ classPrices, priceStep, roles }: Descriptor): boolean {
  return areClassPrices(classPrices, priceStep, (roles & ROLE.EXIT) !== 0)
}

/** Zeros say "none": undefined does here. */
function isZeros(value: Uint8Array | undefined): boolean {
  return value !== undefined && isAllZero(value)
}

const FIXED_BYTES = 220
const SIGNATURE_BYTES = 64
const NO_ID = new Uint8Array(32)
const NO_PROVIDER = new Uint8Array(CHAIN_ADDRESS_BYTES)
const NO_COUNTRY = new Uint8Array(2)
