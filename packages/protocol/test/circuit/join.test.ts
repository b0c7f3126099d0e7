import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CLOSE_REASON } from '@byway/protocol/wire'
import { createClientTunnelKeys, createExitTunnelKeys } from '../../src/circuit/tunnel-keys.ts'
import { createWorld, received, type TestLeg, type World } from './tunnel-harness.ts'

const WEB = { host: 'example.org', port: 443, flags: 1 }
const leg = (text: number): Uint8Array => new Uint8Array(32).fill(text)

function keys() {
  const options = {
    provider: nodeCrypto,
    tunnelId: new Uint8Array(16).fill(1),
    tunnelSecret: new Uint8Array(32).fill(2),
  }
  return { client: createClientTunnelKeys(options), exit: createExitTunnelKeys(options) }
}

describe('JOIN and JOINED (SPEC §9.2)', () => {
  it('agree on leg after leg', () => {
    const { client, exit } = keys()
    for (let i = 1; i < 6; i++) {
      assert.equal(exit.onJoin(leg(i), client.join(leg(i), 10 * i)), true)
      assert.equal(client.onJoined(exit.joined(7)), true)
      exit.confirm()
    }
  })

  it('accepts the secret before while JOINED may have been lost, and not after a message came', () => {
    const { client, exit } = keys()
    for (let i = 1; i < 4; i++) assert.equal(exit.onJoin(leg(i), client.join(leg(i), 0)), true)
    assert.equal(client.onJoined(exit.joined(0)), true)
    const late = keys()
    const lost = late.client.join(leg(1), 0)
    assert.equal(late.exit.onJoin(leg(1), lost), true)
    late.exit.confirm()
    assert.equal(late.exit.onJoin(leg(2), late.client.join(leg(2), 0)), false)
  })

  it('refuses a replayed JOIN, also on another leg, and a generation that does not rise', () => {
    const { client, exit } = keys()
    const join = client.join(leg(1), 0)
    assert.equal(exit.onJoin(leg(2), join), false)
    assert.equal(exit.onJoin(leg(1), join), true)
    assert.equal(exit.onJoin(leg(1), join), false)
    const twin = keys()
    assert.equal(exit.onJoin(leg(3), twin.client.join(leg(3), 0)), false)
  })

  it('refuses a changed field of either message', () => {
    const { client, exit } = keys()
    const join = client.join(leg(1), 5)
    assert.equal(exit.onJoin(leg(1), { ...join, nextSequence: 6 }), false)
    assert.equal(exit.onJoin(leg(1), { ...join, generation: 2 }), false)
    assert.equal(exit.onJoin(leg(1), { ...join, mac: new Uint8Array(32) }), false)
    assert.equal(exit.onJoin(leg(1), join), true)
    const joined = exit.joined(3)
    assert.equal(client.onJoined({ ...joined, nextSequence: 4 }), false)
    assert.equal(client.onJoined({ ...joined, generation: 2 }), false)
    assert.equal(client.onJoined(joined), true)
    assert.equal(client.onJoined(joined), false)
  })

  it('fences the older leg, which still lives at the exit', () => {
    const world = createWorld()
    const stream = world.client.connect(WEB, world.nowMs)
    world.settle()
    const old = world.leg()
    // The client has lost the leg (its link died); the exit has not heard of it.
    world.client.detachLeg()
    world.exit().write(stream, new Uint8Array(5000).fill(9), world.nowMs)
    const fresh = world.newLeg()
    world.client.attachLeg(fresh.client)
    world.client.pump(world.nowMs)
    const cell = fresh.queues.forward.shift()
    assert.ok(cell)
    assert.equal(fresh.circuit.hops[0]?.openForward(cell), 'pass')
    const result = world.tunnels.onFirstCell(fresh.exit, cell, world.nowMs, () => {
      throw new Error('no new tunnel')
    })
    assert.equal(result.type, 'joined')
    assert.equal(result.fenced, old.exit)
    fresh.exitTunnel = result.tunnel
    world.tunnels.onLegGone(result.tunnel, old.exit, world.nowMs)
    assert.equal(world.tunnels.orphanCount, 0)
    world.settle()
    assert.equal(received(world.atClient, stream).length, 5000)
    assert.ok(world.atClient.events.includes('joined'))
  })

  it('goes on when JOINED was lost with its leg, again and again', () => {
    const world = createWorld({ hops: 3 })
    const stream = world.client.connect(WEB, world.nowMs)
    world.settle()
    world.exit().write(stream, new Uint8Array(100_000).fill(1), world.nowMs)
    for (let i = 0; i < 5; i++) {
      world.rejoin()
      world.client.pump(world.nowMs)
      world.step(1)
      world.exit().pump(world.nowMs)
    }
    world.rejoin()
    world.settle()
    assert.equal(received(world.atClient, stream).length, 100_000)
  })

  it('lets nothing but JOINED come first', () => {
    const world = createWorld()
    world.client.connect(WEB, world.nowMs)
    world.settle()
    const fresh = world.rejoin()
    const cell = new Uint8Array(1024)
    cell.set([8, 0, 0], 9)
    fresh.exit.layers.seal(cell, 0)
    fresh.circuit.hops[0]?.sealBackward(cell)
    const fault = world.client.onCell(fresh.client, cell, world.nowMs)
    assert.equal(fault?.reason, CLOSE_REASON.PROTOCOL)
  })

  const first = (world: World, messages: readonly number[]): TestLeg => {
    const fresh = world.newLeg()
    const cell = new Uint8Array(1024)
    cell.set(messages, 9)
    fresh.client.layers.seal(cell, 0)
    fresh.queues.forward.push(cell)
    world.step(1)
    return fresh
  }
  const refused = { end: 'exit', reason: CLOSE_REASON.PROTOCOL }

  it('refuses OPEN for a tunnel that is there, and a first message that is neither', () => {
    const world = createWorld()
    const open = [5, 0, 19, ...new Uint8Array(16).fill(3), 0, 0, 0]
    assert.equal(first(world, open).closedBy, undefined)
    assert.equal(world.tunnels.size, 1)
    assert.deepEqual(first(world, open).closedBy, refused)
    assert.deepEqual(first(world, [8, 0, 0]).closedBy, refused)
    assert.equal(world.tunnels.size, 1)
  })

  it('forgets a tunnel whose very first list breaks a rule', () => {
    const world = createWorld()
    const open = [5, 0, 19, ...new Uint8Array(16).fill(4), 0, 0, 0]
    assert.deepEqual(first(world, [...open, 7, 0, 1, 1]).closedBy, refused)
    assert.equal(world.tunnels.size, 0)
    assert.equal(world.atExit.events.at(-1), 'over')
  })

  it('waits when the first cell is padding', () => {
    const world = createWorld()
    assert.equal(first(world, []).closedBy, undefined)
    assert.equal(world.tunnels.size, 0)
  })
})
