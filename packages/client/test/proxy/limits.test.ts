import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProxy } from '../../src/proxy/create-proxy.ts'
import {
  fakeDialer,
  keptLog,
  manualTimers,
  memoryStream,
  openApp,
  socks5Connect,
  startProxy,
  streamTo,
  tcpServer,
} from './harness.ts'

test('closes connections that never speak, drip SOCKS or drip headers after 10 s', async (t) => {
  const timers = manualTimers()
  const { proxy, port } = await startProxy(t, fakeDialer({}), {}, timers)
  const drips = [
    '',
    '\x05',
    '\x05\x02\0',
    '\x04\x01',
    'GET http://a.example/ HTTP/1.1\r\nHost: a',
    'CONNECT a',
  ]
  const apps = []
  for (const drip of drips) {
    const app = await openApp(t, port)
    if (drip !== '') app.send(Buffer.from(drip, 'latin1'))
    apps.push(app)
  }
  while (proxy.counters().connectionsOpen < drips.length)
    await new Promise((resolve) => setImmediate(resolve))
  timers.advance(9999)
  assert.equal(proxy.counters().handshakeTimeouts, 0)
  apps.slice(1).forEach((app) => app.send('\0'))
  timers.advance(1)
  await Promise.all(apps.map(({ ended }) => ended))
  assert.equal(proxy.counters().handshakeTimeouts, drips.length)
})

test('gives the next request of a kept HTTP connection the same 10 s', async (t) => {
  const timers = manualTimers()
  const origin = await tcpServer(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  const dialer = fakeDialer({ connect: () => streamTo(origin) })
  const { proxy, port } = await startProxy(t, dialer, {}, timers)
  const app = await openApp(t, port)
  const request = 'GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n'
  const ends = (bytes: Buffer): number => bytes.toString().split('\r\n\r\nok').length - 1
  for (const count of [1, 2]) {
    app.send(request)
    for (let have = 1; ends(await app.take(have)) < count; have += 1);
    timers.advance(9000)
  }
  app.send('GET http://a.example/')
  timers.advance(1000)
  assert.equal(ends((await app.ended).bytes), 2)
  assert.equal(proxy.counters().handshakeTimeouts, 1)
})

test('has no deadline for a stream that is being served', async (t) => {
  const timers = manualTimers()
  const far = memoryStream()
  const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }), {}, timers)
  const app = await openApp(t, port)
  app.send(socks5Connect('a.example', 443))
  far.accept()
  await app.take(12)
  timers.advance(3_600_000)
  far.stream.push('late')
  assert.equal((await app.take(16)).toString('utf8', 12), 'late')
})

test('resets a stream on which nothing moves for the idle time', async (t) => {
  const far = memoryStream()
  const limits = { idleTimeoutMs: 30 }
  const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }), { limits })
  const app = await openApp(t, port)
  app.send(socks5Connect('a.example', 443))
  far.accept()
  assert.equal((await app.ended).how, 'reset')
  const error = await far.closed
  assert.ok(error !== undefined && 'code' in error)
  assert.equal(error.code, 'PROXY_IDLE')
})

test('turns connections beyond the limit away, and serves again when there is room', async (t) => {
  const { proxy, port } = await startProxy(t, fakeDialer({}), { limits: { maxConnections: 20 } })
  const apps = []
  for (let index = 0; index < 20; index += 1) apps.push(await openApp(t, port))
  while (proxy.counters().connectionsOpen < 20)
    await new Promise((resolve) => setImmediate(resolve))
  const surplus = []
  for (let index = 0; index < 30; index += 1) surplus.push(await openApp(t, port))
  await Promise.all(surplus.map(({ ended }) => ended))
  assert.equal(proxy.counters().connectionsDropped, 30)
  apps.forEach(({ socket }) => socket.destroy())
  while (proxy.counters().connectionsOpen > 0) await new Promise((resolve) => setImmediate(resolve))
  const late = await openApp(t, port)
  late.send(socks5Connect('a.example', 443))
  assert.equal((await late.ended).bytes.toString('hex', 2, 4), '0503')
})

test('survives 500 connections that are reset at once', async (t) => {
  const { proxy, port } = await startProxy(t, fakeDialer({}))
  for (let index = 0; index < 500; index += 1) {
    const app = await openApp(t, port)
    if (index % 2 === 0) app.send(socks5Connect('a.example', 443).subarray(0, index % 20))
    app.socket.resetAndDestroy()
  }
  while (proxy.counters().connectionsAccepted < 500 || proxy.counters().connectionsOpen > 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
})

test('drains: idle connections go, streams at work finish, then it resolves', async (t) => {
  const far = memoryStream()
  const { proxy, port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
  const idle = await openApp(t, port)
  const working = await openApp(t, port)
  working.send(socks5Connect('a.example', 443))
  far.accept()
  await working.take(12)
  const drained = proxy.drain(new AbortController().signal)
  await idle.ended
  await assert.rejects(openApp(t, port))
  far.stream.push('rest')
  far.stream.push(null)
  working.socket.end()
  const end = await working.ended
  assert.deepEqual([end.how, end.bytes.toString('utf8', 12)], ['fin', 'rest'])
  await drained
})

test('resets what is left when the signal of a drain aborts', async (t) => {
  const far = memoryStream()
  const { proxy, port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
  const app = await openApp(t, port)
  app.send(socks5Connect('a.example', 443))
  far.accept()
  await app.take(12)
  const limit = new AbortController()
  const drained = proxy.drain(limit.signal)
  limit.abort()
  await drained
  assert.equal((await app.ended).how, 'reset')
  assert.ok((await far.closed) !== undefined)
})

test('refuses to listen beyond this machine unless that is asked for', () => {
  const deps = { dialer: fakeDialer({}), log: keptLog() }
  assert.throws(() => createProxy(deps, { host: '0.0.0.0' }), { code: 'PROXY_OPTION' })
  assert.throws(() => createProxy(deps, { host: 'localhost' }), { code: 'PROXY_OPTION' })
  createProxy(deps, { host: '0.0.0.0', allowRemoteApps: true })
})

test('rejects the start when the port is taken', async (t) => {
  const { port } = await startProxy(t, fakeDialer({}))
  const second = createProxy({ dialer: fakeDialer({}), log: keptLog() }, { port })
  await assert.rejects(second.start(), { code: 'EADDRINUSE' })
})
