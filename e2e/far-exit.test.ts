/**
 * An exit that is far, among five that are near (ADR-0052). Real nodes, links and circuits of the loopback:
 *
 *   client ── guard ── five exits ────────────────► origin
 *                 ╰─── door ─── exit that is far ─► origin      each byte takes 100 ms through the door
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { dialAs, type HonestNode, makeNet } from './hostile/lib/net.ts'
import { startBigOrigin } from './lib/big-origin.ts'
import { openFarDoor } from './lib/far-door.ts'

const ONE_WAY_MS = 100
/** Of the fourth node, as the network's table has it. The far one, which is in no table, says that its own comes after those of the near ones. */
const FIRST_ASN = 64_515
const NEAR = 5
/** Tunnels to each exit. */
const TUNNELS = 4
const EXIT = { exit: { profile: 'web' } } as const

test(
  'an exit that is far is known by its round trips, whatever lies behind it',
  { timeout: 120_000 },
  async (t) => {
    await using origin = await startBigOrigin(1000)
    const net = await makeNet(t, [{ address: '127.0.0.1', port: origin.port }])
    // Who is far dials the first contact itself, past the door.
    await net.honest()
    const guards = [await net.honest(), await net.honest()]
    const exits: HonestNode[] = []
    for (let i = 0; i < NEAR; i++) exits.push(await net.honest(EXIT))
    await using door = await openFarDoor('127.60.0.1', ONE_WAY_MS)
    const far = await net.honest({
      ...EXIT,
      listen: { host: '127.61.0.1', port: 0 },
      advertise: { host: '127.60.0.1', port: door.port },
      asn: FIRST_ASN + NEAR,
    })
    assert.ok(far.node.listen)
    door.leadTo(far.node.listen)
    await net.settled()

    const client = await net.client(guards)
    for (let tunnel = 0; tunnel < TUNNELS; tunnel++) {
      for (let i = 0; i <= NEAR; i++) {
        const target = { host: '127.0.0.1', port: origin.port }
        const stream = await client.connect(target, dialAs(undefined, { asn: FIRST_ASN + i }))
        stream.resume().end('GET / HTTP/1.0\r\n\r\n')
        await once(stream, 'end')
      }
    }
    await client[Symbol.asyncDispose]()
    const guard = guards[0]?.key
    const latencies = await storedLatencies(net.folder)
    const [farther = 1, ...nearer] = [far, ...exits].map(
      ({ key }) => latencies.get(`${guard} ${key}`) ?? 1,
    )
    const words = `far ${farther}, near ${nearer.join(', ')}`
    t.diagnostic(words)
    assert.ok(farther < 0.7, words)
    for (const latency of nearer) assert.ok(latency > farther, words)
    const score = client.scores().find(({ nodeId }) => nodeId === far.key)
    assert.equal(score?.voices.latencyVoices, 1)
    assert.equal(score.factors.latency, 1, 'one guard alone moves nothing')
  },
)

/** Of each guard with a node behind it, as the client wrote them down. */
async function storedLatencies(folder: string): Promise<ReadonlyMap<string, number>> {
  for (const home of await readdir(folder)) {
    const text = await readFile(join(folder, home, 'speeds.json'), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const { nodes } = JSON.parse(text) as { nodes: readonly (readonly [string, ...number[]])[] }
    return new Map(nodes.map(([pair, , , , , latency = 1]) => [pair, latency]))
  }
  throw new Error('nothing was written down')
}
