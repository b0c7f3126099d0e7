import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttps } from 'node:https'
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net'
import { test } from 'node:test'
import { isBywayError } from '@byway/protocol/base'
import type { TLSSocket } from 'node:tls'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  createSelfSignedCertificate,
  dialLink,
  type DialOptions,
  type LinkIdentity,
} from '@byway/net'
import { LINK_SIDE } from '@byway/protocol/wire'
import { proveIdentity } from '../src/greeting.ts'
import { Recorder } from './support/handlers.ts'
import { testNode } from './support/identities.ts'
import {
  closed,
  exporterOf,
  LISTENER_GREETING_BYTES,
  openTls,
  readBytes,
  rightToken,
  upgrade,
} from './support/raw-client.ts'
import { listening } from './support/tls-pair.ts'

const limit = { timeout: 60_000 }
const DAY_S = 86_400
const nowS = (): number => Math.floor(Date.now() / 1000)
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\n\r\n'

/** A server that takes any token and then does what it likes. */
async function impostor(
  answer: (socket: TLSSocket) => void,
): Promise<AsyncDisposable & { port: number }> {
  const server = createHttps({
    ...createSelfSignedCertificate({ nowS: nowS() }),
    minVersion: 'TLSv1.3',
  })
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {})
    answer(socket as TLSSocket)
  })
  return serve(server)
}

async function serve(server: Server): Promise<AsyncDisposable & { port: number }> {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function dial(port: number, overrides: Partial<DialOptions> = {}) {
  return dialLink(
    { crypto: nodeCrypto },
    { host: '127.0.0.1', port, nodeId: testNode(1).nodeId, ...overrides },
  )
}

function greetWith(identity: LinkIdentity): (socket: TLSSocket) => void {
  return (socket) => {
    socket.write(SWITCH)
    socket.write(proveIdentity(nodeCrypto, identity, LINK_SIDE.LISTENER, exporterOf(socket)))
  }
}

test('SPEC §3.3: a node that dials with its identity is known to the listener', limit, async () => {
  await using side = await listening()
  const accepted = side.nextLink()
  const link = await side.dial({ identity: testNode(2).identity() })
  const other = await accepted
  assert.deepEqual(link.peer, { role: 'node', nodeId: side.node.nodeId })
  assert.deepEqual(other.peer, { role: 'node', nodeId: testNode(2).nodeId })
})

test('SPEC §3.3: a client proves nothing and has no node id', limit, async () => {
  await using side = await listening()
  const accepted = side.nextLink()
  await side.dial()
  assert.deepEqual((await accepted).peer, { role: 'client' })
})

test('a node that is not the one asked for gives its page', limit, async () => {
  await using side = await listening()
  await assert.rejects(side.dial({ nodeId: testNode(3).nodeId }), {
    code: 'NET_REFUSED',
    context: { status: 200 },
  })
})

const FALSE_PROOFS: readonly [fault: string, identity: () => LinkIdentity][] = [
  ['node-id', () => testNode(2).identity()],
  ['expired', () => testNode(1).identity(nowS() - 2 * DAY_S - 601)],
  ['not-yet-valid', () => testNode(1).identity(nowS() + 700)],
  ['certificate', () => withCert({ certSignature: testNode(2).identity().cert.certSignature })],
  ['certificate', () => withCert({ notAfterS: nowS() + 3 })],
  ['proof', () => ({ ...testNode(1).identity(), linkKey: testNode(2).identity().linkKey })],
]

function withCert(changes: Partial<LinkIdentity['cert']>): LinkIdentity {
  const identity = testNode(1).identity()
  return { ...identity, cert: { ...identity.cert, ...changes } }
}

for (const [fault, identity] of FALSE_PROOFS) {
  test(`SPEC §3.3: a dialler refuses a proof at fault in its ${fault}`, limit, async () => {
    await using server = await impostor(greetWith(identity()))
    await assert.rejects(dial(server.port), { code: 'NET_PROOF', context: { fault } })
  })
}

test('SPEC §3.3: a link key certified for more than 48 h is refused', limit, async () => {
  await using server = await impostor(greetWith(testNode(1).identity(nowS() - 60, 2 * DAY_S + 1)))
  await assert.rejects(dial(server.port), { code: 'NET_PROOF', context: { fault: 'format' } })
})

test('SPEC §3.3: dates are taken with ten minutes of tolerance', limit, async () => {
  for (const from of [nowS() + 590, nowS() - 2 * DAY_S - 590]) {
    await using server = await impostor(greetWith(testNode(1).identity(from)))
    const link = await dial(server.port)
    void new Recorder(link)
    link.close('local')
  }
})

test('SPEC §3.3: a proof that the node made for another connection is refused', limit, async () => {
  await using side = await listening()
  const victim = await openTls(side.port)
  victim.write(upgrade(rightToken(victim, side.node.nodeId)))
  const answer = await readBytes(victim, LISTENER_GREETING_BYTES)
  const stolen = answer.subarray(answer.length - 210)
  await using server = await impostor((socket) => {
    socket.write(SWITCH)
    socket.write(stolen)
  })
  await assert.rejects(dial(server.port), { code: 'NET_PROOF', context: { fault: 'proof' } })
  victim.destroy()
})

test(
  'SPEC §3.3: a listener refuses a dialling node whose proof is of another connection or side',
  limit,
  async () => {
    await using side = await listening()
    const identity = testNode(2).identity()
    const other = await openTls(side.port)
    for (const make of [
      () => proveIdentity(nodeCrypto, identity, LINK_SIDE.DIALLER, exporterOf(other)),
      (socket: TLSSocket) =>
        proveIdentity(nodeCrypto, identity, LINK_SIDE.LISTENER, exporterOf(socket)),
    ]) {
      const socket = await openTls(side.port)
      socket.write(upgrade(rightToken(socket, side.node.nodeId)))
      await readBytes(socket, LISTENER_GREETING_BYTES)
      socket.write(make(socket))
      await closed(socket)
    }
    assert.equal(side.listener.stats.failedGreetings, 2)
    assert.equal(side.links.length, 0)
    other.destroy()
  },
)

test('a dialling node with an expired link key is refused', limit, async () => {
  await using side = await listening()
  const link = await side.dial({ identity: testNode(2).identity(nowS() - 3 * DAY_S) })
  const recorder = new Recorder(link)
  await recorder.until(({ closed: reasons }) => reasons.length > 0)
  assert.equal(side.links.length, 0)
})

test('a proof that comes byte by byte, with cells right behind it, is taken', limit, async () => {
  await using server = await impostor((socket) => {
    socket.write(SWITCH)
    const identity = testNode(1).identity()
    const proof = proveIdentity(nodeCrypto, identity, LINK_SIDE.LISTENER, exporterOf(socket))
    for (const byte of proof.subarray(0, 200)) socket.write(Buffer.of(byte))
    socket.write(Buffer.concat([proof.subarray(200), Buffer.alloc(1024), Buffer.alloc(500)]))
  })
  const link = await dial(server.port)
  const recorder = new Recorder(link)
  while (link.stats.cellsRead < 1) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(recorder.closed, [])
  link.close('local')
})

const NOT_OURS: readonly [what: string, bytes: string | Buffer][] = [
  ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['HTTP/1.0', 'HTTP/1.0 101 Switching Protocols\r\n\r\n'],
  ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n'],
  ['a status that is none', 'HTTP/1.1 abc\r\n\r\n'],
  ['a head without end', `HTTP/1.1 101 Switching Protocols\r\nA: ${'a'.repeat(3000)}`],
  ['random bytes', Buffer.alloc(20_000, 0xa5)],
]

for (const [what, bytes] of NOT_OURS) {
  test(`a dialler refuses ${what}`, limit, async () => {
    await using server = await impostor((socket) => void socket.write(bytes))
    await assert.rejects(dial(server.port), { code: 'NET_REFUSED', kind: 'peer' })
  })
}

test(
  'a server that closes in the middle of its proof is an error of kind network',
  limit,
  async () => {
    await using server = await impostor((socket) => void socket.end(`${SWITCH}abc`))
    await assert.rejects(dial(server.port), {
      code: 'NET_CONNECT',
      context: { step: 'greeting', errno: 'closed' },
    })
  },
)

test(
  'a closed port, a server that never speaks TLS, and one that never answers end in time',
  limit,
  async () => {
    let port: number
    {
      await using unused = await serve(createTcp())
      port = unused.port
    }
    await assert.rejects(dial(port), (error: Error) => {
      assert.ok(isBywayError(error))
      assert.deepEqual(
        [error.code, error.context],
        ['NET_CONNECT', { step: 'connect', errno: 'ECONNREFUSED' }],
      )
      assert.equal(
        error.message,
        'the node could not be reached (step: connect, errno: ECONNREFUSED)',
      )
      // Node's error names the address.
      assert.equal(error.cause, undefined)
      return true
    })

    await using mute = await serve(createTcp())
    await assert.rejects(dial(mute.port, { timeoutMs: 50 }), {
      code: 'NET_TIMEOUT',
      context: { step: 'connect', timeoutMs: 50 },
    })
    await using silent = await impostor(() => {})
    await assert.rejects(dial(silent.port, { timeoutMs: 300 }), {
      code: 'NET_TIMEOUT',
      context: { step: 'upgrade', timeoutMs: 300 },
    })
  },
)

test('a dial ends with the reason of its signal, before and while it runs', limit, async () => {
  const reason = new Error('enough')
  await using silent = await impostor(() => {})
  await assert.rejects(dial(silent.port, { signal: AbortSignal.abort(reason) }), reason)
  const abort = new AbortController()
  const dialling = dial(silent.port, { signal: abort.signal })
  setImmediate(() => abort.abort(reason))
  await assert.rejects(dialling, reason)
})
