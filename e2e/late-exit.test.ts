/**
 * An exit that has its names looked up, and so its connections begun, from far away, among three that do not (docs/PLACE.md). Real nodes, links and lookups of the loopback:
 *
 *   client ── guard ── three exits that say PL ── resolver at once ────────► origin
 *                 ╰─── one that says PL ───────── resolver 300 ms away ────► origin
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { a, reply, startHostileDns } from '../packages/node/test/exit/hostile-dns.ts'
import { startBigOrigin } from './lib/big-origin.ts'
import { dialAs, type HonestNode, makeNet } from './hostile/lib/net.ts'

const AWAY_MS = 300
const FIRST_ASN = 64_600
/** Tunnels to each exit, and streams of each. 32 together are judged; of destinations that share a mark one counts. */
const TUNNELS = 2
const STREAMS = 24

test(
  'an exit that connects late is told of, and serves as before',
  { timeout: 240_000 },
  async (t) => {
    await using near = await startHostileDns((query) => [
      reply(query, { answers: [a(query.name, '127.0.0.1')] }),
    ])
    await using far = await openFarResolver(near)
    await using origin = await startBigOrigin(1000)
    const net = await makeNet(t, [{ address: '127.0.0.1', port: origin.port }])
    const guards = [await net.honest(), await net.honest(), await net.honest()]
    const exits: HonestNode[] = []
    for (const [i, { address, port }] of [far, near, near, near].entries()) {
      const dnsServers = [`${address}:${port}`]
      const exit = { profile: 'web', dnsServers } as const
      exits.push(await net.honest({ exit, listen: undefined, country: 'PL', asn: FIRST_ASN + i }))
    }
    await net.settled()
    const client = await net.client(guards.slice(0, 1))

    async function open(asn: number, host: string, user: string): Promise<void> {
      const stream = await client.connect({ host, port: origin.port }, dialAs(user, { asn }))
      stream.on('error', () => {})
      await stream.connected
      stream.destroy()
    }
    const lineOf = (key: string | undefined) =>
      client.scores().find(({ nodeId }) => nodeId === key)?.line
    for (let tunnel = 0; tunnel < TUNNELS; tunnel++) {
      assert.equal(lineOf(exits[0]?.key)?.reasons.some(isLate), false)
      for (let at = 0; at < STREAMS; at++) {
        // In turn, so that a busy machine is busy for all of them.
        for (const i of exits.keys()) {
          await open(FIRST_ASN + i, `${at}-${tunnel}.example`, `${i}-${tunnel}`)
        }
      }
    }
    const late = lineOf(exits[0]?.key)
    const reason = late?.reasons.find(isLate)
    t.diagnostic(`begins ${reason?.byMs.toFixed(0)} ms later than ${reason?.others} others`)
    assert.equal(late?.grade, 'unlike-home')
    assert.ok(reason && reason.byMs > AWAY_MS / 2 && reason.others === 3)
    for (const { key } of exits.slice(1)) assert.equal(lineOf(key)?.reasons.some(isLate), false)
    assert.equal(client.scores().find(({ nodeId }) => nodeId === exits[0]?.key)?.factors.place, 1)
    await open(FIRST_ASN, 'again.example', 'another')
  },
)

type Resolver = { readonly address: string; readonly port: number }

/** Passes questions on to a resolver, each after {@link AWAY_MS}. */
async function openFarResolver({ address, port }: Resolver): Promise<Resolver & AsyncDisposable> {
  const socket = createSocket('udp4')
  const open = new Set<() => void>()
  socket.on('message', (question, from) => {
    const onward = createSocket('udp4')
    const timer = setTimeout(() => onward.send(question, port, address), AWAY_MS)
    const end = (): void => {
      clearTimeout(timer)
      onward.close()
      open.delete(end)
    }
    open.add(end)
    onward.on('message', (answer) => {
      socket.send(answer, from.port, from.address)
      end()
    })
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return {
    address: '127.0.0.1',
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      for (const end of open) end()
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}

function isLate<T extends { readonly reason: string }>(
  each: T,
): each is Extract<T, { readonly reason: 'connects-late' }> {
  return each.reason === 'connects-late'
}
