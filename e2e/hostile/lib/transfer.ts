/**
 * A destination and an application that both know every byte beforehand, so that a changed one shows wherever it is. The application says in its first
 * eight bytes how much each side sends.
 */
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import type { ByteStream } from '@byway/client'
import { isBywayError } from '@byway/protocol/base'
import { listenAsTarget } from '@byway/testnet'
import { createRandom } from './seed.ts'

/** Longer than any window, and no multiple of a cell: a shift by cells shows. */
const PATTERN = createRandom(7).bytes(1_048_583)

/** Bytes `from`… of the body, whoever sends it. */
export function bodyPart(from: number, bytes: number): Buffer {
  const part = Buffer.alloc(bytes)
  for (let at = 0; at < bytes;) {
    const offset = (from + at) % PATTERN.length
    at += Buffer.from(PATTERN.buffer, PATTERN.byteOffset).copy(part, at, offset, PATTERN.length)
  }
  return part
}

/** Checks what comes against the body. */
export function createBodyCheck() {
  return {
    received: 0,
    isAltered: false,
    take(chunk: Uint8Array): void {
      if (!bodyPart(this.received, chunk.length).equals(chunk)) this.isAltered = true
      this.received += chunk.length
    },
  }
}

/** What the destination saw of one connection. */
export type Visit = {
  readonly body: ReturnType<typeof createBodyCheck>
  expected: number
  end: 'open' | 'clean' | 'reset'
}

export type Origin = { readonly address: string; readonly port: number; readonly visits: Visit[] }

/** Starts the destination on the loopback. */
export async function startOrigin(t: TestContext): Promise<Origin> {
  const visits: Visit[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, visits)
  })
  const port = await listenAsTarget(server)
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { address: '127.0.0.1', port, visits }
}

function serve(socket: Socket, visits: Visit[]): void {
  const visit: Visit = { body: createBodyCheck(), expected: -1, end: 'open' }
  visits.push(visit)
  let head = Buffer.alloc(0)
  socket.on('error', () => (visit.end = 'reset'))
  socket.on('end', () => (visit.end = 'clean'))
  socket.on('data', (chunk: Buffer) => {
    if (visit.expected >= 0) return visit.body.take(chunk)
    head = Buffer.concat([head, chunk])
    if (head.length < 8) return
    visit.expected = head.readUInt32BE(0)
    visit.body.take(head.subarray(8))
    sendBody(socket, head.readUInt32BE(4))
  })
}

/** Sends a body and ends; waits for the reader. */
export function sendBody(socket: ByteStream | Socket, bytes: number): void {
  let sent = 0
  const go = (): void => {
    while (sent < bytes && !socket.destroyed) {
      const part = bodyPart(sent, Math.min(65_536, bytes - sent))
      sent += part.length
      if (!socket.write(part)) {
        socket.once('drain', go)
        return
      }
    }
    if (!socket.destroyed) socket.end()
  }
  go()
}

/** What the application saw. */
export type Outcome = {
  readonly received: number
  readonly isAltered: boolean
  readonly end: 'clean' | 'reset'
  readonly code: string | undefined
}

/** Runs one transfer on a stream that is open. Never rejects. */
export async function transfer(
  stream: ByteStream,
  upBytes: number,
  downBytes: number,
): Promise<Outcome> {
  const body = createBodyCheck()
  const done = Promise.withResolvers<Outcome>()
  const settle = (end: Outcome['end'], code?: string): void =>
    done.resolve({ received: body.received, isAltered: body.isAltered, end, code })
  stream.on('data', (chunk: Uint8Array) => body.take(chunk))
  stream.on('end', () => settle('clean'))
  stream.on('error', (error) => settle('reset', isBywayError(error) ? error.code : 'UNKNOWN'))
  const head = Buffer.alloc(8)
  head.writeUInt32BE(upBytes, 0)
  head.writeUInt32BE(downBytes, 4)
  stream.write(head)
  sendBody(stream, upBytes)
  return await done.promise
}
