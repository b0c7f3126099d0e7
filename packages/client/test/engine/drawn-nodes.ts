/** Nodes for what is drawn many times: without signatures, since the rules of paths look at none; and seeded luck. */
import { nodeKeyOf, type DirectoryEntry } from '@byway/protocol/directory'
import { NOW_MS } from './signed-nodes.ts'

/** A public relay and exit on a /16 of its own, without a signature: the rules look at none. */
export function entryOf(
  number: number,
  change: Partial<DirectoryEntry['descriptor']> = {},
): DirectoryEntry {
  const nodeId = new Uint8Array(32)
  new DataView(nodeId.buffer).setUint32(0, number)
  const bytes = Uint8Array.of(1 + (number >> 8), number & 255, 0, 1)
  const expiresS = NOW_MS / 1000 + 30 * 86_400
  const descriptor: DirectoryEntry['descriptor'] = {
    nodeId,
    stakerId: undefined,
    expiresS,
    sequence: 1,
    publishedS: NOW_MS / 1000,
    onionKey: new Uint8Array(32),
    roles: 3,
    exitProfile: 1,
    exitFlags: 0,
    country: '',
    asn: 0,
    familyId: undefined,
    provider: undefined,
    priceStep: 0,
    classPrices: { browse: 0, collect: undefined },
    tokenKeysHash: undefined,
    addresses: [{ family: 4, bytes, port: 443 }],
    gossipPort: 0,
    attachments: [],
    software: '',
    ...change,
  }
  return { key: nodeKeyOf(nodeId), descriptor, bytes: nodeId }
}

/** Mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
