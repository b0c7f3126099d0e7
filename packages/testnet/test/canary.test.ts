/** What must not be written anywhere: a whole network works and fails under a log that keeps every line (docs/LOGGING.md). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { toBase64url, toHex } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { testnet } from '../src/index.ts'
import { curl } from './support/curl.ts'
import { assertNone, describeError, keepAll } from './support/kept-log.ts'
import { startOrigin } from './support/origin.ts'

type SecretOf = {
  readonly [Key in 'x25519KeyPair' | 'kemKeyPair' | 'ed25519KeyPair' | 'aeadKey']: number
}

/** How many of each a network that works makes at least: six nodes with identity, link and onion keys; two ends of a few hops and layers. */
const LEAST_SECRETS: SecretOf = { x25519KeyPair: 12, kemKeyPair: 2, ed25519KeyPair: 12, aeadKey: 8 }

/** Every secret that anybody in this process hands to the provider from now on: identities, link keys, onion keys, handshakes, layers. */
function watchSecrets(t: TestContext) {
  const secrets = new Map<string, Set<string>>()
  for (const name of Object.keys(LEAST_SECRETS) as (keyof SecretOf)[]) {
    const original: (bytes: Uint8Array) => unknown = nodeCrypto[name].bind(nodeCrypto)
    const seen = new Set<string>()
    secrets.set(name, seen)
    t.mock.method(nodeCrypto, name, (bytes: Uint8Array) => {
      seen.add(toHex(bytes))
      return original(bytes)
    })
  }
  return secrets
}

test('no log line, status or error holds a destination, a user name, an address, a node id or a secret key', async (t) => {
  const secrets = watchSecrets(t)
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
  const told = [...lines, ...errors.map((error) => describeError(error))]
  const texts = [...told, JSON.stringify(net.nodes.map(({ node }) => node.status()))]
  const ids = net.nodes.flatMap(({ node }) => [toHex(node.nodeId), toBase64url(node.nodeId)])
  const named = ['canary', '192.0.2.77']
  assert.ok(lines.length > 0)
  assertNone(texts, [...named, ...ids])
  // A count of bytes may have the digits of a port: status is not looked at for those.
  assertNone(told, [`${origin.port}`, `${net.proxyPort}`])
  // The client's own status names the nodes of its paths to whom it serves, and nothing else.
  const own = JSON.stringify(net.client.status())
  assert.ok(net.client.status().tunnels.length > 0)
  assertNone([own], named)
  const isAddress = /\b127\.\d+\.\d+\.\d+/
  assert.deepEqual(
    [...texts, own].filter((text) => isAddress.test(text)),
    [],
  )
  for (const [name, seen] of secrets) {
    assert.ok(seen.size >= LEAST_SECRETS[name as keyof SecretOf], `${seen.size} of ${name}`)
    const forms = [...seen].flatMap((hex) => [hex, toBase64url(Buffer.from(hex, 'hex'))])
    assertNone([...texts, own], forms)
  }
})
