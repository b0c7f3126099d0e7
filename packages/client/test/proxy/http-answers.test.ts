/** How answers come back through the HTTP side of the proxy, whole, broken off and bad. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failure, fakeDialer, memoryStream, openApp, startProxy } from './harness.ts'
import { CLOSE, httpProxy, talk } from './http-kit.ts'

test('sends a plain request before the exit has connected', async (t) => {
  const far = memoryStream()
  const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
  const app = await openApp(t, port)
  app.send('GET http://a.example/x HTTP/1.1\r\nHost: a\r\n\r\n')
  while (far.received().length === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.match(far.received().toString(), /^GET \/x HTTP\/1\.1\r\nHost: a\.example\r\n/)
})

const ANSWERS = {
  'an answer without a length': 'HTTP/1.1 200 OK\r\n\r\nhalf',
  'an answer with a length': 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
  'a chunked answer': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
}
for (const [name, answer] of Object.entries(ANSWERS)) {
  for (const version of ['1.0', '1.1']) {
    test(`resets the app when ${name} breaks off, over HTTP/${version} (T20)`, async (t) => {
      for (const error of [failure('EXIT_RESET'), undefined]) {
        const far = memoryStream()
        const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
        far.accept()
        const app = await openApp(t, port)
        app.send(`GET http://a.example/ HTTP/${version}\r\nHost: a\r\n\r\n`)
        far.stream.push(answer)
        for (let have = 1; !(await app.take(have)).includes('half'); have += 1);
        far.stream.destroy(error)
        assert.equal((await app.ended).how, 'reset')
      }
    })
  }
}

test('ends an answer without a length cleanly when the far side finishes', async (t) => {
  const far = memoryStream()
  const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
  far.accept()
  far.stream.push('HTTP/1.1 200 OK\r\n\r\nwhole')
  far.stream.push(null)
  const { how, text } = await talk(t, port, 'GET http://a.example/ HTTP/1.0\r\n\r\n')
  assert.equal(how, 'fin')
  assert.match(text, /\r\n\r\nwhole$/)
})

test('answers 502 when the destination speaks no valid HTTP', async (t) => {
  const bad = {
    status: 'HTTP/1.1 042 Too Low\r\nContent-Length: 0\r\n\r\n',
    junk: 'SSH-2.0-x\r\n',
    both: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    bomb: `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`,
    upgrade: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  }
  for (const [name, answer] of Object.entries(bad)) {
    const far = memoryStream()
    const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
    far.accept()
    far.stream.push(answer)
    const { text } = await talk(t, port, 'GET http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.match(text, /^HTTP\/1\.1 502 /, name)
  }
})

test('drops hop-by-hop fields of answers and passes the others on', async (t) => {
  const { port } = await httpProxy(t, (_, response) => {
    const fields = {
      'Proxy-Authenticate': 'x',
      'Keep-Alive': 'timeout=9',
      Connection: 'close, X-Hop',
      'X-Hop': '1',
    }
    const cookies = ['Set-Cookie', 'a', 'Set-Cookie', 'b', 'Content-Length', '0']
    response.writeHead(404, 'Not Here', [...Object.entries(fields).flat(), ...cookies])
    response.end()
  })
  const { text } = await talk(t, port, `GET http://a.example/ HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`)
  assert.match(text, /^HTTP\/1\.1 404 Not Here\r\n/)
  assert.match(text, /Set-Cookie: a\r\nSet-Cookie: b\r\n/)
  assert.doesNotMatch(text, /Proxy-Authenticate|timeout=9|X-Hop/)
})

test('destroys the stream when the app goes away before the answer', async (t) => {
  const far = memoryStream()
  const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
  const app = await openApp(t, port)
  app.send('GET http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n')
  while (far.received().length === 0) await new Promise((resolve) => setImmediate(resolve))
  app.socket.resetAndDestroy()
  await far.closed
})

test('passes a whole answer on though its stream breaks right behind it', async (t) => {
  const far = memoryStream()
  const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
  far.accept()
  const app = await openApp(t, port)
  app.send(`GET http://a.example/ HTTP/1.1\r\nHost: a\r\n${CLOSE}\r\n`)
  far.stream.push('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole')
  for (let have = 1; !(await app.take(have)).includes('whole'); have += 1);
  far.stream.destroy(failure('EXIT_RESET'))
  assert.equal((await app.ended).how, 'fin')
})

test('resets the app when a chunked answer turns bad half-way', async (t) => {
  const far = memoryStream()
  const { port } = await startProxy(t, fakeDialer({ connect: () => far.stream }))
  far.accept()
  far.stream.push('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
  const app = await openApp(t, port)
  app.send('GET http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n')
  for (let have = 1; !(await app.take(have)).includes('half'); have += 1);
  far.stream.push('zz\r\n')
  assert.equal((await app.ended).how, 'reset')
})
