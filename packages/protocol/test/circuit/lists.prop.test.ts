import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  CELL_HEADER_BYTES,
  encodeHopMessage,
  HOP_MESSAGE,
  type HopMessage,
  isSequencedType,
  PAY,
} from '@byway/protocol/wire'
import fc from 'fast-check'
import { type ClientTunnel, createClientTunnel } from '../../src/circuit/client-tunnel.ts'
import { createExitTunnels, type ExitTunnel } from '../../src/circuit/exit-tunnel.ts'
import type { Leg } from '../../src/circuit/leg.ts'
import { plainLeg, quietHandler as handler, zeros } from './plain-leg.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

const RUNS = process.env['SLOW'] ? 1_000_000 : 40_000
function freshClient(told: string[]): { tunnel: ClientTunnel; leg: Leg } {
  const { leg } = plainLeg()
  const options = {
    provider: nodeCrypto,
    tunnelId: zeros(16),
    terms: TERMS,
    leg,
    handler: handler(told),
  }
  const tunnel = createClientTunnel(options)
  tunnel.connect({ host: 'a.example', port: 1, flags: 1 }, 0)
  tunnel.resolve('a.example', 1, 0)
  tunnel.associate(0)
  tunnel.pump(0)
  return { tunnel, leg }
}

function freshExit(told: string[]): { tunnel: ExitTunnel; leg: Leg } {
  const tunnels = createExitTunnels({ provider: nodeCrypto })
  const { leg, sent } = plainLeg()
  const client = plainLeg()
  const options = { provider: nodeCrypto, tunnelId: zeros(16), handler: handler([]) }
  const other = createClientTunnel({ terms: TERMS, ...options, leg: client.leg })
  other.connect({ host: 'a.example', port: 1, flags: 1 }, 0)
  other.pump(0)
  const [cell] = client.sent
  assert.ok(cell)
  const result = tunnels.onFirstCell(leg, cell, 0, () => handler(told))
  assert.equal(result.type, 'opened')
  result.tunnel.connected(1, 4)
  result.tunnel.pump(0)
  sent.length = 0
  return { tunnel: result.tunnel, leg }
}

const SAYINGS = [
  HOP_MESSAGE.CONNECTED,
  HOP_MESSAGE.DATA,
  HOP_MESSAGE.DATA,
  HOP_MESSAGE.DONE,
  HOP_MESSAGE.RESET,
  HOP_MESSAGE.RESOLVED,
  HOP_MESSAGE.BEGIN,
  HOP_MESSAGE.WINDOW,
  HOP_MESSAGE.TUNNEL_ACK,
  HOP_MESSAGE.ACK_REQUEST,
  HOP_MESSAGE.DRAIN,
  HOP_MESSAGE.PAY,
] as const

type Saying = { kind: (typeof SAYINGS)[number]; stream: number; skip: number }

/** A message that the other end could lawfully say in some state. */
function say(saying: Saying, next: number): { type: number; body: Uint8Array } {
  const { kind: type, stream } = saying
  const message = {
    type,
    stream,
    sequence: Math.max(0, next + saying.skip),
    family: 4,
    payload: new Uint8Array(20),
    reason: 7,
    ttlS: 5,
    addresses: [],
    flags: 1,
    port: 80,
    host: 'a.example',
    offset: 300_000,
    nextSequence: 0,
    serial: 5,
    random: new Uint8Array(8),
    seconds: 5,
    pay: stream === 1 ? { kind: PAY.KEYS_GET } : { kind: PAY.DUE, countedBytes: 2, paidBytes: 1 },
  }
  return { type, body: encodeHopMessage(message as HopMessage) }
}

describe('lists of a hostile other end', () => {
  const raw = fc.record({ type: fc.nat(255), body: fc.uint8Array({ maxLength: 40 }) })
  const plausible = fc.record({
    kind: fc.constantFrom(...SAYINGS),
    stream: fc.constantFrom(1, 1, 1, 2, 3, 77),
    skip: fc.constantFrom(0, 0, 0, 0, 0, -1, 1),
  })
  const list = fc.record({
    messages: fc.array(fc.oneof({ weight: 9, arbitrary: plausible }, raw), {
      minLength: 1,
      maxLength: 6,
    }),
    flip: fc.option(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 255 })), { freq: 3 }),
  })

  it('end the leg or do something lawful, and never throw, nor end a stream twice', () => {
    let faults = 0
    let lawful = 0
    fc.assert(
      fc.property(fc.boolean(), list, (atClient, { messages, flip }) => {
        const told: string[] = []
        const { tunnel, leg } = atClient ? freshClient(told) : freshExit(told)
        const cell = new Uint8Array(1024)
        let at = CELL_HEADER_BYTES
        let sequence = atClient ? 0 : 1
        for (const message of messages) {
          const said = 'type' in message ? message : say(message, sequence)
          if (isSequencedType(said.type)) sequence++
          cell.set([said.type, 0, said.body.length, ...said.body], at)
          at += 3 + said.body.length
        }
        if (flip) cell[CELL_HEADER_BYTES + flip[0]] = flip[1]
        const fault = tunnel.onCell(leg, cell, 1)
        tunnel.pump(2)
        if (fault) faults++
        else lawful++
        assert.equal(fault !== undefined && tunnel.leg !== undefined, false)
        const endings = told.filter((event) => /^(end|reset) 1$/.test(event))
        assert.ok(endings.length <= 2 && new Set(endings).size === endings.length)
        assert.ok(told.filter((event) => event.startsWith('over')).length <= 1)
      }),
      { numRuns: RUNS },
    )
    // The generator must reach both.
    assert.ok(faults > RUNS / 100 && lawful > RUNS / 100, `${faults} faults, ${lawful} lawful`)
  })

  it('cannot make an end owe more than 1024 acknowledgements', () => {
    const { tunnel, leg } = freshClient([])
    const blocked: Leg['link'] = { ...leg.link, roomBytes: () => 0 }
    Object.assign(leg, { link: blocked })
    const cell = new Uint8Array(1024)
    for (let at = CELL_HEADER_BYTES; at + 15 < 900; at += 15) cell.set([1, 0, 12], at)
    let cells = 0
    while (!tunnel.onCell(leg, cell.slice(), 1)) assert.ok(++cells < 40)
    assert.ok(cells >= 15)
  })
})
