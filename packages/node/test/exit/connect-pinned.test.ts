/** The exit's way out over real sockets on the loopback; a network file's allowed target is the only one there is. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { formatAddress, type IpAddress, type PolicyFacts } from '@byway/protocol/policy'
import { RESET_REASON } from '@byway/protocol/wire'
import { resetReasonOf } from '../../src/exit/exit-errors.ts'
import { createExitLimits, type ExitLimits } from '../../src/exit/exit-limits.ts'
import { createOpenPins } from '../../src/exit/open-pins.ts'
import { openSocket, type OpenSocket } from '../../src/exit/pinned-socket.ts'
import { connector, contextOf, startOrigin, target, textOf } from './pinned-kit.ts'

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
