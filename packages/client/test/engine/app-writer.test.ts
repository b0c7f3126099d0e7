import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createAppWriter } from '../../src/engine/app-writer.ts'

test('bytes arrive whole and in order, are reported once taken, and only then lose their memory', async () => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const app = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [socket] = await once(server, 'connection')
  let takenBytes = 0
  const writer = createAppWriter(socket, (bytes) => (takenBytes += bytes))
  const cells = Array.from({ length: 300 }, (_, index) => new Uint8Array(16_384).fill(index))
  const expected = Buffer.concat(cells)
  for (const cell of cells) {
    writer.write(cell.subarray(9))
    assert.equal(cell.length, 16_384, 'freed while it was being written')
  }
  const pieces: Buffer[] = []
  app.on('data', (piece: Buffer) => pieces.push(piece))
  socket.end()
  await once(app, 'end')
  const want = Buffer.concat(
    cells.map((_, index) => expected.subarray(index * 16_384 + 9, (index + 1) * 16_384)),
  )
  assert.ok(Buffer.concat(pieces).equals(want))
  assert.equal(takenBytes, want.length)
  assert.ok(cells.every((cell) => cell.length === 0))
  app.destroy()
  server.close()
})
