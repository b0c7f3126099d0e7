/**
 * NAT64 addresses: taking the IPv4 address out of one (RFC 6052 §2.2) and finding a network's prefixes (RFC 7050 §3).
 * Whether such an address may be reached is decided in `judge.ts`; the lookup of `ipv4only.arpa` is the caller's.
 */
import type { IpAddress } from './address.ts'
import { type Cidr, cidrAround, parseCidr } from './cidr.ts'

/** Prefix lengths that RFC 6052 §2.2 allows. */
export const NAT64_PREFIX_BITS: readonly number[] = [32, 40, 48, 56, 64, 96]

/** `64:ff9b::/96`, the well-known prefix (RFC 6052 §2.1). */
export const NAT64_WELL_KNOWN: Cidr = wellKnownPrefix()

/**
 * The IPv4 address inside an address of a NAT64 prefix of `prefixBits`; `undefined` when bits 64–71 are not zero, as RFC 6052 §2.2
 * demands for prefixes shorter than 96.
 */
export function unwrapNat64(address: IpAddress, prefixBits: number): IpAddress | undefined {
  if (prefixBits === 96) return { family: 4, value: address.value & 0xffff_ffffn }
  if ((address.value >> 56n) & 0xffn) return undefined
  const upperBits = BigInt(64 - prefixBits)
  const lowerBits = 32n - upperBits
  const upper = (address.value >> 64n) & mask(upperBits)
  const lower = (address.value >> (56n - lowerBits)) & mask(lowerBits)
  return { family: 4, value: (upper << lowerBits) | lower }
}

/** Finds the NAT64 prefixes that the AAAA answers for `ipv4only.arpa` reveal, longest first (RFC 7050 §3). */
export function findNat64Prefixes(answers: readonly IpAddress[]): readonly Cidr[] {
  const found: Cidr[] = []
  for (const answer of answers) {
    if (answer.family !== 6) continue
    for (const bits of NAT64_PREFIX_BITS.toReversed()) {
      const inner = unwrapNat64(answer, bits)
      if (inner !== undefined && IPV4ONLY.includes(inner.value))
        found.push(cidrAround(answer, bits))
    }
  }
  return found
}

function wellKnownPrefix(): Cidr {
  const parsed = parseCidr('64:ff9b::/96')
  if (parsed === undefined) throw new TypeError('not a prefix')
  return parsed
}

function mask(bits: bigint): bigint {
  return (1n << bits) - 1n
}

/** 192.0.0.170 and 192.0.0.171, the addresses of `ipv4only.arpa` (RFC 7050 §2.2). */
const IPV4ONLY: readonly bigint[] = [0xc0_00_00_aan, 0xc0_00_00_abn]
