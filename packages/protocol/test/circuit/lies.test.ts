import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { circuitPrologue, respond } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  bodyOf,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  CLOSE_REASON,
  COMMAND,
  type CreatedPayload,
  decodeCreate,
  encodeCreatedPayload,
  encodeHopMessage,
  HOP_MESSAGE,
  SIZE_CLASS,
  SUITE,
  stampKind,
} from '@byway/protocol/wire'
import { createdCell } from '../../src/circuit/create-cell.ts'
import { createHopLayers } from '../../src/circuit/hop-layers.ts'
import { createOriginLayers } from '../../src/circuit/origin-layers.ts'
import { type OriginBuildResult, startOriginBuild } from '../../src/circuit/origin-build.ts'
import { attempt, originOptions, type TestNode, testNodes } from './circuit-harness.ts'
import { createWorld } from './tunnel-harness.ts'

/** An entry that does an honest handshake and then says what it likes. */
function entrySays(
  nodes: readonly TestNode[],
  offerAes: boolean,
  payload: CreatedPayload,
): OriginBuildResult {
  const [entry] = nodes
  assert.ok(entry)
  const origin = startOriginBuild(originOptions(nodes, { offerAes }))
  const create = decodeCreate(bodyOf(origin.cell))
  const key = entry.onionKeys.find(create.onionKeyId)
  assert.ok(key)
  const responder = respond({
    provider: nodeCrypto,
    prologue: circuitPrologue(entry.nodeId, key.id, 1),
    staticKey: key.pair,
    message1: create.message1,
  })
  const content = encodeCreatedPayload(payload)
  const { message2 } = responder.answer(content, new Uint8Array(32).fill(5))
  return origin.onCreated(createdCell({ result: 'answered', message2 }))
}

describe('a hop that authenticates and lies', () => {
  const { AES_256_GCM, CHACHA20_POLY1305 } = SUITE
  const message2 = new Uint8Array(1200)

  it('cannot choose a suite that was not offered (SPEC §5.4)', () => {
    const ready = { result: 'ready' } as const
    const chosen = entrySays(testNodes(1), false, { suite: AES_256_GCM, outcome: ready })
    assert.equal(chosen.type === 'failed' && chosen.reason, CLOSE_REASON.PROTOCOL)
    const offered = entrySays(testNodes(1), false, { suite: CHACHA20_POLY1305, outcome: ready })
    assert.equal(offered.type, 'ready')
  })

  it('cannot make a circuit longer or shorter than the client asked', () => {
    const seen = { country: '', asn: 0 }
    const extended = { result: 'extended', message2, seen } as const
    const longer = entrySays(testNodes(1), true, { suite: AES_256_GCM, outcome: extended })
    assert.equal(longer.type === 'failed' && longer.reason, CLOSE_REASON.PROTOCOL)
    const ready = { result: 'ready' } as const
    const shorter = entrySays(testNodes(2), true, { suite: AES_256_GCM, outcome: ready })
    assert.equal(shorter.type === 'failed' && shorter.reason, CLOSE_REASON.PROTOCOL)
  })

  it('cannot make the hop before it answer with more than a CREATED holds', () => {
    for (const bytes of [2921, 2922, 4084]) {
      const nodes = testNodes(2)
      const origin = startOriginBuild(originOptions(nodes))
      const step = nodes[0]?.build.onCreate(origin.cell, 'client', 0)
      assert.equal(step?.type, 'extend')
      const long = new Uint8Array(bytes)
      const answer = step.onNextCreated(createdCell({ result: 'answered', message2: long }))
      assert.equal(answer.type, bytes === 2921 ? 'ready' : 'refused')
      const built = origin.onCreated(answer.cell)
      assert.equal(built.type === 'failed' && built.reason, CLOSE_REASON.PROTOCOL)
    }
  })

  it('cannot blame another when it is the last: the failure is its own', () => {
    const reason = CLOSE_REASON.CONNECT_FAILED
    const outcome = { result: 'failed', reason, descriptor: undefined } as const
    const result = entrySays(testNodes(1), true, { suite: AES_256_GCM, outcome })
    assert.deepEqual(result, {
      type: 'failed',
      hopIndex: 0,
      reportedBy: 0,
      reason: CLOSE_REASON.PROTOCOL,
      descriptor: undefined,
    })
  })

  it('cannot answer for the hop behind it', () => {
    const seen = { country: '', asn: 0 }
    const outcome = { result: 'extended', message2, seen } as const
    const result = entrySays(testNodes(2), true, { suite: AES_256_GCM, outcome })
    assert.deepEqual(result.type === 'failed' && result.hopIndex, 1)
  })
})

describe('a scope that is neither 0 nor 1 (SPEC §6.1)', () => {
  const { result, answers } = attempt(testNodes(2))
  assert.equal(result.type, 'ready')
  const answer = answers[1]
  assert.equal(answer?.type, 'ready')
  const { hop, position, entryLayer } = answer.circuit
  const sealWith = (key: typeof hop.keys.forward): Uint8Array => {
    const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
    stampKind(cell, COMMAND.DATA, SIZE_CLASS.SMALL)
    const plaintext = new Uint8Array(cell.length - CELL_HEADER_BYTES - 16)
    plaintext[plaintext.length - 1] = 2
    nodeCrypto.layerSealer(hop.suite, key).sealInto(cell, CELL_HEADER_BYTES, plaintext)
    return cell
  }

  it('is refused by a hop', () => {
    const layers = createHopLayers({ provider: nodeCrypto, hop, position, entryLayer })
    assert.equal(layers.openForward(sealWith(hop.keys.forward)), 'violation')
  })

  it('is refused by the client', () => {
    const origin = createOriginLayers({ provider: nodeCrypto, hops: result.hops, entryLayer })
    assert.equal(origin.open(sealWith(hop.keys.backward)), undefined)
  })
})

describe('a stream window (SPEC §7.2, §8.3)', () => {
  it('kills the circuit with the first byte beyond what was granted', () => {
    const world = createWorld({ consumes: false })
    const stream = world.client.connect({ host: 'a.example', port: 1, flags: 1 }, world.nowMs)
    world.settle()
    const feed = (sequence: number, bytes: number): unknown => {
      const payload = new Uint8Array(bytes)
      const body = encodeHopMessage({ type: HOP_MESSAGE.DATA, sequence, stream, payload })
      const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.LARGE))
      cell.set([HOP_MESSAGE.DATA, body.length >>> 8, body.length & 255], CELL_HEADER_BYTES)
      cell.set(body, CELL_HEADER_BYTES + 3)
      const leg = world.leg()
      leg.exit.layers.seal(cell, SIZE_CLASS.LARGE)
      leg.circuit.hops[0]?.sealBackward(cell)
      return world.client.onCell(leg.client, cell, world.nowMs)
    }
    for (let i = 0; i < 16; i++) assert.equal(feed(1 + i, 16_000), undefined)
    assert.equal(feed(17, 256 * 1024 - 256_000), undefined)
    assert.deepEqual(feed(18, 1), { reason: CLOSE_REASON.PROTOCOL, isTunnelOver: true })
  })
})
