/**
 * Address groups of the path rules (SPEC §10.3): the /16 or /32 of an address, and what the network's prefix table says
 * about it. The table is checked knowledge; a descriptor's own claim is not looked at here.
 * @module
 */
import { cidrAround, formatCidr, type IpAddress, parseCidr } from '@byway/protocol/policy'
import type { IpBytes } from '@byway/protocol/wire'
import type { AsnRow } from './network-parameters.ts'

/** What a table says of an address; 0 and '' mean nothing. */
export type AddressOrigin = {
  readonly asn: number
  readonly country: string
  /** Its name in English, as {@link cityKey} writes it. Only a user's database of cities knows it. */
  readonly city?: string | undefined
}

/** A city's name as requests write it: small letters of ASCII, `_` between words (`são-paulo` and `São Paulo` are `sao_paulo`, `Łódź` is `lodz`); '' for one that has none. */
export function cityKey(name: string): string {
  const letters = name
    .normalize('NFD')
    .replace(/\p{M}|['’.]/gu, '')
    .toLowerCase()
    .replace(/[^a-z]/g, (letter) => WHOLE_LETTERS[letter] ?? letter)
  return letters
    .split(/[^a-z]+/)
    .filter(Boolean)
    .join('_')
}

/** Latin letters of names that are no letter with a mark, as they are typed without them. */
const WHOLE_LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ı: 'i',
}

export interface AsnTable {
  /** Returns the row of the longest prefix that holds the address. */
  lookup(address: IpAddress): AddressOrigin | undefined
}

/** Reads the table of a network file. Rows whose prefix cannot be read are a fault of that file's parser, and skipped. */
export function createAsnTable(rows: readonly AsnRow[]): AsnTable {
  const byLength = { 4: new Map<number, Level>(), 6: new Map<number, Level>() }
  for (const { prefix, asn, country } of rows) {
    const cidr = parseCidr(prefix)
    if (!cidr) continue
    const levels = byLength[cidr.base.family]
    const level: Level = levels.get(cidr.bits) ?? new Map()
    level.set(cidr.base.value, { asn, country })
    levels.set(cidr.bits, level)
  }
  const ordered = { 4: longestFirst(byLength[4]), 6: longestFirst(byLength[6]) }
  return {
    lookup(address) {
      for (const [bits, level] of ordered[address.family]) {
        const origin = level.get(cidrAround(address, bits).base.value)
        if (origin) return origin
      }
      return undefined
    },
  }
}

/** Reads the bytes of an address; an IPv4-mapped one is its IPv4 address, so that no rule is dodged by the spelling. */
export function toIpAddress({ family, bytes }: IpBytes): IpAddress {
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  if (family === 6 && value >> 32n === MAPPED_PREFIX) {
    return { family: 4, value: value & 0xffff_ffffn }
  }
  return { family, value }
}

/** Writes an address as the wire has it; the inverse of {@link toIpAddress}. */
export function toIpBytes({ family, value }: IpAddress): IpBytes {
  const bytes = new Uint8Array(family === 4 ? 4 : 16)
  let left = value
  for (let at = bytes.length - 1; at >= 0; at--, left >>= 8n) bytes[at] = Number(left & 255n)
  return { family, bytes }
}

/** Names the group that no two hops of a circuit share: the /16 of an IPv4 address, the /32 of an IPv6 one. */
export function prefixGroupOf(address: IpAddress): string {
  return formatCidr(cidrAround(address, address.family === 4 ? 16 : 32))
}

type Level = Map<bigint, AddressOrigin>

function longestFirst(levels: Map<number, Level>): readonly (readonly [number, Level])[] {
  return [...levels].toSorted(([a], [b]) => b - a)
}

/** The upper 96 bits of `::ffff:0:0/96` (RFC 4291 §2.5.5.2). */
const MAPPED_PREFIX = 0xffffn
