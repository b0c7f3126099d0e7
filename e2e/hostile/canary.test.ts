/**
 * Names that resolve, and then lead nowhere: neither the exit nor the client writes them anywhere (docs/LOGGING.md). The rest of what must not be written is
 * `packages/testnet/test/canary.test.ts`'s.
 *
 *   client ── guard ── exit ──► a resolver of the test's
 *                         └───► a port that nobody has, an address that is refused
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { listenAsTarget } from '@byway/testnet'
import { a, reply, startHostileDns } from '../../packages/node/test/exit/hostile-dns.ts'
import { assertNone, describeError, keepAll } from '../../packages/testnet/test/support/kept-log.ts'
import { dialAs, makeNet } from './lib/net.ts'

/** A loopback port on which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer()
  const port = await listenAsTarget(server)
  server.close()
  await once(server, 'close')
  return port
}

test('a name that resolved and could not be connected to is in no log, status or error', async (t) => {
  const addresses: Readonly<Record<string, string>> = {
    'canary-closed.example': '127.0.0.1',
    'canary-private.example': '10.77.66.55',
  }
  await using dns = await startHostileDns((query) => {
    const address = addresses[query.name.toLowerCase()]
    return [reply(query, { answers: address === undefined ? [] : [a(query.name, address)] })]
  })
  const port = await closedPort()
  const lines: string[] = []
  const log = keepAll(lines)
  const net = await makeNet(t, [{ address: '127.0.0.1', port }])
  const guard = await net.honest({ log })
  const exit = await net.honest({
    log,
    exit: { profile: 'web', dnsServers: [`${dns.address}:${dns.port}`] },
  })
  await net.honest({ log })
  await net.settled()
  const client = await net.client([guard], { log })
  const errors: unknown[] = []
  for (const [host, at] of [
    ['canary-closed.example', port],
    ['canary-private.example', 443],
    ['canary-unknown.example', 443],
  ] as const) {
    const stream = await client.connect({ host, port: at }, dialAs('canaryuser'))
    stream.on('error', () => {})
    await stream.connected.catch((error: unknown) => errors.push(error))
    stream.destroy()
  }
  const codes = errors.map((error) => (error as { code?: string }).code)
  assert.deepEqual(codes, ['EXIT_CONNECT_REFUSED', 'EXIT_RESOLVE_FAILED', 'EXIT_RESOLVE_FAILED'])
  assert.equal(new Set(dns.seen.map(({ name }) => name.toLowerCase())).size, 3, 'all were asked')
  const status = [guard, exit].map(({ node }) => JSON.stringify(node.status()))
  const told = [...lines, ...errors.map(describeError)]
  // A count of bytes may have the digits of a port: status is not looked at for those.
  assertNone(told, [`${port}`, `${dns.port}`])
  const texts = [...told, ...status, JSON.stringify(client.status())]
  assertNone(texts, ['canary', '10.77.66.55', '127.0.0.1'])
})
