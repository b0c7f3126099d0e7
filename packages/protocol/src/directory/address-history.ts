/**
 * How a node's public address changes over time, as its editions tell it, and what that says of its line. A home keeps an address for days and gets the next one
 * from the same provider; rented and passed-on addresses come and go. Pure; the caller keeps the records.
 * @module
 */
import { type IpAddress, specialRange } from '@byway/protocol/policy'

// Local limits (tunable): docs/LIMITS.md.
/** A line that gets a new address each night has two in this time, and one of which the router restarts a few more. */
const OFTEN_MS = 2 * 86_400_000
/** So many changes within that time are often. Editions are limited to twelve a day. */
const OFTEN_MOVES = 6
/** Changes to another AS are remembered for so long: people move house and change their provider, but not twice a month. */
const STRAY_MS = 30 * 86_400_000
/** So many of them are more than that. */
const MANY_STRAYS = 2
/** Nodes of a block that left within this time lived shortly. */
const SHORT_MS = 86_400_000
/** Editions come twice a day: who sent none for so long, while others did, is gone. */
const GONE_MS = 18 * 3_600_000
/** Of what came and went longer ago nothing is concluded. */
const BLOCK_MS = 7 * 86_400_000
/** So many others of a block that lived shortly are no neighbours' luck. */
const MANY_SHORT = 4

/** What is remembered of one node. Times in ms. */
export type AddressRecord = {
  /** {@link addressNumber} */
  readonly address: number
  /** By a table; 0 where none knows. */
  readonly asn: number
  /** When it began; 0 where nobody saw that. */
  readonly bornMs: number
  /** Of its newest edition. */
  readonly seenMs: number
  /** The newest changes of its address, oldest first. */
  readonly moves: readonly number[]
  /** Those of them that led to another AS. */
  readonly strays: readonly number[]
}

/** An edition of a node with a public address. */
export type AddressSighting = Pick<AddressRecord, 'address' | 'asn' | 'bornMs'> & {
  readonly atMs: number
}

export type AddressReason =
  /** Its address changed, but not often and within one AS: so homes do, and few machines in racks. */
  | { readonly reason: 'moves-within-as'; readonly moves: number }
  | { readonly reason: 'moves-often'; readonly moves: number; readonly days: number }
  | { readonly reason: 'changes-network'; readonly changes: number; readonly days: number }
  /** Others of its block of addresses came and went within a day. */
  | { readonly reason: 'short-lived-neighbours'; readonly nodes: number; readonly days: number }

/** An address as a number: an IPv4 address, or the first 48 bits of an IPv6 one (a site, RFC 6177), above all of those. Undefined for one that is nobody's on the internet. */
export function addressNumber(address: IpAddress): number | undefined {
  if (specialRange(address) !== undefined) return undefined
  return address.family === 4 ? Number(address.value) : IPV6_FROM + Number(address.value >> 80n)
}

/** Takes in an edition; one that is not newer than the last changes nothing. */
export function noteAddress(
  record: AddressRecord | undefined,
  { address, asn, atMs, bornMs }: AddressSighting,
): AddressRecord {
  if (!record) return { address, asn, bornMs, seenMs: atMs, moves: [], strays: [] }
  if (atMs <= record.seenMs) return record
  const isMove = address !== record.address && isIpv6(address) === isIpv6(record.address)
  const isStray = isMove && asn !== 0 && record.asn !== 0 && asn !== record.asn
  return {
    address,
    asn: asn === 0 && !isMove ? record.asn : asn,
    bornMs: record.bornMs,
    seenMs: atMs,
    moves: isMove ? [...record.moves, atMs].slice(-OFTEN_MOVES) : record.moves,
    strays: isStray ? [...record.strays, atMs].slice(-MANY_STRAYS) : record.strays,
  }
}

/** Counts by block those that came and went. @param records - of one network; the newest of their editions is taken for now, so that a client's own absence ends nobody */
export function shortLivedBlocks(records: readonly AddressRecord[]): ReadonlyMap<number, number> {
  const nowMs = records.reduce((newest, { seenMs }) => Math.max(newest, seenMs), 0)
  const counts = new Map<number, number>()
  for (const { address, bornMs, seenMs } of records) {
    const isGone = nowMs - seenMs > GONE_MS && nowMs - seenMs < BLOCK_MS
    if (bornMs === 0 || seenMs - bornMs >= SHORT_MS || !isGone) continue
    counts.set(blockOf(address), (counts.get(blockOf(address)) ?? 0) + 1)
  }
  return counts
}

/** What a node's addresses say of its line. */
export function addressReasons(
  { address, asn, moves, strays }: AddressRecord,
  shortLived: ReadonlyMap<number, number>,
  nowMs: number,
): readonly AddressReason[] {
  const often = moves.filter((atMs) => nowMs - atMs < OFTEN_MS).length
  const away = strays.filter((atMs) => nowMs - atMs < STRAY_MS).length
  const neighbours = shortLived.get(blockOf(address)) ?? 0
  const against: readonly AddressReason[] = [
    ...(often >= OFTEN_MOVES
      ? [{ reason: 'moves-often' as const, moves: often, days: OFTEN_MS / DAY_MS }]
      : []),
    ...(away >= MANY_STRAYS
      ? [{ reason: 'changes-network' as const, changes: away, days: STRAY_MS / DAY_MS }]
      : []),
    ...(neighbours >= MANY_SHORT
      ? [
          {
            reason: 'short-lived-neighbours' as const,
            nodes: neighbours,
            days: BLOCK_MS / DAY_MS,
          },
        ]
      : []),
  ]
  const isLikeHome = moves.length > 0 && strays.length === 0 && asn !== 0
  if (against.length > 0 || !isLikeHome) return against
  return [{ reason: 'moves-within-as', moves: moves.length }]
}

const DAY_MS = 86_400_000
const IPV6_FROM = 2 ** 32

function isIpv6(address: number): boolean {
  return address >= IPV6_FROM
}

/** The /24 of an IPv4 address, the /48 of an IPv6 one. */
function blockOf(address: number): number {
  return isIpv6(address) ? address : Math.floor(address / 256)
}
