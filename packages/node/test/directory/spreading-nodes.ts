/**
 * Nodes that spread their descriptors by gossip of the real library, and ask each other for what they missed by the real exchange over links in memory. A test moves their clock,
 * and cuts the network in two: across the cut nobody is a neighbour and no message arrives. No circuits, no chain.
 */
import assert from 'node:assert/strict'
import {
  createDescriptorSet,
  createPathNodeSet,
  type DescriptorSet,
  nodeKeyOf,
  type NodeKey,
} from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { Link } from '@byway/protocol/link'
import {
  createDirectoryService,
  type DirectoryService,
} from '../../src/directory/directory-service.ts'
import { startSpread, type Spread } from '../../src/directory/spread.ts'
import { decodeDescriptor } from '@byway/protocol/wire'
import { createFakeLink } from '../fake-link.ts'
import { makerOf, RELAY_FACTS } from '../signed-descriptors.ts'

export type SpreadingNode = {
  readonly number: number
  readonly key: NodeKey
  readonly set: DescriptorSet
  readonly spread: Spread
  /** Every sequence number that was ever accepted, by node, in order. */
  readonly accepted: Map<NodeKey, number[]>
  /** Makes a new edition and tells it to whoever can be told. Gives its number. */
  publish(): number
}

export interface SpreadingNodes {
  readonly nodes: readonly SpreadingNode[]
  /** Added to the wall clock of all. */
  moveClock(ms: number): void
  /** Nobody hears anybody of another side. */
  cut(sideOf: (node: Pick<SpreadingNode, 'number'>) => number): void
  heal(): void
}

const STAKE = 100n
const NETWORK = { asnTable: [], exitTargets: [] }

/** Who ends what was started: a test, or a bench. */
type Owner = { after(end: () => unknown): void }

/** Starts so many, which know only the first; all end with their owner. */
export async function startSpreadingNodes(t: Owner, count: number): Promise<SpreadingNodes> {
  const world = new World()
  t.after(() => world[Symbol.asyncDispose]())
  for (let number = 1; number <= count; number++) await world.start(number)
  return world
}

type Member = SpreadingNode & {
  readonly nodeId: Uint8Array
  readonly service: DirectoryService
  readonly listeners: Set<() => void>
  /** By the number of the node at the other end. */
  readonly links: Map<number, Link>
}

class World implements SpreadingNodes {
  readonly #members: Member[] = []
  readonly #byKey = new Map<NodeKey, number>()
  #sideOf: (node: Pick<SpreadingNode, 'number'>) => number = () => 0
  #movedMs = 0

  get nodes(): readonly SpreadingNode[] {
    return this.#members
  }

  moveClock(ms: number): void {
    this.#movedMs += ms
  }

  cut(sideOf: (node: Pick<SpreadingNode, 'number'>) => number): void {
    this.#sideOf = sideOf
    for (const { number, links, service } of this.#members) {
      for (const [other, link] of links) {
        if (this.#areTogether(number, other)) continue
        links.delete(other)
        service.onLinkClosed(link)
      }
    }
    this.#tellAll()
  }

  heal(): void {
    this.cut(() => 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ spread }) => spread[Symbol.asyncDispose]()))
  }

  async start(number: number): Promise<void> {
    const identitySeed = new Uint8Array(32)
    new DataView(identitySeed.buffer).setUint32(0, number)
    const nodeId = nodeCrypto.ed25519KeyPair(identitySeed).publicKey
    const key = nodeKeyOf(nodeId)
    this.#byKey.set(key, number)
    const nowMs = (): number => Date.now() + this.#movedMs
    const set = this.#behindCut(number, createDescriptorSet(nodeCrypto))
    const accepted = new Map<NodeKey, number[]>()
    set.onAccepted(({ key: of, descriptor }) =>
      accepted.set(of, [...(accepted.get(of) ?? []), descriptor.sequence]),
    )
    let own: Uint8Array | undefined
    const service = createDirectoryService({
      set,
      nodeLinks: () => [],
      own: () => own,
      isFlooding: false,
      nowMs,
    })
    const host = `127.${number}.0.1`
    const listeners = new Set<() => void>()
    const spread = await startSpread({
      networkName: 'spreading',
      isLocal: true,
      identitySeed,
      nodeId,
      listen: { host, port: 0 },
      set,
      nodes: createPathNodeSet(set, NETWORK),
      stakes: {
        view: {
          activeStake: STAKE,
          activeCount: 1,
          stakeOf: () => STAKE,
          provenOf: () => [],
          ownerOf: () => undefined,
          sinceBlockOf: () => 0,
          hasNode: (other) => this.#areTogether(number, this.#byKey.get(nodeKeyOf(other))),
          records: () => [],
        },
        onChange(listener) {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
      },
      own: () => own,
      ask: (other) => this.#ask(number, other && this.#byKey.get(nodeKeyOf(other))),
      random: Math.random,
      nowMs,
    })
    const maker = makerOf(number)
    const facts = {
      ...RELAY_FACTS,
      addresses: [{ family: 4, bytes: Uint8Array.of(127, number, 0, 1), port: 1 }] as const,
      gossipPort: spread.port ?? 0,
    }
    const publish = (): number => {
      own = maker.make(facts, nowMs())
      service.publish()
      const sequence = set.get(key)?.descriptor.sequence
      assert.ok(sequence)
      return sequence
    }
    this.#members.push({
      number,
      nodeId,
      key,
      set,
      spread,
      accepted,
      publish,
      service,
      listeners,
      links: new Map(),
    })
    publish()
    this.#tellAll()
    this.#ask(number, 1)
  }

  /** The library takes a moment to hang up: what it still brings across a cut is lost on the way. */
  #behindCut(number: number, set: DescriptorSet): DescriptorSet {
    return {
      ...set,
      get size() {
        return set.size
      },
      offer: (bytes, nowMs) => {
        const { nodeId } = decodeDescriptor(bytes).descriptor
        return this.#areTogether(number, this.#byKey.get(nodeKeyOf(nodeId)))
          ? set.offer(bytes, nowMs)
          : { result: 'refused', reason: 'STAKE' }
      },
    }
  }

  /** The first is the first contact. */
  #ask(from: number, to: number | undefined): void {
    const asking = this.#members[from - 1]
    if (!asking) return
    const known = [...asking.links.keys()]
    const other = to ?? known[Math.floor(Math.random() * known.length)] ?? 1
    const link = this.#linkOf(asking, other)
    if (link) asking.service.ask(link)
  }

  /** Both ends are made together. */
  #linkOf(asking: Member, to: number): Link | undefined {
    const answering = this.#members[to - 1]
    if (!answering || answering === asking || !this.#areTogether(asking.number, to))
      return undefined
    const link = asking.links.get(to) ?? this.#join(asking, answering)
    if (!answering.links.has(asking.number)) this.#join(answering, asking)
    return link
  }

  #join(near: Member, far: Member): Link {
    const link: Link = {
      ...createFakeLink({ role: 'node', nodeId: far.nodeId }),
      send: (message) =>
        void setImmediate(() => {
          const back = far.links.get(near.number)
          if (back && this.#areTogether(near.number, far.number))
            far.service.onMessage(back, message)
        }),
    }
    near.links.set(far.number, link)
    return link
  }

  #areTogether(one: number, other: number | undefined): boolean {
    return other !== undefined && this.#sideOf({ number: one }) === this.#sideOf({ number: other })
  }

  #tellAll(): void {
    for (const { listeners } of this.#members) for (const listener of listeners) listener()
  }
}
