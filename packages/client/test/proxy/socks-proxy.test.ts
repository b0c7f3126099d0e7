import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { ByteStream } from '../../src/proxy/dialer.ts'
import type { ProxyOptions } from '../../src/proxy/options.ts'
import {
  failure,
  fakeDialer,
  memoryStream,
  openApp,
  socks4aConnect,
  socks5Connect,
  startProxy,
  streamTo,
  tcpServer,
} from './harness.ts'

const SUCCESS = '05000001000000000000'
const REPLY_BYTES = 2 + 10

/** A proxy whose every stream goes to an echo server that finishes when its app does. */
async function echoProxy(t: TestContext, options: ProxyOptions = {}) {
  const port = await tcpServer(t, (socket) => socket.pipe(socket))
  const dialer = fakeDialer({ connect: () => streamTo(port), resolve: () => ['2001:db8::5'] })
  return { dialer, ...(await startProxy(t, dialer, options)) }
}

/** A proxy over one stream in memory. */
async function memoryProxy(t: TestContext, options: ProxyOptions = {}) {
  const far = memoryStream()
  const dialer = fakeDialer({ connect: () => far.stream })
  return { far, dialer, ...(await startProxy(t, dialer, options)) }
}

async function refusedWith(t: TestContext, port: number, bytes: Uint8Array): Promise<string> {
  const app = await openApp(t, port)
  app.send(bytes)
  const end = await app.ended
  assert.equal(end.how, 'fin')
  return end.bytes.toString('hex')
}

test('carries a SOCKS5 stream sent one byte at a time', async (t) => {
  const { port, dialer } = await echoProxy(t)
  const app = await openApp(t, port)
  for (const byte of Buffer.concat([socks5Connect('a.example', 443), Buffer.from('hello')])) {
    app.send(Uint8Array.of(byte))
    await new Promise((resolve) => setImmediate(resolve))
  }
  const bytes = await app.take(REPLY_BYTES + 5)
  assert.equal(bytes.toString('hex', 2, REPLY_BYTES), SUCCESS)
  assert.equal(bytes.toString('utf8', REPLY_BYTES), 'hello')
  assert.deepEqual(dialer.dialed[0]?.target, { host: 'a.example', port: 443 })
})

test('carries a SOCKS5 stream sent all at once, with payload and FIN', async (t) => {
  const { port } = await echoProxy(t)
  const app = await openApp(t, port)
  app.socket.end(Buffer.concat([socks5Connect('a.example', 443), Buffer.from('hello')]))
  const end = await app.ended
  assert.deepEqual([end.how, end.bytes.toString('utf8', REPLY_BYTES)], ['fin', 'hello'])
})

test('carries SOCKS4a streams', async (t) => {
  const { port, dialer } = await echoProxy(t)
  const app = await openApp(t, port)
  app.socket.end(Buffer.concat([socks4aConnect('a.example', 80), Buffer.from('hello')]))
  const end = await app.ended
  assert.equal(end.bytes.toString('hex', 0, 2), '005a')
  assert.equal(end.bytes.toString('utf8', 8), 'hello')
  assert.equal(dialer.dialed[0]?.target.host, 'a.example')
})

test('sends early bytes before the exit has connected, and replies only after', async (t) => {
  const { port, far } = await memoryProxy(t)
  const app = await openApp(t, port)
  app.send(Buffer.concat([socks5Connect('a.example', 443), Buffer.from('early')]))
  while (far.received().length < 5) await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await app.take(2)).length, 2)
  far.accept()
  assert.equal((await app.take(REPLY_BYTES)).toString('hex', 2), SUCCESS)
  assert.equal(far.received().toString(), 'early')
})

test('keeps both half-closes: the app may finish first, or the far side', async (t) => {
  const first = await memoryProxy(t)
  const app = await openApp(t, first.port)
  first.far.accept()
  app.send(socks5Connect('a.example', 443))
  await app.take(REPLY_BYTES)
  app.socket.end('question')
  await first.far.ended
  assert.equal(first.far.received().toString(), 'question')
  first.far.stream.push('answer')
  first.far.stream.push(null)
  const end = await app.ended
  assert.deepEqual([end.how, end.bytes.toString('utf8', REPLY_BYTES)], ['fin', 'answer'])

  const second = await memoryProxy(t)
  const late = await openApp(t, second.port)
  second.far.accept()
  late.send(socks5Connect('a.example', 443))
  second.far.stream.push('answer')
  second.far.stream.push(null)
  assert.equal((await late.ended).how, 'fin')
  late.socket.end('still here')
  await second.far.ended
  assert.equal(second.far.received().toString(), 'still here')
  assert.equal(await second.far.closed, undefined)
})

test('maps each failure of the dialer to its SOCKS5 reply', async (t) => {
  const codes = {
    EXIT_POLICY: 2,
    EXIT_RESOLVE_FAILED: 4,
    EXIT_CONNECT_REFUSED: 5,
    EXIT_UNREACHABLE: 4,
    EXIT_TIMEOUT: 6,
    CIRCUIT_FAILED: 1,
    NO_PATH: 3,
    EXIT_CLASS: 3,
    EXIT_PRICE: 3,
    DIRECTORY_INCOMPLETE: 3,
    DIRECTORY_OLD: 3,
    CLIENT_CLOSED: 1,
    SOMETHING_NEW: 1,
  }
  for (const [code, reply] of Object.entries(codes)) {
    const atOnce = fakeDialer({ connect: () => Promise.reject(failure(code)) })
    const expected = `0500050${reply}0001000000000000`
    const { port } = await startProxy(t, atOnce)
    assert.equal(await refusedWith(t, port, socks5Connect('a.example', 443)), expected, code)
    const { port: laterPort, far } = await memoryProxy(t)
    far.refuse(failure(code))
    assert.equal(await refusedWith(t, laterPort, socks5Connect('a.example', 443)), expected, code)
  }
})

test('replies to SOCKS4 failures with 0x5b', async (t) => {
  const { port } = await startProxy(t, fakeDialer({}))
  assert.equal((await refusedWith(t, port, socks4aConnect('a.example', 80))).slice(0, 4), '005b')
})

test('refuses private, local and malformed destinations without dialling', async (t) => {
  const { port, dialer, proxy } = await echoProxy(t)
  const literal = Buffer.from([5, 1, 0, 5, 1, 0, 1, 10, 0, 0, 1, 0, 80])
  assert.equal((await refusedWith(t, port, literal)).slice(4, 8), '0502')
  assert.equal((await refusedWith(t, port, socks5Connect('abc.onion', 80))).slice(4, 8), '0502')
  assert.equal((await refusedWith(t, port, socks5Connect('printer', 80))).slice(4, 8), '0502')
  assert.equal((await refusedWith(t, port, socks5Connect('a'.repeat(255), 80))).slice(4, 8), '0501')
  assert.equal((await refusedWith(t, port, socks5Connect('a.example', 0))).slice(4, 8), '0501')
  assert.equal((await refusedWith(t, port, socks5Connect('127.0.0.1', port))).slice(4, 8), '0502')
  assert.equal(dialer.dialed.length, 0)
  assert.equal(proxy.counters().refusedRequests, 6)
})

test('counts literals, and refuses them with safeSocks', async (t) => {
  const literal = Buffer.from([5, 1, 0, 5, 1, 0, 1, 8, 8, 8, 8, 0, 80])
  const open = await echoProxy(t)
  const app = await openApp(t, open.port)
  app.send(literal)
  await app.take(REPLY_BYTES)
  assert.equal(open.proxy.counters().literalRequests, 1)
  const safe = await echoProxy(t, { safeSocks: true })
  assert.equal((await refusedWith(t, safe.port, literal)).slice(4, 8), '0502')
  const socks4 = Buffer.from([4, 1, 0, 80, 8, 8, 8, 8, 0])
  assert.equal((await refusedWith(t, safe.port, socks4)).slice(0, 4), '005b')
  assert.deepEqual([safe.dialer.dialed.length, safe.proxy.counters().literalRequests], [0, 2])
})

test('answers RESOLVE with the first address (Tor socks-extensions)', async (t) => {
  const { port, dialer } = await echoProxy(t)
  const reply = await refusedWith(t, port, socks5Connect('a.example', 0, 0xf0))
  assert.equal(reply.slice(4), '0500000420010db80000000000000000000000050000')
  assert.equal(dialer.dialed[0]?.options.isolation.portClass, 'dns')
})

test('answers RESOLVE of an unknown name with host unreachable', async (t) => {
  const { port } = await startProxy(t, fakeDialer({}))
  const reply = await refusedWith(t, port, socks5Connect('a.example', 0, 0xf0))
  assert.equal(reply.slice(4, 8), '0504')
})

test('tells the dialer who asks and what the user name selects', async (t) => {
  const { port, dialer } = await echoProxy(t)
  const user = 'me-country-de'
  const auth = [5, 1, 2, 1, user.length, ...Buffer.from(user), 2, ...Buffer.from('pw')]
  const app = await openApp(t, port)
  app.send(Buffer.concat([Buffer.from(auth), socks5Connect('a.example', 22).subarray(3)]))
  await app.take(2 + 2 + 10)
  const { isolation, selection } = dialer.dialed[0]?.options ?? {}
  assert.deepEqual(isolation, {
    listener: `127.0.0.1 ${port}`,
    sourceAddress: '127.0.0.1',
    username: user,
    password: 'pw',
    portClass: 'remote',
  })
  assert.deepEqual(selection, { country: 'DE' })
})

test('resets the app when the stream breaks, and never ends it cleanly (T20)', async (t) => {
  const breaks: ((stream: ByteStream) => void)[] = [
    (stream) => stream.destroy(failure('EXIT_RESET')),
    (stream) => stream.destroy(),
  ]
  for (const breakOff of breaks) {
    const { port, far } = await memoryProxy(t)
    far.accept()
    const app = await openApp(t, port)
    app.send(socks5Connect('a.example', 443))
    far.stream.push('half of it')
    await app.take(REPLY_BYTES + 10)
    breakOff(far.stream)
    assert.equal((await app.ended).how, 'reset')
  }
})

test('breaks the stream with an error when the app resets', async (t) => {
  const { port, far, proxy } = await memoryProxy(t)
  far.accept()
  const app = await openApp(t, port)
  app.send(socks5Connect('a.example', 443))
  await app.take(REPLY_BYTES)
  app.socket.resetAndDestroy()
  const error = await far.closed
  assert.ok(error !== undefined && 'code' in error)
  assert.equal(error.code, 'PROXY_APP_GONE')
  assert.equal(proxy.counters().streamsBroken, 1)
})

test('aborts the dial when the app goes away before there is a stream', async (t) => {
  const dialed = Promise.withResolvers<AbortSignal>()
  const connect = (_target: unknown, { signal }: { signal: AbortSignal }): Promise<ByteStream> => {
    dialed.resolve(signal)
    return Promise.withResolvers<ByteStream>().promise
  }
  const { port } = await startProxy(t, fakeDialer({ connect }))
  const app = await openApp(t, port)
  app.send(socks5Connect('a.example', 443))
  const signal = await dialed.promise
  app.socket.resetAndDestroy()
  if (!signal.aborted) await once(signal, 'abort')
})

test('moves 32 MiB both ways at once without changing a byte, though the reader is slow', async (t) => {
  const { port } = await echoProxy(t)
  const app = await openApp(t, port)
  app.send(socks5Connect('a.example', 443))
  await app.take(REPLY_BYTES)
  app.socket.removeAllListeners('data')
  app.socket.pause()
  const block = Buffer.alloc(1 << 20, 'byway')
  for (let index = 0; index < 32; index += 1) app.socket.write(block)
  app.socket.end()
  const expected = createHash('sha256')
  for (let index = 0; index < 32; index += 1) expected.update(block)
  const actual = createHash('sha256')
  for await (const chunk of app.socket as AsyncIterable<Buffer>) actual.update(chunk)
  assert.equal(actual.digest('hex'), expected.digest('hex'))
})

test('delivers an upload to its last byte though the app has closed cleanly before', async (t) => {
  const far = memoryStream({ isSlow: true })
  const { port, proxy } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
  far.accept()
  const app = await openApp(t, port)
  app.send(socks5Connect('a.example', 443))
  await app.take(REPLY_BYTES)
  far.stream.push(null)
  app.socket.end('the last bytes')
  await once(app.socket, 'close')
  while (proxy.counters().connectionsOpen > 0) await new Promise((resolve) => setImmediate(resolve))
  far.release()
  await far.ended
  assert.equal(far.received().toString(), 'the last bytes')
  assert.equal(await far.closed, undefined)
  assert.equal(proxy.counters().streamsBroken, 0)
})

test('carries 1000 streams at once, each with its own bytes', async (t) => {
  const { port, proxy } = await echoProxy(t)
  const carry = async (index: number): Promise<void> => {
    const app = await openApp(t, port)
    const payload = Buffer.alloc(20_000, `stream ${index} `)
    app.socket.end(Buffer.concat([socks5Connect('a.example', 443), payload]))
    const end = await app.ended
    assert.ok(end.how === 'fin' && end.bytes.subarray(REPLY_BYTES).equals(payload))
  }
  await Promise.all(Array.from({ length: 1000 }, (_, index) => carry(index)))
  assert.equal(proxy.counters().streamsOpened, 1000)
})

test('writes no destination, user name or address to its log', async (t) => {
  const { port, lines } = await startProxy(t, fakeDialer({}))
  const user = 'canaryuser-country-xx'
  const auth = [5, 1, 2, 1, user.length, ...Buffer.from(user), 2, ...Buffer.from('pw')]
  await refusedWith(
    t,
    port,
    Buffer.concat([Buffer.from(auth), socks5Connect('canary.example', 22).subarray(3)]),
  )
  await refusedWith(t, port, socks5Connect('canary.onion', 80))
  await refusedWith(t, port, Buffer.from([5, 1, 2, 1, 8, ...Buffer.from('canary-x'), 0]))
  await refusedWith(
    t,
    port,
    Buffer.from('GET http://canary.example/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
  )
  assert.ok(lines.length >= 4)
  assert.ok(!lines.some((line) => /canary|127\.0\.0\.1/.test(line)), lines.join('\n'))
})
