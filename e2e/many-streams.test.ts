/**
 * Many streams and greedy clients on the loopback: entry, middle, exit and client are processes of their own. Asserts that
 * every byte arrives, never how fast; what clients that do not read cost in speed is the bench's (`bench/sections/stalled.ts`).
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { startBywayNetwork, type BywayNetwork } from '../bench/byway/network.ts'
import { bodySha256 } from '../bench/lib/body.ts'
import type { StreamResult } from '../bench/lib/downloader.ts'
import { startDownloader, startOrigin, type Downloader, type Origin } from '../bench/lib/workers.ts'

suite('many streams through three hops', () => {
  let origin: Origin
  let downloader: Downloader
  let network: BywayNetwork
  before(async () => {
    origin = await startOrigin()
    downloader = await startDownloader()
    network = await startBywayNetwork({
      name: 'many-streams',
      hops: 3,
      places: { hosts: ['127.111.0.1', '127.112.0.1', '127.113.0.1'] },
      originPort: origin.port,
    })
  })
  after(async () => {
    await network.stop()
    await downloader.stop()
    await origin.stop()
  })
  const download = async (job: {
    streams: number
    bytesEach: number
    isolations: readonly string[]
    stalled?: readonly string[]
  }): Promise<readonly StreamResult[]> => {
    const { streams } = await downloader.run({
      route: { kind: 'socks5', port: network.client.proxyPort },
      originPort: origin.port,
      repeat: 1,
      isHashed: true,
      ...job,
    })
    return streams
  }

  test('a thousand at the same time come whole, all by the pinned path', async () => {
    const bytesEach = 20_011
    const streams = await download({ streams: 1000, bytesEach, isolations: ['one'] })
    const expected = bodySha256(bytesEach)
    assert.equal(streams.filter(({ sha256 }) => sha256 === expected).length, 1000)
    network.assertPinned()
  })

  for (const [where, stalled] of [
    ['the same circuit', ['reader', 'reader', 'reader']],
    ['other circuits', ['greedy1', 'greedy2', 'greedy3']],
  ] as const) {
    test(`a reader gets all of its bytes beside three that never read, on ${where}`, async () => {
      // Far more than the windows of stream, circuit and link together: a window lost to a neighbour would stop it.
      const bytesEach = 24_000_003
      const streams = await download({ streams: 1, bytesEach, isolations: ['reader'], stalled })
      assert.deepEqual(
        streams.map(({ sha256 }) => sha256),
        [bodySha256(bytesEach)],
      )
    })
  }

  test('who never read and left leaves the circuit usable', async () => {
    const bytesEach = 1_000_003
    const streams = await download({ streams: 4, bytesEach, isolations: ['reader'] })
    const expected = bodySha256(bytesEach)
    assert.ok(streams.every(({ sha256 }) => sha256 === expected))
  })
})
