/**
 * Destinations and resolvers that lie, and places where an exit must not go (THREAT-MODEL T16, T18; SPEC §7.2, §11). Nothing here connects outside the
 * loopback: what an exit would let through is not dialled.
 *
 *   client ── guard ── exit ──┬── origin (the only target that the network allows)
 *                             ├── decoys on other loopback ports: 0 connections
 *                             └── a resolver that flips its answers
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createProxy } from '@byway/client'
import type { Client } from '@byway/client'
import { isBywayError, NO_LOG } from '@byway/protocol/base'
import { HOP_MESSAGE, RESET_REASON } from '@byway/protocol/wire'
import { listenAsTarget } from '@byway/testnet'
import {
  a,
  aaaa,
  cname,
  reply,
  startHostileDns,
} from '../../packages/node/test/exit/hostile-dns.ts'
import type { Rr, SeenQuery } from '../../packages/node/test/exit/hostile-dns.ts'
import { dialAs, makeNet } from './lib/net.ts'
import { dialRaw, openRawTunnel } from './lib/raw-client.ts'
import { IS_SLOW } from './lib/seed.ts'
import { askSocks } from './lib/socks.ts'
import { startOrigin, transfer } from './lib/transfer.ts'
import { until, within } from './lib/until.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

type Script = (socket: Socket) => void

/** A destination that does as its script says, and counts its visitors. */
async function startTarget(t: TestContext, script: Script, host = '127.0.0.1', fixedPort?: number) {
  const sockets: Socket[] = []
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    socket.on('error', () => {})
    sockets.push(socket)
    script(socket)
  })
  if (fixedPort !== undefined) await once(server.listen(fixedPort, host), 'listening')
  const port = fixedPort ?? (await listenAsTarget(server, host))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { address: host, port, sockets }
}

async function makeWorld(
  t: TestContext,
  targets: readonly { address: string; port: number }[],
  dns?: string,
) {
  const origin = await startOrigin(t)
  const net = await makeNet(t, [origin, ...targets])
  const guard = await net.honest()
  const dnsServers = dns === undefined ? undefined : [dns]
  const exit = await net.honest({ exit: { profile: 'reduced', dnsServers } })
  await net.honest()
  await net.settled()
  return { net, origin, guard, exit, client: await net.client([guard]) }
}

/** How a connection to a host ended before it was one. */
async function refusalOf(
  client: Client,
  host: string,
  port: number,
  user?: string,
): Promise<string> {
  const stream = await client.connect({ host, port }, dialAs(user))
  stream.on('error', () => {})
  const outcome = stream.connected.then(
    () => 'CONNECTED',
    (error: unknown) => (isBywayError(error) ? error.code : String(error)),
  )
  const code = await within(`an answer for ${host}`, outcome)
  stream.destroy()
  return code
}

test('a destination that never reads holds up its own stream and a bounded number of bytes', async (t) => {
  const mute = await startTarget(t, () => {})
  const { client, origin, exit } = await makeWorld(t, [mute])
  const user = 'shares one tunnel'
  const stuck = await client.connect({ host: mute.address, port: mute.port }, dialAs(user))
  stuck.on('error', () => {})
  const chunk = Buffer.alloc(65_536)
  let written = 0
  // Until nothing is taken any more: the pipes on the way hold what they hold.
  while (stuck.write(chunk)) written += chunk.length
  const more = (): void => {
    while (stuck.write(chunk)) written += chunk.length
  }
  stuck.on('drain', more)
  const stream = await client.connect({ host: origin.address, port: origin.port }, dialAs(user))
  const outcome = await within('the other stream', transfer(stream, 500_000, 2_000_000))
  assert.equal(outcome.end, 'clean')
  assert.equal(client.status().tunnels.length, 1, 'both in one tunnel')
  assert.ok(written < 24 * 1024 * 1024, `took ${written} bytes for a target that reads none`)
  assert.equal(exit.node.status().exitSockets, 1)
  stuck.destroy()
})

test('destinations that reset, trickle, flood or say nothing end as they are', async (t) => {
  const resetter = await startTarget(t, (socket) => {
    socket.write('half an answer', () => setImmediate(() => socket.resetAndDestroy()))
  })
  const trickle = await startTarget(t, (socket) => {
    for (let i = 0; i < 200; i++) setImmediate(() => socket.write(Buffer.of(i)))
    setTimeout(() => socket.end(), 100)
  })
  const flood = await startTarget(t, (socket) => {
    const go = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
    }
    socket.on('drain', go)
    go()
  })
  const silent = await startTarget(t, () => {})
  const { client } = await makeWorld(t, [resetter, trickle, flood, silent])
  const open = (target: { address: string; port: number }) =>
    client.connect({ host: target.address, port: target.port }, dialAs('one'))

  const cut = await open(resetter)
  cut.resume()
  const [error] = (await within('the reset', once(cut, 'error'))) as [unknown]
  assert.ok(isBywayError(error) && error.code === 'EXIT_RESET')

  const slow = await open(trickle)
  const bytes: number[] = []
  slow.on('data', (part: Buffer) => bytes.push(...part))
  await within('the trickle to end', once(slow, 'end'))
  assert.deepEqual(
    bytes,
    Array.from({ length: 200 }, (_, i) => i),
  )
  slow.end()

  // Nobody reads the flood: what is under way stays bounded, and the same tunnel carries others.
  const flooded = await open(flood)
  flooded.on('error', () => {})
  await flooded.connected
  const quiet = await open(silent)
  quiet.on('error', () => {})
  assert.deepEqual(await quiet.connected, { family: 4 })
  const again = await open(trickle)
  again.resume()
  await within('a third stream beside the flood', once(again, 'end'))
  // What is read ahead (256 KiB) and the widest window there is (SPEC §8.3).
  assert.ok(flooded.readableLength <= (4096 + 256) * 1024)
  for (const stream of [flooded, quiet, again]) stream.destroy()
})

test('no name, no literal and no flip of a resolver leads an exit to the loopback or a private net (THREAT-MODEL T16)', async (t) => {
  const decoys = [
    await startTarget(t, () => {}, '127.44.0.1', 8443),
    await startTarget(t, () => {}, '127.0.0.1', 8888),
  ]
  let turn = 0
  const flips: ((name: string) => readonly Rr[])[] = [
    (name) => [a(name, '127.0.0.1')],
    (name) => [a(name, '127.44.0.1'), a(name, '192.0.2.1')],
    (name) => [a(name, '0.0.0.0')],
    (name) => [a(name, '10.0.0.1'), a(name, '127.44.0.1')],
    (name) => [cname(name, 'localhost'), a('localhost', '127.0.0.1')],
    (name) => [a(name, '169.254.169.254')],
    (name) => [aaaa(name, [0, 0, 0, 0, 0, 0xffff, 0x7f2c, 1])],
    () => [],
  ]
  const dns = await startHostileDns((query: SeenQuery) => {
    if (query.name.startsWith('nx')) return [reply(query, { rcode: 3 })]
    const answers = flips[turn++ % flips.length]?.(query.name) ?? []
    return [
      reply(query, { answers: answers.filter((rr) => rr.type === 5 || rr.type === query.type) }),
    ]
  })
  t.after(() => dns[Symbol.asyncDispose]())
  const { client, guard, exit, origin } = await makeWorld(t, [], `127.0.0.1:${dns.port}`)

  const rounds = IS_SLOW ? 2000 : 200
  const codes = new Set<string>()
  for (let round = 0; round < rounds; round += 25) {
    // A tunnel may begin a hundred at once: each batch takes one of its own.
    const batch = Array.from({ length: 25 }, (_, i) =>
      refusalOf(
        client,
        `flip${round + i}.example.com`,
        i % 2 === 0 ? 8443 : 8888,
        `batch ${round}`,
      ),
    )
    for (const code of await Promise.all(batch)) codes.add(code)
  }
  assert.deepEqual([...codes], ['EXIT_RESOLVE_FAILED'])
  assert.ok(dns.seen.length >= rounds, 'the resolver was asked each time')

  const relay = guard.node.listen
  const own = exit.node.listen
  const literals: readonly (readonly [string, number])[] = [
    ['127.44.0.1', 8443],
    ['127.0.0.1', 8888],
    ['::ffff:127.0.0.1', 8888],
    ['::1', 8888],
    ['0.0.0.0', 8888],
    ['10.0.0.1', 443],
    ['192.168.1.1', 80],
    ['169.254.169.254', 80],
    ['100.64.0.1', 443],
    ['fd00::1', 443],
    ['64:ff9b::7f00:1', 8888],
    [relay?.host ?? '', relay?.port ?? 0],
    [own?.host ?? '', own?.port ?? 0],
    ['93.184.216.34', 25],
    ['mail.example.com', 25],
    [origin.address, origin.port + 1],
  ]
  // By hand: an honest client would not even ask.
  const raw = await dialRaw(guard.node)
  t.after(() => raw.link.close('local'))
  const specs = await raw.hops()
  const hops = [guard.key, exit.key].map((key) => specs.get(key)).filter((hop) => hop !== undefined)
  const tunnel = await openRawTunnel(raw, hops)
  tunnel.send({ type: HOP_MESSAGE.OPEN, tunnelId: new Uint8Array(randomBytes(16)), ...TERMS })
  for (const [index, [host, port]] of literals.entries()) {
    const begin = {
      type: HOP_MESSAGE.BEGIN,
      sequence: index,
      stream: index + 1,
      flags: 3,
      host,
      port,
    } as const
    tunnel.send(begin)
    const answer = await tunnel.nextSequenced()
    assert.deepEqual(
      answer,
      {
        type: HOP_MESSAGE.RESET,
        sequence: index,
        stream: index + 1,
        reason: RESET_REASON.EXIT_POLICY,
      },
      `${host} ${port}`,
    )
  }
  for (const decoy of decoys) assert.equal(decoy.sockets.length, 0, 'nobody reached a decoy')
  assert.equal(await refusalOf(client, origin.address, origin.port), 'CONNECTED')
})

test('an application cannot tell a private answer from a name that does not exist (SPEC §7.2)', async (t) => {
  const dns = await startHostileDns((query: SeenQuery) => {
    if (query.name.startsWith('nx')) return [reply(query, { rcode: 3 })]
    return [reply(query, { answers: query.type === 1 ? [a(query.name, '192.168.7.7')] : [] })]
  })
  t.after(() => dns[Symbol.asyncDispose]())
  const { client } = await makeWorld(t, [], `127.0.0.1:${dns.port}`)
  const proxy = createProxy({ dialer: client, log: NO_LOG }, { port: 0 })
  const { port } = await proxy.start()
  t.after(() => proxy[Symbol.asyncDispose]())
  const answers: Buffer[] = []
  for (const host of ['nx1.example.com', 'lan.example.com']) {
    const { socket, reply: answer } = await askSocks(port, { host, port: 443, user: host })
    answers.push(answer)
    socket.destroy()
    await assert.rejects(client.resolve(host, dialAs()), { code: 'EXIT_RESOLVE_FAILED' })
  }
  const [missing, hidden] = answers
  assert.notEqual(missing?.[1], 0)
  assert.deepEqual(hidden, missing)
  await until('the lookups to be over', () =>
    client.status().tunnels.every(({ streams }) => streams === 0),
  )
})
