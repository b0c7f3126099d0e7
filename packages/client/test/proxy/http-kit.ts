/** The HTTP side of the proxy in front of an origin that notes what it is asked. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { ProxyOptions } from '../../src/proxy/options.ts'
import { fakeDialer, openApp, startProxy, streamTo } from './harness.ts'

export type Seen = {
  readonly method: string
  readonly url: string
  readonly raw: string[]
  readonly body: string
}

export type HttpProxy = Awaited<ReturnType<typeof startProxy>> & {
  readonly seen: readonly Seen[]
  readonly dialer: ReturnType<typeof fakeDialer>
}

/** A proxy in front of an origin that answers by `answer`, and what the origin has seen. */
export async function httpProxy(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    void response.end('ok'),
  options: ProxyOptions = {},
): Promise<HttpProxy> {
  const seen: Seen[] = []
  const origin = createServer((request, response) => {
    let body = ''
    request.setEncoding('latin1')
    request.on('data', (text: string) => (body += text))
    request.on('end', () => {
      seen.push({
        method: request.method ?? '',
        url: request.url ?? '',
        raw: request.rawHeaders,
        body,
      })
      answer(request, response)
    })
  })
  origin.maxHeadersCount = 0
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.after(() => {
    origin.closeAllConnections()
    origin.close()
  })
  const { port: originPort } = origin.address() as AddressInfo
  const dialer = fakeDialer({ connect: () => streamTo(originPort) })
  return { seen, dialer, ...(await startProxy(t, dialer, options)) }
}

/** Sends one text and returns everything that comes until the end. */
export async function talk(
  t: TestContext,
  port: number,
  text: string,
): Promise<{ how: string; text: string }> {
  const app = await openApp(t, port)
  app.send(Buffer.from(text, 'latin1'))
  const { how, bytes } = await app.ended
  return { how, text: bytes.toString('latin1') }
}

export const CLOSE = 'Connection: close\r\n'
