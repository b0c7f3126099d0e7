/**
 * Clients that break rules at an honest node (THREAT-MODEL T3, T13–T15): each costs itself its circuit or its link, and others notice nothing.
 *
 *   raw client ═╗
 *               ╠═ guard ── exit ── origin
 *   client ═════╝
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { startOriginBuild } from '@byway/protocol/circuit'
import { circuitPrologue, onionKeyId, startInitiator } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  bodyOf,
  CELL_HEADER_BYTES,
  CLOSE_REASON,
  COMMAND,
  commandOf,
  decodeCreated,
  encodeCreatePayload,
  isAllowedKind,
  readKind,
  SIZE_CLASS,
  stampHeader,
  cellBytesOfClass,
} from '@byway/protocol/wire'
import type { HopSpec } from '@byway/protocol/circuit'
import { createCell } from '../../packages/protocol/src/circuit/create-cell.ts'
import { dialAs, makeNet } from './lib/net.ts'
import { buildRaw, dialRaw, openRawBytes, openRawTunnel } from './lib/raw-client.ts'
import type { RawLink } from './lib/raw-client.ts'
import { createRandom, IS_SLOW, SEED } from './lib/seed.ts'
import { startOrigin, transfer } from './lib/transfer.ts'
import { until, within } from './lib/until.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

async function makeWorld(t: TestContext) {
  const origin = await startOrigin(t)
  const net = await makeNet(t, [origin])
  const guard = await net.honest()
  const exit = await net.honest({ exit: { profile: 'web' } })
  await net.honest()
  await net.settled()
  const raw = await dialRaw(guard.node)
  t.after(() => raw.link.close('local'))
  /** One hop: the exit itself, whose circuits wait for a tunnel. */
  const direct = await dialRaw(exit.node)
  t.after(() => direct.link.close('local'))
  const specs = await raw.hops()
  const guardSpec = specOf(specs, guard.key)
  const exitSpec = specOf(specs, exit.key)
  return { origin, net, guard, exit, raw, direct, guardSpec, exitSpec }
}

type World = Awaited<ReturnType<typeof makeWorld>>

function specOf(specs: ReadonlyMap<string, HopSpec>, key: string): HopSpec {
  const spec = specs.get(key)
  assert.ok(spec)
  return spec
}

/** The proof that others notice nothing: a fresh client's transfer through the same nodes. */
async function stillServes({ net, guard, origin }: World): Promise<void> {
  const client = await net.client([guard])
  const stream = await client.connect({ host: origin.address, port: origin.port }, dialAs())
  const outcome = await within('the honest transfer', transfer(stream, 100_000, 300_000))
  assert.deepEqual(outcome, { received: 300_000, isAltered: false, end: 'clean', code: undefined })
  await client[Symbol.asyncDispose]()
}

/** A CREATE that is right in all but its place. */
function createAt(spec: HopSpec, position: 1 | 2 | 3): Uint8Array {
  const keyId = onionKeyId(nodeCrypto, spec.onionKey)
  const initiator = startInitiator({
    provider: nodeCrypto,
    prologue: circuitPrologue(spec.nodeId, keyId, position),
    remoteStatic: spec.onionKey,
    ephemeralSecret: new Uint8Array(randomBytes(32)),
    kemSeed: new Uint8Array(randomBytes(64)),
  })
  const payload = encodeCreatePayload({
    suites: 3,
    entryLayer: false,
    deadlineMs: 5000,
    extend: undefined,
  })
  const message1 = initiator.message1(payload)
  return createCell(nodeCrypto, { nodeId: spec.nodeId, onionKeyId: keyId, position, message1 })
}

const freshCreate = (spec: HopSpec): Uint8Array =>
  startOriginBuild({ provider: nodeCrypto, randomBytes, hops: [spec] }).cell

async function answerTo(raw: RawLink, cell: Uint8Array): Promise<number> {
  const circuit = raw.circuit()
  circuit.push(cell)
  const created = decodeCreated(bodyOf(await circuit.next()))
  return created.result === 'failed' ? created.reason : 0
}

test('CREATEs that lie are answered with a reason and cost no circuit (SPEC §5.2)', async (t) => {
  const world = await makeWorld(t)
  const { direct: raw, exitSpec: spec, exit } = world
  const good = freshCreate(spec)
  const copy = good.slice()
  const wrongMac = freshCreate(spec)
  wrongMac[CELL_HEADER_BYTES + 3] = (wrongMac[CELL_HEADER_BYTES + 3] ?? 0) ^ 1
  const stale = freshCreate({ ...spec, onionKey: new Uint8Array(randomBytes(32)) })
  const garbled = freshCreate(spec)
  garbled.set(randomBytes(2000), CELL_HEADER_BYTES + 400)
  assert.equal(await answerTo(raw, good), 0)
  assert.equal(await answerTo(raw, copy), CLOSE_REASON.PROTOCOL, 'replayed')
  assert.equal(await answerTo(raw, wrongMac), CLOSE_REASON.PROTOCOL, 'wrong mac1')
  assert.equal(await answerTo(raw, garbled), CLOSE_REASON.PROTOCOL, 'garbled handshake')
  assert.equal(await answerTo(raw, stale), CLOSE_REASON.STALE_KEY, 'unknown onion key')
  for (const position of [2, 3] as const) {
    const lie = createAt(spec, position)
    assert.equal(await answerTo(raw, lie), CLOSE_REASON.PROTOCOL, `position ${position}`)
  }
  assert.equal(await answerTo(raw, createAt(spec, 1)), 0, 'the same by hand, told truly')
  assert.equal(exit.node.status().circuits, 2)
  await stillServes(world)
})

test('a flood of circuits over twenty links of one address stops at one burst, and leaves others alone (THREAT-MODEL T15)', async (t) => {
  const world = await makeWorld(t)
  const { exit, exitSpec } = world
  const startedAtMs = performance.now()
  const links: RawLink[] = []
  while (links.length < 20) links.push(await dialRaw(exit.node, '127.95.0.1'))
  t.after(() => links.forEach(({ link }) => link.close('local')))
  const flood = async (raw: RawLink, count: number): Promise<number[]> =>
    await Promise.all(Array.from({ length: count }, () => answerTo(raw, freshCreate(exitSpec))))
  const answers: number[] = []
  // A few at a time are served however slow this machine is.
  for (let n = 0; n < 90; n += 3) answers.push(...(await flood(links[n % 20] ?? world.raw, 3)))
  assert.deepEqual(new Set(answers), new Set([0]), 'the burst is granted')
  answers.push(...(await Promise.all(links.map((raw) => flood(raw, 15)))).flat())
  const opened = answers.filter((reason) => reason === 0).length
  const seconds = (performance.now() - startedAtMs) / 1000
  assert.ok(opened >= 90 && opened <= 90 + 3 * seconds + 1, `opened ${opened} in ${seconds} s`)
  assert.deepEqual(new Set(answers), new Set([0, CLOSE_REASON.RESOURCE_LIMIT]))
  assert.deepEqual(await flood(world.direct, 3), [0, 0, 0], 'another address has its own')
  await stillServes(world)
})

test('a client that floods CREATEs and never reads the answers loses its link (THREAT-MODEL T14)', async (t) => {
  const world = await makeWorld(t)
  const { guard } = world
  const links = guard.node.status().links
  const socket = await openRawBytes(guard.node, '127.90.0.1')
  socket.pause()
  await until('the link', () => guard.node.status().links === links + 1)
  const before = process.memoryUsage().arrayBuffers
  const cell = freshCreate(world.guardSpec)
  let sent = 0
  for (let id = 1; !socket.closed && sent < 60_000; id++) {
    const next = cell.slice()
    // A wrong mac1 is the cheapest CREATE: refused before any cryptography.
    next[CELL_HEADER_BYTES + 3] = (next[CELL_HEADER_BYTES + 3] ?? 0) ^ 1
    stampHeader(next, 0x8000_0000 + id, 0)
    sent++
    if (!socket.write(next)) await until('room', () => !socket.writableNeedDrain || socket.closed)
    if (guard.node.status().links === links) break
  }
  await until(`the link to close, after ${sent} CREATEs`, () => guard.node.status().links === links)
  socket.destroy()
  const grownMb = (process.memoryUsage().arrayBuffers - before) / 1e6
  assert.ok(grownMb < 60, `memory grew by ${grownMb.toFixed()} MB`)
  await stillServes(world)
})

test('every kind of cell, lawful or not, at most closes the link that brought it (SPEC §4.1)', async (t) => {
  t.diagnostic(`SEED=${SEED}`)
  const random = createRandom(SEED)
  const world = await makeWorld(t)
  const { guard } = world
  const classes = [SIZE_CLASS.SMALL, SIZE_CLASS.MEDIUM, SIZE_CLASS.LARGE, SIZE_CLASS.REPORT]
  let survived = 0
  for (let kind = 0; kind < 256; kind += IS_SLOW ? 1 : 3) {
    // Twenty connects a second are allowed of one address: take many.
    const socket = await openRawBytes(guard.node, `127.91.${kind >> 3}.1`)
    const sizeClass = classes[kind >> 6] ?? SIZE_CLASS.SMALL
    const cell = random.bytes(cellBytesOfClass(sizeClass))
    const circuitId = kind % 2 === 0 ? 0 : 0x8000_0001
    stampHeader(cell, circuitId, 0)
    cell[4] = kind
    socket.resume()
    const end = Promise.race([once(socket, 'close'), once(socket, 'data')])
    socket.write(cell)
    if (isAllowedKind(kind)) survived++
    else await within(`the link to close on kind ${kind}`, end)
    socket.destroy()
  }
  assert.ok(survived > 0, 'some kinds are lawful')
  await until('the links to go', () => guard.node.status().links <= 4)
  await stillServes(world)
})

test('cells cut short, glued and spread over writes: a length that does not fit closes the link', async (t) => {
  const world = await makeWorld(t)
  const { exit: node, exitSpec: spec } = world
  const glued = await openRawBytes(node.node, '127.92.0.1')
  const first = freshCreate(spec)
  const second = freshCreate(spec)
  stampHeader(first, 0x8000_0001, 0)
  stampHeader(second, 0x8000_0002, 0)
  const both = Buffer.concat([first, second])
  const before = node.node.status().circuits
  // Byte by byte at the seam, in one piece elsewhere.
  glued.write(both.subarray(0, 4090))
  for (let at = 4090; at < 4110; at++) glued.write(both.subarray(at, at + 1))
  glued.write(both.subarray(4110))
  await until('both circuits', () => node.node.status().circuits === before + 2)
  const links = node.node.status().links
  // Half a cell and then the end: nothing waits for the rest.
  glued.end(first.subarray(0, 2000))
  await until('the link to go', () => node.node.status().links === links - 1)
  await until('its circuits to go', () => node.node.status().circuits === before)
  await stillServes(world)
})

test('a list with each type of message and any body costs at most its own circuit (SPEC §4.3, §7.1)', async (t) => {
  t.diagnostic(`SEED=${SEED}`)
  const random = createRandom(SEED)
  const world = await makeWorld(t)
  const { guard, exit, guardSpec, exitSpec } = world
  let raw = world.raw
  let used = 0
  for (let type = 0; type < 256; type += type < 32 || IS_SLOW ? 1 : 17) {
    for (const isOpen of [false, true]) {
      if (++used % 60 === 0) {
        // Ninety circuits at once are allowed of one address: take another.
        raw = await dialRaw(guard.node, `127.94.${used / 60}.1`)
        t.after(() => raw.link.close('local'))
      }
      const tunnel = await openRawTunnel(raw, [guardSpec, exitSpec])
      if (isOpen) tunnel.send({ type: 5, tunnelId: new Uint8Array(randomBytes(16)), ...TERMS })
      // Without a body the eighth is an honest end of the tunnel.
      const body = random.bytes(Math.max(type === 8 ? 1 : 0, random.below(60)))
      tunnel.sendRaw(Uint8Array.from([type, 0, body.length, ...body, 0]))
      // A second one behind it, that runs past the end.
      tunnel.sendRaw(Uint8Array.from([type === 0 ? 1 : type, 0xff, 0xff, ...body]))
      const answer = await tunnel.circuit.next().catch(() => undefined)
      assert.ok(answer, `type ${type} is answered`)
      await until(
        `the circuit to die of type ${type}`,
        () => tunnel.circuit.destroyed !== undefined,
      )
      assert.equal(tunnel.circuit.destroyed, CLOSE_REASON.PROTOCOL)
    }
  }
  await until('no tunnel to be left', () => exit.node.status().tunnels === 0)
  await stillServes(world)
})

/** How long an admitted connection may say nothing (docs/LIMITS.md). */
const SILENCE_MS = 5000

test('connections that say nothing, or too little, are cut and counted (docs/LIMITS.md)', async (t) => {
  const world = await makeWorld(t)
  const { host = '', port = 0 } = world.guard.node.listen ?? {}
  const startedAtMs = performance.now()
  // More than a local network lets one address have open at once (node-links.ts).
  const ends = Array.from({ length: 300 }, async (_, index) => {
    const socket = connect({ host, port, localAddress: '127.93.0.1' })
    socket.on('error', () => {})
    // Half say nothing, half the first bytes of a TLS record.
    if (index % 2 === 0) socket.write(Buffer.from([22, 3, 1, 2]))
    socket.resume()
    const closed = Promise.withResolvers<void>()
    socket.once('close', () => closed.resolve())
    await closed.promise
    return performance.now() - startedAtMs
  })
  // The flood goes on while others are served.
  await stillServes(world)
  const times = await within('every connection to be cut', Promise.all(ends))
  const refused = times.filter((ms) => ms < SILENCE_MS).length
  assert.ok(refused >= 50, `only ${refused} were refused at once, and not when their time was over`)
})

test('a cell for a circuit that never was is dropped, a DATA before CREATED kills only its own', async (t) => {
  const world = await makeWorld(t)
  const { raw, guardSpec } = world
  const ghost = raw.circuit()
  const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
  cell[4] = COMMAND.DATA
  ghost.push(cell)
  const { result } = await buildRaw(raw, [guardSpec, world.exitSpec])
  assert.equal(result.type, 'ready')
  assert.equal(raw.closedBy, undefined)
  const eager = raw.circuit()
  // The extension takes a round trip; the DATA comes before its answer.
  eager.push(
    startOriginBuild({ provider: nodeCrypto, randomBytes, hops: [guardSpec, world.exitSpec] }).cell,
  )
  const early = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
  early[4] = COMMAND.DATA
  eager.push(early)
  assert.equal(commandOf(readKind(await eager.next())), COMMAND.DESTROY)
  assert.equal(eager.destroyed, CLOSE_REASON.PROTOCOL)
  await stillServes(world)
})
