/** The exit's way out over real sockets on the loopback; a network file's allowed target is the only one there is. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, Socket } from 'node:net'
import { test } from 'node:test'
import {
  formatAddress,
  type IpAddress,
  parsePolicyContext,
  type PolicyContext,
  type PolicyFacts,
} from '@byway/protocol/policy'
import { RESET_REASON } from '@byway/protocol/wire'
import {
  createExitConnector,
  type ExitConnector,
  type ExitConnectorOptions,
} from '../../src/exit/connect-pinned.ts'
import type { DnsResolver } from '../../src/exit/dns-stub.ts'
import { exitError, resetReasonOf } from '../../src/exit/exit-errors.ts'
import { createExitLimits, type ExitLimits } from '../../src/exit/exit-limits.ts'
import { createOpenPins, type OpenPins } from '../../src/exit/open-pins.ts'
import { openSocket, type OpenSocket } from '../../src/exit/pinned-socket.ts'

type Origin = { readonly port: number; hits(): number; [Symbol.asyncDispose](): Promise<void> }

async function startOrigin(host: string): Promise<Origin> {
  let hits = 0
  const server: Server = createServer((socket) => {
    hits++
    socket.on('error', () => undefined)
    socket.end('hello')
  })
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    port: address.port,
    hits: () => hits,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

function contextOf(facts: PolicyFacts): PolicyContext {
  const parsed = parsePolicyContext(facts)
  assert.ok('context' in parsed)
  return parsed.context
}

type Fixture = {
  readonly facts: PolicyFacts
  readonly answers?: (name: string) => readonly string[]
  readonly openSocket?: OpenSocket
  readonly limits?: ExitLimits
  readonly pins?: OpenPins
  readonly context?: () => PolicyContext
  readonly options?: ExitConnectorOptions
  readonly onAbuse?: (circuit: string) => void
}

function connector(fixture: Fixture): { readonly exit: ExitConnector; readonly lookups: string[] } {
  const lookups: string[] = []
  const resolver: DnsResolver = {
    async lookup(name) {
      lookups.push(name)
      const addresses = fixture.answers?.(name)
      if (addresses === undefined) throw exitError('NODE_EXIT_RESOLVE', { why: 'nxdomain' })
      return Promise.resolve({ addresses, ttlMs: 300_000 })
    },
  }
  const exit = createExitConnector(
    {
      resolverFor: () => resolver,
      context: fixture.context ?? (() => contextOf(fixture.facts)),
      limits: fixture.limits ?? createExitLimits(),
      pins: fixture.pins ?? createOpenPins(),
      nowMs: () => 0,
      onAbuse: fixture.onAbuse,
      openSocket: fixture.openSocket,
    },
    { staggerMs: 20, connectTimeoutMs: 2000, holdMs: 0, ...fixture.options },
  )
  return { exit, lookups }
}

function target(port: number, address = '127.0.0.1'): PolicyFacts {
  return { allowTargets: [{ address, port }] }
}

async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

test('connects to the judged literal and hands the socket over', async () => {
  await using origin = await startOrigin('127.0.0.1')
  const limits = createExitLimits()
  const { exit, lookups } = connector({ facts: target(origin.port), limits })
  const { socket, family } = await exit.connect({
    circuit: 'c',
    host: '127.0.0.1',
    port: origin.port,
  })
  assert.equal(family, 4)
  assert.equal(limits.openSockets, 1)
  assert.equal(await textOf(socket), 'hello')
  const closed = once(socket, 'close')
  socket.destroy()
  await closed
  assert.equal(limits.openSockets, 0)
  assert.deepEqual(lookups, [])
})

test('resolves a name once and connects to the answer, whatever a second lookup would say', async () => {
  await using origin = await startOrigin('127.0.0.1')
  let turn = 0
  const flip = (): readonly string[] => (turn++ === 0 ? ['127.0.0.1'] : ['10.0.0.1'])
  const { exit, lookups } = connector({ facts: target(origin.port), answers: flip })
  const { socket } = await exit.connect({ circuit: 'c', host: 'WWW.Example.', port: origin.port })
  assert.deepEqual(lookups, ['www.example'])
  socket.destroy()
})

test('a decoy on the loopback is never reached: by literal, by name, by rebinding in 1000 turns', async () => {
  await using decoy = await startOrigin('127.0.0.1')
  let opened = 0
  const counting: OpenSocket = (address, port) => {
    opened++
    return openSocket(address, port)
  }
  let turn = 0
  const flip = (): readonly string[] =>
    [['93.184.216.34', '127.0.0.1'], ['127.0.0.1'], ['::ffff:127.0.0.1'], ['::1'], []][
      turn++ % 5
    ] ?? []
  const limits: ExitLimits = { ...createExitLimits(), tryBegin: () => 'ok' }
  const { exit } = connector({ facts: {}, answers: flip, limits, openSocket: counting })
  for (let i = 0; i < 1000; i++) {
    await assert.rejects(exit.connect({ circuit: 'c', host: 'flip.example', port: 80 }), {
      code: 'NODE_EXIT_RESOLVE',
    })
  }
  for (const host of [
    '127.0.0.1',
    '::1',
    '::ffff:7f00:1',
    'localhost',
    '127.1',
    '0',
    '①②⑦.⓪.⓪.①',
  ]) {
    await assert.rejects(exit.connect({ circuit: 'c', host, port: decoy.port }), {
      code: 'NODE_EXIT_POLICY',
    })
  }
  assert.equal(opened, 0)
  assert.equal(decoy.hits(), 0)
})

test('a private answer tells a client the same as a name that does not exist (SPEC §7.2)', async () => {
  const codes: number[] = []
  for (const answers of [() => ['192.168.1.1'], undefined]) {
    const { exit } = connector({ facts: {}, ...(answers && { answers }) })
    const failure = await exit
      .connect({ circuit: 'c', host: 'x.example', port: 443 })
      .catch((e: unknown) => e)
    codes.push(resetReasonOf(failure))
  }
  assert.deepEqual(codes, [RESET_REASON.RESOLVE_FAILED, RESET_REASON.RESOLVE_FAILED])
})

test('a refused port or name is not looked up', async () => {
  const { exit, lookups } = connector({ facts: {}, answers: () => ['93.184.216.34'] })
  for (const [host, port] of [
    ['x.example', 25],
    ['x.example', 22],
    ['router', 80],
  ] as const) {
    await assert.rejects(exit.connect({ circuit: 'c', host, port }), { code: 'NODE_EXIT_POLICY' })
  }
  assert.deepEqual(lookups, [])
})

test('a socket that is connected elsewhere than to the judged address is destroyed', async () => {
  await using origin = await startOrigin('127.0.0.1')
  const sockets: Socket[] = []
  const lying: OpenSocket = (address, port) => {
    assert.equal(formatAddress(address), '93.184.216.34')
    const parsed = openSocket({ family: 4, value: 0x7f000001n }, origin.port)
    sockets.push(parsed)
    assert.equal(port, 80)
    return parsed
  }
  const limits = createExitLimits()
  const { exit } = connector({ facts: {}, openSocket: lying, limits })
  await assert.rejects(exit.connect({ circuit: 'c', host: '93.184.216.34', port: 80 }), {
    code: 'NODE_EXIT_PEER_MISMATCH',
  })
  assert.ok(sockets[0]?.destroyed)
  assert.equal(limits.openSockets, 0)
})

test('a closed port is refused in words of the SPEC, and no error names the address', async () => {
  const origin = await startOrigin('127.0.0.1')
  await origin[Symbol.asyncDispose]()
  const { exit } = connector({ facts: target(origin.port) })
  const failure = await exit
    .connect({ circuit: 'c', host: '127.0.0.1', port: origin.port })
    .catch((e: unknown) => e)
  assert.equal(resetReasonOf(failure), RESET_REASON.CONNECT_REFUSED)
  assert.ok(failure instanceof Error)
  assert.ok(
    !`${failure.message} ${JSON.stringify(failure)} ${String(failure.cause)}`.includes('127.0.0.1'),
  )
})

/** A socket that never answers. As one that connects it keeps its program alive, which waits for it: limits of time alone do not. */
function silentSocket(log: Socket[]): Socket {
  const socket = new Socket()
  const alive = setInterval(() => {}, 1000)
  socket.once('close', () => clearInterval(alive))
  log.push(socket)
  return socket
}

test('an attempt that is not answered in time ends with TIMEOUT', async () => {
  const log: Socket[] = []
  const options = { connectTimeoutMs: 30 }
  const { exit } = connector({ facts: {}, openSocket: () => silentSocket(log), options })
  const failure = await exit
    .connect({ circuit: 'c', host: '93.184.216.34', port: 80 })
    .catch((e: unknown) => e)
  assert.equal(resetReasonOf(failure), RESET_REASON.TIMEOUT)
  assert.ok(log[0]?.destroyed)
})

test('a caller that gives up gets its own reason, and nothing stays open', async () => {
  const log: Socket[] = []
  const limits = createExitLimits()
  const { exit } = connector({ facts: {}, openSocket: () => silentSocket(log), limits })
  const controller = new AbortController()
  const reason = new Error('the circuit is gone')
  const attempt = exit.connect({ circuit: 'c', host: '93.184.216.34', port: 80 }, controller.signal)
  controller.abort(reason)
  await assert.rejects(attempt, reason)
  assert.ok(log.every((socket) => socket.destroyed))
  assert.equal(limits.openSockets, 0)
})

test('a second judged address is tried when the first is silent, and the silent one is given up', async () => {
  await using origin = await startOrigin('127.0.0.1')
  const log: Socket[] = []
  const first: OpenSocket = (address, port) =>
    formatAddress(address) === '127.0.0.9' ? silentSocket(log) : openSocket(address, port)
  const facts = {
    allowTargets: [
      ...(target(origin.port).allowTargets ?? []),
      { address: '127.0.0.9', port: origin.port },
    ],
  }
  const limits = createExitLimits()
  const { exit } = connector({
    facts,
    answers: () => ['127.0.0.9', '127.0.0.1'],
    openSocket: first,
    limits,
  })
  const { socket } = await exit.connect({ circuit: 'c', host: 'x.example', port: origin.port })
  assert.equal(socket.remoteAddress, '127.0.0.1')
  assert.ok(log[0]?.destroyed)
  assert.equal(limits.openSockets, 1)
  socket.destroy()
})

test('families alternate with the preferred one first, and the client may accept one only', async () => {
  const order: string[] = []
  const refusing: OpenSocket = (address) => {
    order.push(formatAddress(address))
    const socket = new Socket()
    process.nextTick(() =>
      socket.destroy(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })),
    )
    return socket
  }
  const answers = (): readonly string[] => ['1.1.1.1', '1.0.0.1', '2606:4700:4700::1111']
  const { exit } = connector({ facts: {}, answers, openSocket: refusing })
  const request = { circuit: 'c', host: 'x.example', port: 443 }
  await assert.rejects(exit.connect(request), { code: 'NODE_EXIT_CONNECT_REFUSED' })
  assert.deepEqual(order.splice(0), ['1.1.1.1', '2606:4700:4700::1111', '1.0.0.1'])
  await assert.rejects(exit.connect({ ...request, prefersIpv6: true }), {
    code: 'NODE_EXIT_CONNECT_REFUSED',
  })
  assert.equal(order.splice(0)[0], '2606:4700:4700::1111')
  await assert.rejects(exit.connect({ ...request, families: [6] }), {
    code: 'NODE_EXIT_CONNECT_REFUSED',
  })
  assert.deepEqual(order.splice(0), ['2606:4700:4700::1111'])
})

test('limits refuse before a lookup and before a socket, and report abuse', async () => {
  const none = connector({
    facts: {},
    limits: {
      ...createExitLimits(),
      tryBegin: () => ({ refused: 'circuit-begin-rate', retryAfterMs: 9 }),
    },
  })
  await assert.rejects(none.exit.connect({ circuit: 'c', host: 'x.example', port: 443 }), {
    code: 'NODE_EXIT_LIMIT',
  })
  assert.deepEqual(none.lookups, [])
  const full = connector({
    facts: {},
    limits: createExitLimits({ maxSockets: 0 }),
    openSocket: () => assert.fail('a socket was opened'),
  })
  const failure = await full.exit
    .connect({ circuit: 'c', host: '1.1.1.1', port: 443 })
    .catch((e: unknown) => e)
  assert.equal(resetReasonOf(failure), RESET_REASON.RESOURCE_LIMIT)
  const abused: string[] = []
  const limits: ExitLimits = {
    ...createExitLimits(),
    tryOpen: () => ({ settle: () => 'destroy', release: () => undefined }),
  }
  const bad = connector({
    facts: {},
    limits,
    openSocket: () => silentSocket([]),
    options: { connectTimeoutMs: 5 },
    onAbuse: (c) => abused.push(c),
  })
  await assert.rejects(bad.exit.connect({ circuit: 'c7', host: '1.1.1.1', port: 443 }))
  assert.deepEqual(abused, ['c7'])
})

test('a stream that meets a rate limit is held back until it is admitted', async () => {
  await using origin = await startOrigin('127.0.0.1')
  let asked = 0
  const real = createExitLimits()
  const limits: ExitLimits = {
    ...real,
    tryBegin: () => (++asked < 3 ? { refused: 'circuit-begin-rate', retryAfterMs: 1 } : 'ok'),
  }
  const { exit } = connector({ facts: target(origin.port), limits, options: { holdMs: 1000 } })
  const { socket } = await exit.connect({ circuit: 'c', host: '127.0.0.1', port: origin.port })
  assert.equal(asked, 3)
  socket.destroy()
})

test('a held stream ends with its signal, and a long refusal is not waited for', async () => {
  const waiting = (retryAfterMs: number): ExitLimits => ({
    ...createExitLimits(),
    tryBegin: () => ({ refused: 'circuit-begin-rate', retryAfterMs }),
  })
  const options = { holdMs: 30_000 }
  const request = { circuit: 'c', host: '1.1.1.1', port: 443 }
  const held = connector({ facts: {}, limits: waiting(20_000), options })
  const controller = new AbortController()
  const reason = new Error('the circuit is gone')
  const attempt = held.exit.connect(request, controller.signal)
  controller.abort(reason)
  await assert.rejects(attempt, reason)
  const refused = connector({ facts: {}, limits: waiting(60_000), options })
  await assert.rejects(refused.exit.connect(request), {
    code: 'NODE_EXIT_LIMIT',
    context: { limit: 'circuit-begin-rate', retryAfterMs: 60_000 },
  })
})

test('RESOLVE is judged like BEGIN and gives all addresses', async () => {
  const open = connector({ facts: {}, answers: () => ['1.1.1.1', '1.0.0.1'] })
  const found = await open.exit.resolve({ circuit: 'c', host: 'x.example' })
  assert.deepEqual(found.addresses.map(formatAddress), ['1.1.1.1', '1.0.0.1'])
  assert.equal(found.ttlMs, 300_000)
  const lan = connector({ facts: {}, answers: () => ['1.1.1.1', '192.168.0.1'] })
  await assert.rejects(lan.exit.resolve({ circuit: 'c', host: 'x.example' }), {
    code: 'NODE_EXIT_RESOLVE',
  })
})

test('an error in the moment of handing over does not end the process', async () => {
  await using origin = await startOrigin('127.0.0.1')
  const { exit } = connector({ facts: target(origin.port) })
  const { socket } = await exit.connect({ circuit: 'c', host: '127.0.0.1', port: origin.port })
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  socket.on('close', () => resolve())
  socket.destroy(new Error('reset before anyone listened'))
  await closed
})

/** A socket that says it stands at a public address, and never has been anywhere. */
function publicSocket(address: IpAddress, port: number): Socket {
  const socket = new Socket()
  const peer = { remoteAddress: formatAddress(address), remotePort: port }
  for (const [name, value] of Object.entries(peer)) Object.defineProperty(socket, name, { value })
  queueMicrotask(() => socket.emit('connect'))
  return socket
}

const HOME_MOVED: PolicyFacts = { self: { v4: ['93.184.216.5/24'] } }

test('cuts a connection into a network that has become the own one, and no other', async () => {
  const pins = createOpenPins()
  const { exit } = connector({ facts: {}, openSocket: publicSocket, pins })
  const inside = await exit.connect({ circuit: 'c', host: '93.184.216.34', port: 443 })
  const outside = await exit.connect({ circuit: 'c', host: '93.184.217.34', port: 443 })
  assert.equal(pins.cutInto(contextOf({})), 0)
  assert.equal(pins.cutInto(contextOf(HOME_MOVED)), 1)
  assert.deepEqual([inside.socket.destroyed, outside.socket.destroyed], [true, false])
  outside.socket.destroy()
  await once(outside.socket, 'close')
  assert.equal(pins.cutInto(contextOf({ self: { v4: ['93.184.217.5/24'] } })), 0)
})

test('hands out no live connection into a network that became the own one meanwhile', async () => {
  let facts: PolicyFacts = {}
  const moving: OpenSocket = (address, port) => {
    facts = HOME_MOVED
    return publicSocket(address, port)
  }
  const { exit } = connector({ facts, context: () => contextOf(facts), openSocket: moving })
  const { socket } = await exit.connect({ circuit: 'c', host: '93.184.216.34', port: 443 })
  assert.ok(socket.destroyed)
})
