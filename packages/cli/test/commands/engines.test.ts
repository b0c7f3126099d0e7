/** `byway node`, `up`, `status` and `down` as a user would run them, on a network of two nodes of their own. */
import assert from 'node:assert/strict'
import { createServer, get } from 'node:http'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { writeFile } from 'node:fs/promises'
import { suite, test, type TestContext } from 'node:test'
import { removeConsent, writeLocalConsent } from '@byway/node'
import { fromHex } from '@byway/protocol/base'
import type { NetworkParameters } from '@byway/protocol/directory'
import { listenAsTarget } from '@byway/testnet'
import { formatNetworkFile } from '../../src/config/network-file.ts'
import { editionBy, publisherNumber, writeSigned } from '../network/publisher.ts'
import { startByway, type JsonEvent, type RunningByway } from '../running-byway.ts'
import { byway, temporaryHome } from '../spawn-byway.ts'

const ALONE: NetworkParameters = {
  name: 'two',
  local: true,
  reachablePrefixes: ['127.0.0.0/8'],
  asnTable: [
    { prefix: '127.1.0.0/16', asn: 64_512, country: 'DE' },
    { prefix: '127.2.0.0/16', asn: 64_513, country: 'SE' },
  ],
  bootstrap: [],
  exitTargets: [],
}

type Started = { readonly running: RunningByway; readonly ready: JsonEvent; readonly home: string }

async function startNode(
  t: TestContext,
  host: string,
  network: NetworkParameters,
  args: readonly string[] = [],
): Promise<Started> {
  const home = await temporaryHome(t)
  if (args.includes('--exit')) await writeLocalConsent(home, Date.now(), network, ['browse'])
  const file = join(home, 'network.toml')
  await writeFile(file, formatNetworkFile(network))
  const listen = ['--listen', `${host}:0`, '--drain', '1', '--json', ...args]
  const running = startByway(['node', ...listen], { BYWAY_HOME: home })
  t.after(() => running.stop())
  return { running, ready: await running.event('ready'), home }
}

function networkOf({ ready }: Started): NetworkParameters {
  const [address = '', port = ''] = String(ready['listen']).split(':')
  const nodeId = fromHex(String(ready['id'])) ?? new Uint8Array(32)
  return { ...ALONE, bootstrap: [{ nodeId, address, port: Number(port) }] }
}

/** An origin that sends the first half of a body, and the rest when it is told to. */
async function startHalfOrigin(t: TestContext) {
  const open: ServerResponse[] = []
  let onHalf = Promise.withResolvers<void>()
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': BODY.length })
    open.push(response)
    response.write(BODY.slice(0, 10), () => onHalf.resolve())
  })
  const port = await listenAsTarget(server)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    port,
    async halfSent() {
      await onHalf.promise
      onHalf = Promise.withResolvers<void>()
    },
    finish: () => open.pop()?.end(BODY.slice(10)),
  }
}

const BODY = 'first half and the rest'

/** The body as it came through a proxy; `undefined` when it was cut. */
async function fetchThrough(proxyPort: number, originPort: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const path = `http://127.0.0.1:${originPort}/`
  get({ host: '127.0.0.1', port: proxyPort, path, agent: false }, (response) => {
    let body = ''
    response.on('data', (part: Buffer) => (body += part.toString()))
    response.once('error', () => resolve(undefined))
    response.once('close', () => resolve(response.complete ? body : undefined))
  }).once('error', () => resolve(undefined))
  return await promise
}

/** Waits until a port takes no connections any more. */
async function untilRefused(port: number): Promise<void> {
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port })
    const isRefused = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false))
      socket.once('error', () => resolve(true))
    })
    socket.destroy()
    if (isRefused) return
    await delay(20)
  }
}

suite('engines', () => {
  test('a node is a relay unless told otherwise, and keeps its identity', async (t) => {
    const { running, ready, home } = await startNode(t, '127.1.0.1', ALONE)
    assert.deepEqual(ready['roles'], ['relay'])
    assert.match(String(ready['listen']), /^127\.1\.0\.1:\d+$/)
    assert.equal(await running.stop(), 0, running.lastWords())
    const again = startByway(['node', '--listen', '127.1.0.1:0', '--json'], { BYWAY_HOME: home })
    assert.equal((await again.event('ready'))['id'], ready['id'])
    assert.equal(await again.stop(), 0)
  })

  test('a node whose country a table contradicts tells its operator, who finds it in the status too', async (t) => {
    const { running, home } = await startNode(t, '127.1.0.1', ALONE, ['--country', 'FR'])
    const { alert, text } = await running.event('alert')
    assert.equal(alert, 'place-differs')
    assert.match(String(text), /in FR, and the network's table says DE.*--country DE/)
    const { code, out } = await byway(['status', '--check'], { env: { BYWAY_HOME: home } })
    assert.equal(code, 77)
    assert.match(out, /! you say that this node is in FR/)
  })

  test('a node takes the exit role only with a consent on record', async (t) => {
    const home = await temporaryHome(t)
    await writeFile(join(home, 'network.toml'), formatNetworkFile(ALONE))
    const args = ['node', '--exit', '--listen', '127.1.0.1:0', '--json']
    const { code, out } = await byway(args, { env: { BYWAY_HOME: home } })
    assert.equal(code, 77)
    assert.equal((JSON.parse(out) as { error: { code: string } }).error.code, 'CONSENT_MISSING')
  })

  test('an exit stops once the consent is withdrawn', async (t) => {
    const { running, ready, home } = await startNode(t, '127.1.0.1', ALONE, ['--exit'])
    assert.deepEqual(ready['roles'], ['relay', 'exit'])
    await removeConsent(home)
    assert.equal(await running.ended, 0, running.lastWords())
  })

  test('up runs a proxy, status shows it, a second one is refused, down stops it', async (t) => {
    const relay = await startNode(t, '127.1.0.1', ALONE)
    const network = networkOf(relay)
    await startNode(t, '127.2.0.1', network, ['--exit'])
    const home = await temporaryHome(t)
    await writeFile(join(home, 'network.toml'), formatNetworkFile(network))
    const env = { BYWAY_HOME: home }
    assert.deepEqual(JSON.parse((await byway(['status', '--json'], { env })).out), {
      client: null,
      node: null,
    })
    const up = startByway(['up', '--port', '0', '--drain', '1', '--json'], env)
    t.after(() => up.stop())
    const { proxy } = await up.event('ready')
    assert.match(String(proxy), /^socks5h:\/\/127\.0\.0\.1:\d+$/)
    const status = await byway(['status', '--json'], { env })
    const { client } = JSON.parse(status.out) as { client: { nodes: number; pid: number } }
    assert.deepEqual([client.nodes, client.pid], [2, up.pid])
    assert.equal((await byway(['up', '--port', '0'], { env })).code, 74)
    assert.deepEqual((await byway(['down'], { env })).code, 0)
    assert.equal(await up.ended, 0, up.lastWords())
    assert.equal((await byway(['down'], { env })).code, 69)
  })

  test('the first Ctrl-C lets a download end and exits with 0, a second one does not wait and exits with 130', async (t) => {
    const origin = await startHalfOrigin(t)
    const exitTargets = [{ address: '127.0.0.1', port: origin.port }]
    const relay = await startNode(t, '127.1.0.1', { ...ALONE, exitTargets })
    const network = { ...networkOf(relay), exitTargets }
    await startNode(t, '127.2.0.1', network, ['--exit'])
    /** A client in the middle of a download, after one Ctrl-C. */
    const interrupted = async () => {
      const home = await temporaryHome(t)
      await writeFile(join(home, 'network.toml'), formatNetworkFile(network))
      const args = ['up', '--port', '0', '--drain', '600', '--json']
      const up = startByway(args, { BYWAY_HOME: home })
      t.after(() => up.kill())
      const { httpProxy } = await up.event('ready')
      const port = Number(new URL(String(httpProxy)).port)
      const reading = fetchThrough(port, origin.port)
      await origin.halfSent()
      process.kill(up.pid, 'SIGINT')
      await untilRefused(port)
      return { up, reading }
    }
    const patient = await interrupted()
    origin.finish()
    assert.equal(await patient.reading, 'first half and the rest')
    assert.equal(await patient.up.ended, 0, patient.up.lastWords())
    const hurried = await interrupted()
    process.kill(hurried.up.pid, 'SIGINT')
    assert.equal(await hurried.up.ended, 130, hurried.up.lastWords())
    assert.equal(await hurried.reading, undefined, 'and the download is cut')
    assert.equal(await relay.running.stop(), 0)
  })

  test('an engine stops when its standard input ends, if it was told to', async (t) => {
    const { running } = await startNode(t, '127.1.0.1', ALONE, ['--stop-with-stdin'])
    running.endInput()
    assert.equal(await running.ended, 0, running.lastWords())
  })

  test('up refuses one hop outside a local network, and a missing network file', async (t) => {
    const home = await temporaryHome(t)
    const env = { BYWAY_HOME: home }
    assert.equal((await byway(['up'], { env })).code, 78)
    const publisher = publisherNumber(1)
    const edition = editionBy(publisher, { isTest: true })
    const network = { ...ALONE, local: false, edition }
    await writeSigned(join(home, 'network.toml'), network, publisher)
    const { code, out } = await byway(['up', '--hops', '1', '--json'], { env })
    assert.equal(code, 78)
    assert.equal((JSON.parse(out) as { error: { code: string } }).error.code, 'RUN_SINGLE_HOP')
  })
})

for (const args of [
  ['node', '--listen', 'example.com:80'],
  ['node', '--listen', '127.0.0.1'],
  ['node', '--listen', '127.0.0.1:70000'],
  ['up', '--port', '-1'],
  ['up', '--hops', '4'],
  ['up', '--drain', 'soon'],
]) {
  test(`refuses \`byway ${args.join(' ')}\` with 64`, async (t) => {
    const { code } = await byway(args, { env: { BYWAY_HOME: await temporaryHome(t) } })
    assert.equal(code, 64)
  })
}
