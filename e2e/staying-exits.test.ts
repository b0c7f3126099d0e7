/**
 * Streams that last go where an exit was seen to stay (SPEC §10.3, ADR 0040). Real processes; the client learns from their editions and from circuits that fail, as in the world:
 *
 *     client ══ guard ═══════════ exit A        never goes
 *                     ╲═ relay ══ exit B        never goes, and has no port
 *                     ╲══════════ exit C        is killed and comes back, five times
 *
 * A third of the sessions of half an hour would go to each by chance. A client that is started anew knows what it saw before.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient, type Client, type NodeScore } from '@byway/client'
import { isBywayError, toHex } from '@byway/protocol/base'
import { decodeDescriptor } from '@byway/protocol/wire'
import { parseNetworkFile } from '../packages/cli/src/config/network-file.ts'
import { readStoredSet } from '../packages/client/src/engine/stored-set.ts'
import type { NodeProcess } from '../packages/testnet/src/index.ts'
import { dialAs } from './hostile/lib/net.ts'
import { startBigOrigin } from './lib/big-origin.ts'
import { startChurningNetwork } from './lib/churning-network.ts'

/** Five relays, two exits, and one without a port. */
const NODES = 8
/** A node may tell six editions at once (SPEC §10.1). */
const RETURNS = 5
/** The first edition that is heard shows nothing: its onion key may be old. */
const LEAST_DEPARTURES = RETURNS - 1
const LIFE_MS = 1_800_000
/** A client has room for 128 circuits on a link (SPEC §8.5), and a relay opens 90 at once for an address: each batch is a new start of it, with other guards. */
const BATCHES = 6
const OF_EACH = 50
/** What C has fewer of sessions than of other streams: some 70 of 300, a deviation of 9; 0 where nothing is learnt, a deviation of 12. */
const LEAST_FEWER = 35
const LOOK_MS = 250

/** A client on this state folder that tells the exit of each tunnel that it opens. */
async function startClient(t: TestContext, home: string, networkFile: string) {
  const exits: string[] = []
  const client = createClient({
    network: parseNetworkFile(await readFile(networkFile, 'utf8')),
    home,
    hops: 2,
    onPath: ({ hops, rejoins }) => {
      if (rejoins === 0) exits.push(hops.at(-1)?.nodeId ?? '')
    },
  })
  await client.start(t.signal)
  return { client, exits, [Symbol.asyncDispose]: () => client[Symbol.asyncDispose]() }
}

function scoreOf(client: Client, { id }: NodeProcess): NodeScore {
  const score = client.scores().find(({ nodeId }) => nodeId === id)
  assert.ok(score)
  return score
}

/** When the edition of a node was made that a client has on its disk, wall clock. */
async function publishedMs(home: string, { id }: NodeProcess): Promise<number> {
  const stored = await readStoredSet(join(home, 'directory.bin'))
  assert.ok(stored)
  const editions = stored.descriptors.map((bytes) => decodeDescriptor(bytes).descriptor)
  return (editions.find(({ nodeId }) => toHex(nodeId) === id)?.publishedS ?? 0) * 1000
}

/** Asks for a country where nobody is until the client has an edition made since then: who finds nobody looks for news. */
async function untilHeard(
  t: TestContext,
  client: Client,
  isHeard: () => Promise<boolean>,
): Promise<void> {
  while (!(await isHeard())) {
    await assert.rejects(
      client.connect({ host: '127.0.0.1', port: 1 }, dialAs(undefined, { country: 'ZZ' })),
      (error) => isBywayError(error) && error.code === 'NO_PATH',
    )
    await delay(LOOK_MS, undefined, { signal: t.signal })
  }
}

test('sessions go to exits that were seen to stay', { timeout: 300_000 }, async (t) => {
  await using origin = await startBigOrigin(1000)
  const home = await mkdtemp(join(tmpdir(), 'byway-staying-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  await using network = await startChurningNetwork(NODES, origin.port, t.signal)
  const [stays, goes] = network.nodes.filter(({ plan }) => plan.isExit && plan.host !== undefined)
  assert.ok(stays && goes)

  await using watching = await startClient(t, home, network.networkFile)
  for (let round = 0; round < RETURNS; round++) {
    network.kill(goes)
    // Editions tell whole seconds.
    const sinceMs = Math.floor(Date.now() / 1000) * 1000
    await network.startAgain(goes)
    const isHeard = async (): Promise<boolean> => (await publishedMs(home, goes)) >= sinceMs
    await untilHeard(t, watching.client, isHeard)
  }
  const seen = [stays, goes].map((node) => scoreOf(watching.client, node))
  const [departures = 0, oftener = 0] = seen.map(({ uptime }) => uptime?.departures ?? 0)
  t.diagnostic(`seen to go: A ${departures} times, C ${oftener.toFixed(2)} times`)
  assert.equal(departures, 0)
  assert.ok(oftener > LEAST_DEPARTURES - 0.1)
  await watching.client[Symbol.asyncDispose]()

  const atC = { sessions: 0, others: 0 }
  for (let batch = 0; batch < BATCHES; batch++) {
    await rm(join(home, 'guards.json'))
    await using run = await startClient(t, home, network.networkFile)
    const ask = async (session: string | undefined): Promise<string | undefined> => {
      const selection = session === undefined ? {} : { session, lifeMs: LIFE_MS }
      const target = { host: '127.0.0.1', port: origin.port }
      const stream = await run.client.connect(target, dialAs(undefined, selection))
      stream.resume().end('GET / HTTP/1.0\r\n\r\n')
      await once(stream, 'end')
      return run.exits.at(-1)
    }
    assert.ok((scoreOf(run.client, goes).uptime?.departures ?? 0) > LEAST_DEPARTURES - 0.1)
    for (let i = 0; i < OF_EACH; i++) {
      atC.sessions += Number((await ask(`batch${batch}_${i}`)) === goes.id)
      atC.others += Number((await ask(undefined)) === goes.id)
    }
  }
  const count = BATCHES * OF_EACH
  t.diagnostic(
    `at the exit that goes: ${atC.sessions} of ${count} sessions, ${atC.others} of ${count} others`,
  )
  assert.ok(atC.others - atC.sessions >= LEAST_FEWER)
})
