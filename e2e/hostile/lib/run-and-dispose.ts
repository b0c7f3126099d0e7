/** A program that uses a network in its own process and lets go of it: if a socket or a timer is left, it does not end. Run by `dispose.test.ts`. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import { listenAsTarget, testnet } from '@byway/testnet'
import { dialAs } from './net.ts'

const origin = createServer((_request, response) => response.end('hello'))
const port = await listenAsTarget(origin)
const net = await testnet({ exitTargets: [{ address: '127.0.0.1', port }] })
const stream = await net.client.connect(
  { host: '127.0.0.1', port },
  dialAs('disposed', {}, AbortSignal.timeout(10_000)),
)
stream.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
stream.resume()
await once(stream, 'end')
const closed = once(stream, 'close')
stream.end()
await closed
// One stream more is open, and a lookup under way, when everything goes.
const open = await net.client.connect({ host: '127.0.0.1', port }, dialAs('open'))
open.on('error', () => {})
net.client.resolve('never.example.com', dialAs('lookup')).catch(() => {})
await net[Symbol.asyncDispose]()
origin.close()
origin.closeAllConnections()
console.log(JSON.stringify({ disposedAtMs: Date.now() }))
process.once('exit', () => console.log(JSON.stringify({ exitAtMs: Date.now() })))
