/** Which first contacts a newcomer asks, and whose word it goes on with (SPEC §10.3). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { createDescriptorSet, createPathNodeSet, nodeKeyOf } from '@byway/protocol/directory'
import type { BootstrapNode, DescriptorSet, NodeKey, PathNode } from '@byway/protocol/directory'
import { createClientLink, type ClientLink } from '../../src/engine/client-link.ts'
import { createDirectoryKeeper } from '../../src/engine/directory-keeper.ts'
import { createEntryLinks } from '../../src/engine/entry-links.ts'
import { apartFirst } from '../../src/engine/first-contacts.ts'
import { seededRandom } from '../../../protocol/test/circuit/seeded.ts'
import { shuffled } from '../../src/engine/shuffled.ts'
import { createFakeLink } from './fake-link.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

const NEVER = new AbortController().signal
const CONTACTS = 20
const NEWCOMERS = 400

suite('first contacts', () => {
  test('are asked by newcomers in an order of their own, so that none of them meets all', async () => {
    const seed = 7
    const random = seededRandom(seed)
    const met = new Map<string, number>()
    for (let i = 0; i < NEWCOMERS; i++) {
      const name = String((await entriesOf(random).linkToAsk([], NEVER, 0)).nodeId)
      met.set(name, (met.get(name) ?? 0) + 1)
    }
    // Twenty each on average, with a spread of 4.4.
    const [least, most] = [Math.min(...met.values()), Math.max(...met.values())]
    assert.equal(met.size, CONTACTS)
    assert.ok(least > 2 && most < 40, `${least} to ${most}, seed ${seed}`)
  })

  test('are asked in one order for a whole run: not all of them are to know the client', async () => {
    const entries = entriesOf(seededRandom(8))
    const again = await Promise.all([0, 1, 2].map((turn) => entries.linkToAsk([], NEVER, turn)))
    assert.equal(new Set(again.map(({ nodeId }) => String(nodeId))).size, 1)
  })

  test('are of two prefixes when two are asked, whoever has more of the file (seed 9)', async () => {
    const random = seededRandom(9)
    // Twelve of twenty in one /16, and four in one /32.
    const addressOf = (i: number): string =>
      i < 12 ? `5.9.${i}.1` : i < 16 ? `2a01:4f8:${i}::1` : `5.${i}.0.1`
    const prefixOf = (id: Uint8Array): string =>
      addressOf((id[0] ?? 0) - 1)
        .split(/[.:]/, 2)
        .join()
    const seconds = new Map<string, number>()
    for (let i = 0; i < NEWCOMERS; i++) {
      const entries = entriesOf(random, { addressOf })
      const first = await entries.linkToAsk([], NEVER, 0)
      const second = await entries.linkToAsk([first], NEVER, 0)
      assert.notEqual(prefixOf(first.nodeId), prefixOf(second.nodeId))
      const name = String(second.nodeId)
      seconds.set(name, (seconds.get(name) ?? 0) + 1)
    }
    assert.equal(seconds.size, CONTACTS)
  })

  test('are two of one prefix where the file has no other, or no other answers', async () => {
    const addressOf = (i: number): string => (i < CONTACTS - 1 ? `127.0.0.${i + 1}` : '127.1.0.1')
    const isDown = (id: Uint8Array): boolean => id[0] === CONTACTS
    for (const each of [{ addressOf: () => '127.0.0.1' }, { addressOf, isDown }]) {
      const entries = entriesOf(seededRandom(10), each)
      const first = await entries.linkToAsk([], NEVER, 0)
      const second = await entries.linkToAsk([first], NEVER, 0)
      assert.notDeepEqual(first.nodeId, second.nodeId)
    }
  })

  test('are of two hands where the directory knows whose they are, but a word alone makes nobody of one prefix preferred', () => {
    const [a, b, c, d] = ['5.1.0.1', '5.2.0.1', '5.1.0.2', '5.3.0.1'].map(contactAt)
    assert.ok(a && b && c && d)
    const familyOf = new Map([a, b].map(({ nodeId }) => [nodeKeyOf(nodeId), 'family 1']))
    const nodeOf = (key: NodeKey) => nodeIn(key, familyOf.get(key))
    assert.deepEqual(apartFirst([b, c, d], [a], nodeOf), [d, b, c])
    assert.deepEqual(
      apartFirst([b, c, d], [a], () => undefined),
      [b, d, c],
    )
    assert.deepEqual(apartFirst([c, b], [a], nodeOf), [b, c])
  })

  test('are two for who knows nobody, and what either shows counts; later one is enough', async (t) => {
    const clock = { nowMs: NOW_MS }
    const asked: number[] = []
    const links = [1, 2, 3].map((number) =>
      contactThat(() => asked.push(number), [signedNode(number)]),
    )
    const keeper = createDirectoryKeeper({
      provider: nodeCrypto,
      network: NETWORK,
      cachePath: undefined,
      linkToAsk: (before) => Promise.resolve(links[before.length] ?? assert.fail('all were asked')),
      nowMs: () => clock.nowMs,
      onFetched() {},
    })
    t.after(() => keeper.stop())
    await keeper.start(NEVER)
    assert.deepEqual([asked, keeper.set.size], [[1, 2], 2])
    clock.nowMs += 3_600_000
    await keeper.refreshIfOld(NEVER)
    assert.deepEqual(asked, [1, 2, 1])
  })

  test(
    'keep nobody from starting where the second says nothing',
    { timeout: 60_000 },
    async (t) => {
      t.mock.timers.enable({ apis: ['setInterval'] })
      const timeouts: AbortController[] = []
      t.mock.method(AbortSignal, 'timeout', () => {
        const limit = new AbortController()
        timeouts.push(limit)
        return limit.signal
      })
      const silent: ClientLink = {
        ...contactThat(() => {}, [signedNode(2)]),
        fetchDirectory: (_sinceS, _onPart, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error))
            timeouts.at(-1)?.abort(new Error('its time is over'))
          }),
      }
      const links = [contactThat(() => {}, [signedNode(1)]), silent]
      const keeper = createDirectoryKeeper({
        provider: nodeCrypto,
        network: NETWORK,
        cachePath: undefined,
        linkToAsk: (before) => Promise.resolve(links[before.length] ?? links[0] ?? assert.fail()),
        nowMs: () => NOW_MS,
        onFetched() {},
      })
      t.after(() => keeper.stop())
      await keeper.start(NEVER)
      assert.equal(keeper.set.size, 1)
    },
  )
})

type Contacts = {
  /** @default each in a /16 of its own */
  readonly addressOf?: (i: number) => string
  /** @default none */
  readonly isDown?: (nodeId: Uint8Array) => boolean
}

function entriesOf(random: () => number, { addressOf, isDown }: Contacts = {}) {
  const bootstrap = Array.from({ length: CONTACTS }, (_, i) =>
    contactAt(addressOf?.(i) ?? `5.${i}.0.1`, i),
  )
  return createEntryLinks({
    links: {
      live: [],
      get: () => undefined,
      isResting: () => false,
      connect: ({ nodeId }) =>
        isDown?.(nodeId)
          ? Promise.reject(new Error('nobody is there'))
          : Promise.resolve(createClientLink(createFakeLink(nodeId), nodeId)),
    },
    primary: () => [],
    nodeOf: () => undefined,
    contacts: shuffled(bootstrap, random),
  })
}

function contactAt(address: string, i: number): BootstrapNode {
  return { nodeId: new Uint8Array(32).fill(i + 1), address, port: 443 }
}

/** A node that says it is of this family, as the directory shows it. */
function nodeIn(key: NodeKey, family: string | undefined): PathNode {
  const [node = assert.fail()] = createPathNodeSet(setOf(), NETWORK).list(NOW_MS)
  return { ...node, key, prefixGroups: [], asns: [], owners: family ? [family] : [] }
}

function setOf(): DescriptorSet {
  const set = createDescriptorSet(nodeCrypto)
  set.offer(signedNode(1), NOW_MS)
  return set
}

function contactThat(onAsked: () => void, served: readonly Uint8Array[]): ClientLink {
  return {
    ...createClientLink(createFakeLink(), new Uint8Array(32).fill(served[0]?.[5] ?? 0)),
    fetchDirectory(_sinceS, onPart) {
      onAsked()
      for (const bytes of served) onPart([bytes])
      return Promise.resolve(NOW_MS / 1000)
    },
  }
}
