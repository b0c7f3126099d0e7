/** The exit service over real sockets: what a client's application sees, and what a target sees. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { bytesOf, createWorld, textOf } from './exit-world.ts'
import { startTarget, until } from './test-target.ts'

const MIB = 1024 * 1024
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

test('a target gets what the app writes, and the app what it answers (echo)', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  const world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await world.send(stream.id, text('hello'))
  await until(() => textOf(stream) === 'hello')
  world.end(stream.id)
  await until(() => stream.events.includes('end'))
  assert.deepEqual(stream.events, ['connected', 'end'])
  await until(() => world.service.status().sockets === 0)
  assert.equal(world.service.status().streams, 0)
  world.close()
})

test('ten megabytes come down unchanged, and as many go up', async () => {
  const body = randomBytes(10 * MIB)
  const got = createHash('sha256')
  let gotBytes = 0
  await using target = await startTarget((socket) => {
    socket.on('data', (chunk: Buffer) => {
      got.update(chunk)
      gotBytes += chunk.length
    })
    socket.on('end', () => socket.end(body))
  })
  const world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await world.send(stream.id, body)
  world.end(stream.id)
  await until(() => stream.events.includes('end'), 30_000)
  assert.equal(gotBytes, body.length)
  const digest = createHash('sha256').update(body).digest('hex')
  assert.equal(got.digest('hex'), digest)
  assert.equal(createHash('sha256').update(bytesOf(stream)).digest('hex'), digest)
  world.close()
})
