/** An origin on 127.0.0.1 whose answers can be told apart and checked. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { listenAsTarget } from '@byway/testnet'

export interface Origin extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

/** Serves `/NAME/BYTES`: so many bytes that depend on the name; see {@link bodyOf}. */
export async function startOrigin(): Promise<Origin> {
  const server = createServer((request, response) => {
    const [, name = '', bytes = '0'] = (request.url ?? '').split('/')
    response.writeHead(200, { 'content-length': Number(bytes) }).end(bodyOf(name, Number(bytes)))
  })
  const port = await listenAsTarget(server)
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** A body that no other name has. */
export function bodyOf(name: string, bytes: number): Buffer {
  const block = createHash('sha256').update(name).digest()
  return Buffer.concat(
    Array.from({ length: Math.ceil(bytes / block.length) }, () => block),
    bytes,
  )
}
