/** Letting go of clients and nodes leaves nothing that keeps a process alive, and nothing on disk that says where anybody went (THREAT-MODEL, docs/LOGGING.md). */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { dialAs, makeNet } from './lib/net.ts'
import { startOrigin, transfer } from './lib/transfer.ts'
import { within } from './lib/until.ts'

const PROGRAM = fileURLToPath(new URL('lib/run-and-dispose.ts', import.meta.url))

test('a program that disposes of its network ends by itself', async (t) => {
  const args = ['--conditions=byway:source', '--unhandled-rejections=strict', PROGRAM]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (part: Buffer) => (text += part.toString()))
  try {
    const [code] = (await within('the program to end', once(child, 'close'))) as [number]
    assert.equal(code, 0)
  } finally {
    child.kill('SIGKILL')
  }
  const [disposed, exit] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>)
  const lingeredMs = (exit?.['exitAtMs'] ?? Infinity) - (disposed?.['disposedAtMs'] ?? 0)
  t.diagnostic(`ended ${lingeredMs} ms later`)
})

test('what nodes and clients keep on disk names no destination, user or address of a client', async (t) => {
  const origin = await startOrigin(t)
  const net = await makeNet(t, [origin])
  const guard = await net.honest()
  await net.honest({ exit: { profile: 'web' } })
  await net.honest()
  await net.settled()
  const client = await net.client([guard])
  const target = { host: origin.address, port: origin.port }
  const stream = await client.connect(target, dialAs('canary-user'))
  assert.equal((await transfer(stream, 1000, 1000)).end, 'clean')
  await assert.rejects(client.resolve('canary-destination.example.com', dialAs('canary-user')))
  await client[Symbol.asyncDispose]()
  const canaries = ['canary', `${origin.port}`].map((text) => Buffer.from(text))
  const entries = await readdir(net.folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  assert.ok(files.length >= 5, 'there are files to look at')
  for (const { parentPath, name } of files) {
    const bytes = await readFile(join(parentPath, name))
    for (const canary of canaries) assert.equal(bytes.indexOf(canary), -1, `${name} holds a canary`)
  }
})
