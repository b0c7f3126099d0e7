/**
 * A node that tells one half of the network this and the other half that, under one number (SPEC §10.1, §14.7). Real processes, real gossip, a real chain:
 *
 *     liar, edition A ──► node 1 ◄── gossip ──► node 3 ◄── edition B, liar
 *                            │                     │
 *                            └── slashEditions ────┴──► registry: half of the stake
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openChain, type ChainView } from '../packages/chain/src/index.ts'
import { readDirectory } from '../packages/client/src/engine/ask-node.ts'
import { startGossip, type Gossip, type GossipPeer } from '../packages/gossip/src/index.ts'
import { createDescriptorMaker } from '../packages/node/src/directory/own-descriptor.ts'
import { loadIdentity } from '../packages/node/src/identity-store.ts'
import { untilGone } from '../packages/home/test/processes.ts'
import { toHex } from '../packages/protocol/src/base/index.ts'
import { nodeCrypto } from '../packages/protocol/src/crypto/node-provider.ts'
import type { Descriptor } from '../packages/protocol/src/wire/index.ts'
import type { NodeProcess } from '../packages/testnet/src/index.ts'
import { startPaidNodes, type PaidNodes } from './lib/paid-nodes.ts'

const LOOK_MS = 200

test('who signs two editions under one number is found by those who compare them, and loses half of its stake', async (t) => {
  await using network = await startPaidNodes(4, t.signal)
  const [one, liar, other] = network.nodes
  const { payment } = network
  assert.ok(one && liar && other)
  const { view } = openChain({ payment, isLocal: true, onAlert: () => {} })
  const known = await descriptorsOf(t, network)
  const own = known.get(liar.id)
  assert.ok(own?.provider)
  const before = await view.registration(own.provider, t.signal)
  assert.ok(before?.isActive)

  const honest = [...known.values()].filter(({ provider }) => provider && provider !== own.provider)
  const poor = await purses(t, view, honest)

  await kill(liar)
  await using parts = new AsyncDisposableStack()
  const seed = await loadIdentity(liar.home)
  for (const [node, asn] of [
    [one, 1],
    [other, 2],
  ] as const) {
    const edition = editionOf(seed, own, asn)
    parts.use(await tell(t, { seed, edition, peer: peerOf(known.get(node.id)) }))
  }

  const after = await until(t, async () => {
    const found = await view.registration(own.provider ?? new Uint8Array(20), t.signal)
    return found && found.stake < before.stake ? found : undefined
  })
  assert.equal(after.stake, before.stake / 2n)
  assert.equal(after.isActive, false)
  await untilRewarded(t, view, poor, before.stake / 20n)
  const standing = [one, other, ...network.nodes.slice(3)]
  await until(t, async () => {
    const counts = await Promise.all(standing.map((node) => network.knownTo(node)))
    return counts.every((count) => count === standing.length) || undefined
  })
})

type Purse = { readonly accounts: readonly Uint8Array[]; readonly balance: bigint }

/** What each provider has: at its node, and where that sends what it earns. */
async function purses(
  t: TestContext,
  view: ChainView,
  providers: readonly Pick<Descriptor, 'provider'>[],
): Promise<readonly Purse[]> {
  const purseOf = async ({ provider }: Pick<Descriptor, 'provider'>): Promise<Purse> => {
    const found = provider && (await view.registration(provider, t.signal))
    assert.ok(found)
    const accounts = [found.provider, found.payout]
    return { accounts, balance: await balanceOf(t, view, accounts) }
  }
  return await Promise.all(providers.map(purseOf))
}

async function balanceOf(
  t: TestContext,
  view: ChainView,
  accounts: readonly Uint8Array[],
): Promise<bigint> {
  const balances = await Promise.all(accounts.map((each) => view.tokenBalance(each, t.signal)))
  return balances.reduce((sum, each) => sum + each, 0n)
}

/** Resolves when one of them, and no other, has this much more: on its way to the owner it may be at neither place for a look. */
async function untilRewarded(
  t: TestContext,
  view: ChainView,
  before: readonly Purse[],
  reward: bigint,
): Promise<void> {
  await until(t, async () => {
    const gains = await Promise.all(
      before.map(async ({ accounts, balance }) => (await balanceOf(t, view, accounts)) - balance),
    )
    const [gain, ...others] = gains.filter((each) => each !== 0n)
    return (gain === reward && others.length === 0) || undefined
  })
}

/** What the first contact tells a stranger of each node, by node id. */
async function descriptorsOf(
  t: TestContext,
  { network }: PaidNodes,
): Promise<ReadonlyMap<string, Descriptor>> {
  const set = await readDirectory({ network, nowMs: Date.now, random: () => 0, signal: t.signal })
  return new Map([...set.entries()].map(({ descriptor }) => [toHex(descriptor.nodeId), descriptor]))
}

/** Its identity is the liar's from here on. */
async function kill({ pid }: NodeProcess): Promise<void> {
  process.kill(pid, 'SIGKILL')
  await untilGone(pid)
}

/** The next edition, in one of its forms. */
function editionOf(seed: Uint8Array, own: Descriptor, asn: number): Uint8Array {
  const identity = nodeCrypto.ed25519KeyPair(seed)
  const maker = createDescriptorMaker(nodeCrypto, identity, () => own.sequence + 1)
  return maker.make({ ...own, asn }, Date.now())
}

function peerOf(descriptor: Descriptor | undefined): GossipPeer {
  const [address] = descriptor?.addresses ?? []
  assert.ok(descriptor && address)
  const host = address.bytes.join('.')
  const { nodeId, gossipPort: port } = descriptor
  return { nodeId, addresses: [{ host, port }], group: host }
}

/** Joins the network as the liar, with one neighbour, and tells it an edition. Stays until it is disposed. */
async function tell(
  t: TestContext,
  {
    seed,
    edition,
    peer,
  }: { readonly seed: Uint8Array; readonly edition: Uint8Array; readonly peer: GossipPeer },
): Promise<Gossip> {
  const gossip = await startGossip({
    networkName: 'testnet',
    identitySeed: seed,
    isLocal: true,
    maxMessageBytes: 2000,
    // What others say goes no further here: the honest compare by themselves.
    judge: () => 'ignore',
    mayJoin: (nodeId) => toHex(nodeId) === toHex(peer.nodeId),
    candidates: () => [peer],
    onNeighbour: () => {},
    random: Math.random,
    nowMs: () => performance.now(),
  })
  await until(t, async () => gossip.status.listening === 1 || undefined)
  await gossip.publish(edition)
  return gossip
}

/** Looks until there is one; the test's own time limit ends it. */
async function until<Found>(
  t: TestContext,
  find: () => Promise<Found | undefined>,
): Promise<Found> {
  for (;;) {
    const found = await find()
    if (found !== undefined) return found
    t.signal.throwIfAborted()
    await delay(LOOK_MS)
  }
}
