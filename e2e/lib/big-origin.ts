/** An origin with one large body, slow enough that a test can strike while it is on its way. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { listenAsTarget } from '@byway/testnet'

export interface BigOrigin extends AsyncDisposable {
  readonly port: number
  readonly sha256: string
  readonly bytes: number
}

/** Serves the same `bytes` random bytes at every path. */
export async function startBigOrigin(bytes: number): Promise<BigOrigin> {
  const block = randomBytes(BLOCK_BYTES)
  const hash = createHash('sha256')
  for (let at = 0; at < bytes; at += BLOCK_BYTES) hash.update(blockAt(block, at, bytes))
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': bytes })
    Readable.from(blocks(block, bytes)).pipe(response)
  })
  return {
    port: await listenAsTarget(server),
    sha256: hash.digest('hex'),
    bytes,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function* blocks(block: Buffer, bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += BLOCK_BYTES) yield blockAt(block, at, bytes)
}

/** Each block begins with its place, so that a block lost, repeated or out of order changes the hash. */
function blockAt(block: Buffer, at: number, bytes: number): Buffer {
  const own = Buffer.from(block.subarray(0, Math.min(BLOCK_BYTES, bytes - at)))
  if (own.length >= 6) own.writeUIntBE(at, 0, 6)
  return own
}

const BLOCK_BYTES = 65_536
