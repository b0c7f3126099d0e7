import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createHopLayers, destroyCell, startOriginBuild } from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  bodyOf,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  CLOSE_REASON,
  COMMAND,
  commandOf,
  decodeHopMessage,
  HOP_MESSAGE,
  messagesIn,
  readDestroyBody,
  readKind,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import { build, buildReady, hex, joinClient, makeChain, openCircuit, until } from './relay-chain.ts'

for (const count of [1, 2, 3]) {
  test(`builds a circuit of ${count} hops in one pass and carries cells both ways (SPEC §5, §6)`, async () => {
    const { nodes, client } = makeChain()
    const hops = nodes.slice(0, count).map(({ spec }) => spec)
    const { circuit, layers, seal } = await buildReady(client, hops)
    const last = nodes[count - 1]
    circuit.send(seal('to the exit', count - 1))
    await until(() => last?.cells.length === 1)
    const terminal = last?.terminals[0]
    assert.ok(terminal)
    const answer = new Uint8Array(cellBytesOfClass(SIZE_CLASS.LARGE))
    answer.set(Buffer.from('to the client'), CELL_HEADER_BYTES)
    createHopLayers({ provider: nodeCrypto, ...terminal.circuit }).sealOwn(answer, SIZE_CLASS.LARGE)
    terminal.push(answer)
    const list = layers.open(await circuit.next())
    assert.equal(list && Buffer.from(list.subarray(0, 13)).toString(), 'to the client')
  })
}

test('counts what a circuit carries at its client-facing side, headers and padding included', async () => {
  const { nodes, client } = makeChain()
  const { circuit, seal } = await buildReady(
    client,
    nodes.map(({ spec }) => spec),
  )
  for (let i = 0; i < 5; i++) circuit.send(seal('x', 2))
  await until(() => nodes[2].cells.length === 5)
  for (const { relay } of nodes) {
    const [only] = relay.circuits
    assert.equal(only?.forwardBytes, 5 * 1024)
  }
})

const unreachable = [
  CLOSE_REASON.UNKNOWN_NODE,
  CLOSE_REASON.NOT_ATTACHED,
  CLOSE_REASON.CONNECT_FAILED,
] as const
for (const reason of unreachable) {
  test(`names the hop that could not be reached, with reason ${reason} (SPEC §5.4)`, async () => {
    const { nodes, client } = makeChain()
    nodes[1].neighbours.set(hex(nodes[2].spec.nodeId), reason)
    const { circuit, result } = await build(
      client,
      nodes.map(({ spec }) => spec),
    )
    assert.ok(result.type === 'failed')
    assert.deepEqual([result.hopIndex, result.reason], [2, reason])
    assert.equal(nodes[1].relay.circuits.size, 0)
    // The entry cannot see a failure that is sealed for the client: the client ends the circuit there.
    circuit.send(destroyCell(CLOSE_REASON.FINISHED))
    await until(() => nodes[0].relay.circuits.size === 0)
  })
}

test('refuses a CREATE for position 2 on a client link (SPEC §5.2)', async () => {
  const { nodes, client } = makeChain()
  const origin = startOriginBuild({ provider: nodeCrypto, randomBytes, hops: [nodes[0].spec] })
  origin.cell[CELL_HEADER_BYTES + 26] = 2
  const circuit = openCircuit(client)
  circuit.send(origin.cell)
  const result = origin.onCreated(await circuit.next())
  assert.ok(result.type === 'failed')
  assert.equal(result.reason, CLOSE_REASON.PROTOCOL)
})

test('a repeated CREATE is refused by the replay filter and costs no circuit (SPEC §5.2)', async () => {
  const { nodes, client } = makeChain()
  const origin = startOriginBuild({ provider: nodeCrypto, randomBytes, hops: [nodes[0].spec] })
  const copy = origin.cell.slice()
  const first = openCircuit(client)
  first.send(origin.cell)
  assert.equal(origin.onCreated(await first.next()).type, 'ready')
  const second = openCircuit(client)
  second.send(copy)
  const answer = await second.next()
  assert.equal(bodyOf(answer)[0], CLOSE_REASON.PROTOCOL)
  assert.equal(nodes[0].relay.circuits.size, 1)
})

test('a cell changed on its way destroys that circuit at the next hop, and no other (SPEC §6.2)', async () => {
  const { nodes, client } = makeChain()
  const hops = nodes.map(({ spec }) => spec)
  const other = await buildReady(client, hops)
  const broken = await buildReady(client, hops)
  const cell = broken.seal('x', 2)
  cell[500] = (cell[500] ?? 0) ^ 1
  broken.circuit.send(cell)
  const answer = await broken.circuit.next()
  assert.equal(commandOf(readKind(answer)), COMMAND.DESTROY)
  assert.equal(readDestroyBody(bodyOf(answer)), CLOSE_REASON.PROTOCOL)
  await until(() => nodes[2].closed.length === 1)
  other.circuit.send(other.seal('still here', 2))
  await until(() => nodes[2].cells.length === 1)
  for (const { relay } of nodes) assert.equal(relay.circuits.size, 1)
})

for (const hop of [0, 1]) {
  test(`hop ${hop} tells the client that it stops, and the circuit goes on (SPEC §7.1)`, async () => {
    const { nodes, client } = makeChain()
    const { circuit, layers, seal } = await buildReady(
      client,
      nodes.map(({ spec }) => spec),
    )
    const [relayed] = nodes[hop]?.relay.circuits ?? []
    relayed?.announceDrain(600)
    const list = layers.open(await circuit.next())
    assert.ok(list)
    assert.equal(layers.openedFrom, hop)
    const [message] = messagesIn(list)
    assert.ok(message)
    const drain = decodeHopMessage(message.type, message.body)
    assert.deepEqual(drain, { type: HOP_MESSAGE.DRAIN, seconds: 600 })
    circuit.send(seal('still there', 2))
    await until(() => nodes[2].cells.length === 1)
  })
}

test('a link that closes ends its circuits with LINK_CLOSED on both sides', async () => {
  const { nodes, client } = makeChain()
  const { circuit } = await buildReady(
    client,
    nodes.map(({ spec }) => spec),
  )
  const link = nodes[0].neighbours.get(hex(nodes[1].spec.nodeId))
  assert.ok(typeof link === 'object')
  link.close('local')
  const answer = await circuit.next()
  assert.equal(readDestroyBody(bodyOf(answer)), CLOSE_REASON.LINK_CLOSED)
  await until(() => nodes[2].closed.length === 1)
  assert.deepEqual(nodes[2].closed, [CLOSE_REASON.LINK_CLOSED])
})

test('opens at most 128 circuits for one client link and refuses more with RESOURCE_LIMIT (THREAT-MODEL T15)', async () => {
  const { nodes, client } = makeChain()
  const reasons: number[] = []
  // A burst of 90, then three a second: however slow this machine is, at the latest the 129th is refused.
  while (reasons.at(-1) !== CLOSE_REASON.RESOURCE_LIMIT && reasons.length <= 128) {
    const { result } = await build(client, [nodes[0].spec])
    reasons.push(result.type === 'failed' ? result.reason : 0)
  }
  assert.equal(reasons.pop(), CLOSE_REASON.RESOURCE_LIMIT)
  assert.ok(reasons.length >= 90 && reasons.every((reason) => reason === 0))
})

test('twenty links of one address open ninety circuits together, and another address its own (THREAT-MODEL T15)', async () => {
  const { nodes } = makeChain()
  const startedAtMs = performance.now()
  const links = Array.from({ length: 20 }, () => joinClient(nodes[0], '192.0.2.1'))
  let opened = 0
  for (const link of links) {
    for (let n = 0; n < 6; n++) {
      const { result } = await build(link, [nodes[0].spec])
      if (result.type === 'ready') opened++
    }
  }
  const earned = (3 * (performance.now() - startedAtMs)) / 1000
  assert.ok(opened >= 90 && opened <= 90 + earned, `opened ${opened}`)
  const { result } = await build(joinClient(nodes[0], '192.0.2.2'), [nodes[0].spec])
  assert.equal(result.type, 'ready')
})

test('a DESTROY behind its CREATE takes the handshake back (THREAT-MODEL T33)', async () => {
  const { nodes, client } = makeChain()
  const origin = startOriginBuild({ provider: nodeCrypto, randomBytes, hops: [nodes[0].spec] })
  const copy = origin.cell.slice()
  const given = openCircuit(client)
  given.send(origin.cell)
  given.send(destroyCell(CLOSE_REASON.FINISHED))
  // The same ephemeral is new to the hop, so that nothing was done for the first.
  const second = openCircuit(client)
  second.send(copy)
  assert.equal(origin.onCreated(await second.next()).type, 'ready')
  assert.equal(nodes[0].relay.circuits.size, 1)
})

test('a second CREATE on a circuit whose first waits ends that circuit', async () => {
  const { nodes, client } = makeChain()
  const cell = () =>
    startOriginBuild({ provider: nodeCrypto, randomBytes, hops: [nodes[0].spec] }).cell
  const circuit = openCircuit(client)
  circuit.send(cell())
  circuit.send(cell())
  assert.equal(readDestroyBody(bodyOf(await circuit.next())), CLOSE_REASON.PROTOCOL)
  assert.equal(nodes[0].relay.circuits.size, 0)
})
