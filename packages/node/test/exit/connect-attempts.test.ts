/** How an exit tries the judged addresses, how long, and what its limits refuse or hold back. */
import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { formatAddress } from '@byway/protocol/policy'
import { RESET_REASON } from '@byway/protocol/wire'
import { resetReasonOf } from '../../src/exit/exit-errors.ts'
import { createExitLimits, type ExitLimits } from '../../src/exit/exit-limits.ts'
import { openSocket, type OpenSocket } from '../../src/exit/pinned-socket.ts'
import { connector, startOrigin, target } from './pinned-kit.ts'

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
