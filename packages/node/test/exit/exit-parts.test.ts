/** The exit's parts put together as the node does it: stub, cache, limits and connector, over sockets on the loopback. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createAccountant } from '@byway/protocol/circuit'
import { parsePolicyContext } from '@byway/protocol/policy'
import { listenAsTarget } from '@byway/testnet'
import { createExitConnector } from '../../src/exit/connect-pinned.ts'
import { createDnsCache } from '../../src/exit/dns-cache.ts'
import { createDnsStub } from '../../src/exit/dns-stub.ts'
import { createExitLimits } from '../../src/exit/exit-limits.ts'
import { createOpenPins } from '../../src/exit/open-pins.ts'
import { a, reply, startHostileDns } from './hostile-dns.ts'

test('a server that flips its answer reaches nothing but the origin that was opened', async () => {
  const origin = createServer((socket) => void socket.on('error', () => undefined).end('hello'))
  const port = await listenAsTarget(origin)
  let turn = 0
  await using dns = await startHostileDns((query) => {
    const address = ['127.0.0.1', '10.0.0.1', '127.0.0.2'][turn++ % 3] ?? ''
    return [reply(query, { answers: [a(query.name, address)] })]
  })
  const nowMs = (): number => 0
  const parsed = parsePolicyContext({ ipv6: false, allowTargets: [{ address: '127.0.0.1', port }] })
  assert.ok('context' in parsed)
  const resolver = createDnsStub(
    { randomBytes, servers: () => [dns] },
    { timeoutMs: 60_000, attemptTimeoutMs: 30_000 },
  )
  const accountant = createAccountant<never>(1e9)
  const cache = createDnsCache({ resolver, nowMs, randomBytes, accountant })
  const exit = createExitConnector({
    resolverFor: (circuit) => cache.view(circuit),
    context: () => parsed.context,
    limits: createExitLimits(),
    pins: createOpenPins(),
    nowMs,
  })
  const ask = async (circuit: string): Promise<string> => {
    const { socket } = await exit.connect({ circuit, host: 'Flip.Example', port })
    const peer = socket.remoteAddress ?? ''
    socket.destroy()
    return peer
  }
  assert.equal(await ask('c1'), '127.0.0.1')
  assert.equal(await ask('c1'), '127.0.0.1')
  await assert.rejects(ask('c2'), { code: 'NODE_EXIT_RESOLVE' })
  await assert.rejects(ask('c3'), { code: 'NODE_EXIT_RESOLVE' })
  assert.equal(dns.seen.length, 3)
  origin.close()
  await once(origin, 'close')
})
