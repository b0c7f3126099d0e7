import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CLOSE_REASON } from '@byway/protocol/wire'
import { DEADLINES_MS, startOriginBuild } from '../../src/circuit/origin-build.ts'
import {
  attempt,
  buildCircuit,
  DESCRIPTOR,
  originOptions,
  testNode,
  testNodes,
} from './circuit-harness.ts'

describe('building a circuit in one pass (SPEC §5)', () => {
  for (const count of [1, 2, 3]) {
    it(`gives a client and ${count} hops the same keys, in one CREATE and one CREATED`, () => {
      const { result, answers } = attempt(testNodes(count))
      assert.equal(result.type, 'ready')
      assert.equal(result.hops.length, count)
      for (const [index, hop] of result.hops.entries()) {
        const answer = answers[index]
        assert.equal(answer?.type, 'ready')
        assert.deepEqual(answer.circuit.hop.handshakeHash, hop.handshakeHash)
        assert.deepEqual(answer.circuit.hop.keys.tunnelSecret, hop.keys.tunnelSecret)
        assert.deepEqual(answer.circuit.hop.keys.bind, hop.keys.bind)
        assert.equal(answer.circuit.position, index + 1)
        assert.equal(answer.circuit.isLast, index === count - 1)
      }
    })
  }

  it('fits three hops into one cell of 4096 bytes (SPEC §5.3)', () => {
    assert.equal(startOriginBuild(originOptions(testNodes(3))).cell.length, 4096)
  })

  it('lets each hop choose its own suite, and only an offered one (SPEC §5.4)', () => {
    const nodes = [testNode(501, true), testNode(502, false)]
    const mixed = attempt(nodes)
    assert.equal(mixed.result.type, 'ready')
    assert.deepEqual(
      mixed.result.hops.map((hop) => hop.suite),
      ['aes-256-gcm', 'chacha20-poly1305'],
    )
    const soft = attempt(testNodes(2), { offerAes: false })
    assert.equal(soft.result.type, 'ready')
    assert.ok(soft.result.hops.every((hop) => hop.suite === 'chacha20-poly1305'))
  })

  it('shrinks deadlines by hop and caps them at 15 s (SPEC §5.3, §5.4)', () => {
    const [entry] = testNodes(1)
    assert.ok(entry)
    const origin = startOriginBuild(originOptions([entry, ...testNodes(1)]))
    const step = entry.build.onCreate(origin.cell, 'client', 1000)
    assert.equal(step.type, 'extend')
    assert.equal(step.deadlineAtMs, 1000 + (DEADLINES_MS[0] ?? 0))
  })

  it('reports under its own authentication that the next hop was not reached', () => {
    const nodes = testNodes(3)
    const [entry, middle] = nodes
    assert.ok(entry && middle)
    const origin = startOriginBuild(originOptions(nodes))
    const first = entry.build.onCreate(origin.cell, 'client', 0)
    assert.equal(first.type, 'extend')
    const second = middle.build.onCreate(first.cell, 'node', 0)
    assert.equal(second.type, 'extend')
    const answer = first.onNextCreated(second.onNextFailed(CLOSE_REASON.TIMEOUT).cell)
    assert.equal(answer.type, 'ready')
    const result = origin.onCreated(answer.cell)
    assert.deepEqual(result, {
      type: 'failed',
      hopIndex: 2,
      reportedBy: 1,
      reason: CLOSE_REASON.TIMEOUT,
      descriptor: undefined,
    })
  })

  it('brings the current descriptor of a hop whose key the client has stale (SPEC §5.4)', () => {
    for (const stale of [0, 1, 2]) {
      const nodes = testNodes(3)
      const options = originOptions(nodes)
      const hops = options.hops.map((hop, index) =>
        index === stale
          ? { ...hop, onionKey: testNode(700).onionKeys.current().pair.publicKey }
          : hop,
      )
      const { result } = attempt(nodes, { hops })
      assert.equal(result.type, 'failed')
      assert.equal(result.hopIndex, stale)
      assert.equal(result.reason, CLOSE_REASON.STALE_KEY)
      assert.deepEqual(result.descriptor, DESCRIPTOR)
    }
  })

  it('refuses a repeated message 1, also in another cell (SPEC §5.2)', () => {
    const [node] = testNodes(1)
    assert.ok(node)
    const origin = startOriginBuild(originOptions([node]))
    assert.equal(node.build.onCreate(origin.cell.slice(), 'client', 0).type, 'ready')
    const again = node.build.onCreate(origin.cell.slice(), 'client', 0)
    assert.equal(again.type, 'refused')
    assert.equal(again.reason, CLOSE_REASON.PROTOCOL)
  })

  it('takes position 1 from clients only, 2 and 3 from nodes only (SPEC §5.2)', () => {
    const nodes = testNodes(2)
    const [entry, exit] = nodes
    assert.ok(entry && exit)
    const origin = startOriginBuild(originOptions(nodes))
    assert.equal(entry.build.onCreate(origin.cell.slice(), 'node', 0).type, 'refused')
    const step = entry.build.onCreate(origin.cell.slice(), 'client', 0)
    assert.equal(step.type, 'extend')
    assert.equal(exit.build.onCreate(step.cell.slice(), 'client', 0).type, 'refused')
    assert.equal(exit.build.onCreate(step.cell.slice(), 'node', 0).type, 'ready')
  })

  it('refuses to extend to itself', () => {
    const [node] = testNodes(1)
    assert.ok(node)
    const { result, answers } = attempt([node, node])
    assert.equal(answers[0]?.type, 'refused')
    assert.equal(result.type, 'failed')
    assert.equal(result.reason, CLOSE_REASON.PROTOCOL)
  })

  it('says no more than a reason when the extension fails with STALE_KEY and no descriptor', () => {
    const nodes = testNodes(2)
    const origin = startOriginBuild(originOptions(nodes))
    const step = nodes[0]?.build.onCreate(origin.cell, 'client', 0)
    assert.equal(step?.type, 'extend')
    const answer = step.onNextFailed(CLOSE_REASON.STALE_KEY)
    assert.equal(answer.type, 'refused')
    assert.equal(origin.onCreated(answer.cell).type, 'failed')
  })

  it('answers a key after its 24 h with STALE_KEY, and the next one in between (SPEC §2)', () => {
    const [node] = testNodes(1)
    assert.ok(node)
    const hour = 3_600_000
    const old = originOptions([node])
    assert.equal(node.onionKeys.rotate(12 * hour - 1), false)
    assert.equal(node.onionKeys.rotate(12 * hour), true)
    assert.equal(node.onionKeys.nextRotationAtMs(), 24 * hour)
    assert.equal(node.onionKeys.rotate(24 * hour - 1), false)
    const accepted = node.build.onCreate(startOriginBuild(old).cell, 'client', 24 * hour - 1)
    assert.equal(accepted.type, 'ready')
    assert.equal(node.onionKeys.rotate(24 * hour), true)
    const stale = node.build.onCreate(startOriginBuild(old).cell, 'client', 24 * hour)
    assert.equal(stale.type, 'refused')
    assert.equal(stale.reason, CLOSE_REASON.STALE_KEY)
    const fresh = startOriginBuild(originOptions([node]))
    assert.equal(node.build.onCreate(fresh.cell, 'client', 24 * hour).type, 'ready')
  })

  it('tells two circuits apart', () => {
    const nodes = testNodes(2)
    const one = buildCircuit(nodes)
    const options = originOptions(nodes, { randomBytes: (count) => new Uint8Array(count).fill(3) })
    const two = buildCircuit(nodes, options)
    assert.notDeepEqual(one.last.handshakeHash, two.last.handshakeHash)
  })
})
