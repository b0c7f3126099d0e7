/** The proxy as real apps use it: curl over every protocol, to a plain and to a TLS server. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { failure, fakeDialer, startProxy, streamTo } from './harness.ts'
import { TEST_CERT, TEST_KEY } from './test-cert.ts'

const run = promisify(execFile)
const BODY = Buffer.alloc(3 << 20, 'a byway is a small side road ')

async function servers(t: TestContext) {
  const answer = createServer((request, response) => {
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => hash.update(chunk))
    request.on('end', () => response.end(request.method === 'POST' ? hash.digest('hex') : BODY))
  })
  const secure = createTlsServer({ cert: TEST_CERT, key: TEST_KEY }, (_, response) =>
    response.end(BODY),
  )
  for (const server of [answer, secure]) {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
  }
  const [plainPort, securePort] = [answer, secure].map(
    (server) => (server.address() as AddressInfo).port,
  )
  const connect = ({ host, port }: { host: string; port: number }) => {
    if (host === 'refused.example') return Promise.reject(failure('EXIT_CONNECT_REFUSED'))
    return streamTo((port === 443 ? securePort : plainPort) ?? 0)
  }
  const dialer = fakeDialer({ connect })
  return { dialer, ...(await startProxy(t, dialer)) }
}

/** Runs curl without the environment's own proxy settings. */
function curl(...args: string[]) {
  const env = { PATH: process.env['PATH'] ?? '' }
  return run('curl', ['-sS', '--max-time', '20', ...args], {
    env,
    encoding: 'buffer',
    maxBuffer: 1 << 24,
  })
}

const WAYS = {
  'socks5h, plain': ['socks5h://', 'http://a.example/'],
  'socks5h, TLS': ['socks5h://', 'https://a.example/'],
  socks4a: ['socks4a://', 'http://a.example/'],
  'socks5 with an address': ['socks5://', 'http://8.8.8.8/'],
  'HTTP, plain': ['http://', 'http://a.example/'],
  'HTTP, CONNECT': ['http://', 'https://a.example/'],
  'HTTP, CONNECT to IPv6': ['http://', 'https://[2606:4700::1111]/'],
} as const

for (const [name, [scheme, url]] of Object.entries(WAYS)) {
  test(`curl gets 3 MiB over ${name}`, async (t) => {
    const { port } = await servers(t)
    const { stdout } = await curl('-k', '-x', `${scheme}127.0.0.1:${port}`, url)
    assert.ok(stdout.equals(BODY))
  })
}

test('curl posts 3 MiB over plain HTTP, with Expect: 100-continue', async (t) => {
  const { port } = await servers(t)
  const args = [
    '-x',
    `http://127.0.0.1:${port}`,
    '-H',
    'Expect: 100-continue',
    '--data-binary',
    '@-',
    'http://a.example/',
  ]
  const posting = curl(...args)
  posting.child.stdin?.end(BODY)
  const { stdout } = await posting
  assert.equal(stdout.toString(), createHash('sha256').update(BODY).digest('hex'))
})

test('curl chooses country and session by its user name, over SOCKS and HTTP', async (t) => {
  const { port, dialer } = await servers(t)
  for (const scheme of ['socks5h', 'http']) {
    await curl(
      '-x',
      `${scheme}://me-country-de-session-a1:pw@127.0.0.1:${port}`,
      'http://a.example/',
    )
  }
  for (const { options } of dialer.dialed) {
    assert.deepEqual(options.selection, { country: 'DE', session: 'a1' })
    assert.equal(options.isolation.password, 'pw')
  }
  assert.equal(dialer.dialed.length, 2)
})

test('curl keeps one connection to the proxy for two plain requests', async (t) => {
  const { port, proxy } = await servers(t)
  await curl('-x', `http://127.0.0.1:${port}`, 'http://a.example/1', 'http://a.example/2')
  assert.deepEqual(
    [proxy.counters().connectionsAccepted, proxy.counters().httpForwardRequests],
    [1, 2],
  )
})

test('curl is told that the destination refused: exit 97, 56 and status 502', async (t) => {
  const { port } = await servers(t)
  const refused = (scheme: string, url: string) =>
    curl('-x', `${scheme}://127.0.0.1:${port}`, '-w', '%{http_code}', '-o', '/dev/null', url)
  await assert.rejects(refused('socks5h', 'http://refused.example/'), { code: 97 })
  await assert.rejects(refused('http', 'https://refused.example/'), { code: 56 })
  const { stdout } = await refused('http', 'http://refused.example/')
  assert.equal(stdout.toString(), '502')
})

test('curl is refused a bad user name', async (t) => {
  const { port } = await servers(t)
  const proxied = (scheme: string) =>
    curl('-f', '-x', `${scheme}://me-planet-mars:x@127.0.0.1:${port}`, 'http://a.example/')
  await assert.rejects(proxied('socks5h'), { code: 97 })
  await assert.rejects(proxied('http'), { code: 22 })
})
