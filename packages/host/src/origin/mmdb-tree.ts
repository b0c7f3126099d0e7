/**
 * Looks a database's search tree through before anything relies on it (MaxMind DB file format 2.0): the reader of the library follows what it finds. The tree has
 * no checksum; a changed record that still points into the file is not found.
 * @module
 */
import type { IpAddress } from '@byway/protocol/policy'

/** Of the metadata; sizes in bytes but for `recordSize`, which is in bits. */
export type TreeShape = {
  readonly ipVersion: number
  readonly nodeCount: number
  readonly recordSize: number
  readonly nodeByteSize: number
  readonly searchTreeSize: number
}

/** True when the tree lies in the file and each record points to a node, to nothing, or into the data. */
export function isWholeTree(bytes: Uint8Array, shape: TreeShape): boolean {
  const { ipVersion, nodeCount, searchTreeSize } = shape
  if (![4, 6].includes(ipVersion) || !Number.isSafeInteger(nodeCount) || nodeCount < 1) return false
  const dataBytes = bytes.length - searchTreeSize - SEPARATOR_BYTES
  if (dataBytes <= 0) return false
  for (let node = 0; node < nodeCount; node++) {
    for (const side of SIDES) {
      const record = recordOf(bytes, shape, node, side)
      if (record <= nodeCount) continue
      const at = record - nodeCount - SEPARATOR_BYTES
      if (at < 0 || at >= dataBytes) return false
    }
  }
  return true
}

/** Addresses of which the database says something, the lowest first; each leads to another record, as far as that is cheap to say. */
export function* someAddresses(bytes: Uint8Array, shape: TreeShape): Generator<IpAddress> {
  const { ipVersion, nodeCount } = shape
  const [family, bits] = ipVersion === 4 ? ([4, 32] as const) : ([6, 128] as const)
  const seen = new Set<number>()
  const open = [{ record: 0, prefix: 0n, depth: 0 }]
  for (let next = open.pop(); next && seen.size < MAX_SEEN_RECORDS; next = open.pop()) {
    const { record, prefix, depth } = next
    if (record === nodeCount || seen.has(record)) continue
    seen.add(record)
    if (record > nodeCount) yield { family, value: prefix << BigInt(bits - depth) }
    else if (depth < bits) {
      for (const side of [1, 0] as const) {
        const below = recordOf(bytes, shape, record, side)
        open.push({ record: below, prefix: (prefix << 1n) | BigInt(side), depth: depth + 1 })
      }
    }
  }
}

/** Of 24, 28 or 32 bits; the middle byte of a node of 28 has the upper four bits of both. */
function recordOf(
  bytes: Uint8Array,
  { recordSize, nodeByteSize }: TreeShape,
  node: number,
  side: 0 | 1,
): number {
  const at = node * nodeByteSize + side * (recordSize === 24 ? 3 : 4)
  const byte = (offset: number): number => bytes[at + offset] ?? 0
  if (recordSize === 24) return (byte(0) << 16) | (byte(1) << 8) | byte(2)
  if (recordSize === 28) {
    const upper = side === 0 ? byte(3) >> 4 : byte(-1) & 15
    return (upper << 24) | (byte(0) << 16) | (byte(1) << 8) | byte(2)
  }
  return byte(0) * 2 ** 24 + ((byte(1) << 16) | (byte(2) << 8) | byte(3))
}

// Local limits (tunable): docs/LIMITS.md.
/** Enough to find out what a database holds, whatever lies first in it. */
const MAX_SEEN_RECORDS = 4096

/** Zeros between the tree and the data. */
const SEPARATOR_BYTES = 16
const SIDES = [0, 1] as const
