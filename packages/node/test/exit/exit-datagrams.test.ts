/** Datagram flows at the exit (SPEC §7.3), over real UDP sockets on the loopback. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { type Endpoint, RESET_REASON } from '@byway/protocol/wire'
import { createWorld } from './exit-world.ts'
import { until } from './test-target.ts'
import { bindAsTarget } from './udp-target.ts'

type UdpTarget = AsyncDisposable & {
  readonly port: number
  readonly socket: Socket
  readonly from: number[]
}

/** Echoes, and remembers from which ports it was written to. */
async function startUdpEcho(): Promise<UdpTarget> {
  const socket = await bindAsTarget()
  const from: number[] = []
  socket.on('message', (payload, { port, address }) => {
    from.push(port)
    socket.send(payload, port, address)
  })
  return {
    port: socket.address().port,
    socket,
    from,
    async [Symbol.asyncDispose]() {
      socket.close()
      await once(socket, 'close')
    },
  }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const LOOPBACK = Uint8Array.of(127, 0, 0, 1)
const at = (port: number): Endpoint => ({ family: 4, bytes: LOOPBACK, port })

test('datagrams are off by default: the flow is reset with EXIT_POLICY', async () => {
  await using echo = await startUdpEcho()
  using world = createWorld({ targets: [echo.port] })
  const flow = world.associate()
  await until(() => flow.events.length > 0)
  assert.deepEqual(flow.events, [`reset ${RESET_REASON.EXIT_POLICY}`])
})

test('a datagram reaches an allowed target and its answer comes back, by address and by name', async () => {
  await using echo = await startUdpEcho()
  using world = createWorld({
    targets: [echo.port],
    datagramPorts: [],
    answers: (name) => (name === 'udp.example' ? ['127.0.0.1'] : undefined),
  })
  const flow = world.associate()
  for (const [count, endpoint] of [
    [1, at(echo.port)],
    [2, { host: 'udp.example', port: echo.port }],
  ] as const) {
    world.sendDatagram(flow.id, endpoint, text(`ping ${count}`))
    await until(() => flow.datagrams.length === count)
    assert.deepEqual(flow.datagrams.at(-1)?.endpoint, at(echo.port))
    assert.equal(Buffer.from(flow.datagrams.at(-1)?.payload ?? []).toString(), `ping ${count}`)
  }
  world.client.reset(flow.id, RESET_REASON.MISC)
  await until(() => world.service.status().sockets === 0)
})

test('an answer from an endpoint that was not written to is not passed on (SPEC §7.3)', async () => {
  await using echo = await startUdpEcho()
  await using stranger = await startUdpEcho()
  using world = createWorld({ targets: [echo.port, stranger.port], datagramPorts: [] })
  const flow = world.associate()
  world.sendDatagram(flow.id, at(echo.port), text('first'))
  await until(() => flow.datagrams.length === 1)
  stranger.socket.send('unasked', echo.from[0] ?? 0, '127.0.0.1')
  stranger.socket.send('unasked', echo.from[0] ?? 0, '127.0.0.1')
  world.sendDatagram(flow.id, at(echo.port), text('second'))
  await until(() => flow.datagrams.length === 2)
  const payloads = flow.datagrams.map(({ payload }) => Buffer.from(payload).toString())
  assert.deepEqual(payloads, ['first', 'second'])
})

test('a private address, a closed port and a name that leads there get nothing', async () => {
  await using hidden = await startUdpEcho()
  await using echo = await startUdpEcho()
  using world = createWorld({
    targets: [echo.port],
    datagramPorts: [443],
    answers: () => ['127.0.0.1'],
  })
  const flow = world.associate()
  world.sendDatagram(flow.id, at(hidden.port), text('scan'))
  world.sendDatagram(flow.id, { host: 'rebind.example', port: hidden.port }, text('scan'))
  world.sendDatagram(flow.id, { host: 'rebind.example', port: 443 }, text('scan'))
  world.sendDatagram(flow.id, at(echo.port), text('open'))
  await until(() => flow.datagrams.length === 1)
  assert.equal(hidden.from.length, 0)
  assert.equal(world.service.status().sockets, 1)
})

test('an endpoint is closed after two minutes without a datagram, then the flow with IDLE', async () => {
  await using echo = await startUdpEcho()
  using world = createWorld({ targets: [echo.port], datagramPorts: [] })
  const flow = world.associate()
  world.sendDatagram(flow.id, at(echo.port), text('ping'))
  await until(() => flow.datagrams.length === 1)
  world.pass(100_000)
  assert.equal(world.service.status().sockets, 1)
  world.pass(21_000)
  await until(() => flow.events.length > 0)
  assert.deepEqual(flow.events, [`reset ${RESET_REASON.IDLE}`])
  assert.equal(world.service.status().sockets, 0)
})

test('a flow writes to at most 32 endpoints', async () => {
  const echoes = await Promise.all(Array.from({ length: 34 }, startUdpEcho))
  using world = createWorld({ targets: echoes.map(({ port }) => port), datagramPorts: [] })
  const flow = world.associate()
  for (const { port } of echoes) world.sendDatagram(flow.id, at(port), text('ping'))
  await until(() => flow.datagrams.length === 32)
  assert.equal(world.service.status().sockets, 32)
  for (const echo of echoes) await echo[Symbol.asyncDispose]()
})
