/**
 * Client, relays and exits together over real TLS links:
 *
 *   app ─► proxy ─► client ═► guard ═► exit ─► origin                  2 hops
 *                          ═► guard ═► relay ═► exit ─► origin          3 hops, asked for, or because the exit has no port
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { after, before, suite, test } from 'node:test'
import { createClient, createProxy, type PathReport } from '@byway/client'
import { NO_LOG, toHex } from '@byway/protocol/base'
import { testnet, type Testnet } from '../src/index.ts'
import { proxyTargets } from '../src/in-process.ts'
import { curl } from './support/curl.ts'
import { bodyOf, startOrigin, type Origin } from './support/origin.ts'
import { connectSocks } from './support/socks-client.ts'

/** Country of the exit without a port in a network of six (plan.ts). */
const PORTLESS = 'jp'

suite('a network in one process', () => {
  let origin: Origin
  let other: Origin
  let net: Testnet
  let startMs: number
  const paths: PathReport[] = []

  before(async () => {
    origin = await startOrigin()
    other = await startOrigin()
    const beganMs = performance.now()
    net = await testnet({
      exitTargets: [{ address: '127.0.0.1', port: origin.port }],
      onPath: (path) => paths.push(path),
    })
    startMs = performance.now() - beganMs
  })
  after(async () => {
    await net[Symbol.asyncDispose]()
    await origin[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  })

  const proxy = (scheme: string, user?: string): string =>
    `${scheme}://${user === undefined ? '' : `${user}:x@`}127.0.0.1:${net.proxyPort}`
  const pathsDuring = async (work: () => Promise<unknown>): Promise<PathReport[]> => {
    const begin = paths.length
    await work()
    return paths.slice(begin)
  }

  test('is up with a client that knows all six nodes', (t) => {
    assert.equal(net.client.status().nodes, 6)
    t.diagnostic(`up in ${startMs.toFixed(0)} ms`)
  })

  for (const [what, scheme, args] of [
    ['SOCKS5 with the name resolved at the exit', 'socks5h', []],
    ['SOCKS4a', 'socks4a', []],
    ['HTTP CONNECT', 'http', ['--proxytunnel']],
    ['plain HTTP', 'http', []],
  ] as const) {
    test(`carries a page by ${what}`, async () => {
      const body = await curl(proxy(scheme), `${origin.url}/page/100000`, ...args)
      assert.deepEqual(body, bodyOf('page', 100_000))
    })
  }

  test('takes two hops to an exit with a port, and three on request', async () => {
    const two = await pathsDuring(() =>
      curl(proxy('socks5h', 'a-country-fr'), `${origin.url}/x/10`),
    )
    const three = await pathsDuring(() => curl(proxy('socks5h', 'b-hops-3'), `${origin.url}/x/10`))
    assert.deepEqual(
      [two, three].map((all) => all.map(({ hops }) => hops.length)),
      [[2], [3]],
    )
  })

  test('reaches the exit without a port through whichever relay it is attached to', async () => {
    // Its descriptor names more relays than it keeps links to, so some of these paths are tried in vain.
    for (let round = 0; round < 8; round++) {
      const user = `round${round}-country-${PORTLESS}-hops-3`
      const found = await pathsDuring(() => curl(proxy('socks5h', user), `${origin.url}/x/10`))
      assert.deepEqual(
        found.map(({ hops }) => [hops.length, hops.at(-1)?.country]),
        [[3, 'JP']],
      )
    }
  })

  test('never puts two hops of one AS into a circuit (SPEC §10.3)', () => {
    assert.ok(paths.length > 0)
    for (const { hops } of paths) {
      assert.equal(new Set(hops.map(({ nodeId }) => nodeId)).size, hops.length)
      assert.equal(new Set(hops.map(({ asn }) => asn)).size, hops.length)
    }
  })

  test('a program that names a class which no exit takes is told so, with the number of exits that do', async (t) => {
    const { network } = net
    await using client = createClient({ network, trafficClass: 'collect' })
    await client.start(t.signal)
    const target = { host: '127.0.0.1', port: origin.port }
    const isolation = {
      listener: 'a program',
      sourceAddress: '',
      username: '',
      password: '',
      portClass: 'web',
    } as const
    const options = { isolation, selection: {}, signal: t.signal }
    await assert.rejects(client.connect(target, options), {
      code: 'EXIT_CLASS',
      context: { trafficClass: 'collect', exits: 0 },
    })
    // What one stream asks for goes before what its program does.
    const browsing = { ...options, selection: { trafficClass: 'browse' } as const }
    const stream = await client.connect(target, browsing)
    await stream.connected
    stream.destroy()
    assert.deepEqual(client.status().tunnels.at(-1)?.terms, {
      trafficClass: 'browse',
      classStep: 0,
      priceStep: 0,
    })
  })

  test("goes through none of the user's own nodes (SPEC §10.3)", async (t) => {
    const publicNodes = net.nodes.filter(({ plan }) => plan.host !== undefined)
    const kept = [false, true].map((isExit) =>
      publicNodes.find(({ plan }) => plan.isExit === isExit),
    )
    const own = net.nodes.filter((each) => !kept.includes(each)).map(({ node }) => node.nodeId)
    assert.equal(own.length, 4)
    const found: PathReport[] = []
    const onPath = (path: PathReport): void => void found.push(path)
    await using client = createClient({ network: net.network, ownNodes: () => own, onPath })
    await client.start(t.signal)
    const { network } = net
    const deps = { dialer: client, log: NO_LOG }
    await using ownProxy = createProxy(deps, { port: 0, allowTargets: proxyTargets(network) })
    const { port: proxyPort } = await ownProxy.start()
    for (let round = 0; round < 4; round++)
      await curl(`socks5h://own${round}:x@127.0.0.1:${proxyPort}`, `${origin.url}/x/10`)
    const expected = kept.map((each) => each && toHex(each.node.nodeId))
    assert.ok(found.length >= 4)
    for (const { hops } of found)
      assert.deepEqual(
        hops.map(({ nodeId }) => nodeId),
        expected,
      )
    const target = { host: '127.0.0.1', port: origin.port, username: `x-country-${PORTLESS}` }
    const refused = await connectSocks({ proxyPort, ...target })
    assert.notEqual(refused.code, 0)
    refused.socket.destroy()
  })

  test('gives each isolated application a tunnel of its own, and one application one tunnel', async () => {
    const tunnels = (): number => net.client.status().tunnels.length
    const count = tunnels()
    await curl(proxy('socks5h', 'anna'), `${origin.url}/x/10`)
    await curl(proxy('socks5h', 'anna'), `${origin.url}/x/10`)
    assert.equal(tunnels(), count + 1)
    await curl(proxy('socks5h', 'berta'), `${origin.url}/x/10`)
    assert.equal(tunnels(), count + 2)
  })

  test('carries a thousand streams at once, each with its own bytes', async () => {
    const fetchOne = async (index: number): Promise<boolean> => {
      const name = `stream${index}`
      const { code, socket } = await connectSocks({
        proxyPort: net.proxyPort,
        host: '127.0.0.1',
        port: origin.port,
        username: `group${index % 10}`,
      })
      assert.equal(code, 0)
      socket.write(`GET /${name}/20000 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      return (await buffer(socket)).subarray(-20_000).equals(bodyOf(name, 20_000))
    }
    const results = await Promise.all(Array.from({ length: 1000 }, (_, index) => fetchOne(index)))
    assert.equal(results.filter((isRight) => isRight).length, 1000)
  })

  test('refuses another port of the loopback with a SOCKS error, at the proxy or at the exit', async () => {
    const refused = await connectSocks({
      proxyPort: net.proxyPort,
      host: '127.0.0.1',
      port: other.port,
    })
    assert.notEqual(refused.code, 0)
    refused.socket.destroy()
  })

  test('ends the stream where the origin ends it, half-closed by the application before', async () => {
    const { socket } = await connectSocks({
      proxyPort: net.proxyPort,
      host: '127.0.0.1',
      port: origin.port,
    })
    socket.end(`GET /half/300000 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
    assert.deepEqual((await buffer(socket)).subarray(-300_000), bodyOf('half', 300_000))
    if (!socket.closed) await once(socket, 'close')
  })
})

test('refuses a network of three nodes or of none', async () => {
  for (const nodes of [0, 3, 2.5, 1000]) {
    await assert.rejects(testnet({ nodes }), { code: 'TESTNET_SIZE' })
  }
})
