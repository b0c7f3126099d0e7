/** Public relays as the path rules see them, each from a signed descriptor. */
import { createPathNodeSet, nodeKeyOf, type PathNode, toPathNode } from '@byway/protocol/directory'
import { decodeDescriptor } from '@byway/protocol/wire'
import type { DescriptorFacts } from '../src/directory/own-descriptor.ts'
import { makerOf, NOW_MS, RELAY_FACTS } from './signed-descriptors.ts'

const NOTHING_LISTED = { get: () => undefined, entries: () => new Map<never, never>().values() }
const { origins } = createPathNodeSet(NOTHING_LISTED, { asnTable: [], exitTargets: [] })

/** The relay of this number; in a /16 of its own (numbers below 200) unless the facts name another address. */
export function relayNode(number: number, facts: Partial<DescriptorFacts> = {}): PathNode {
  const addresses = [{ family: 4 as const, bytes: Uint8Array.of(20 + number, 1, 0, 1), port: 443 }]
  const bytes = makerOf(number).make({ ...RELAY_FACTS, addresses, ...facts }, NOW_MS)
  const { descriptor } = decodeDescriptor(bytes)
  return toPathNode({ key: nodeKeyOf(descriptor.nodeId), descriptor, bytes }, origins)
}

/** As many relays of one operator, from that number on: all in 66.6/16. */
export function relaysOfOne(first: number, count: number): PathNode[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = Uint8Array.of(66, 6, i, 1)
    return relayNode(first + i, { addresses: [{ family: 4, bytes, port: 443 }] })
  })
}

/** Numbers of [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
