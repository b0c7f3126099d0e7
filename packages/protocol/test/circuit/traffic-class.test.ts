/** A tunnel's class is said once, in OPEN, and an exit that does not take it looks at nothing else (SPEC §9.2). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  CELL_HEADER_BYTES,
  CLOSE_REASON,
  encodeHopMessage,
  HOP_MESSAGE,
  type HopMessage,
  MessageListWriter,
  type TunnelTerms,
} from '@byway/protocol/wire'
import { createExitTunnels } from '../../src/circuit/exit-tunnel.ts'
import { plainLeg, quietHandler, zeros } from './plain-leg.ts'
import { createWorld } from './tunnel-harness.ts'

const COLLECT = { trafficClass: 'collect', classStep: 8, priceStep: 4 } as const
const BROWSE = { trafficClass: 'browse', classStep: 4, priceStep: 4 } as const

function cellOf(...messages: readonly HopMessage[]): Uint8Array {
  const cell = new Uint8Array(1024)
  const room = cell.subarray(CELL_HEADER_BYTES, CELL_HEADER_BYTES + 900)
  const writer = new MessageListWriter().reset(room)
  for (const message of messages) writer.append(message.type, encodeHopMessage(message))
  return cell
}

const openOf = (terms: TunnelTerms): HopMessage => ({
  type: HOP_MESSAGE.OPEN,
  tunnelId: zeros(16),
  ...terms,
})
const BEGIN: HopMessage = {
  type: HOP_MESSAGE.BEGIN,
  sequence: 0,
  stream: 1,
  flags: 1,
  port: 443,
  host: 'a.example',
}

describe('the class of a tunnel', () => {
  it('is told to whoever makes the driver, with its prices', () => {
    const tunnels = createExitTunnels({ provider: nodeCrypto, takes: () => true })
    const told: TunnelTerms[] = []
    const opened = tunnels.onFirstCell(plainLeg().leg, cellOf(openOf(COLLECT)), 0, (terms) => {
      told.push(terms)
      return quietHandler([])
    })
    assert.equal(opened.type, 'opened')
    assert.deepEqual(told, [COLLECT])
  })

  it('is refused with NOT_EXIT before anything else in the cell is looked at', () => {
    const tunnels = createExitTunnels({
      provider: nodeCrypto,
      takes: ({ trafficClass }) => trafficClass === 'browse',
    })
    const told: string[] = []
    const open = (): ReturnType<typeof quietHandler> => {
      told.push('made')
      return quietHandler(told)
    }
    const refused = tunnels.onFirstCell(plainLeg().leg, cellOf(openOf(COLLECT), BEGIN), 0, open)
    assert.deepEqual(refused, { type: 'refused', reason: CLOSE_REASON.NOT_EXIT })
    assert.deepEqual([told, tunnels.size], [[], 0])
    // The same tunnel may still be opened for what is taken: nothing was kept.
    const opened = tunnels.onFirstCell(plainLeg().leg, cellOf(openOf(BROWSE), BEGIN), 0, open)
    assert.equal(opened.type, 'opened')
    assert.deepEqual(told, ['made', 'begin 1'])
  })

  it('stays what it was on every later leg: JOIN says none, and the exit is not asked again', () => {
    const asked: TunnelTerms[] = []
    const world = createWorld({
      // What is taken for the first tunnel is taken for no second.
      takes: (terms) => asked.push(terms) === 1,
    })
    const stream = world.client.connect({ host: 'a.example', port: 443, flags: 1 }, 0)
    world.settle()
    world.rejoin()
    world.settle()
    world.client.write(stream, zeros(100), world.nowMs)
    world.settle()
    assert.equal(world.exit().isOver, false)
    assert.deepEqual(world.atClient.events, [`connected ${stream} 4`, 'joined'])
    assert.equal(asked.length, 1)
  })

  it('is said again where OPEN was lost', () => {
    const asked: TunnelTerms[] = []
    const world = createWorld({ takes: (terms) => asked.push(terms) > 0 })
    world.client.connect({ host: 'a.example', port: 443, flags: 1 }, 0)
    world.client.pump(0)
    world.kill(world.leg())
    world.client.reopen(world.newLeg().client)
    world.settle()
    assert.equal(asked.length, 1)
    assert.deepEqual(world.atClient.events, ['connected 1 4'])
  })
})
