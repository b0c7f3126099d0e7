/** What the HTTP side of the proxy makes of requests. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  failure,
  fakeDialer,
  memoryStream,
  openApp,
  startProxy,
  streamTo,
  tcpServer,
} from './harness.ts'
import { CLOSE, httpProxy, talk } from './http-kit.ts'

test('forwards an absolute-form request, rewritten field by field (RFC 9112 §3.2.2)', async (t) => {
  const { port, seen, dialer } = await httpProxy(t)
  const fields = [
    'Host: other.example',
    'X-Kept: 1',
    'Proxy-Connection: keep-alive',
    'Connection: close, X-Hop',
    'X-Hop: 1',
    'Proxy-Authorization: Basic bWU6cHc=',
    'TE: trailers',
    'Upgrade: websocket',
  ]
  const { text } = await talk(
    t,
    port,
    `GET http://A.example:8080/p?q HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n`,
  )
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(text, /\r\n\r\nok$/)
  assert.deepEqual(seen, [
    {
      method: 'GET',
      url: '/p?q',
      raw: ['Host', 'A.example:8080', 'Connection', 'close', 'X-Kept', '1'],
      body: '',
    },
  ])
  assert.deepEqual(dialer.dialed[0]?.target, { host: 'a.example', port: 8080 })
  assert.equal(dialer.dialed[0]?.options.isolation.username, 'me')
})

test('passes bodies on with a length, chunked, and none', async (t) => {
  const { port, seen } = await httpProxy(t)
  const head = 'POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\n'
  await talk(t, port, `${head}${CLOSE}Content-Length: 5\r\n\r\nhello`)
  await talk(
    t,
    port,
    `${head}${CLOSE}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
  )
  await talk(t, port, `${head}${CLOSE}\r\n`)
  assert.deepEqual(
    seen.map(({ body }) => body),
    ['hello', 'hello', ''],
  )
  const framing = seen.map(({ raw }) => raw.slice(2, 4).join(': '))
  assert.deepEqual(framing, [
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Content-Length: 0',
  ])
})

test('keeps the connection and serves pipelined requests one after another', async (t) => {
  const { port, seen } = await httpProxy(t, (request, response) => {
    // The first answer is the slowest: order must come from the proxy.
    const turns = request.url === '/1' ? 20 : 0
    const wait = (left: number): unknown =>
      left === 0 ? response.end(request.url) : setImmediate(wait, left - 1)
    wait(turns)
  })
  const request = (path: string, last = ''): string =>
    `GET http://a.example${path} HTTP/1.1\r\nHost: a\r\n${last}\r\n`
  const { text } = await talk(t, port, request('/1') + request('/2') + request('/3', CLOSE))
  assert.deepEqual(text.match(/\r\n\r\n\/\d/g), ['\r\n\r\n/1', '\r\n\r\n/2', '\r\n\r\n/3'])
  assert.deepEqual(
    seen.map(({ url }) => url),
    ['/1', '/2', '/3'],
  )
})

test('answers pipelined requests beyond the limit with 503', async (t) => {
  const { port, seen } = await httpProxy(t, undefined, { limits: { maxPipelinedRequests: 2 } })
  const { text } = await talk(
    t,
    port,
    'GET http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(9),
  )
  assert.ok(seen.length <= 3)
  assert.match(text, /HTTP\/1\.1 503 /)
})

test('answers origin-form requests with a page, and relays nothing', async (t) => {
  const { port, dialer } = await httpProxy(t)
  const { text } = await talk(t, port, 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n')
  assert.match(text, /^HTTP\/1\.1 400 /)
  assert.match(text, /Byway’s local proxy|local proxy/)
  assert.equal(dialer.dialed.length, 0)
})

const BROKEN = {
  'Content-Length and Transfer-Encoding': 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
  'two lengths': 'Content-Length: 4\r\nContent-Length: 5\r\n',
  'a length that is none': 'Content-Length: +4\r\n',
  'a coding behind chunked': 'Transfer-Encoding: chunked, identity\r\n',
  'a coding before chunked': 'Transfer-Encoding: gzip, chunked\r\n',
  'a space before the colon': 'Content-Length : 4\r\n',
  'a folded line': 'X: 1\r\n Content-Length: 4\r\n',
  'a bare line feed': 'X: 1\nTransfer-Encoding: chunked\r\n',
  'a NUL in a value': 'X: a\0b\r\n',
}
for (const [name, fields] of Object.entries(BROKEN)) {
  test(`refuses a request with ${name}, and dials nothing`, async (t) => {
    const { port, dialer } = await httpProxy(t)
    const head = `POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\n${fields}\r\n`
    const { text } = await talk(
      t,
      port,
      `${head}0\r\n\r\nGET http://b.example/ HTTP/1.1\r\nHost: b\r\n\r\n`,
    )
    assert.match(text, /^HTTP\/1\.1 (400|501) /)
    assert.equal(text.split('HTTP/1.1 ').length, 2)
    assert.equal(dialer.dialed.length, 0)
  })
}

test('refuses header bombs with 431', async (t) => {
  const { port, dialer } = await httpProxy(t)
  const { text } = await talk(
    t,
    port,
    `GET http://a.example/ HTTP/1.1\r\nX: ${'a'.repeat(40_000)}\r\n\r\n`,
  )
  assert.match(text, /^HTTP\/1\.1 431 /)
  const many = `Host: a\r\n${'X: 12345\r\n'.repeat(8000)}`
  assert.match(
    (await talk(t, port, `GET http://a.example/ HTTP/1.1\r\n${many}\r\n`)).text,
    /^HTTP\/1\.1 431 /,
  )
  assert.equal(dialer.dialed.length, 0)
})

test('passes on every field, also beyond the count at which node:http drops them silently', async (t) => {
  const { port, seen } = await httpProxy(t)
  const many = Array.from({ length: 2500 }, (_, index) => `a${index}: 1\r\n`).join('')
  await talk(
    t,
    port,
    `POST http://a.example/ HTTP/1.1\r\nHost: a\r\n${many}${CLOSE}Content-Length: 2\r\n\r\nhi`,
  )
  assert.deepEqual([seen[0]?.body, seen[0]?.raw.length], ['hi', 2 * 2503])
})

test('answers bytes that are no protocol with 400', async (t) => {
  const { port } = await httpProxy(t)
  assert.match((await talk(t, port, '\x16\x03\x01\x02\0\x01')).text, /^HTTP\/1\.1 400 /)
  assert.match(
    (await talk(t, port, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).text,
    /^HTTP\/1\.1 400 |^$/,
  )
})

test('tunnels CONNECT, with the bytes behind it as early data, to an IPv6 authority too', async (t) => {
  const echo = await tcpServer(t, (socket) => socket.pipe(socket))
  const dialer = fakeDialer({ connect: () => streamTo(echo) })
  const { port } = await startProxy(t, dialer)
  for (const authority of ['a.example:443', '[2606:4700::1111]:443']) {
    const app = await openApp(t, port)
    app.socket.end(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\nhello`)
    const { how, bytes } = await app.ended
    assert.deepEqual(
      [how, bytes.toString()],
      ['fin', 'HTTP/1.1 200 Connection established\r\n\r\nhello'],
    )
  }
  assert.deepEqual(
    dialer.dialed.map(({ target }) => target.host),
    ['a.example', '2606:4700::1111'],
  )
})

test('refuses CONNECT with a body, without a port, with user info, or to a private address', async (t) => {
  const { port, dialer } = await httpProxy(t)
  const connect = (authority: string, fields = ''): string =>
    `CONNECT ${authority} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
  assert.match(
    (await talk(t, port, connect('a.example:443', 'Content-Length: 3\r\n'))).text,
    /^HTTP\/1\.1 400 /,
  )
  assert.match(
    (await talk(t, port, connect('a.example:443', 'Transfer-Encoding: chunked\r\n'))).text,
    /^HTTP\/1\.1 400 /,
  )
  assert.match((await talk(t, port, connect('a.example'))).text, /^HTTP\/1\.1 400 /)
  assert.match((await talk(t, port, connect('u:p@a.example:443'))).text, /^HTTP\/1\.1 400 /)
  assert.match((await talk(t, port, connect('http://a.example:443/'))).text, /^HTTP\/1\.1 400 /)
  assert.match((await talk(t, port, connect('[::1]:443'))).text, /^HTTP\/1\.1 403 /)
  assert.match(
    (await talk(t, port, connect(`127.0.0.1:${port}`))).text,
    /^HTTP\/1\.1 502 .*proxy_loop_detected/s,
  )
  assert.equal(dialer.dialed.length, 0)
})

test('maps failures to a status and Proxy-Status, for CONNECT and plain requests (RFC 9209)', async (t) => {
  const codes = {
    EXIT_POLICY: /^HTTP\/1\.1 502 .*byway; error=destination_ip_prohibited; details="EXIT_POLICY"/s,
    EXIT_RESOLVE_FAILED: /^HTTP\/1\.1 502 .*error=dns_error/s,
    EXIT_CONNECT_REFUSED: /^HTTP\/1\.1 502 .*error=connection_refused/s,
    EXIT_TIMEOUT: /^HTTP\/1\.1 504 .*error=connection_timeout/s,
    EXIT_BUSY: /^HTTP\/1\.1 503 .*error=connection_limit_reached/s,
    NO_PATH: /^HTTP\/1\.1 503 .*error=destination_unavailable/s,
    EXIT_PRICE:
      /^HTTP\/1\.1 503 .*error=destination_unavailable; details="EXIT_PRICE".*--max-price/s,
    EXIT_CLASS:
      /^HTTP\/1\.1 503 .*error=destination_unavailable; details="EXIT_CLASS".*class-browse/s,
  }
  const requests = [
    'CONNECT a.example:443 HTTP/1.1\r\n\r\n',
    'GET http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n',
  ]
  for (const [code, expected] of Object.entries(codes)) {
    for (const request of requests) {
      const { port } = await startProxy(
        t,
        fakeDialer({ connect: () => Promise.reject(failure(code)) }),
      )
      assert.match((await talk(t, port, request)).text, expected)
      const far = memoryStream()
      const late = await startProxy(t, fakeDialer({ connect: () => far.stream }))
      far.refuse(failure(code))
      assert.match((await talk(t, late.port, request)).text, expected)
    }
  }
})

test('challenges bad user names with 407', async (t) => {
  const { port, dialer } = await httpProxy(t)
  const basic = Buffer.from('me-planet-mars:x').toString('base64')
  const fields = `Host: a\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`
  for (const line of ['GET http://a.example/', 'CONNECT a.example:443']) {
    const { text } = await talk(t, port, `${line} HTTP/1.1\r\n${fields}`)
    assert.match(
      text,
      /^HTTP\/1\.1 407 .*details="USERNAME_UNKNOWN_KEY".*Proxy-Authenticate: Basic/s,
    )
  }
  assert.equal(dialer.dialed.length, 0)
})
