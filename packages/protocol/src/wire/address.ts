/**
 * IP addresses as descriptors and messages carry them: `u8 family ‖ address` (SPEC §4.4, §7.1, §10.1).
 * Says nothing about which addresses may be used: that is the policy folder's.
 * @module
 */
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'

/** The family byte of an address; also the number of its IP version. */
export type IpFamily = 4 | 6

/** An IP address; 4 bytes in family 4, 16 in family 6. */
export type IpBytes = { readonly family: IpFamily; readonly bytes: Uint8Array }

/** An address with a TCP port, as a listener of a descriptor. */
export type SocketAddressBytes = IpBytes & { readonly port: number }

/** Returns the bytes of an address of this family. */
export function addressBytesOf(family: IpFamily): 4 | 16 {
  return family === 4 ? 4 : 16
}

/** Reads `u8 family`. @throws WIRE_VALUE, WIRE_LENGTH */
export function readFamily(reader: ByteReader): IpFamily {
  const family = reader.u8('family')
  if (family !== 4 && family !== 6)
    throw wireError('WIRE_VALUE', { field: 'family', value: family })
  return family
}

/** Reads `u8 family ‖ address`; the address is a copy. @throws WIRE_VALUE, WIRE_LENGTH */
export function readIp(reader: ByteReader): IpBytes {
  const family = readFamily(reader)
  return { family, bytes: reader.copy(addressBytesOf(family), 'address') }
}

/** Writes `u8 family ‖ address`. @throws WIRE_ENCODE */
export function writeIp(writer: ByteWriter, ip: IpBytes): ByteWriter {
  return writer.u8(ip.family, 'family').fixed(ip.bytes, addressBytesOf(ip.family), 'address')
}
