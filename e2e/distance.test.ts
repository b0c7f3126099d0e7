/**
 * The circuit network over distance: client, entry, middle and exit in namespaces of their own, real processes, links of 50 ms.
 * Asserts that bytes arrive whole and by the right path, never how fast.
 *
 *   [client] ══ [entry] ══ [middle] ══ [exit + origin]
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { startDistanceLab, type DistanceLab } from '../bench/byway/distance-lab.ts'
import { bodySha256 } from '../bench/lib/body.ts'
import { missingPrivileges } from './lib/network-lab.ts'

const missing = missingPrivileges()
if (missing !== undefined) process.stderr.write(`SKIPPED distance: ${missing}\n`)

const BYTES = 700_001

for (const congestionControl of ['cubic', 'bbr']) {
  suite(`circuits over distance, ${congestionControl}`, { skip: missing ?? false }, () => {
    let lab: DistanceLab
    before(async () => {
      lab = await startDistanceLab({ congestionControl })
    })
    after(async () => {
      await lab.stop()
    })
    const download = (isolations: readonly string[], streams: number) =>
      lab.downloader.run({
        route: { kind: 'socks5', port: lab.network.client.proxyPort },
        originPort: lab.origin.port,
        streams,
        repeat: 1,
        bytesEach: BYTES,
        isHashed: true,
        isolations,
      })

    test('streams of one user and of several come whole, through entry, middle and exit', async () => {
      const jobs = [await download(['one'], 3), await download(['a', 'b', 'c'], 3)]
      for (const { streams } of jobs) {
        const hashes = streams.map(({ sha256 }) => sha256)
        assert.deepEqual(hashes, Array<string>(3).fill(bodySha256(BYTES)))
      }
      lab.network.assertPinned()
    })
    test('a stream beside one that is never read comes whole', async () => {
      const { streams } = await lab.downloader.run({
        route: { kind: 'socks5', port: lab.network.client.proxyPort },
        originPort: lab.origin.port,
        streams: 1,
        repeat: 1,
        bytesEach: BYTES,
        isHashed: true,
        isolations: ['one'],
        stalled: ['one', 'other'],
      })
      assert.equal(streams[0]?.sha256, bodySha256(BYTES))
    })
    test('circuits are built over warm links, and the entry answers PING', async () => {
      assert.ok((await lab.network.build()) > 0)
      assert.ok((await lab.network.ping()) > 0)
    })
  })
}
