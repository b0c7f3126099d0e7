/**
 * An exit that will hibernate in ten minutes says so, and its clients move (DESIGN §5):
 *
 *   app ─► client ═► guard ═► exit ✋ ─► origin        what runs there runs on; what is new goes by the other exit
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { PathReport } from '@byway/client'
import { toHex } from '@byway/protocol/base'
import { testnet } from '../src/index.ts'
import { curl } from './support/curl.ts'
import { bodyOf, startOrigin } from './support/origin.ts'
import { connectSocks } from './support/socks-client.ts'

const LIMIT = { timeout: 120_000 }

test(
  'who announces that it will hibernate keeps what runs, takes nothing new, ends it, and serves again',
  LIMIT,
  async (t) => {
    await using origin = await startOrigin()
    const paths: PathReport[] = []
    await using net = await testnet({
      exitTargets: [{ address: '127.0.0.1', port: origin.port }],
      onPath: (path) => paths.push(path),
      signal: t.signal,
    })
    const ask = async (user: string): Promise<string> => {
      const proxy = `socks5h://${user}:x@127.0.0.1:${net.proxyPort}`
      assert.deepEqual(await curl(proxy, `${origin.url}/page/1000`), bodyOf('page', 1000))
      return paths.at(-1)?.hops.at(-1)?.nodeId ?? ''
    }
    const first = await ask('reader-hops-2')
    const exit = net.nodes.find(({ node }) => toHex(node.nodeId) === first)?.node
    assert.ok(exit)
    const running = await connectSocks({
      proxyPort: net.proxyPort,
      host: '127.0.0.1',
      port: origin.port,
      username: 'reader-hops-2',
    })
    assert.equal(running.code, 0)

    exit.serving.announceDrain(600)
    const second = await ask('reader-hops-2')
    assert.notEqual(second, first, 'the same reader, in another tunnel')
    running.socket.write('GET /page/1000 HTTP/1.1\r\nhost: origin\r\nconnection: close\r\n\r\n')
    const [answer] = (await once(running.socket, 'data')) as [Buffer]
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200/)
    running.socket.destroy()

    exit.serving.hibernate()
    assert.equal(exit.status().circuits, 0)
    for (let round = 0; round < 3; round++) assert.notEqual(await ask(`r${round}-hops-2`), first)

    exit.serving.resume()
    const country = net.nodes.find(({ node }) => node === exit)?.plan.country.toLowerCase()
    assert.equal(await ask(`back-hops-2-country-${country}`), first)
  },
)
