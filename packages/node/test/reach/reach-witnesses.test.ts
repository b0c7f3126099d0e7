/** Who tries an address, and whose word counts (SPEC §10.5): liars both ways, their nodes of one owner and one network among them. */
import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'
import { toHex } from '@byway/protocol/base'
import {
  createOriginSource,
  createStakeTable,
  nodeKeyOf,
  type NodeKey,
  type PathNode,
  type PathNodeSet,
} from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { REACH_RESULT, type ReachResult } from '@byway/protocol/wire'
import { createArrivals } from '../../src/reach/arrivals.ts'
import { judgeTrials } from '../../src/reach/place.ts'
import { createReachWitnesses, drawWitnesses } from '../../src/reach/reach-witnesses.ts'
import { createFakeLink } from '../fake-link.ts'
import { relayNode, relaysOfOne, seeded } from '../relay-nodes.ts'

const { REACHED, SILENT, UNTRIED } = REACH_RESULT
const OWN = { host: '203.0.113.7', port: 9443 }
const OWN_ID = new Uint8Array(32).fill(0xee)
const never = new AbortController().signal
const SEED = 20_261_122

/** What a node says when it is asked, and whether it has come to the port before it says so. */
type Behaviour = { readonly word: ReachResult; readonly comes: boolean; readonly sees?: string }
const HONEST: Behaviour = { word: REACHED, comes: true }
const IN_VAIN: Behaviour = { word: SILENT, comes: false }
const LIES_REACHED: Behaviour = { word: REACHED, comes: false }

type WorldOptions = {
  readonly isLocal?: boolean
  /** Nodes with a stake; all by default in a network without a registry. */
  readonly staked?: readonly PathNode[]
  readonly ownOwner?: number
  /** Their neighbours already; others are dialled. */
  readonly linked?: readonly PathNode[]
}

function ownerOf(number: number): Uint8Array {
  return new Uint8Array(20).fill(number)
}

/** A node at 203.0.113.7 among these, which behave as the test says. */
function world(
  nodes: readonly PathNode[],
  behaviourOf: (node: PathNode) => Behaviour,
  { isLocal = false, staked, ownOwner, linked = [] }: WorldOptions = {},
) {
  const stakes = createStakeTable(10n)
  const register = (nodeId: Uint8Array, provider: Uint8Array, owner: Uint8Array): void =>
    stakes.apply(provider, { type: 'registered', nodeId, owner, stake: 10n }, 1)
  for (const { entry } of staked ?? []) {
    const provider = entry.descriptor.provider ?? assert.fail('a staked node names its provider')
    register(entry.descriptor.nodeId, provider, provider)
  }
  if (ownOwner !== undefined) register(OWN_ID, ownerOf(0xfe), ownerOf(ownOwner))
  const byKey = new Map(nodes.map((node) => [node.key, node]))
  const arrivals = createArrivals()
  const links: Link[] = []
  const dialled: string[] = []
  const asked: string[] = []
  const open = (nodeId: Uint8Array): Link => {
    const link = createFakeLink({ role: 'node', nodeId })
    links.push(link)
    return link
  }
  for (const { entry } of linked) open(entry.descriptor.nodeId)
  const nodeOf = (link: Link): PathNode =>
    (link.peer.role === 'node' && byKey.get(nodeKeyOf(link.peer.nodeId))) || assert.fail()
  const deps = {
    nodeId: OWN_ID,
    isLocal,
    nodes: {
      get: (key: NodeKey) => byKey.get(key),
      list: () => nodes,
      origins: createOriginSource([]),
      extraPorts: new Set<number>(),
    } satisfies PathNodeSet,
    stakes: staked && { view: stakes },
    links: () => links,
    dial: async (nodeId: Uint8Array) => {
      dialled.push(nodeKeyOf(nodeId))
      return open(nodeId)
    },
    seen: { over: (link: Link) => behaviourOf(nodeOf(link)).sees ?? OWN.host },
    reach: {
      ask: async (link: Link) => {
        const node = nodeOf(link)
        asked.push(node.key)
        const { word, comes } = behaviourOf(node)
        if (comes) arrivals.note(link)
        return word
      },
    },
    arrivals,
    random: seeded(SEED),
    nowMs: () => Number.MAX_SAFE_INTEGER,
  }
  return { deps, dialled, asked, witnesses: createReachWitnesses(deps) }
}

/** Passes the two seconds in which a node may come that says it has. */
async function afterWaiting<T>(t: TestContext, run: () => Promise<T>): Promise<T> {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const outcome = run()
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(2000)
  return await outcome
}

const apart = (count: number): PathNode[] =>
  Array.from({ length: count }, (_, number) => relayNode(number))

/** One whose provider and owner are the same account. */
function provided(number: number, address: readonly [number, number] = [20 + number, 1]): PathNode {
  const node = relayNode(number, {
    provider: ownerOf(number),
    addresses: [{ family: 4, bytes: Uint8Array.of(...address, number, 1), port: 443 }],
  })
  return { ...node, owners: [`staker ${toHex(ownerOf(number))}`] }
}

suite('witnesses of a node’s address (SPEC §10.5)', () => {
  test('five are drawn and dialled, whether neighbours or not, and their words count', async () => {
    const nodes = apart(12)
    const { witnesses, dialled, asked } = world(nodes, () => HONEST, { linked: nodes.slice(0, 2) })
    assert.deepEqual(await witnesses.askAll(OWN, never), Array(5).fill(REACHED))
    assert.equal(new Set(asked).size, 5)
    const linked = new Set(nodes.slice(0, 2).map(({ key }) => key as string))
    assert.deepEqual(
      dialled.filter((key) => linked.has(key)),
      [],
    )
  })

  test('nodes of one network are one witness, however many there are', () => {
    const many = relaysOfOne(100, 60)
    const { deps } = world([...many, ...apart(4)], () => HONEST)
    for (let draw = 0; draw < 200; draw++) {
      const ofOne = drawWitnesses(deps, OWN.host).filter((node) => many.includes(node))
      assert.ok(ofOne.length <= 1, `seed ${SEED}, draw ${draw}`)
    }
  })

  test('nobody without a stake is asked where there is a registry', () => {
    const nodes = [1, 2, 3, 4, 5].map((number) => provided(number))
    const [first, second, third] = nodes
    assert.ok(first && second && third)
    const { deps } = world(nodes, () => HONEST, { staked: [first, second, third], ownOwner: 200 })
    const drawn = new Set(
      Array.from({ length: 50 }, () => drawWitnesses(deps, OWN.host)).flatMap((some) =>
        some.map(({ key }) => key),
      ),
    )
    assert.deepEqual([...drawn].toSorted(), [first, second, third].map(({ key }) => key).toSorted())
  })

  test('nobody in its own block, or of its own operator, is asked', () => {
    const [near, sibling, other] = [provided(9, [203, 0]), provided(7), provided(1)]
    const nodes = [near, sibling, other]
    const { deps } = world(nodes, () => HONEST, { staked: nodes, ownOwner: 7 })
    for (let draw = 0; draw < 50; draw++)
      assert.deepEqual(drawWitnesses(deps, OWN.host), [other], `seed ${SEED}, draw ${draw}`)
  })

  test('one that says REACHED and never came to the port is not believed', async (t) => {
    const { witnesses } = world(apart(5), () => LIES_REACHED)
    const words = await afterWaiting(t, () => witnesses.askAll(OWN, never))
    assert.deepEqual(words, Array(5).fill(UNTRIED))
    assert.equal(judgeTrials(words, witnesses.enough), undefined)
  })

  test('liars who say REACHED do not make a closed port public', async (t) => {
    const nodes = apart(5)
    const { witnesses } = world(nodes, (node) => (nodes.indexOf(node) < 3 ? LIES_REACHED : IN_VAIN))
    const words = await afterWaiting(t, () => witnesses.askAll(OWN, never))
    assert.equal(judgeTrials(words, witnesses.enough), false)
  })

  test('four liars of five who say SILENT do not close an open port', async () => {
    const nodes = apart(5)
    const { witnesses } = world(nodes, (node) => (nodes.indexOf(node) < 4 ? IN_VAIN : HONEST))
    const words = await witnesses.askAll(OWN, never)
    assert.equal(words.filter((word) => word === SILENT).length, 4)
    assert.equal(judgeTrials(words, witnesses.enough), true)
  })

  test('one that sees this node elsewhere has tried another address', async () => {
    const { witnesses } = world(apart(3), () => ({ ...IN_VAIN, sees: '198.51.100.1' }))
    assert.deepEqual(await witnesses.askAll(OWN, never), [])
  })

  test('in a local network any neighbour will do, and nobody is dialled', async () => {
    const nodes = relaysOfOne(100, 3)
    const { witnesses, dialled } = world(nodes, () => IN_VAIN, { isLocal: true, linked: nodes })
    assert.deepEqual(await witnesses.askAll(OWN, never), [SILENT, SILENT, SILENT])
    assert.deepEqual([dialled, witnesses.enough], [[], 1])
  })
})
