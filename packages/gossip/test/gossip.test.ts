import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { startGossip, type Gossip, type GossipPeer, type GossipVerdict } from '../src/index.ts'

type World = {
  /** Starts a node that knows all that were started before. */
  start(options?: {
    readonly judge?: (text: string) => GossipVerdict
    readonly isStaked?: boolean
  }): Promise<Node>
}
type Node = { readonly gossip: Gossip; readonly seen: string[]; readonly nodeId: Uint8Array }

function world(t: TestContext): World {
  const peers: GossipPeer[] = []
  const staked = new Set<string>()
  return {
    async start({ judge = (): GossipVerdict => 'accept', isStaked = true } = {}) {
      const number = peers.length + 1
      const identitySeed = new Uint8Array(randomBytes(32))
      const nodeId = nodeCrypto.ed25519KeyPair(identitySeed).publicKey
      if (isStaked) staked.add(Buffer.from(nodeId).toString('hex'))
      const seen: string[] = []
      const host = `127.${number}.0.1`
      const own = Buffer.from(nodeId)
      const gossip = await startGossip({
        networkName: 'test',
        identitySeed,
        listen: { host, port: 0 },
        isLocal: true,
        maxMessageBytes: 2000,
        judge(data) {
          const text = Buffer.from(data).toString()
          const verdict = judge(text)
          if (verdict === 'accept') seen.push(text)
          return verdict
        },
        mayJoin: (id) => staked.has(Buffer.from(id).toString('hex')),
        candidates: () => peers.filter((peer) => !own.equals(peer.nodeId)),
        onNeighbour: () => {},
        random: Math.random,
        nowMs: () => performance.now(),
      })
      t.after(() => gossip[Symbol.asyncDispose]())
      assert.ok(gossip.port)
      peers.push({ nodeId, addresses: [{ host, port: gossip.port }], group: String(number) })
      return { gossip, seen, nodeId }
    },
  }
}

/** Looks until it holds; the test's own time limit ends it. */
async function until(t: TestContext, holds: () => boolean): Promise<void> {
  while (!holds()) {
    t.signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const LIMIT = { timeout: 60_000 }

test('what one node says all hear, and each judges it once (SPEC §10.4)', LIMIT, async (t) => {
  const net = world(t)
  const nodes = [
    await net.start(),
    await net.start(),
    await net.start(),
    await net.start(),
    await net.start(),
  ]
  const [first, ...others] = nodes
  assert.ok(first)
  await until(t, () => nodes.every(({ gossip }) => gossip.status.listening === 4))
  await first.gossip.publish(Buffer.from('hello'))
  await until(t, () => others.every(({ seen }) => seen.length > 0))
  assert.deepEqual(new Set(others.map(({ seen }) => seen.join())), new Set(['hello']))
  assert.deepEqual(first.seen, [])
})

test('what a neighbour does not accept goes no further', LIMIT, async (t) => {
  const net = world(t)
  const judge = (text: string): GossipVerdict => (text.startsWith('bad') ? 'reject' : 'accept')
  const middle = await net.start({ judge })
  const hostile = await net.start()
  await until(t, () => [middle, hostile].every(({ gossip }) => gossip.status.listening === 1))
  for (const text of ['bad 1', 'bad 2', 'bad 3']) await hostile.gossip.publish(Buffer.from(text))
  await hostile.gossip.publish(Buffer.from('good, but from a liar'))
  const honest = await net.start({ judge })
  await until(t, () => [middle, honest].every(({ gossip }) => gossip.status.listening === 2))
  await honest.gossip.publish(Buffer.from('good'))
  await until(t, () => middle.seen.includes('good'))
  assert.deepEqual(
    middle.seen.filter((text) => text.startsWith('bad')),
    [],
  )
  assert.deepEqual(
    honest.seen.filter((text) => text.startsWith('bad')),
    [],
  )
})

test('a node without a stake finds no neighbours', LIMIT, async (t) => {
  const net = world(t)
  const [a, b] = [await net.start(), await net.start()]
  await until(t, () => [a, b].every(({ gossip }) => gossip.status.listening === 1))
  const stranger = await net.start({ isStaked: false })
  const passer = await net.start()
  await until(t, () => passer.gossip.status.listening === 2)
  await stranger.gossip.publish(Buffer.from('from nobody'))
  await passer.gossip.publish(Buffer.from('from somebody'))
  await until(t, () => [a, b].every(({ seen }) => seen.includes('from somebody')))
  for (const { seen } of [a, b, passer]) assert.ok(!seen.includes('from nobody'))
})
