/**
 * A first guard that hides half of the network, beside two that do not (SPEC §10.2): the client's own links, questions and set, over three days.
 *
 *   client ── first guard (shows half) | second | third      asked in turn, each ten minutes
 */
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { packDirectory } from '@byway/net'
import { nodeKeyOf, type NodeKey, type PathNode } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { decodeDescriptor, LINK_MESSAGE } from '@byway/protocol/wire'
import { createDirectoryKeeper } from '../../src/engine/directory-keeper.ts'
import { createEntryLinks } from '../../src/engine/entry-links.ts'
import { createGuardLinks } from '../../src/engine/guard-links.ts'
import type { HiddenNodes } from '../../src/engine/whole-sets.ts'
import { createFakeLink } from './fake-link.ts'
import { settle } from './hand-timers.ts'
import { NETWORK, NOW_MS, signedNode } from './signed-nodes.ts'

const NODES = 40
const NEVER = new AbortController().signal
const REFRESH_MS = 600_000
const DAY_MS = 86_400_000
/** Two editions a day, each good for two days. */
const EDITION_S = 43_200
const EDITIONS = 7

type Edition = { readonly number: number; readonly bytes: Uint8Array; readonly publishedS: number }

const editions: readonly Edition[] = Array.from({ length: NODES * EDITIONS }, (_, index) => {
  const [number, edition] = [index % NODES, Math.floor(index / NODES)]
  // Each node has its own hour; the first editions are an hour old.
  const publishedS = NOW_MS / 1000 - 3600 - number * 60 + edition * EDITION_S
  const change = { sequence: 1 + edition, publishedS, expiresS: publishedS + 47 * 3600 }
  return { number, publishedS, bytes: signedNode(number + 1, 0, undefined, change) }
})

/** The three first nodes are the guards; so many of them show only the first half. */
function world(t: TestContext, hiders: number) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const clock = { nowMs: NOW_MS }
  const keys = editions.slice(0, 3).map(({ bytes }) => keyOf(bytes))
  const asked: { readonly guard: number; readonly isWhole: boolean }[] = []
  const hidden: HiddenNodes[] = []
  const links = createGuardLinks({
    dial: ({ nodeId }) => Promise.resolve(guardLink(nodeId)),
    onOutcome() {},
    nowMs: () => clock.nowMs,
  })
  const entries = createEntryLinks({
    links,
    primary: () => keys,
    nodeOf: (key) => keeper.nodes.get(key) ?? firstContact(key),
    contacts: [],
  })
  const keeper = createDirectoryKeeper({
    provider: nodeCrypto,
    network: NETWORK,
    cachePath: undefined,
    linkToAsk: (before, signal, turn) => entries.linkToAsk(before, signal, turn),
    guardBeside: (guard, signal) => entries.guardBeside(guard, signal),
    onHidden: (facts) => void hidden.push(facts),
    nowMs: () => clock.nowMs,
    onFetched() {},
  })
  t.after(() => keeper.stop())

  /** A link to a guard, which answers from what it has taken in by now. */
  function guardLink(nodeId: Uint8Array) {
    const link = createFakeLink(nodeId)
    const guard = keys.indexOf(nodeKeyOf(nodeId))
    link.send = (message) => {
      assert.equal(message.type, LINK_MESSAGE.DIRECTORY_GET)
      const { requestId, sinceS } = message
      asked.push({ guard, isWhole: sinceS === 0 })
      const blocks = [...packDirectory(shownBy(guard, sinceS), 16_000), new Uint8Array(0)]
      const asOfS = Math.floor(clock.nowMs / 1000)
      for (const [at, block] of blocks.entries()) {
        const last = at === blocks.length - 1
        const part = { type: LINK_MESSAGE.DIRECTORY_PART, requestId, last, asOfS, block }
        setImmediate(() => link.handler.onMessage(part, 0))
      }
    }
    return link
  }

  function shownBy(guard: number, sinceS: number): readonly Uint8Array[] {
    const nowS = clock.nowMs / 1000
    const newest = new Map<number, Edition>()
    for (const edition of editions) {
      const isHidden = guard < hiders && edition.number >= NODES / 2
      if (!isHidden && edition.publishedS <= nowS) newest.set(edition.number, edition)
    }
    return [...newest.values()]
      .filter((each) => each.publishedS >= sinceS)
      .map((each) => each.bytes)
  }

  return {
    keeper,
    asked,
    hidden,
    pass: async (ms: number): Promise<void> => {
      clock.nowMs += ms
      t.mock.timers.tick(ms)
      await settle()
    },
  }
}

function keyOf(bytes: Uint8Array): NodeKey {
  return nodeKeyOf(decodeDescriptor(bytes).descriptor.nodeId)
}

/** A guard as its client knew it before it had a directory. */
function firstContact(key: NodeKey): PathNode | undefined {
  const edition = editions.find(({ bytes }) => keyOf(bytes) === key)
  if (!edition) return undefined
  const { descriptor } = decodeDescriptor(edition.bytes)
  return { key, entry: { key, descriptor, bytes: edition.bytes } } as PathNode
}

suite('a first guard that hides half of the network', () => {
  test('is found out by the second at once, and what both show is known and stays known', async (t) => {
    const { keeper, asked, hidden, pass } = world(t, 1)
    await keeper.start(NEVER)
    await settle()
    assert.equal(keeper.set.size, NODES)
    assert.deepEqual(hidden, [{ hidden: NODES / 2, of: NODES }])
    assert.deepEqual(asked, [
      { guard: 0, isWhole: true },
      { guard: 1, isWhole: true },
    ])
    for (let atMs = 0; atMs < 3 * DAY_MS; atMs += REFRESH_MS) {
      await pass(REFRESH_MS)
      assert.equal(keeper.set.size, NODES, `${atMs / 3_600_000} h`)
    }
    for (const guard of [0, 1, 2]) {
      const share = asked.filter((each) => each.guard === guard).length / asked.length
      assert.ok(share > 0.3 && share < 0.37, `guard ${guard}: ${share}`)
    }
    // Once a day, and once more of another.
    const wholes = asked.filter(({ isWhole }) => isWhole).map(({ guard }) => guard)
    assert.equal(wholes.length, 8)
    for (let day = 0; day < wholes.length; day += 2) assert.notEqual(wholes[day], wholes[day + 1])
  })

  test('and a second one like it hide it for as long as editions take to come anew, twelve hours', async (t) => {
    const { keeper, pass } = world(t, 2)
    await keeper.start(NEVER)
    await settle()
    assert.equal(keeper.set.size, NODES / 2)
    for (let atMs = 0; atMs <= DAY_MS / 2; atMs += REFRESH_MS) await pass(REFRESH_MS)
    assert.equal(keeper.set.size, NODES)
  })

  test('guards that show the same are told of by nobody', async (t) => {
    const { keeper, hidden, pass } = world(t, 0)
    await keeper.start(NEVER)
    for (let atMs = 0; atMs < DAY_MS + 2 * REFRESH_MS; atMs += REFRESH_MS) await pass(REFRESH_MS)
    assert.equal(keeper.set.size, NODES)
    assert.deepEqual(hidden, [])
  })
})
