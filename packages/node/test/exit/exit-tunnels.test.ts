/** The life of tunnels at the exit (SPEC §9): circuits that die under them, clients that come back or do not, ends from every side. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { CLOSE_REASON, RESET_REASON } from '@byway/protocol/wire'
import { bytesOf, createWorld, textOf, type World } from './exit-world.ts'
import { startTarget, until } from './test-target.ts'

const MIB = 1024 * 1024
const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** Opens an echo stream and waits for its first answer. */
async function openEcho(world: World, port: number): Promise<ReturnType<World['connect']>> {
  const stream = world.connect(port)
  await world.send(stream.id, text('one '))
  await until(() => textOf(stream) === 'one ')
  return stream
}

test('a download goes on exactly where it was after its circuit died, three times over', async () => {
  const body = randomBytes(12 * MIB)
  await using target = await startTarget((socket) => void socket.end(body))
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  for (const share of [1, 4, 8]) {
    await until(() => bytesOf(stream).length >= share * MIB)
    world.leg.die()
    await until(() => world.service.status().orphans === 1)
    world.rejoin()
  }
  await until(() => stream.events.includes('end'))
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  assert.equal(hash(bytesOf(stream)), hash(body))
  assert.equal(target.sockets.length, 1)
})

test('an orphan pauses its target and holds no more than 4 MiB (SPEC §9.3)', async () => {
  await using target = await startTarget((socket) => void socket.end(new Uint8Array(64 * MIB)))
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await until(() => bytesOf(stream).length > MIB)
  world.leg.die()
  const held = world.service.status().heldBytes
  await until(() => world.service.status().orphans === 1)
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  const { heldBytes } = world.service.status()
  assert.ok(heldBytes - held <= 65_536, 'one chunk may have been under way')
  assert.ok(heldBytes <= 4 * MIB + 65_536)
  world.rejoin()
  await until(() => bytesOf(stream).length > 8 * MIB)
})

test('a tunnel of a class that the exit does not take ends before its target hears of it (SPEC §9.2)', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  let takes = false
  using world = createWorld({ targets: [target.port], takes: () => takes })
  // OPEN and BEGIN go in one cell.
  const stream = world.connect(target.port)
  await until(() => world.leg.destroyed !== undefined)
  assert.equal(world.leg.destroyed, CLOSE_REASON.NOT_EXIT)
  assert.deepEqual([target.sockets.length, world.service.status().tunnels], [0, 0])
  assert.deepEqual(stream.events, [])
  takes = true
  using later = createWorld({ targets: [target.port], takes: () => takes })
  await openEcho(later, target.port)
  // What was taken once stays, on whatever leg.
  takes = false
  later.leg.die()
  await until(() => later.service.status().orphans === 1)
  later.rejoin()
  await until(() => later.service.status().orphans === 0)
  assert.equal(later.leg.destroyed, undefined)
})

test('a JOIN while the older circuit still lives fences that one', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [target.port] })
  const stream = await openEcho(world, target.port)
  const older = world.leg
  world.rejoin()
  await until(() => older.destroyed !== undefined)
  assert.equal(older.destroyed, CLOSE_REASON.FENCED)
  await world.send(stream.id, text('two'))
  await until(() => textOf(stream) === 'one two')
  assert.deepEqual([world.service.status().legs, world.service.status().orphans], [1, 0])
})

test('an orphan nobody comes back for is given up after 30 s: its target sees a reset', async () => {
  const seen: string[] = []
  await using target = await startTarget((socket) => {
    socket.pipe(socket)
    socket.on('end', () => void seen.push('end'))
    socket.on('error', () => void seen.push('error'))
  })
  using world = createWorld({ targets: [target.port] })
  await openEcho(world, target.port)
  world.leg.die()
  world.pass(29_000)
  assert.equal(world.service.status().orphans, 1)
  world.pass(1500)
  await until(() => seen.length > 0)
  assert.deepEqual(seen, ['error'])
  const { tunnels, orphans, streams } = world.service.status()
  assert.deepEqual([tunnels, orphans, streams], [0, 0, 0])
  assert.equal(world.accountant.heldBytes, 0)
})

test('a client that comes back too late is told UNKNOWN_TUNNEL', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [target.port] })
  await openEcho(world, target.port)
  world.leg.die()
  world.pass(31_000)
  world.rejoin()
  await until(() => world.leg.destroyed !== undefined)
  assert.equal(world.leg.destroyed, CLOSE_REASON.UNKNOWN_TUNNEL)
})

test("the client's CLOSE frees sockets, tunnel and circuit", async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [target.port] })
  await openEcho(world, target.port)
  world.client.close()
  await until(() => world.leg.destroyed !== undefined)
  assert.equal(world.leg.destroyed, CLOSE_REASON.FINISHED)
  await until(() => target.openCount() === 0)
  const { legs, tunnels, streams, sockets } = world.service.status()
  assert.deepEqual([legs, tunnels, streams, sockets], [0, 0, 0, 0])
  assert.equal(world.accountant.heldBytes, 0)
})

test('bytes that the app has ended are delivered even when CLOSE follows at once', async () => {
  let gotBytes = 0
  let hasEnded = false
  await using target = await startTarget((socket) => {
    socket.end()
    socket.on('data', (chunk: Buffer) => void (gotBytes += chunk.length))
    socket.on('end', () => void (hasEnded = true))
    socket.pause()
  }, true)
  using world = createWorld({ targets: [target.port] })
  const stream = world.connect(target.port)
  await until(() => stream.events.includes('end'))
  const chunk = new Uint8Array(32 * 1024)
  let sentBytes = 0
  // More than the kernel takes for a target that does not read yet.
  while (world.service.status().heldBytes < 2 * chunk.length) {
    await world.send(stream.id, chunk)
    sentBytes += chunk.length
    await until(() => world.client.heldBytes < 32 * 1024)
  }
  world.end(stream.id)
  await until(() => world.client.streamCount === 0)
  world.client.close()
  await until(() => world.leg.destroyed !== undefined)
  target.sockets[0]?.resume()
  await until(() => hasEnded)
  assert.equal(gotBytes, sentBytes)
})

test('a cell that breaks a rule costs its circuit, with PROTOCOL, and the tunnel survives', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [target.port] })
  const stream = await openEcho(world, target.port)
  const { leg } = world
  leg.forge(new Uint8Array(1024))
  await until(() => leg.destroyed !== undefined)
  assert.equal(leg.destroyed, CLOSE_REASON.PROTOCOL)
  world.rejoin()
  await world.send(stream.id, text('two'))
  await until(() => textOf(stream) === 'one two')
})

test('a circuit without a tunnel is destroyed with TIMEOUT when its time is up', () => {
  using world = createWorld({ targets: [], service: { firstCellMs: 10_000 } })
  const leg = world.newLeg()
  world.pass(9000)
  assert.equal(leg.destroyed, undefined)
  world.pass(1500)
  assert.equal(leg.destroyed, CLOSE_REASON.TIMEOUT)
})

test('drain tells the client, lets streams go on, begins none and opens no tunnel', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [target.port] })
  const stream = await openEcho(world, target.port)
  world.service.drain(600)
  await until(() => world.draining.length > 0)
  assert.deepEqual(world.draining, [600])
  const late = world.connect(target.port)
  await until(() => late.events.length > 0)
  assert.deepEqual(late.events, [`reset ${RESET_REASON.DRAINING}`])
  await world.send(stream.id, text('two'))
  await until(() => textOf(stream) === 'one two')
  world.leg.die()
  world.rejoin()
  await world.send(stream.id, text(' three'))
  await until(() => textOf(stream) === 'one two three')
  const stranger = world.openTunnel()
  await until(() => stranger.destroyed !== undefined)
  assert.equal(stranger.destroyed, CLOSE_REASON.DRAINING)
})

test('closeAll destroys circuits, frees sockets and refuses what comes later', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  using world = createWorld({ targets: [target.port] })
  await openEcho(world, target.port)
  const { leg } = world
  world.service.closeAll()
  assert.equal(leg.destroyed, CLOSE_REASON.DRAINING)
  await until(() => target.openCount() === 0)
  assert.equal(world.newLeg().refused, CLOSE_REASON.DRAINING)
  assert.deepEqual(Object.values(world.service.status()), [0, 0, 0, 0, 0, 0, 0])
})

test('over the memory limit the tunnel with the oldest waiting byte dies', async () => {
  await using loud = await startTarget((socket) => void socket.end(new Uint8Array(32 * MIB)))
  using world = createWorld({ targets: [loud.port], memoryBytes: 200 * 1024 })
  const stream = world.connect(loud.port)
  stream.reads = false
  await until(() => world.leg.destroyed !== undefined)
  assert.equal(world.leg.destroyed, CLOSE_REASON.RESOURCE_LIMIT)
  assert.equal(world.accountant.heldBytes, 0)
  await until(() => loud.openCount() === 0)
})

test('more tunnels than the exit holds are refused with RESOURCE_LIMIT', async () => {
  using world = createWorld({ targets: [], service: { maxTunnels: 1 } })
  world.resolve('a.example')
  await until(() => world.service.status().tunnels === 1)
  const second = world.openTunnel()
  await until(() => second.destroyed !== undefined)
  assert.equal(second.destroyed, CLOSE_REASON.RESOURCE_LIMIT)
  assert.equal(world.service.status().tunnels, 1)
})

test('an exit that must carry nothing refuses tunnels until it may', async () => {
  await using target = await startTarget((socket) => socket.pipe(socket))
  let isOpen = false
  using world = createWorld({ targets: [target.port], isOpen: () => isOpen })
  world.connect(target.port)
  await until(() => world.leg.destroyed !== undefined)
  assert.equal(world.leg.destroyed, CLOSE_REASON.NOT_EXIT)
  assert.equal(target.sockets.length, 0)
  isOpen = true
  const later = world.openTunnel()
  await until(() => world.service.status().tunnels === 1)
  assert.equal(later.destroyed, undefined)
})
