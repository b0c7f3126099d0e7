/** The exit service over real sockets: what a client's application sees, and what a target sees. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { CLOSE_REASON, RESET_REASON } from '@byway/protocol/wire'
import { bytesOf, createWorld, textOf, type World } from './exit-world.ts'
import { startTarget, until } from './test-target.ts'

const KIB = 1024
const MIB = 1024 * KIB
const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const isFreed = (world: World): boolean => {
  const { streams, sockets, heldBytes } = world.service.status()
  return streams === 0 && sockets === 0 && heldBytes < KIB
}

test('a target gets what the app writes, and the app what it answers (echo)', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await world.send(stream.id, text('hello'))
  await until(() => textOf(stream) === 'hello')
  world.end(stream.id)
  await until(() => stream.events.includes('end'))
  assert.deepEqual(stream.events, ['connected', 'end'])
  await until(() => isFreed(world))
})

test('ten megabytes go up and come down unchanged', async () => {
  const body = randomBytes(10 * MIB)
  const got = createHash('sha256')
  await using target = await startTarget((socket) => {
    socket.on('data', (chunk: Buffer) => void got.update(chunk))
    socket.on('end', () => socket.end(body))
  })
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await world.send(stream.id, body)
  world.end(stream.id)
  await until(() => stream.events.includes('end'))
  const digest = createHash('sha256').update(body).digest('hex')
  assert.equal(got.digest('hex'), digest)
  assert.equal(createHash('sha256').update(bytesOf(stream)).digest('hex'), digest)
})

test('half-close passes both ways: each side may go on after the other has ended (SPEC §7.2)', async () => {
  const heard: string[] = []
  await using target = await startTarget((socket) => {
    socket.on('data', (chunk: Buffer) => void heard.push(chunk.toString()))
    socket.on('end', () => void heard.push('end'))
  })
  using world = createWorld({ targets: [target.port] })
  const appEndsFirst = world.connect(target.port)
  await world.send(appEndsFirst.id, text('question'))
  world.end(appEndsFirst.id)
  await until(() => heard.join(' ') === 'question end')
  target.sockets[0]?.end('answer')
  await until(() => appEndsFirst.events.includes('end'))
  assert.equal(textOf(appEndsFirst), 'answer')

  const targetEndsFirst = world.connect(target.port)
  await until(() => target.sockets.length === 2)
  target.sockets[1]?.end('banner')
  await until(() => targetEndsFirst.events.includes('end'))
  assert.equal(textOf(targetEndsFirst), 'banner')
  await world.send(targetEndsFirst.id, text('late'))
  world.end(targetEndsFirst.id)
  await until(() => heard.join(' ') === 'question end late end')
  await until(() => isFreed(world))
})

test('optimistic data reaches the target in order, its end included', async () => {
  const heard: string[] = []
  await using target = await startTarget((socket) => {
    socket.setEncoding('utf8').on('data', (chunk: string) => void heard.push(chunk))
    socket.on('end', () => socket.end('done'))
  })
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  for (let i = 0; i < 100; i++) await world.send(stream.id, text(`${i},`))
  world.end(stream.id)
  await until(() => stream.events.includes('end'))
  assert.equal(heard.join(''), Array.from({ length: 100 }, (_, i) => `${i},`).join(''))
})

test('a target that never reads stops its own stream, within the window, and no other', async () => {
  const paused: Socket[] = []
  await using deaf = await startTarget((socket) => void paused.push(socket), true)
  await using echo = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [deaf.port, echo.port] })
  const stuck = world.connect(deaf.port)
  void world.send(stuck.id, new Uint8Array(64 * MIB)).catch(() => undefined)
  const other = world.connect(echo.port)
  await world.send(other.id, new Uint8Array(MIB).fill(7))
  await until(() => bytesOf(other).length === MIB)
  assert.ok(world.service.status().heldBytes <= 4 * MIB + 64 * KIB)
  assert.ok(stuck.events.every((event) => event === 'connected' || event === 'drained'))
})

test('an app that never reads stops its own stream, and the target with it', async () => {
  await using loud = await startTarget((socket) => void socket.end(new Uint8Array(32 * MIB)))
  await using echo = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [loud.port, echo.port] })
  const unread = world.connect(loud.port)
  unread.reads = false
  await until(() => bytesOf(unread).length === 256 * KIB)
  const other = world.connect(echo.port)
  await world.send(other.id, text('still here'))
  await until(() => textOf(other) === 'still here')
  assert.equal(bytesOf(unread).length, 256 * KIB)
  assert.ok(world.service.status().heldBytes <= 256 * KIB + 128 * KIB)
  assert.ok((loud.sockets[0]?.bytesWritten ?? 0) < 32 * MIB || !loud.sockets[0]?.writableFinished)
})

test('a target that writes one byte at a time is passed on byte for byte', async () => {
  await using target = await startTarget((socket) => {
    let sent = 0
    const more = (): void => {
      if (sent === 200) socket.end()
      else socket.write(Uint8Array.of(sent++), () => setImmediate(more))
    }
    socket.setNoDelay(true)
    more()
  })
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await until(() => stream.events.includes('end'))
  assert.deepEqual(
    [...bytesOf(stream)],
    Array.from({ length: 200 }, (_, i) => i),
  )
})

test('a target that resets is a reset for the app, never a clean end (THREAT-MODEL T20)', async () => {
  await using target = await startTarget((socket) => {
    socket.write('half of it')
    socket.on('data', () => socket.resetAndDestroy())
  })
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await until(() => textOf(stream) === 'half of it')
  await world.send(stream.id, text('go on'))
  await until(() => stream.events.length > 1)
  assert.deepEqual(stream.events, ['connected', `reset ${RESET_REASON.CONNECTION_RESET}`])
  await until(() => isFreed(world))
})

test('an app that resets is a reset for the target, never a clean end', async () => {
  const seen: string[] = []
  await using target = await startTarget((socket) => {
    socket.on('data', () => void seen.push('data'))
    socket.on('end', () => void seen.push('end'))
    socket.on('error', () => void seen.push('error'))
  })
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await world.send(stream.id, text('half of an upload'))
  await until(() => seen.length > 0)
  world.client.reset(stream.id, RESET_REASON.MISC)
  await until(() => seen.length > 1)
  assert.deepEqual(seen, ['data', 'error'])
  await until(() => isFreed(world))
})

test('refusals name their reason and nothing else (SPEC §12.2)', async () => {
  const target = await startTarget(() => undefined)
  const { port } = target
  await target[Symbol.asyncDispose]()
  using world = createWorld({
    targets: [port],
    answers: (name) => (name === 'private.example' ? ['10.0.0.1'] : undefined),
  })
  const cases = [
    [world.connect(port), RESET_REASON.CONNECT_REFUSED],
    [world.connect(port + 1), RESET_REASON.EXIT_POLICY],
    [world.connect(443, '192.168.1.1'), RESET_REASON.EXIT_POLICY],
    [world.connect(25, 'mail.example'), RESET_REASON.EXIT_POLICY],
    [world.connect(443, 'nowhere.example'), RESET_REASON.RESOLVE_FAILED],
    [world.connect(443, 'private.example'), RESET_REASON.RESOLVE_FAILED],
  ] as const
  for (const [stream, reason] of cases) {
    await until(() => stream.events.length > 0)
    assert.deepEqual(stream.events, [`reset ${reason}`])
  }
  await until(() => isFreed(world))
})

test('a lookup answers with judged addresses; a private one reads like a name that does not exist', async () => {
  using world = createWorld({
    targets: [],
    answers: (name) => ({ 'a.example': ['8.8.8.8'], 'b.example': ['127.0.0.1'] })[name],
  })
  const found = world.resolve('a.example')
  const hidden = world.resolve('b.example')
  const missing = world.resolve('c.example')
  await until(() => [found, hidden, missing].every(({ resolved }) => resolved !== undefined))
  assert.equal(found.resolved?.ttlS, 300)
  assert.deepEqual(found.resolved?.addresses, [{ family: 4, bytes: Uint8Array.of(8, 8, 8, 8) }])
  assert.equal(hidden.resolved?.reason, RESET_REASON.RESOLVE_FAILED)
  assert.deepEqual(hidden.resolved, missing.resolved)
  await until(() => isFreed(world))
})

test('idle streams end with IDLE: 10 s without the first byte, 60 s without an answer', async () => {
  await using target = await startTarget((socket) => void socket.resume())
  using world = createWorld({ targets: [target.port] })
  const silent = world.connect(target.port)
  const unanswered = world.connect(target.port)
  await world.send(unanswered.id, text('anybody there?'))
  const ended = world.connect(target.port)
  world.end(ended.id)
  await until(() => [silent, unanswered, ended].every(({ events }) => events.length === 1))
  world.pass(9000)
  world.pass(1500)
  await until(() => silent.events.length === 2)
  assert.deepEqual(silent.events, ['connected', `reset ${RESET_REASON.IDLE}`])
  assert.deepEqual([unanswered.events, ended.events], [['connected'], ['connected']])
  world.pass(60_000)
  await until(() => unanswered.events.length === 2 && ended.events.length === 2)
  assert.equal(unanswered.events.at(-1), `reset ${RESET_REASON.IDLE}`)
  await until(() => isFreed(world))
})

test('a tunnel holds at most 128 streams; more are reset with RESOURCE_LIMIT (THREAT-MODEL T15)', async () => {
  await using target = await startTarget((socket) => void socket.resume())
  using world = createWorld({ targets: [target.port] })
  const streams = Array.from({ length: 130 }, () => world.connect(target.port))
  const limited = `reset ${RESET_REASON.RESOURCE_LIMIT}`
  await until(() => streams.filter(({ events }) => events.includes(limited)).length >= 2)
  assert.ok(world.service.status().streams <= 128)
})

test('the streams of one link are bounded, over all its circuits', async () => {
  await using target = await startTarget((socket) => void socket.resume())
  using world = createWorld({ targets: [target.port], service: { maxStreamsPerLink: 2 } })
  const first = [world.connect(target.port), world.connect(target.port)]
  await until(() => first.every(({ events }) => events.includes('connected')))
  const third = world.connect(target.port)
  await until(() => third.events.length > 0)
  assert.deepEqual(third.events, [`reset ${RESET_REASON.RESOURCE_LIMIT}`])
  world.client.reset(first[0]?.id ?? 0, RESET_REASON.MISC)
  await until(() => world.service.status().streams === 1)
  const fourth = world.connect(target.port)
  await until(() => fourth.events.includes('connected'))
})

test('logs hold no destination, and the status numbers only (canary)', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({
    targets: [target.port],
    answers: (name) => (name === 'canary.example' ? ['127.0.0.1'] : undefined),
  })
  const stream = world.connect(target.port, 'canary.example')
  await world.send(stream.id, text('canary-payload'))
  await until(() => textOf(stream) === 'canary-payload')
  const failing = Array.from({ length: 60 }, (_, i) => world.connect(443, `canary-${i}.example`))
  world.leg.die()
  world.rejoin()
  await until(() => failing.every(({ events }) => events.length === 1))
  const { leg } = world
  world.service.onAbuse('tunnel-1')
  await until(() => leg.destroyed === CLOSE_REASON.RESOURCE_LIMIT)
  assert.ok(world.lines.length > 0, 'the log was asked')
  for (const line of world.lines) assert.doesNotMatch(line, /canary|127\.0\.0\.1|[0-9]{4,5}/)
  for (const value of Object.values(world.service.status())) assert.equal(typeof value, 'number')
})
