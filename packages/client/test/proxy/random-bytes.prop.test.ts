import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fakeDialer, openApp, socks5Connect, startProxy } from './harness.ts'

const RUNS = process.env['SLOW'] === '1' ? 5000 : 300

test('random bytes on the port, in random parts, end that connection and no other', async (t) => {
  const { port, proxy } = await startProxy(t, fakeDialer({}))
  const opening = fc.constantFrom(
    '',
    '\x05',
    '\x05\x01\0',
    '\x04\x01',
    'GET http://',
    'CONNECT ',
    'POST ',
  )
  const parts = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(opening, parts, async (start, bytes) => {
      const app = await openApp(t, port)
      app.send(Buffer.from(start, 'latin1'))
      for (const part of bytes) if (app.socket.writable) app.send(part)
      app.socket.end()
      await app.ended
      app.socket.destroy()
    }),
    { numRuns: RUNS },
  )
  const honest = await openApp(t, port)
  honest.send(socks5Connect('a.example', 443))
  assert.equal((await honest.ended).bytes.toString('hex', 2, 4), '0503')
  honest.socket.destroy()
  while (proxy.counters().connectionsOpen > 0) await new Promise((resolve) => setImmediate(resolve))
})
