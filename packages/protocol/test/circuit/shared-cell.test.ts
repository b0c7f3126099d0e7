import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeMemory } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  CELL_HEADER_BYTES,
  encodeHopMessage,
  HOP_MESSAGE,
  type HopMessage,
  MessageListWriter,
} from '@byway/protocol/wire'
import { createExitTunnels } from '../../src/circuit/exit-tunnel.ts'
import { plainLeg, quietHandler, zeros } from './plain-leg.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const endpoint = { family: 4, bytes: Uint8Array.of(192, 0, 2, 1), port: 443 } as const

/** All in one cell: a stream whose bytes take more than half of it, a short one, and a datagram. */
const MESSAGES: readonly HopMessage[] = [
  { type: HOP_MESSAGE.OPEN, tunnelId: zeros(16), ...TERMS },
  { type: HOP_MESSAGE.BEGIN, sequence: 0, stream: 1, flags: 1, port: 443, host: 'a.example' },
  { type: HOP_MESSAGE.BEGIN, sequence: 1, stream: 2, flags: 1, port: 443, host: 'b.example' },
  { type: HOP_MESSAGE.ASSOCIATE, sequence: 2, stream: 3 },
  { type: HOP_MESSAGE.DATA, sequence: 3, stream: 1, payload: new Uint8Array(600).fill(1) },
  { type: HOP_MESSAGE.DATA, sequence: 4, stream: 2, payload: new Uint8Array(50).fill(2) },
  { type: HOP_MESSAGE.DATAGRAM, stream: 3, endpoint, payload: new Uint8Array(50).fill(3) },
]

test('who frees the long payload of a cell takes nothing from the others in it', () => {
  const cell = new Uint8Array(1024)
  const list = cell.subarray(CELL_HEADER_BYTES, CELL_HEADER_BYTES + 900)
  const writer = new MessageListWriter().reset(list)
  for (const message of MESSAGES) writer.append(message.type, encodeHopMessage(message))
  const got: Uint8Array[] = []
  const handler = {
    ...quietHandler([]),
    onData: (_stream: number, bytes: Uint8Array) => void got.push(bytes),
    onDatagram: (_stream: number, _endpoint: unknown, bytes: Uint8Array) => void got.push(bytes),
  }
  const tunnels = createExitTunnels({ provider: nodeCrypto })
  assert.equal(tunnels.onFirstCell(plainLeg().leg, cell, 0, () => handler).type, 'opened')
  const [long] = got
  assert.ok(long)
  freeMemory(long)
  assert.deepEqual(
    got.map((bytes) => [bytes.length, bytes[0]]),
    [
      [0, undefined],
      [50, 2],
      [50, 3],
    ],
  )
})
