/**
 * IP addresses as canonical values: strict parsers for the two text forms and one formatter.
 *
 * IPv4 is the dotted quad of RFC 6943 §3.1.1 (strict): four decimal parts, no leading zeros. IPv6 is RFC 4291 §2.2 on input and
 * RFC 5952 on output. An IPv4-mapped address (`::ffff:0:0/96`, either spelling) *is* its IPv4 address here, so that no later rule
 * can be dodged by the spelling. Zone ids, octal, hexadecimal and short IPv4 forms are no addresses. This module judges nothing.
 */

/** One IP address; two addresses are the same exactly when family and value are equal. */
export type IpAddress = {
  readonly family: 4 | 6
  /** Big-endian value: below 2^32 for IPv4, below 2^128 for IPv6. */
  readonly value: bigint
}

/** Parses an IPv4 or IPv6 literal; `undefined` for every other text. IPv4-mapped IPv6 comes back as IPv4. */
export function parseAddress(text: string): IpAddress | undefined {
  if (text.length > MAX_TEXT_CHARS) return undefined
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Writes an address in its one canonical form: dotted quad, or RFC 5952 lower case with the longest run of zeros cut. */
export function formatAddress(address: IpAddress): string {
  if (address.family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((address.value >> shift) & 0xffn)).join('.')
  }
  const groups = IPV6_SHIFTS.map((shift) => ((address.value >> shift) & 0xffffn).toString(16))
  const run = longestZeroRun(groups)
  if (run.length < 2) return groups.join(':')
  return `${groups.slice(0, run.start).join(':')}::${groups.slice(run.start + run.length).join(':')}`
}

/** True when both are the same address. */
export function isSameAddress(a: IpAddress, b: IpAddress): boolean {
  return a.family === b.family && a.value === b.value
}

function parseIpv4(text: string): IpAddress | undefined {
  const value = readQuad(text)
  return value === undefined ? undefined : { family: 4, value }
}

function readQuad(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let value = 0n
  for (const part of parts) {
    if (!DECIMAL_OCTET.test(part) || Number(part) > 255) return undefined
    value = (value << 8n) | BigInt(part)
  }
  return value
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [headText = '', tailText] = halves
  const head = readGroups(headText, tailText === undefined)
  const tail = tailText === undefined ? [] : readGroups(tailText, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  // RFC 4291 §2.2: "::" stands for one or more groups; without it all eight must be there.
  if (tailText === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array<bigint>(missing).fill(0n), ...tail]
  return unwrapMapped(groups.reduce((sum, group) => (sum << 16n) | group, 0n))
}

/** Reads colon-separated groups; a dotted quad may stand for the last two when these groups end the address. */
function readGroups(text: string, isEnd: boolean): bigint[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  const groups: bigint[] = []
  for (const [index, part] of parts.entries()) {
    if (HEX_GROUP.test(part)) {
      groups.push(BigInt(`0x${part}`))
      continue
    }
    const quad = isEnd && index === parts.length - 1 ? readQuad(part) : undefined
    if (quad === undefined) return undefined
    groups.push(quad >> 16n, quad & 0xffffn)
  }
  return groups
}

function unwrapMapped(value: bigint): IpAddress {
  return value >> 32n === MAPPED_PREFIX
    ? { family: 4, value: value & 0xffff_ffffn }
    : { family: 6, value }
}

function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 }
  for (let start = 0; start < groups.length; start++) {
    let length = 0
    while (groups[start + length] === '0') length++
    if (length > best.length) best = { start, length }
  }
  return best
}

/** The longest valid text is 45 characters (eight groups with a quad); longer input is not looked at. */
const MAX_TEXT_CHARS = 45

/** The upper 96 bits of `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
const MAPPED_PREFIX = 0xffffn

const DECIMAL_OCTET = /^(?:0|[1-9][0-9]{0,2})$/
const HEX_GROUP = /^[0-9a-fA-F]{1,4}$/
const IPV6_SHIFTS: readonly bigint[] = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n]
