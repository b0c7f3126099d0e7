import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { test } from 'node:test'
import { openTls, readBytes } from './support/raw-client.ts'
import { listening } from './support/tls-pair.ts'

test(
  'a connection that stalls in TLS, and one that drips its request, are closed in time and free their places',
  { timeout: 120_000 },
  async () => {
    await using side = await listening()
    const startedMs = performance.now()
    const sinceMs = (): number => performance.now() - startedMs

    const stalled = connectTcp(side.port, '127.0.0.1').on('error', () => {})
    stalled.resume()
    // The first bytes of a ClientHello, and never the rest.
    stalled.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]))
    const isStalledClosed = once(stalled, 'close').then(sinceMs)

    const dripping = await openTls(side.port)
    dripping.write('GET / HTTP/1.1\r\n')
    const drip = setInterval(() => dripping.write('A: b\r\n'), 1000)
    const answer = readBytes(dripping, Infinity).then((bytes) => ({ bytes, ms: sinceMs() }))

    const stalledMs = await isStalledClosed
    assert.ok(stalledMs > 4000, `${stalledMs} ms`)
    const { bytes, ms } = await answer
    clearInterval(drip)
    assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 408 Request Timeout\r\n/)
    assert.ok(ms > 19_000, `${ms} ms`)
    while (side.listener.stats.halfOpen > 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal((await side.dial()).isClosed, false)
  },
)
