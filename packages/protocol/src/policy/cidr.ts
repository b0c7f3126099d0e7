/**
 * Address prefixes: parsing `address/length` and asking whether an address lies inside.
 * A prefix of one family never holds an address of the other (IPv4-mapped text has become IPv4 before it gets here).
 */
import { formatAddress, type IpAddress, parseAddress } from './address.ts'

/** A prefix; `base` has no bits set below `bits`. */
export type Cidr = { readonly base: IpAddress; readonly bits: number }

/**
 * Parses `address/length`. Host bits may be set and are cleared, as interface listings have them; `undefined` for other text and
 * for prefixes written with an IPv4-mapped address, whose length would be ambiguous.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [addressText = '', lengthText = '', extra] = text.split('/')
  const address = parseAddress(addressText)
  if (address === undefined || extra !== undefined || !LENGTH.test(lengthText)) return undefined
  if (address.family === 4 && addressText.includes(':')) return undefined
  const bits = Number(lengthText)
  return bits > widthOf(address) ? undefined : cidrAround(address, bits)
}

/** The prefix of `bits` bits that holds `address`. `bits` must not exceed the family's width. */
export function cidrAround(address: IpAddress, bits: number): Cidr {
  const hostBits = BigInt(widthOf(address) - bits)
  return { base: { family: address.family, value: (address.value >> hostBits) << hostBits }, bits }
}

/** True when `address` lies in `cidr`. */
export function cidrHolds(cidr: Cidr, address: IpAddress): boolean {
  if (cidr.base.family !== address.family) return false
  const hostBits = BigInt(widthOf(address) - cidr.bits)
  return cidr.base.value >> hostBits === address.value >> hostBits
}

/** Writes a prefix in canonical form. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr.base)}/${cidr.bits}`
}

function widthOf(address: IpAddress): 32 | 128 {
  return address.family === 4 ? 32 : 128
}

const LENGTH = /^(?:0|[1-9][0-9]{0,2})$/
