/** A real HTTP server in front of a chain that does what bad endpoints do. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export type Asked = { readonly method: string; readonly params: readonly unknown[] }

/** How it behaves. `change` may replace a result, and is how it lies. */
export type Manner =
  | { readonly type: 'honest' }
  | { readonly type: 'hang' }
  | { readonly type: 'hang-up' }
  | { readonly type: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly type: 'body'; readonly body: string }
  | { readonly type: 'endless' }
  | { readonly type: 'change'; readonly change: (result: unknown, asked: Asked) => unknown }

export type HostileProxy = {
  readonly url: string
  manner: Manner
  /** Methods asked so far. */
  readonly asked: string[]
}

export async function startHostileProxy(
  t: TestContext,
  target: string,
  manner: Manner = { type: 'honest' },
): Promise<HostileProxy> {
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const proxy: HostileProxy = { url: `http://127.0.0.1:${port}`, manner, asked: [] }
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = Buffer.concat(await request.toArray()).toString()
    const asked = JSON.parse(body) as Asked
    proxy.asked.push(asked.method)
    const now = proxy.manner
    if (now.type === 'hang') return
    if (now.type === 'hang-up') return void request.socket.destroy()
    if (now.type === 'status') return void response.writeHead(now.status, now.headers).end('no')
    if (now.type === 'body') return void response.end(now.body)
    if (now.type === 'endless') return sendForEver(response)
    const honest = await fetch(target, { method: 'POST', headers: HEADERS, body })
    const answered = (await honest.json()) as { readonly result?: unknown }
    const changed =
      now.type === 'change' && 'result' in answered
        ? { ...answered, result: await now.change(answered.result, asked) }
        : answered
    response.end(JSON.stringify(changed))
  }
  return proxy
}

function sendForEver(response: ServerResponse): void {
  const part = Buffer.alloc(256 * 1024, 0x20)
  const more = (): void => {
    while (!response.destroyed && response.write(part));
  }
  response.on('drain', more)
  more()
}

const HEADERS = { 'content-type': 'application/json' }
