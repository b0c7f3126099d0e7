/** `byway start`, which `npm start` runs: a network, a page through it, a live view, and nothing left after Ctrl-C. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { DOWNLOAD_PATH } from '@byway/testnet'
import { createScreen } from '../../src/display/screen.ts'
import { startByway } from '../running-byway.ts'
import { byway } from '../spawn-byway.ts'

test('fetches its own page through three hops, shows the path, and each of its hops earning while a download runs', async () => {
  const units = new Map<string, number>()
  const paths: string[][] = []
  let onEarned = (): void => {}
  const running = startByway(['start', '--json', '--port', '0'], {}, (event) => {
    if (event['event'] === 'path') paths.push(event['hops'] as string[])
    if (event['event'] !== 'earnings') return
    units.set(String(event['id']), Number(event['units']))
    onEarned()
  })
  const ready = await running.event('ready')
  const { page, picture } = ready as Record<string, { status: number; bytes: number }>
  assert.deepEqual([page?.status, picture?.status], [200, 200])
  assert.ok((page?.bytes ?? 0) > 300 && (picture?.bytes ?? 0) > 500)
  const path = await running.event('path')
  assert.equal((path['hops'] as string[]).length, 3)

  const before = new Map(units)
  const url = new URL(DOWNLOAD_PATH, String(ready['origin'])).href
  assert.equal(await bytesThrough(String(ready['httpProxy']), url), 64 * 1024 * 1024)
  const grewBy = (id: string): number => (units.get(id) ?? 0) - (before.get(id) ?? 0)
  // The last figures are shown a second later.
  await new Promise<void>((resolve) => {
    onEarned = () => {
      if (paths.some((hops) => hops.length === 3 && hops.every((id) => grewBy(id) >= 8))) resolve()
    }
    onEarned()
  })
  assert.equal(await running.stop(), 0, running.lastWords())
})

async function bytesThrough(proxy: string, url: string): Promise<number> {
  const { hostname, port } = new URL(proxy)
  const asked = request({ host: hostname, port, path: url, headers: { host: new URL(url).host } })
  const [response] = (await once(asked.end(), 'response')) as [IncomingMessage]
  let bytes = 0
  for await (const part of response) bytes += (part as Buffer).length
  return bytes
}

test('says before it starts anything that the port is taken, and how to choose another', async (t) => {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { code, out, err } = await byway(['start', '--port', String(port)])
  assert.deepEqual([code, out], [74, ''])
  assert.match(err, /^hint: .*--port/m)
})

test('redraws in place on a terminal, and prints only what is new elsewhere', () => {
  let out = ''
  const io = { writeOut: (text: string) => (out += text) }
  const terminal = createScreen(io, true)
  terminal.show(['a', 'b'])
  terminal.show(['a', 'c'])
  assert.equal(out, 'a\u{1b}[K\nb\u{1b}[K\n\u{1b}[J\u{1b}[2Aa\u{1b}[K\nc\u{1b}[K\n\u{1b}[J')
  out = ''
  const pipe = createScreen(io, false)
  pipe.show(['a', 'b'])
  pipe.show(['a', 'c'])
  assert.equal(out, 'a\nb\nc\n')
})
