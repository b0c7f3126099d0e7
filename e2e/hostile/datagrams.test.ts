/**
 * UDP through an exit (SPEC §7.3), to the one loopback target that the network allows, and what an exit without datagrams says.
 *
 *   app ──SOCKS5 UDP ASSOCIATE──► client ── guard ── exit ── echo
 */
import assert from 'node:assert/strict'
import type { Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { createProxy } from '@byway/client'
import type { Datagram } from '@byway/client'
import { NO_LOG } from '@byway/protocol/base'
import { a, reply as dnsReply, startHostileDns } from '../../packages/node/test/exit/hostile-dns.ts'
import type { SeenQuery } from '../../packages/node/test/exit/hostile-dns.ts'
import { bindAsTarget } from '../../packages/node/test/exit/udp-target.ts'
import { dialAs, makeNet } from './lib/net.ts'
import { askSocks } from './lib/socks.ts'
import { until, within } from './lib/until.ts'

async function bind(t: TestContext): Promise<Socket> {
  const socket = await bindAsTarget()
  t.after(() => socket.close())
  return socket
}

/** Sends back what it gets; a payload that begins with `!` is answered by a stranger. */
async function makeWorld(
  t: TestContext,
  datagrams: boolean,
  others: readonly { readonly address: string; readonly port: number }[] = [],
) {
  const echo = await bind(t)
  const stranger = await bind(t)
  const decoy = await bind(t)
  let decoyHits = 0
  decoy.on('message', () => decoyHits++)
  const visitors: { port: number; address: string }[] = []
  echo.on('message', (bytes, from) => {
    visitors.push(from)
    if (bytes[0] === 33) stranger.send('from a stranger', from.port, from.address)
    echo.send(bytes, from.port, from.address)
  })
  const target = { address: '127.0.0.1', port: echo.address().port }
  const targets = [target, ...others]
  const net = await makeNet(t, targets)
  const guard = await net.honest()
  await net.honest({ exit: { profile: 'web', datagrams } })
  await net.honest()
  await net.settled()
  const client = await net.client([guard])
  const proxy = createProxy(
    { dialer: client, log: NO_LOG },
    { port: 0, allowTargets: targets.map(({ address, port }) => ({ host: address, port })) },
  )
  const { port: proxyPort } = await proxy.start()
  t.after(() => proxy[Symbol.asyncDispose]())
  const world = { client, proxyPort, echo, target, decoyPort: decoy.address().port, visitors }
  return { ...world, decoyHits: () => decoyHits }
}

/** RFC 1928 §7 for an IPv4 endpoint. */
function wrap(port: number, payload: Buffer, host = '127.0.0.1'): Buffer {
  const address = host.split('.').map(Number)
  return Buffer.concat([Buffer.from([0, 0, 0, 1, ...address, port >> 8, port & 255]), payload])
}

async function next(socket: Socket): Promise<Buffer> {
  const [bytes] = (await within('a datagram', once(socket, 'message'))) as [Buffer]
  return bytes
}

test('an application exchanges datagrams through SOCKS5 with what the network allows, and with nothing else', async (t) => {
  const world = await makeWorld(t, true)
  const { socket, reply } = await askSocks(world.proxyPort, {
    host: '0.0.0.0',
    port: 0,
    user: 'udp',
    command: 3,
  })
  assert.equal(reply[1], 0)
  const relayPort = reply.readUInt16BE(8)
  const app = await bind(t)
  // A DNS query is a datagram like any other: 12 bytes of header and a question.
  const query = Buffer.from('1234010000010000000000000765786d61706c6503636f6d0000010001', 'hex')
  for (const payload of [query, Buffer.from('hello'), Buffer.alloc(1200, 7), Buffer.alloc(0)]) {
    app.send(wrap(world.target.port, payload), relayPort, '127.0.0.1')
    const answer = await next(app)
    assert.deepEqual(answer, wrap(world.target.port, payload))
  }
  // Another loopback port is not allowed; the next echo shows that the exit has looked at it.
  app.send(wrap(world.decoyPort, Buffer.from('knock')), relayPort, '127.0.0.1')
  app.send(wrap(world.target.port, Buffer.from('after')), relayPort, '127.0.0.1')
  assert.deepEqual(await next(app), wrap(world.target.port, Buffer.from('after')))
  assert.equal(world.decoyHits(), 0)
  socket.destroy()
  await until('the flow to end', () =>
    world.client.status().tunnels.every(({ streams }) => streams === 0),
  )
})

/** A resolver on port 53, or where this user may listen. */
async function startResolver(t: TestContext) {
  const answer = (query: SeenQuery): readonly Uint8Array[] => [
    dnsReply(query, { answers: [a(query.name, '192.0.2.7'), a(query.name, '192.0.2.8')] }),
  ]
  const start = (port: number) => startHostileDns(answer, { address: '127.53.0.1', port })
  const resolver = await start(53).catch(() => start(0))
  t.after(() => resolver[Symbol.asyncDispose]())
  t.diagnostic(`the resolver listens on port ${resolver.port}`)
  return resolver
}

/** A UDP port that a stub resolver may ask: what comes goes through SOCKS5 to the resolver, and back. */
async function startShim(
  t: TestContext,
  relayPort: number,
  { address, port }: { readonly address: string; readonly port: number },
): Promise<number> {
  const [near, far] = [await bind(t), await bind(t)]
  let asker = { port: 0, address: '' }
  near.on('message', (bytes, from) => {
    asker = from
    far.send(wrap(port, bytes, address), relayPort, '127.0.0.1')
  })
  far.on('message', (bytes) => near.send(bytes.subarray(10), asker.port, asker.address))
  return near.address().port
}

test('a stub resolver is answered over SOCKS5 UDP by a resolver behind the exit', async (t) => {
  const dns = await startResolver(t)
  const world = await makeWorld(t, true, [dns])
  const { socket, reply: answer } = await askSocks(world.proxyPort, {
    host: '0.0.0.0',
    port: 0,
    user: 'dns',
    command: 3,
  })
  t.after(() => socket.destroy())
  assert.equal(answer[1], 0)
  const port = await startShim(t, answer.readUInt16BE(8), dns)
  const stub = new Resolver({ timeout: 60_000, tries: 1 })
  stub.setServers([`127.0.0.1:${port}`])
  assert.deepEqual(await stub.resolve4('www.example.com'), ['192.0.2.7', '192.0.2.8'])
  assert.deepEqual(
    dns.seen.map(({ name, over }) => [name, over]),
    [['www.example.com', 'udp']],
  )
})

test('a reply of somebody who was not written to is dropped at the exit (SPEC §7.3)', async (t) => {
  const { client, target } = await makeWorld(t, true)
  const got: Datagram[] = []
  const flow = await client.openDatagrams({ ...dialAs(), onDatagram: (each) => got.push(each) })
  const send = (text: string): boolean =>
    flow.send({ peer: { host: target.address, port: target.port }, payload: Buffer.from(text) })
  send('!first')
  await until('the echo', () => got.length === 1)
  // What the stranger sent came before this one's echo.
  send('second')
  await until('the second echo', () => got.length === 2)
  assert.deepEqual(
    got.map(({ payload }) => Buffer.from(payload).toString()),
    ['!first', 'second'],
  )
  assert.deepEqual(got[0]?.peer, { host: target.address, port: target.port })
  flow.close()
  await flow.closed
})

test('without an exit that carries datagrams the application is told at once', async (t) => {
  const { client, proxyPort } = await makeWorld(t, false)
  await assert.rejects(client.openDatagrams({ ...dialAs(), onDatagram: () => {} }), {
    code: 'NO_PATH',
  })
  const { reply, socket } = await askSocks(proxyPort, {
    host: '0.0.0.0',
    port: 0,
    user: 'u',
    command: 3,
  })
  assert.notEqual(reply[1], 0)
  socket.destroy()
})
