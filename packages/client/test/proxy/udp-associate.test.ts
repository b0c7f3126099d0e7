import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { Datagram, DatagramFlow } from '../../src/proxy/dialer.ts'
import type { ProxyOptions } from '../../src/proxy/options.ts'
import { decodeDatagram, encodeDatagram } from '../../src/proxy/udp-codec.ts'
import { fakeDialer, openApp, startProxy } from './harness.ts'

const PEER = { host: 'echo.example', port: 7 }

/** A proxy whose flows echo, and an app that has associated. */
async function associate(t: TestContext, options: ProxyOptions = {}, appPort = 0) {
  const sent: Datagram[] = []
  const closing = Promise.withResolvers<void>()
  const openDatagrams = (onDatagram: (datagram: Datagram) => void): DatagramFlow => ({
    maxPayloadBytes: 1200,
    closed: closing.promise,
    send(packet) {
      sent.push(packet)
      onDatagram({ ...packet, peer: { host: '192.0.2.1', port: 7 } })
      return true
    },
    close: () => closing.resolve(),
  })
  const { proxy, port } = await startProxy(t, fakeDialer({ openDatagrams }), options)
  const app = await openApp(t, port)
  app.send(Buffer.from([5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, appPort >> 8, appPort & 255]))
  const reply = await app.take(12)
  assert.equal(reply.toString('hex', 2, 10), '050000017f000001')
  return { proxy, app, sent, closing, relayPort: reply.readUInt16BE(10) }
}

async function udpSocket(t: TestContext, address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  t.after(() => socket.close())
  return socket
}

async function nextOf(socket: Socket): Promise<Buffer> {
  const [bytes] = (await once(socket, 'message')) as [Buffer]
  return bytes
}

function datagram(text: string): Uint8Array {
  return encodeDatagram({ peer: PEER, payload: Buffer.from(text) })
}

test('carries datagrams both ways (RFC 1928 §7)', async (t) => {
  const { sent, relayPort, proxy } = await associate(t)
  const udp = await udpSocket(t)
  udp.send(datagram('ping'), relayPort, '127.0.0.1')
  const answer = decodeDatagram(await nextOf(udp))
  assert.equal(Buffer.from(answer?.payload ?? []).toString(), 'ping')
  assert.deepEqual([answer?.address.host, answer?.address.port], ['192.0.2.1', 7])
  assert.deepEqual(sent[0]?.peer, PEER)
  const { datagramsSent, datagramsReceived } = proxy.counters()
  assert.deepEqual([datagramsSent, datagramsReceived], [1, 1])
})

test('drops fragments, junk, oversized payloads and refused destinations', async (t) => {
  const { sent, relayPort, proxy } = await associate(t)
  const udp = await udpSocket(t)
  const fragment = Buffer.from(datagram('x'))
  fragment[2] = 1
  const reserved = Buffer.from(datagram('x'))
  reserved[0] = 1
  const local = encodeDatagram({ peer: { host: '10.0.0.1', port: 53 }, payload: Buffer.from('x') })
  const junk = [
    fragment,
    reserved,
    local,
    Buffer.alloc(0),
    Buffer.from([0, 0, 0, 9]),
    datagram('x'.repeat(1201)),
  ]
  for (const bytes of junk) udp.send(bytes, relayPort, '127.0.0.1')
  udp.send(datagram('good'), relayPort, '127.0.0.1')
  await nextOf(udp)
  assert.deepEqual(
    sent.map(({ payload }) => Buffer.from(payload).toString()),
    ['good'],
  )
  assert.equal(proxy.counters().datagramsDropped, junk.length)
})

test('takes datagrams of the associating app only, from the port it used first', async (t) => {
  const { sent, relayPort, proxy } = await associate(t)
  const [mine, otherPort, otherAddress] = [
    await udpSocket(t),
    await udpSocket(t),
    await udpSocket(t, '127.0.0.2'),
  ]
  otherAddress.send(datagram('foreign'), relayPort, '127.0.0.1')
  mine.send(datagram('first'), relayPort, '127.0.0.1')
  await nextOf(mine)
  otherPort.send(datagram('hijack'), relayPort, '127.0.0.1')
  while (proxy.counters().datagramsDropped < 2)
    await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    sent.map(({ payload }) => Buffer.from(payload).toString()),
    ['first'],
  )
})

test('holds the app to the port that its request named', async (t) => {
  const named = await udpSocket(t)
  const other = await udpSocket(t)
  const { sent, relayPort, proxy } = await associate(t, {}, named.address().port)
  other.send(datagram('other'), relayPort, '127.0.0.1')
  while (proxy.counters().datagramsDropped < 1)
    await new Promise((resolve) => setImmediate(resolve))
  named.send(datagram('named'), relayPort, '127.0.0.1')
  await nextOf(named)
  assert.equal(sent.length, 1)
})

test('drops datagrams to literals with safeSocks', async (t) => {
  const { sent, relayPort, proxy } = await associate(t, { safeSocks: true })
  const udp = await udpSocket(t)
  const literal = encodeDatagram({ peer: { host: '8.8.8.8', port: 53 }, payload: Buffer.from('x') })
  udp.send(literal, relayPort, '127.0.0.1')
  while (proxy.counters().datagramsDropped < 1)
    await new Promise((resolve) => setImmediate(resolve))
  assert.equal(sent.length, 0)
})

test('closes the flow and the relay socket with the TCP connection', async (t) => {
  const { app, closing, relayPort, proxy } = await associate(t)
  app.socket.end()
  await closing.promise
  await app.ended
  while (proxy.counters().associationsOpen > 0)
    await new Promise((resolve) => setImmediate(resolve))
  const reuse = createSocket('udp4')
  reuse.bind(relayPort, '127.0.0.1')
  await once(reuse, 'listening')
  reuse.close()
})

test('closes the TCP connection when the flow fails', async (t) => {
  const { app, closing } = await associate(t)
  closing.reject(new Error('circuit gone'))
  await app.ended
})

test('refuses associations beyond the limit, and when the dialer has no flow', async (t) => {
  const { port } = await startProxy(t, fakeDialer({}), { limits: { maxAssociations: 0 } })
  const request = Buffer.from([5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0])
  const full = await openApp(t, port)
  full.send(request)
  assert.equal((await full.ended).bytes.toString('hex', 2, 4), '0501')
  const { port: second } = await startProxy(t, fakeDialer({}))
  const app = await openApp(t, second)
  app.send(request)
  assert.equal((await app.ended).bytes.toString('hex', 2, 4), '0503')
})
