/**
 * The destination of every bench, as its own process: `GET /BYTES HTTP/1.1` is answered with that many bytes of
 * `body.ts`. Listens on 127.0.0.1 or the address given, prints `{"port":N}` on stdout and lives until its stdin ends.
 * Not a general HTTP server: one request per connection, no header is read.
 */
import { createServer, type Socket } from 'node:net'

import { listenAsTarget } from '../../packages/testnet/src/target-port.ts'
import { bodyPieces, DEFAULT_SEED, makeBlock } from './body.ts'

/** Largest request head that is read before the connection is dropped. */
const MAX_HEAD_BYTES = 16_384
const REQUEST = /^GET \/(\d{1,12})(?:\?\S*)? HTTP\/1\.[01]\r\n/

const block = makeBlock(DEFAULT_SEED)

const server = createServer({ noDelay: true }, (socket) => {
  let head = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    head += chunk.toString('latin1')
    if (head.length > MAX_HEAD_BYTES) socket.destroy()
    if (!head.includes('\r\n\r\n')) return
    socket.removeAllListeners('data').resume()
    const bodyBytes = Number(REQUEST.exec(head)?.[1] ?? -1)
    if (bodyBytes < 0) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
    else sendBody(socket, bodyBytes)
  })
})

function sendBody(socket: Socket, bodyBytes: number): void {
  const pieces = bodyPieces(block, bodyBytes)
  const pump = (): void => {
    socket.cork()
    let more = true
    while (more && !socket.destroyed) {
      const piece = pieces.next()
      if (piece.done === true) {
        socket.end()
        break
      }
      more = socket.write(piece.value)
      // A header alone never fills the buffer; its block does, and both leave in one writev.
    }
    socket.uncork()
  }
  socket.on('drain', pump)
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bodyBytes}\r\nConnection: close\r\n\r\n`,
  )
  pump()
}

const port = await listenAsTarget(server, process.argv[2])
process.stdout.write(`${JSON.stringify({ port })}\n`)
process.stdin.resume().on('end', () => process.exit(0))
