import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { createdCell, createHopBuild, createOnionKeys, destroyCell } from '@byway/protocol/circuit'
import type { HopSpec } from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CLOSE_REASON } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import { buildCircuit } from '../../src/engine/build-circuit.ts'
import { createClientLink } from '../../src/engine/client-link.ts'
import { createFakeLink } from './fake-link.ts'
import { createHandTimers, settle } from './hand-timers.ts'
import { NOW_MS, signedNode } from './signed-nodes.ts'

const NEVER = new AbortController().signal
const DESCRIPTOR = signedNode(1)

/** A guard that ends circuits itself, and answers as `answer` says. `fresh` is what its returned descriptor holds. */
function world() {
  const nodeId = new Uint8Array(randomBytes(32))
  const keys = createOnionKeys({ provider: nodeCrypto, nodeId, randomBytes }, NOW_MS)
  const hop = createHopBuild({
    provider: nodeCrypto,
    randomBytes,
    nodeId,
    onionKeys: keys,
    descriptor: () => DESCRIPTOR,
    preferAes: true,
  })
  const timers = createHandTimers()
  const link = createFakeLink(nodeId)
  const clientLink = createClientLink(link, nodeId)
  const deliver = (circuitId: number, cell: Uint8Array): void =>
    link.handler.onCell(circuitId, cell, 0)
  const answer = (circuitId: number, cell: Uint8Array): void => {
    const step = hop.onCreate(cell.slice(), 'client', NOW_MS)
    if (step.type !== 'extend') deliver(circuitId, step.cell)
  }
  link.onPush = (circuitId, cell) => queueMicrotask(() => answer(circuitId, cell))
  const spec: HopSpec = { nodeId, onionKey: keys.current().pair.publicKey }
  const offered: Uint8Array[] = []
  const control: { fresh: HopSpec | undefined } = { fresh: undefined }
  const hopFromDescriptor = (bytes: Uint8Array): HopSpec | undefined => {
    offered.push(bytes)
    return control.fresh
  }
  const build = (hops: readonly HopSpec[], signal = NEVER) =>
    buildCircuit(
      { provider: nodeCrypto, randomBytes, hopFromDescriptor, timers },
      clientLink,
      hops,
      {
        entryLayer: false,
        signal,
      },
    )
  return { link, clientLink, spec, build, deliver, answer, timers, control, offered }
}

async function built(w: ReturnType<typeof world>) {
  const circuit = await w.build([w.spec])
  assert.ok(!('type' in circuit), 'the circuit is ready')
  return circuit
}

suite('building a circuit (SPEC §5)', () => {
  test('is one CREATE and one CREATED', async () => {
    const w = world()
    const circuit = await built(w)
    assert.equal(w.link.cells.length, 1)
    assert.equal(circuit.hops.length, 1)
    assert.equal(w.clientLink.circuitCount, 1)
    assert.deepEqual(w.timers.waiting(), [])
    circuit.destroy(CLOSE_REASON.FINISHED)
    assert.equal(w.clientLink.circuitCount, 0)
    assert.equal(w.link.cells.length, 2, 'DESTROY goes out')
  })

  test('hands over what came before the first user, in order, once', async () => {
    const w = world()
    const circuit = await built(w)
    const last = destroyCell(CLOSE_REASON.DRAINING)
    w.deliver(circuit.circuitId, new Uint8Array(1024))
    w.deliver(circuit.circuitId, last)
    const heard: number[] = []
    const sink = { onCell: (cell: Uint8Array) => void heard.push(cell.length), onLinkClosed() {} }
    circuit.setSink(sink)
    circuit.setSink(sink)
    assert.deepEqual(heard, [1024, last.length])
  })

  const refusal = (reason: CloseReason): Uint8Array =>
    createdCell({ result: 'failed', reason, descriptor: undefined })
  for (const [name, cell, reason] of [
    ['a refusal', refusal(CLOSE_REASON.RESOURCE_LIMIT), CLOSE_REASON.RESOURCE_LIMIT],
    ['a DESTROY', destroyCell(CLOSE_REASON.DRAINING), CLOSE_REASON.DRAINING],
    ['a cell of another kind', new Uint8Array(1024), CLOSE_REASON.PROTOCOL],
  ] as const) {
    test(`fails with the reason when the answer is ${name}`, async () => {
      const w = world()
      w.link.onPush = (id) => queueMicrotask(() => w.deliver(id, cell))
      const result = await w.build([w.spec])
      assert.ok('type' in result)
      assert.equal(result.reason, reason)
      assert.equal(w.clientLink.circuitCount, 0)
    })
  }

  test('fails when the guard does not answer within twelve seconds', async () => {
    const w = world()
    w.link.onPush = () => {}
    const building = w.build([w.spec])
    await w.timers.pass(11_999)
    assert.equal(w.clientLink.circuitCount, 1)
    await w.timers.pass(1)
    const result = await building
    assert.ok('type' in result)
    assert.equal(result.reason, CLOSE_REASON.TIMEOUT)
    assert.equal(w.clientLink.circuitCount, 0)
  })

  test('fails when the link closes meanwhile, or was closed before', async () => {
    const w = world()
    w.link.onPush = () => {}
    const building = w.build([w.spec])
    w.link.close('io')
    for (const result of [await building, await w.build([w.spec])]) {
      assert.ok('type' in result)
      assert.equal(result.reason, CLOSE_REASON.LINK_CLOSED)
    }
    assert.deepEqual(w.timers.waiting(), [])
  })

  test('is given up with the caller, and DESTROY follows the CREATE', async () => {
    const w = world()
    w.link.onPush = () => {}
    const caller = new AbortController()
    const building = w.build([w.spec], caller.signal)
    caller.abort(new Error('gone'))
    await assert.rejects(building, { message: 'gone' })
    assert.equal(w.link.cells.length, 2)
    assert.equal(w.clientLink.circuitCount, 0)
    await assert.rejects(w.build([w.spec], AbortSignal.abort(new Error('before'))), {
      message: 'before',
    })
    await settle()
    assert.equal(w.link.cells.length, 2)
  })
})

suite('a stale onion key (SPEC §5.4)', () => {
  const stale = (w: ReturnType<typeof world>): HopSpec => ({
    nodeId: w.spec.nodeId,
    onionKey: nodeCrypto.x25519KeyPair(new Uint8Array(randomBytes(32))).publicKey,
  })

  test('is tried once more with the key of the descriptor that came back', async () => {
    const w = world()
    w.control.fresh = w.spec
    const result = await w.build([stale(w)])
    assert.ok(!('type' in result), 'the circuit is ready')
    assert.deepEqual(
      w.offered.map((bytes) => [...bytes]),
      [[...DESCRIPTOR]],
    )
  })

  test('is not tried a third time', async () => {
    const w = world()
    w.control.fresh = stale(w)
    const result = await w.build([stale(w)])
    assert.ok('type' in result)
    assert.equal(result.reason, CLOSE_REASON.STALE_KEY)
    assert.equal(w.offered.length, 1)
  })

  test("is a failure when the descriptor is not that node's", async () => {
    const w = world()
    const result = await w.build([stale(w)])
    assert.ok('type' in result)
    assert.equal(result.reason, CLOSE_REASON.STALE_KEY)
  })
})
