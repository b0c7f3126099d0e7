import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CELL_HEADER_BYTES, HOP_MESSAGE, messagesIn } from '@byway/protocol/wire'
import { createClientTunnel } from '../../src/circuit/client-tunnel.ts'
import { preferredSizeClass } from '../../src/circuit/leg.ts'
import { createSendWindow, type SendWindow } from '../../src/circuit/window.ts'
import { plainLeg, quietHandler, zeros } from './plain-leg.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const WEB = { host: 'example.org', port: 443, flags: 1 }

const typesIn = (cell: Uint8Array): number[] =>
  [...messagesIn(cell.subarray(CELL_HEADER_BYTES, CELL_HEADER_BYTES + 900))].map(({ type }) => type)

describe('packing cells', () => {
  it('asks for an acknowledgement when the window is shut and no answer is on its way', () => {
    const inner = createSendWindow(zeros)
    let isShut = false
    const window: SendWindow = {
      congestion: inner.congestion,
      inflightBytes: 0,
      isWaiting: false,
      canSend: () => !isShut,
      wantsAckRequest: (bytes, empties) => inner.wantsAckRequest(bytes, empties),
      hasUncovered: () => inner.hasUncovered(),
      takeAckRequest: (nowMs, bytes) => inner.takeAckRequest(nowMs, bytes),
      onSent: (bytes) => inner.onSent(bytes),
      onAck: (serial, token, nowMs) => inner.onAck(serial, token, nowMs),
    }
    const { leg, sent } = plainLeg(window)
    const options = { provider: nodeCrypto, tunnelId: zeros(16), handler: quietHandler([]) }
    const tunnel = createClientTunnel({ terms: TERMS, ...options, leg })
    const stream = tunnel.connect(WEB, 0)
    tunnel.pump(0)
    assert.deepEqual(sent.map(typesIn), [[HOP_MESSAGE.OPEN, HOP_MESSAGE.BEGIN]])
    isShut = true
    tunnel.write(stream, zeros(50), 0)
    assert.equal(tunnel.pump(0), 1)
    assert.deepEqual(typesIn(sent[1] ?? zeros(1024)), [HOP_MESSAGE.ACK_REQUEST])
    assert.equal(tunnel.pump(0), 0)
    isShut = false
    tunnel.pump(0)
    assert.deepEqual(typesIn(sent[2] ?? zeros(1024)), [HOP_MESSAGE.DATA])
  })

  it('takes turns by cell among streams with data', () => {
    const { leg, sent } = plainLeg()
    const options = { provider: nodeCrypto, tunnelId: zeros(16), handler: quietHandler([]) }
    const tunnel = createClientTunnel({ terms: TERMS, ...options, leg })
    const streams = [1, 2, 3].map(() => tunnel.connect(WEB, 0))
    for (const id of streams) tunnel.write(id, zeros(4000), 0)
    tunnel.pump(0)
    const order = sent.flatMap((cell) =>
      [...messagesIn(cell.subarray(CELL_HEADER_BYTES, CELL_HEADER_BYTES + 900))]
        .filter(({ type }) => type === HOP_MESSAGE.DATA)
        .map(({ body }) => body[11]),
    )
    assert.deepEqual(new Set(order.slice(0, 5)), new Set([1, 2, 3]))
  })

  it('puts acknowledgement, window and data into one cell', () => {
    const { leg, sent } = plainLeg()
    const options = { provider: nodeCrypto, tunnelId: zeros(16), handler: quietHandler([]) }
    const tunnel = createClientTunnel({ terms: TERMS, ...options, leg })
    const stream = tunnel.connect(WEB, 0)
    tunnel.pump(0)
    const cell = new Uint8Array(1024)
    cell.set([HOP_MESSAGE.ACK_REQUEST, 0, 12, 0, 0, 0, 7], CELL_HEADER_BYTES)
    assert.equal(tunnel.onCell(leg, cell, 1), undefined)
    tunnel.write(stream, zeros(30), 1)
    assert.equal(tunnel.pump(1), 1)
    const { ACK, TUNNEL_ACK, DATA } = HOP_MESSAGE
    assert.deepEqual(typesIn(sent[1] ?? zeros(1024)), [ACK, TUNNEL_ACK, DATA])
  })

  it('chooses the class by the rule of SPEC §4.1', () => {
    assert.equal(preferredSizeClass(12_287, 10_000), 1)
    assert.equal(preferredSizeClass(12_288, 10_000), 2)
    assert.equal(preferredSizeClass(12_288, 819), 1)
    assert.equal(preferredSizeClass(12_288, 0), 1)
    assert.equal(preferredSizeClass(1024, 10_000), 0)
    assert.equal(preferredSizeClass(1025, 10_000), 1)
  })
})
