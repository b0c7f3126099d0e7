/** What must not be written anywhere: a whole network works and fails under a log that keeps every line (docs/LOGGING.md). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOG_LEVELS, toBase64url, toHex, type LogFields, type Logger } from '@byway/protocol/base'
import { testnet } from '../src/index.ts'
import { curl } from './support/curl.ts'
import { startOrigin } from './support/origin.ts'

/** Keeps every line of every level. */
function keepAll(lines: string[]): Logger {
  const keep =
    (level: string) =>
    (message: string, fields?: LogFields): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`)
    }
  const [error, warn, info, debug, trace] = LOG_LEVELS.map(keep)
  assert.ok(error && warn && info && debug && trace)
  const log: Logger = { error, warn, info, debug, trace, child: () => log }
  return log
}

test('no log line, status or error holds a destination, a user name, an address or a node id', async () => {
  const lines: string[] = []
  await using origin = await startOrigin()
  await using net = await testnet({
    exitTargets: [{ address: '127.0.0.1', port: origin.port }],
    log: keepAll(lines),
  })
  const proxy = `socks5h://canaryuser:canarysecret@127.0.0.1:${net.proxyPort}`
  await curl(proxy, `${origin.url}/canarypath/1000`)
  const errors: unknown[] = []
  for (const target of [
    { host: 'canary-destination.invalid', port: 80 },
    { host: 'canary-destination.invalid', port: 4321 },
    { host: '127.0.0.1', port: 22 },
    { host: '192.0.2.77', port: 443 },
  ]) {
    const isolation = {
      listener: 'l',
      sourceAddress: 's',
      username: 'canaryuser',
      password: 'canarysecret',
      portClass: 'other',
    } as const
    const signal = AbortSignal.timeout(10_000)
    try {
      const stream = await net.client.connect(target, { isolation, selection: {}, signal })
      stream.on('error', () => {})
      await stream.connected
      stream.destroy()
    } catch (error) {
      errors.push(error)
    }
  }
  assert.ok(errors.length >= 3, 'the refusals did not come')
  const texts = [
    ...lines,
    ...errors.map((error) => describe(error)),
    JSON.stringify(net.nodes.map(({ node }) => node.status())),
  ]
  const ids = net.nodes.flatMap(({ node }) => [toHex(node.nodeId), toBase64url(node.nodeId)])
  const canaries = ['canary', '192.0.2.77', '127.', `${origin.port}`, `${net.proxyPort}`, ...ids]
  assert.ok(lines.length > 0)
  for (const canary of canaries) {
    assert.deepEqual(
      texts.filter((line) => line.includes(canary)),
      [],
      `holds ${canary}`,
    )
  }
})

/** All of an error, causes included, but the stack, whose lines are places in our own files. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { stack: _stack, cause, ...fields } = error
  return `${error.name} ${error.message} ${JSON.stringify(fields)} ${cause === undefined ? '' : describe(cause)}`
}
