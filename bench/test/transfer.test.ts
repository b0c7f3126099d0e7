/** The bench's own tools: bodies with a known hash, the origin, the downloader and the accounting of CPU. */
import assert from 'node:assert/strict'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, suite, test } from 'node:test'

import { BLOCK_BYTES, bodyPieces, bodySha256, makeBlock } from '../lib/body.ts'
import { readCpuMs, readMemory } from '../lib/process-stats.ts'
import { startDownloader, startOrigin, type Downloader, type Origin } from '../lib/workers.ts'

suite('bodies', () => {
  test('a body of a seed has the same hash on every machine', () => {
    assert.equal(
      bodySha256(2 * BLOCK_BYTES + 5),
      '945b3c7b256fcbc8020c6a205d30abf617d59e8e1f6b6eded1e0be606d94cdc3',
    )
  })
  test('pieces add up to the length asked for, at the edges of a block and of its header', () => {
    const block = makeBlock('edges')
    for (const bytes of [
      0,
      1,
      15,
      16,
      17,
      BLOCK_BYTES - 1,
      BLOCK_BYTES,
      BLOCK_BYTES + 1,
      BLOCK_BYTES + 16,
    ]) {
      const sum = Array.from(bodyPieces(block, bytes)).reduce(
        (total, piece) => total + piece.length,
        0,
      )
      assert.equal(sum, bytes)
    }
  })
  test('another seed gives another hash', () => {
    assert.notEqual(bodySha256(1000, 'a'), bodySha256(1000, 'b'))
  })
})

suite('origin and downloader', () => {
  let origin: Origin
  let downloader: Downloader
  before(async () => {
    origin = await startOrigin()
    downloader = await startDownloader()
  })
  after(async () => {
    await downloader.stop()
    await origin.stop()
  })
  const job = (bytesEach: number, streams: number) => ({
    route: { kind: 'tcp', port: origin.port } as const,
    originPort: origin.port,
    streams,
    repeat: 2,
    bytesEach,
    isHashed: true,
    isolations: ['test'],
  })

  test('each stream receives the body with the known hash', async () => {
    const bytes = 3 * BLOCK_BYTES + 7
    const { streams } = await downloader.run(job(bytes, 4))
    assert.equal(streams.length, 8)
    for (const stream of streams) assert.equal(stream.sha256, bodySha256(bytes))
  })
  test('times are in order: opened, first byte, end', async () => {
    const { streams, wallMs } = await downloader.run(job(BLOCK_BYTES, 1))
    for (const { openMs, firstByteMs, endMs } of streams) {
      assert.ok(openMs <= firstByteMs && firstByteMs <= endMs && endMs <= wallMs)
    }
  })
  test('a body that ends short is an error, not a result', async () => {
    const liar = createServer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\n\r\nshort').on('error', () => undefined),
    )
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve))
    const port = (liar.address() as AddressInfo).port
    await assert.rejects(
      downloader.run({ ...job(1000, 1), route: { kind: 'tcp', port } }),
      /5 of 1000 bytes/,
    )
    liar.close()
  })
  test('a proxy that is not SOCKS5 is an error', async () => {
    const web = createServer((socket) =>
      socket.end('HTTP/1.1 400 Bad Request').on('error', () => undefined),
    )
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    const route = { kind: 'socks5', port: (web.address() as AddressInfo).port } as const
    await assert.rejects(downloader.run({ ...job(1000, 1), route }), /no method/)
    web.close()
  })
  test('CPU time of a process that works grows, and its memory is seen', async () => {
    const beforeMs = readCpuMs(downloader.pid)
    await downloader.run({ ...job(64 * BLOCK_BYTES, 1) })
    assert.ok(readCpuMs(downloader.pid) > beforeMs)
    const { residentBytes, proportionalBytes } = readMemory(downloader.pid)
    assert.ok(residentBytes > 10e6 && proportionalBytes > 1e6 && proportionalBytes <= residentBytes)
  })
})
