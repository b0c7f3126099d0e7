import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CLOSE_REASON, RESET_REASON } from '@byway/protocol/wire'
import { seededBytes } from './seeded.ts'
import { createWorld, received, type World } from './tunnel-harness.ts'

const KIB = 1024
const WEB = { host: 'example.org', port: 443, flags: 1 }

/** Writes everything, waiting when told to. */
function send(world: World, from: 'client' | 'exit', stream: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += 64 * KIB) {
    const end = from === 'client' ? world.client : world.exit()
    const chunk = bytes.subarray(at, at + 64 * KIB)
    if (!end.write(stream, chunk, world.nowMs)) world.settle()
  }
}

describe('tunnel and streams', () => {
  for (const [hops, entryLayer] of [
    [1, false],
    [1, true],
    [2, false],
    [2, true],
    [3, false],
    [3, true],
  ] as const) {
    it(`carries 1 MB both ways over ${hops} hops, entryLayer ${entryLayer}`, () => {
      const world = createWorld({ hops, entryLayer })
      const up = seededBytes(1)(1_000_000)
      const stream = world.client.connect(WEB, world.nowMs)
      world.onExitData = (id, bytes) => void world.exit().write(id, bytes, world.nowMs)
      send(world, 'client', stream, up)
      world.client.end(stream)
      world.settle()
      world.exit().end(stream)
      world.settle()
      assert.deepEqual(received(world.atExit, stream), Buffer.from(up))
      assert.deepEqual(received(world.atClient, stream), Buffer.from(up))
      assert.deepEqual(world.atExit.events, ['begin 1 example.org:443', 'end 1'])
      assert.deepEqual(
        world.atClient.events.filter((event) => !event.startsWith('drained')),
        ['connected 1 4', 'end 1'],
      )
      assert.equal(world.client.streamCount + world.exit().streamCount, 0)
    })
  }

  it('sends the first bytes in the very cell of OPEN and BEGIN (optimistic data)', () => {
    const world = createWorld()
    const stream = world.client.connect(WEB, world.nowMs)
    world.client.write(stream, new Uint8Array(300).fill(1), world.nowMs)
    assert.equal(world.client.pump(world.nowMs), 1)
    world.step(1)
    assert.equal(received(world.atExit, stream).length, 300)
  })

  it('goes on after its leg died in the middle, each byte once and in order', () => {
    const world = createWorld({ hops: 3 })
    const bytes = seededBytes(5)(700_000)
    const stream = world.client.connect(WEB, world.nowMs)
    world.settle()
    for (let at = 0; at < bytes.length; at += 50_000) {
      world.exit().write(stream, bytes.subarray(at, at + 50_000), world.nowMs)
      world.exit().pump(world.nowMs)
      world.step(2)
      world.rejoin()
      world.client.pump(world.nowMs)
      world.step(1)
    }
    world.exit().end(stream)
    world.settle()
    assert.deepEqual(received(world.atClient, stream), Buffer.from(bytes))
    assert.equal(world.atClient.events.at(-1), 'end 1')
  })

  it('goes on with streams whose BEGIN was lost with the leg, or had not been sent', () => {
    const world = createWorld()
    world.client.connect(WEB, world.nowMs)
    world.settle()
    const lost = world.client.connect(WEB, world.nowMs)
    world.client.pump(world.nowMs)
    const unsent = world.client.connect(WEB, world.nowMs)
    world.rejoin()
    world.settle()
    assert.equal(world.leg().closedBy, undefined)
    for (const stream of [lost, unsent]) {
      assert.ok(world.atClient.events.includes(`connected ${stream} 4`))
    }
  })

  it('resets streams, never ends them cleanly, when the tunnel is given up (SPEC §9.3, T20)', () => {
    const world = createWorld()
    const stream = world.client.connect(WEB, world.nowMs)
    world.settle()
    world.exit().write(stream, new Uint8Array(1000), world.nowMs)
    world.settle()
    world.kill(world.leg())
    world.client.giveUp()
    assert.deepEqual(world.atClient.events.slice(-2), [
      `reset ${stream} ${RESET_REASON.CONNECTION_RESET}`,
      'over',
    ])
    world.tunnels.expireOrphans(world.nowMs + 29_999)
    assert.equal(world.tunnels.orphanCount, 1)
    world.tunnels.expireOrphans(world.nowMs + 30_001)
    assert.equal(world.tunnels.size, 0)
    assert.deepEqual(world.atExit.events.slice(-2), [
      `reset ${stream} ${RESET_REASON.CONNECTION_RESET}`,
      'over',
    ])
  })

  it('tells the other end of a reset with its reason and drops what waits', () => {
    const world = createWorld()
    const stream = world.client.connect(WEB, world.nowMs)
    world.settle()
    world.exit().write(stream, new Uint8Array(100_000), world.nowMs)
    world.exit().reset(stream, RESET_REASON.TIMEOUT)
    world.settle()
    assert.equal(received(world.atClient, stream).length, 0)
    assert.equal(world.atClient.events.at(-1), `reset ${stream} ${RESET_REASON.TIMEOUT}`)
  })

  it('holds a sender at exactly the initial window when nobody consumes (SPEC §8.3)', () => {
    const world = createWorld({ consumes: false })
    const stream = world.client.connect(WEB, world.nowMs)
    world.settle()
    for (let i = 0; i < 8; i++) world.exit().write(stream, new Uint8Array(64 * KIB), world.nowMs)
    world.settle()
    assert.equal(received(world.atClient, stream).length, 256 * KIB)
    assert.equal(world.exit().write(stream, new Uint8Array(1), world.nowMs), false)
    world.client.consumed(stream, 128 * KIB, world.nowMs)
    world.settle()
    assert.ok(received(world.atClient, stream).length > 256 * KIB)
  })

  it('lets another stream through beside one whose reader never reads', () => {
    const world = createWorld({ consumes: false })
    const stuck = world.client.connect(WEB, world.nowMs)
    const open = world.client.connect(WEB, world.nowMs)
    world.settle()
    for (let i = 0; i < 8; i++) world.exit().write(stuck, new Uint8Array(64 * KIB), world.nowMs)
    world.settle()
    for (let i = 0; i < 20; i++) {
      world.exit().write(open, new Uint8Array(50 * KIB), world.nowMs)
      world.settle()
      world.client.consumed(open, 50 * KIB, world.nowMs)
      world.settle()
    }
    assert.equal(received(world.atClient, open).length, 1000 * KIB)
  })

  it('lets another stream through beside thirty whose readers never read', () => {
    const world = createWorld({ consumes: false })
    const stuck = Array.from({ length: 30 }, () => world.client.connect(WEB, world.nowMs))
    const open = world.client.connect(WEB, world.nowMs)
    world.settle()
    for (const id of stuck) {
      while (world.exit().write(id, new Uint8Array(64 * KIB), world.nowMs)) world.settle()
    }
    for (let i = 0; i < 20; i++) {
      world.exit().write(open, new Uint8Array(50 * KIB), world.nowMs)
      world.settle()
      world.client.consumed(open, 50 * KIB, world.nowMs)
      world.settle()
    }
    assert.equal(received(world.atClient, open).length, 1000 * KIB)
    assert.equal(world.exit().write(open, new Uint8Array(1), world.nowMs), true)
  })

  it('stops its applications at 4 MiB and keeps no more while it is an orphan (SPEC §9.3)', () => {
    const world = createWorld()
    const stream = world.client.connect(WEB, world.nowMs)
    const others = Array.from({ length: 40 }, () => world.client.connect(WEB, world.nowMs))
    world.settle()
    world.kill(world.leg())
    let accepted = 0
    for (const id of [stream, ...others]) {
      for (let i = 0; i < 8; i++) {
        accepted += 64 * KIB
        if (!world.exit().write(id, new Uint8Array(64 * KIB), world.nowMs)) break
      }
    }
    assert.ok(accepted <= 4096 * KIB + 41 * 64 * KIB)
    assert.ok(world.exit().heldBytes <= 4096 * KIB + 41 * 64 * KIB)
    assert.ok(world.exit().oldestAtMs <= world.nowMs)
  })

  it('gives up the oldest orphan when there are too many (SPEC §9.3)', () => {
    const world = createWorld({ maxOrphans: 0 })
    world.client.connect(WEB, world.nowMs)
    world.settle()
    world.kill(world.leg())
    assert.equal(world.tunnels.size, 0)
    assert.equal(world.atExit.events.at(-1), 'over')
  })

  it('answers lookups and carries datagrams', () => {
    const world = createWorld()
    const lookup = world.client.resolve('example.org', 1, world.nowMs)
    const flow = world.client.associate(world.nowMs)
    world.settle()
    const bytes = Uint8Array.of(192, 0, 2, 1)
    const addresses = [{ family: 4 as const, bytes }]
    world.exit().resolved(lookup, { reason: undefined, ttlS: 60, addresses })
    const endpoint = { family: 4 as const, bytes, port: 53 }
    world.exit().sendDatagram(flow, endpoint, new Uint8Array(40), world.nowMs)
    world.client.sendDatagram(
      flow,
      { host: 'a.example', port: 53 },
      new Uint8Array(30),
      world.nowMs,
    )
    world.settle()
    assert.deepEqual(world.atClient.events, [`resolved ${lookup} 1`, `datagram ${flow} 40`])
    assert.equal(world.atExit.events.at(-1), `datagram ${flow} 30`)
  })

  it('drops a datagram that waited for more than 100 ms (SPEC §7.3)', () => {
    const world = createWorld()
    const flow = world.client.associate(world.nowMs)
    world.settle()
    world.client.sendDatagram(flow, { host: 'a.example', port: 53 }, new Uint8Array(9), world.nowMs)
    world.nowMs += 101
    world.settle()
    assert.equal(world.client.droppedDatagrams, 1)
    assert.equal(world.atExit.events.at(-1), `associate ${flow}`)
  })

  it('closes for both: CLOSE resets what is open at the other end', () => {
    const world = createWorld()
    const stream = world.client.connect(WEB, world.nowMs)
    world.settle()
    world.client.close()
    world.settle()
    assert.deepEqual(world.atExit.events.slice(-2), [
      `reset ${stream} ${RESET_REASON.CONNECTION_RESET}`,
      'over',
    ])
    assert.equal(world.client.isOver, true)
    world.tunnels.onLegGone(world.exit(), world.leg().exit, world.nowMs)
    assert.equal(world.tunnels.size, 0)
  })

  it('announces that an end will stop serving', () => {
    const world = createWorld()
    world.client.connect(WEB, world.nowMs)
    world.settle()
    world.exit().drain(600)
    world.settle()
    assert.equal(world.atClient.events.at(-1), 'draining 600 end')
  })

  it('refuses a JOIN for a tunnel that is not there with UNKNOWN_TUNNEL (SPEC §9.2)', () => {
    const world = createWorld()
    world.client.connect(WEB, world.nowMs)
    world.settle()
    world.tunnels.giveUp(world.exit())
    const leg = world.rejoin()
    world.settle()
    assert.deepEqual(leg.closedBy, { end: 'exit', reason: CLOSE_REASON.UNKNOWN_TUNNEL })
  })
})
