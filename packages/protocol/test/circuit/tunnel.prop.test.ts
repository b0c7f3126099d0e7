import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { equalBytes } from '@byway/protocol/base'
import {
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  encodeHopMessage,
  HOP_MESSAGE,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import fc from 'fast-check'
import { seededBytes, seededRandom } from './seeded.ts'
import { createWorld, received, type World } from './tunnel-harness.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const SLOW = process.env['SLOW'] !== undefined
const KIB = 1024
const WEB = { host: 'example.org', port: 443, flags: 1 }

describe('a tunnel under faults', () => {
  it('delivers each byte once and in order over 50 random leg deaths, many seeds', () => {
    for (let seed = 1; seed <= (SLOW ? 50 : 4); seed++) {
      const random = seededRandom(seed)
      const world = createWorld({ hops: 1 + (seed % 3), seed, entryLayer: seed % 2 === 0 })
      const up = seededBytes(seed)(60 * KIB + seed)
      const down = seededBytes(seed + 1000)(1200 * KIB + seed)
      const stream = world.client.connect(WEB, world.nowMs)
      world.settle()
      let sentUp = 0
      let sentDown = 0
      for (let death = 0; death < 50; death++) {
        const upTo = Math.min(up.length, sentUp + Math.floor(random() * 3000))
        world.client.write(stream, up.slice(sentUp, upTo), world.nowMs)
        sentUp = upTo
        const downTo = Math.min(down.length, sentDown + Math.floor(random() * 50_000))
        world.exit().write(stream, down.slice(sentDown, downTo), world.nowMs)
        sentDown = downTo
        for (let turn = Math.floor(random() * 6); turn > 0; turn--) {
          world.client.pump(world.nowMs)
          world.exit().pump(world.nowMs)
          world.step(1 + Math.floor(random() * 4))
        }
        world.rejoin()
        // Sometimes the next leg dies too before JOIN or JOINED arrives.
        if (random() < 0.3) {
          world.client.pump(world.nowMs)
          if (random() < 0.5) world.step(1)
          world.rejoin()
        }
      }
      world.client.write(stream, up.slice(sentUp), world.nowMs)
      for (; sentDown < down.length; sentDown += 64 * KIB) {
        world.exit().write(stream, down.slice(sentDown, sentDown + 64 * KIB), world.nowMs)
        world.settle()
      }
      world.client.end(stream)
      world.exit().end(stream)
      world.settle()
      assert.ok(equalBytes(received(world.atExit, stream), up), `up, seed ${seed}`)
      assert.ok(equalBytes(received(world.atClient, stream), down), `down, seed ${seed}`)
      assert.equal(world.atClient.events.filter((event) => event === 'end 1').length, 1)
      assert.equal(world.client.streamCount + world.exit().streamCount, 0)
    }
  })

  it('never delivers a changed byte when a relay changes, drops, repeats or swaps cells (T4, T5)', () => {
    const fault = fc.constantFrom('change', 'drop', 'repeat', 'swap')
    const way = fc.constantFrom('forward' as const, 'backward' as const)
    fc.assert(
      fc.property(fault, way, fc.nat(2), fc.nat(20), fc.nat(), (what, onWay, place, nth, at) => {
        const world = createWorld({ hops: 3, seed: at })
        const bytes = seededBytes(3)(400 * KIB)
        world.onExitData = (id, view) => void world.exit().write(id, view, world.nowMs)
        const stream = world.client.connect(WEB, world.nowMs)
        world.settle()
        // Links are authenticated: a relay meddles with what the hop behind it gets.
        const hop = onWay === 'forward' ? 1 + (place % 2) : place - 1
        world.meddle = meddler(what, onWay, hop, nth, at)
        for (let sent = 0; sent < bytes.length; sent += 64 * KIB) {
          world.client.write(stream, bytes.subarray(sent, sent + 64 * KIB), world.nowMs)
        }
        world.settle()
        const up = received(world.atExit, stream)
        const down = received(world.atClient, stream)
        assert.ok(equalBytes(up, bytes.subarray(0, up.length)))
        assert.ok(equalBytes(down, bytes.subarray(0, down.length)))
        assert.ok(!world.atClient.events.includes('end 1'))
        if (world.leg().isAlive) assert.equal(what === 'change', false)
      }),
      { numRuns: SLOW ? 500 : 40 },
    )
  })

  it('treats every stray message as a fault, and says so once (T6)', () => {
    const strays = [
      { type: HOP_MESSAGE.ACK, serial: 9, random: new Uint8Array(8) },
      { type: HOP_MESSAGE.TUNNEL_ACK, nextSequence: 900 },
      { type: HOP_MESSAGE.WINDOW, stream: 77, offset: 1_000_000 },
      { type: HOP_MESSAGE.WINDOW, stream: 1, offset: 5 },
      { type: HOP_MESSAGE.WINDOW, stream: 1, offset: 2 ** 40 },
      { type: HOP_MESSAGE.OPEN, tunnelId: new Uint8Array(16), ...TERMS },
      { type: HOP_MESSAGE.JOINED, generation: 1, nextSequence: 0, mac: new Uint8Array(32) },
      { type: HOP_MESSAGE.BEGIN, sequence: 1, stream: 9, flags: 1, port: 80, host: 'a.example' },
      { type: HOP_MESSAGE.CONNECTED, sequence: 1, stream: 77, family: 4 },
      { type: HOP_MESSAGE.CONNECTED, sequence: 1, stream: 1, family: 4 },
      { type: HOP_MESSAGE.DATA, sequence: 1, stream: 77, payload: new Uint8Array(3) },
      { type: HOP_MESSAGE.DATA, sequence: 5, stream: 1, payload: new Uint8Array(3) },
      { type: HOP_MESSAGE.DONE, sequence: 1, stream: 77 },
      {
        type: HOP_MESSAGE.RESOLVED,
        sequence: 1,
        stream: 1,
        reason: undefined,
        ttlS: 1,
        addresses: [],
      },
      { type: HOP_MESSAGE.ASSOCIATE, sequence: 1, stream: 3 },
      {
        type: HOP_MESSAGE.DATAGRAM,
        stream: 1,
        endpoint: { family: 4, bytes: new Uint8Array(4), port: 1 },
        payload: new Uint8Array(1),
      },
    ] as const
    for (const stray of strays) {
      const world = createWorld()
      world.client.connect(WEB, world.nowMs)
      world.settle()
      const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
      const body = encodeHopMessage(stray)
      cell.set([stray.type, body.length >>> 8, body.length & 255, ...body], CELL_HEADER_BYTES)
      const fault = deliver(world, true, cell)
      assert.deepEqual(fault, { reason: 16, isTunnelOver: true }, `stray of type ${stray.type}`)
      assert.equal(world.client.leg, undefined)
      assert.equal(world.atClient.events.filter((event) => event === 'over').length, 1)
      assert.ok(!world.atClient.events.includes('end 1'))
    }
  })

  it('takes what was under way when a stream was reset, and not one byte more (T6)', () => {
    const world = createWorld({ consumes: false })
    const stream = world.client.connect(WEB, world.nowMs)
    world.settle()
    world.client.reset(stream, 7)
    world.client.pump(world.nowMs)
    let sequence = 1
    const send = (bytes: number): unknown => {
      const payload = new Uint8Array(bytes)
      const body = encodeHopMessage({
        type: HOP_MESSAGE.DATA,
        sequence: sequence++,
        stream,
        payload,
      })
      const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.LARGE))
      const header = [HOP_MESSAGE.DATA, body.length >>> 8, body.length & 255]
      cell.set([...header, ...body], CELL_HEADER_BYTES)
      return deliver(world, true, cell)
    }
    for (let i = 0; i < 16; i++) assert.equal(send(16_000), undefined)
    assert.equal(send(256 * KIB - 16 * 16_000), undefined)
    assert.deepEqual(send(1), { reason: 16, isTunnelOver: true })
  })
})

/** Seals a list as the other end would, and feeds it. */
function deliver(world: World, toClient: boolean, cell: Uint8Array): unknown {
  const leg = world.leg()
  const { hops, origin } = leg.circuit
  if (toClient) {
    leg.exit.layers.seal(cell, cell.length > 4096 ? SIZE_CLASS.LARGE : SIZE_CLASS.SMALL)
    for (let hop = hops.length - 2; hop >= 0; hop--) hops[hop]?.sealBackward(cell)
    return world.client.onCell(leg.client, cell, world.nowMs)
  }
  origin.seal(cell, hops.length - 1, SIZE_CLASS.SMALL)
  for (let hop = 0; hop < hops.length - 1; hop++) hops[hop]?.openForward(cell)
  return world.exit().onCell(leg.exit, cell, world.nowMs)
}

function meddler(
  what: 'change' | 'drop' | 'repeat' | 'swap',
  onWay: 'forward' | 'backward',
  atHop: number,
  nth: number,
  at: number,
): World['meddle'] {
  let count = 0
  let held: Uint8Array | undefined
  return (cell, way, hop) => {
    if (way !== onWay || hop !== atHop || count++ !== nth) {
      const late = way === onWay && hop === atHop ? held : undefined
      if (late) held = undefined
      return late ? [cell, late] : [cell]
    }
    if (what === 'drop') return []
    if (what === 'repeat') return [cell, cell.slice()]
    if (what === 'swap') {
      held = cell
      return []
    }
    // The last 34 bytes may be filler, which nobody reads.
    const index = CELL_HEADER_BYTES + (at % (cell.length - CELL_HEADER_BYTES - 34))
    cell[index] = (cell[index] ?? 0) ^ 1
    return [cell]
  }
}
