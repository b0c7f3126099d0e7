/**
 * How nodes change their addresses, on disk between runs: by the editions that they sign. Kept of all nodes with a public address alike, so that the file tells nothing of which were used.
 * @module
 */
import {
  addressNumber,
  addressReasons,
  noteAddress,
  parseNodeKey,
  shortLivedBlocks,
  toIpAddress,
} from '@byway/protocol/directory'
import type { AddressReason, AddressRecord, NodeKey, PathNode } from '@byway/protocol/directory'
import { createNodeFile, type NodeFile, type NodeFileDeps } from './node-file.ts'

// Local limits (tunable): docs/LIMITS.md.
/** As many nodes as a directory holds; those heard of longest ago are forgotten first. */
const MAX_NODES = 20_000
const STORE_EVERY_MS = 3_600_000
/** What comes up in the first hour may have been there before: nobody looked. */
const SETTLE_MS = 3_600_000

/** Addresses of nodes over time. */
export interface NodeAddresses extends Pick<NodeFile<AddressRecord>, 'load' | 'get' | 'flush'> {
  /** Takes in an edition that was accepted. @param stakeAgeMs - undefined where there is no registry, or nobody knows */
  onEdition(node: PathNode, stakeAgeMs: number | undefined): void
  /** What the addresses of each node say of its line; nothing of those that have none. */
  reasons(): (key: NodeKey) => readonly AddressReason[]
}

/** Creates empty records. */
export function createNodeAddresses(deps: NodeFileDeps): NodeAddresses {
  const { nowMs } = deps
  const startedMs = nowMs()
  const file = createNodeFile<AddressRecord, NodeKey>(deps, {
    parseKey: parseNodeKey,
    most: MAX_NODES,
    storeEveryMs: STORE_EVERY_MS,
    format: ({ address, asn, bornMs, seenMs, moves, strays }) => [
      address,
      asn,
      bornMs,
      seenMs,
      moves.length,
      ...moves,
      ...strays,
    ],
    parse: recordOf,
  })

  function bornMsOf(publishedMs: number, stakeAgeMs: number | undefined): number {
    if (stakeAgeMs !== undefined) return Math.max(0, nowMs() - stakeAgeMs)
    return nowMs() - startedMs > SETTLE_MS ? publishedMs : 0
  }

  return {
    ...file,
    onEdition({ key, entry, asns, asnBy }, stakeAgeMs) {
      const { addresses, publishedS } = entry.descriptor
      // One address, the IPv4 one where there are two: an own word names no AS here.
      const known = addresses.map(toIpAddress).toSorted((a, b) => a.family - b.family)
      const address = known[0] && addressNumber(known[0])
      if (address === undefined) return
      const isKnownAs = asnBy !== undefined && asnBy !== 'claim' && asns.length === 1
      const asn = isKnownAs ? (asns[0] ?? 0) : 0
      const atMs = publishedS * 1000
      const bornMs = bornMsOf(atMs, stakeAgeMs)
      file.set(key, noteAddress(file.get(key), { address, asn, bornMs, atMs }))
    },
    reasons() {
      const records = Array.from(file.keys()).flatMap((key) => file.get(key) ?? [])
      // Who was last seen before this run may have left at any time since.
      const shortLived = shortLivedBlocks(records.filter(({ seenMs }) => seenMs >= startedMs))
      return (key) => {
        const record = file.get(key)
        return record ? addressReasons(record, shortLived, nowMs()) : []
      }
    },
  }
}

function recordOf(numbers: readonly number[]): AddressRecord | undefined {
  const [address, asn, bornMs, seenMs, count, ...times] = numbers
  if (address === undefined || asn === undefined || bornMs === undefined) return undefined
  if (seenMs === undefined || count === undefined || count > times.length) return undefined
  return {
    address,
    asn,
    bornMs,
    seenMs,
    moves: times.slice(0, count),
    strays: times.slice(count),
  }
}
