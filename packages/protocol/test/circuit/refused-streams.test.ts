import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  CELL_HEADER_BYTES,
  encodeHopMessage,
  HOP_MESSAGE,
  type HopMessage,
  MessageListWriter,
} from '@byway/protocol/wire'
import { createExitTunnels, type FirstCellResult } from '../../src/circuit/exit-tunnel.ts'
import { plainLeg, quietHandler, zeros } from './plain-leg.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const MAX_STREAMS = 8

function cellOf(...messages: readonly HopMessage[]): Uint8Array {
  const cell = new Uint8Array(1024)
  const writer = new MessageListWriter().reset(
    cell.subarray(CELL_HEADER_BYTES, CELL_HEADER_BYTES + 900),
  )
  for (const message of messages) writer.append(message.type, encodeHopMessage(message))
  return cell
}

const beginOf = (stream: number): HopMessage => {
  const sequence = stream - 1
  return { type: HOP_MESSAGE.BEGIN, sequence, stream, flags: 1, port: 443, host: 'a.example' }
}

function openTunnel(): {
  opened: FirstCellResult & { type: 'opened' }
  leg: ReturnType<typeof plainLeg>
} {
  const tunnels = createExitTunnels({ provider: nodeCrypto, maxStreams: MAX_STREAMS })
  const leg = plainLeg()
  const open = cellOf({ type: HOP_MESSAGE.OPEN, tunnelId: zeros(16), ...TERMS })
  const opened = tunnels.onFirstCell(leg.leg, open, 0, () => quietHandler([]))
  assert.equal(opened.type, 'opened')
  return { opened, leg }
}

test('a client that begins streams beyond the limit and takes no RESET is cut off', () => {
  const { opened, leg } = openTunnel()
  let begun = 0
  while (!opened.tunnel.isOver && begun < 1000) {
    begun++
    opened.tunnel.onCell(leg.leg, cellOf(beginOf(begun)), 0)
  }
  assert.equal(begun, 4 * MAX_STREAMS + 1)
})

test('a client that takes its RESETs may be refused again and again', () => {
  const { opened, leg } = openTunnel()
  for (let stream = 1; stream <= 100; stream++) {
    assert.equal(opened.tunnel.onCell(leg.leg, cellOf(beginOf(stream)), 0), undefined)
    opened.tunnel.pump(0)
    leg.sent.length = 0
  }
  assert.equal(opened.tunnel.isOver, false)
  assert.equal(opened.tunnel.streamCount, MAX_STREAMS)
})
