/** Synthetic registries for the directory tests: nodes without signatures, seeded randomness. */
import {
  createPathNodeSet,
  type DescriptorSet,
  type DirectoryEntry,
  type NetworkParameters,
  type NodeFacts,
  type NodeKey,
  nodeKeyOf,
  type OriginBooks,
  type PathNodeSet,
  type UnitRandom,
} from '@byway/protocol/directory'
import { NO_CLASSES, ROLE } from '@byway/protocol/wire'
import type { Descriptor, SocketAddressBytes } from '@byway/protocol/wire'

export const NOW_MS = 1_800_000_000_000
export const HOUR_MS = 3_600_000

/** A 32-byte id that holds a number. */
export function id(number: number): Uint8Array {
  const bytes = new Uint8Array(32).fill(0xab)
  new DataView(bytes.buffer).setUint32(0, number)
  return bytes
}

export const keyOf = (number: number): NodeKey => nodeKeyOf(id(number))

export function ipv4(text: string, port = 443): SocketAddressBytes {
  return { family: 4, bytes: Uint8Array.from(text.split('.').map(Number)), port }
}

/** A public relay and web exit on a /16 of its own; override what a test is about. */
export function makeDescriptor(number: number, change: Partial<Descriptor> = {}): Descriptor {
  const isExit = ((change.roles ?? ROLE.EXIT) & ROLE.EXIT) !== 0
  return {
    nodeId: id(number),
    sequence: 1,
    publishedS: NOW_MS / 1000 - 60,
    expiresS: NOW_MS / 1000 + 24 * 3600,
    onionKey: new Uint8Array(32),
    roles: 3,
    exitProfile: 1,
    exitFlags: 0,
    country: '',
    asn: 0,
    familyId: undefined,
    stakerId: undefined,
    provider: undefined,
    priceStep: 0,
    classPrices: isExit ? { browse: change.priceStep ?? 0, collect: undefined } : NO_CLASSES,
    tokenKeysHash: undefined,
    addresses: [ipv4(`${1 + (number >> 8)}.${number & 255}.0.1`)],
    gossipPort: 0,
    attachments: [],
    software: '',
    ...change,
  }
}

export function makeEntry(number: number, change: Partial<Descriptor> = {}): DirectoryEntry {
  const descriptor = makeDescriptor(number, change)
  return { key: nodeKeyOf(descriptor.nodeId), descriptor, bytes: new Uint8Array(0) }
}

export const NO_NETWORK: Pick<NetworkParameters, 'asnTable' | 'exitTargets'> = {
  asnTable: [],
  exitTargets: [],
}

/** The path rules' view of these entries, as if they had been verified. */
export function nodeSet(
  entries: readonly DirectoryEntry[],
  network: typeof NO_NETWORK = NO_NETWORK,
  books?: OriginBooks,
  facts?: NodeFacts,
): PathNodeSet {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]))
  const set: Pick<DescriptorSet, 'get' | 'entries'> = {
    get: (key) => byKey.get(key),
    entries: () => byKey.values(),
  }
  return createPathNodeSet(set, network, books, facts)
}

/** Mulberry32: small, seeded, good enough to draw samples. */
export function seeded(seed: number): UnitRandom {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
