import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { TunnelStream } from '../../src/engine/tunnel-stream.ts'
import type { StreamPort } from '../../src/engine/tunnel-stream.ts'

type Written = { readonly bytes: number; readonly isOwned: boolean }

/** A tunnel that notes what it is given and takes no more once `isFull`. */
function fakePort(): StreamPort & {
  readonly written: Written[]
  isFull: boolean
  consumedBytes: number
} {
  const written: Written[] = []
  return {
    written,
    isFull: false,
    consumedBytes: 0,
    write(_stream, chunk, isOwned = false) {
      written.push({ bytes: chunk.length, isOwned })
      return !this.isFull
    },
    end() {},
    reset() {},
    consumed(_stream, bytes) {
      this.consumedBytes += bytes
    },
    release() {},
  }
}

test('a chunk is given away with its buffer only when it is all of it', () => {
  const port = fakePort()
  const stream = new TunnelStream(1, port)
  stream.give(new Uint8Array(2000))
  stream.give(new Uint8Array(2000).subarray(1))
  assert.deepEqual(port.written, [
    { bytes: 2000, isOwned: true },
    { bytes: 1999, isOwned: false },
  ])
})

test('a giver waits for drain, and bytes written before go first', async () => {
  const port = fakePort()
  const stream = new TunnelStream(1, port)
  port.isFull = true
  assert.equal(stream.give(new Uint8Array(1)), false)
  const drained = once(stream, 'drain')
  port.isFull = false
  stream.onDrained()
  await drained
  port.isFull = true
  stream.write(new Uint8Array(2))
  stream.give(new Uint8Array(3))
  port.isFull = false
  stream.onDrained()
  assert.deepEqual(
    port.written.map(({ bytes }) => bytes),
    [1, 2, 3],
  )
})

test('bytes from before and after pourInto reach the socket in order, are all consumed, and the end is the stream’s own', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const app = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = await once(server, 'connection')
  const port = fakePort()
  const stream = new TunnelStream(1, port)
  stream.onData(Uint8Array.of(1))
  stream.onData(new Uint8Array(300_000).fill(2))
  stream.once('end', () => socket.end())
  stream.pourInto(socket)
  stream.onData(Uint8Array.of(3, 4))
  stream.onEnd()
  const pieces: Buffer[] = []
  for await (const piece of app) pieces.push(piece)
  const got = Buffer.concat(pieces)
  assert.equal(got.length, 300_003)
  assert.deepEqual([got[0], got[1], got[300_000], got[300_001], got[300_002]], [1, 2, 2, 3, 4])
  assert.equal(port.consumedBytes, 300_003)
  assert.equal(stream.readableEnded, true)
  server.close()
})
