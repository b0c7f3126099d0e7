/**
 * Two nodes of one owner, and one of the client's own, in a network of real processes with a registry on a chain of its own (SPEC §10.3): no circuit has both, and none has the client's. Each
 * node has an address, an AS and a country of its own, so that nothing but the registry says that two are one's:
 *
 *     registry:  owner A ── node-2, node-6          every other node has an owner of its own
 *
 *     client ══ relays node-1 … node-5 ══ relays ══ exits node-6, node-7, node-8 (without a port) ── origin
 *       └─ own: node-4
 */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openChain, type ChainView } from '../packages/chain/src/index.ts'
import { startByway, type JsonEvent } from '../packages/cli/test/running-byway.ts'
import { toHex } from '../packages/protocol/src/base/index.ts'
import { createTemporaryFolder } from '../packages/testnet/src/temporary-folder.ts'
import { startBigOrigin } from './lib/big-origin.ts'
import { download } from './lib/download.ts'
import { startPaidNodes, type PaidNodes } from './lib/paid-nodes.ts'

const NODES = 8
/** Their numbers: a relay and an exit. */
const ONE_OWNER = [2, 6] as const
const OWN = 4
const CIRCUITS = 60
/** A circuit takes some tenths of a second; the nodes start in a quarter of a minute. */
const LIMIT = { timeout: 300_000 }

/** Of an active registration, by node id, as the chain tells it. */
async function ownersOf(
  view: ChainView,
  ids: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>()
  for await (const news of view.events(0, signal)) {
    if (news.type !== 'event' || news.event.name !== 'registry') continue
    const { change } = news.event
    if (change?.type === 'registered') owners.set(toHex(change.nodeId), toHex(change.owner))
    if (owners.size === ids.size) break
  }
  return owners
}

/** A client of that network which knows which node is its own. Gives its proxy's port; what it says of its paths goes to `onPath`. */
async function startClient(
  network: PaidNodes,
  home: string,
  own: string,
  onPath: (hops: readonly string[]) => void,
) {
  await mkdir(home, { mode: 0o700 })
  await network.fundClient(home)
  await writeFile(join(home, 'config.toml'), `[client]\nown_nodes = ["${own}"]\n`)
  const onEvent = (event: JsonEvent): void => {
    if (event['event'] === 'path') onPath(hopsOf(event))
  }
  const args = ['up', '--json', '--home', home, '--network', network.networkFile, '--port', '0']
  const client = startByway([...args, '--hops', '3', '--drain', '0'], {}, onEvent)
  const { proxy } = await client.event('ready')
  return { client, proxyPort: Number(/:(\d+)$/.exec(String(proxy))?.[1]) }
}

function hopsOf({ hops }: JsonEvent): readonly string[] {
  assert.ok(Array.isArray(hops))
  return hops.map(String)
}

test(
  'no circuit has two nodes of one owner, or the node of the client itself',
  LIMIT,
  async (t) => {
    await using origin = await startBigOrigin(1000)
    await using folder = await createTemporaryFolder()
    await using network = await startPaidNodes(NODES, t.signal, {
      exitTargets: [{ address: '127.0.0.1', port: origin.port }],
      oneOwner: ONE_OWNER,
      priceStep: 0,
    })
    const idOf = (number: number): string => network.nodes[number - 1]?.id ?? assert.fail()
    const ids = new Set(network.nodes.map(({ id }) => id))
    const { view } = openChain({ payment: network.payment, isLocal: true, onAlert: () => {} })
    const owners = await ownersOf(view, ids, t.signal)
    assert.equal(new Set(owners.values()).size, NODES - 1, 'two have one owner')
    assert.equal(owners.get(idOf(2)), owners.get(idOf(6)))

    const paths: (readonly string[])[] = []
    const own = idOf(OWN)
    const { client, proxyPort } = await startClient(
      network,
      join(folder.path, 'client'),
      own,
      (hops) => paths.push(hops),
    )
    try {
      for (let asked = 0; paths.length < CIRCUITS; asked++) {
        assert.ok(asked < 2 * CIRCUITS, `${paths.length} circuits for ${asked} users`)
        const username = `user ${asked}`
        const { ending, bytes } = await download({
          proxyPort,
          originPort: origin.port,
          username,
          path: '/body',
        })
        assert.deepEqual([ending, bytes], ['end', 1000])
      }
    } finally {
      await client.stop()
    }
    const count = (...numbers: readonly number[]): number =>
      paths.filter((hops) => numbers.every((number) => hops.includes(idOf(number)))).length
    t.diagnostic(
      `${paths.length} circuits; by node: ${network.nodes.map((_node, at) => count(at + 1)).join(' ')}`,
    )
    for (const hops of paths) assert.ok(hops.length === 3 && hops.every((id) => ids.has(id)))
    // Where one is the guard, all circuits have it, and the other would be the exit of a third of them. Where neither is, they would meet in a twelfth.
    const used = ONE_OWNER.map((number) => count(number))
    assert.ok(Math.max(...used) >= 10, used.join(' '))
    assert.equal(count(...ONE_OWNER), 0)
    assert.equal(count(OWN), 0)
  },
)
