/**
 * The page that `npm start` fetches: a small web server on 127.0.0.1 with a page, a picture and a download to watch, so that the first look needs no internet.
 * It is an ordinary origin: nothing in the network knows it but as an exit target.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { listenAsTarget } from './target-port.ts'

/** Where the download is; 64 MiB, so that each hop of a path is paid about as many units. */
export const DOWNLOAD_PATH = '/64mib'
const DOWNLOAD_BYTES = 64 * 1024 * 1024
const PART_BYTES = 64 * 1024

export interface DemoOrigin extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

/** Starts the server at a port that the system chooses and exits open. */
export async function startDemoOrigin(): Promise<DemoOrigin> {
  const server = createServer(answer)
  const port = await listenAsTarget(server)
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === DOWNLOAD_PATH && request.method === 'GET') {
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': DOWNLOAD_BYTES,
    })
    // Whoever stops in the middle has seen enough.
    pipeline(Readable.from(parts()), response).catch(() => {})
    return
  }
  const found = request.url === '/' ? PAGE : request.url === '/picture.svg' ? PICTURE : undefined
  if (!found || request.method !== 'GET') {
    response.writeHead(found ? 405 : 404, { 'content-type': 'text/plain' }).end('not here\n')
    return
  }
  const { type, body } = found
  response
    .writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
    .end(body)
}

function* parts(): Generator<Buffer> {
  const part = Buffer.alloc(PART_BYTES, 'byway ')
  for (let sent = 0; sent < DOWNLOAD_BYTES; sent += PART_BYTES) yield part
}

const PAGE = {
  type: 'text/html; charset=utf-8',
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A page through three homes</title>
<style>body { font: 18px/1.5 system-ui, sans-serif; max-width: 34em; margin: 3em auto; padding: 0 1em }</style>
<h1>It works</h1>
<p><img src="/picture.svg" width="480" height="200" alt="A road between hills"></p>
<p>This page came through the homes of others. The first knows you and not this page, the last knows this page and not you.</p>
<p><a href="${DOWNLOAD_PATH}" download>Download 64 MiB</a> and watch them earn.</p>
</html>
`,
} as const

const PICTURE = {
  type: 'image/svg+xml',
  body: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 200">
<rect width="480" height="200" fill="#bfe3f5"/>
<circle cx="390" cy="50" r="24" fill="#f6c945"/>
<path d="M0 120 Q120 60 240 115 T480 105 V200 H0 Z" fill="#7fb069"/>
<path d="M0 150 Q140 105 290 145 T480 140 V200 H0 Z" fill="#4f8a4b"/>
<path d="M205 200 C225 165 300 165 285 146 C272 131 230 132 238 116" fill="none" stroke="#e9dcc3" stroke-width="16" stroke-linecap="round"/>
<path d="M110 128 h34 v26 h-34 Z" fill="#fff6e5"/><path d="M104 129 l23 -19 l23 19 Z" fill="#b5473c"/>
<path d="M322 124 h28 v22 h-28 Z" fill="#fff6e5"/><path d="M317 125 l19 -16 l19 16 Z" fill="#b5473c"/>
</svg>
`,
} as const
