import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import {
  createHopBuild,
  createHopLayers,
  createOnionKeys,
  createOriginLayers,
  destroyCell,
  startOriginBuild,
} from '@byway/protocol/circuit'
import type { HopSpec, OriginBuildResult } from '@byway/protocol/circuit'
import type { Link, LinkPeer } from '@byway/protocol/link'
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
import type { CloseReason } from '@byway/protocol/wire'
import { createMemoryLinkPair } from '@byway/net'
import { createRelay } from '../../src/relay/relay.ts'
import type { Relay } from '../../src/relay/relay.ts'
import type { TerminalCircuit } from '../../src/relay/ports.ts'

type TestNode = {
  readonly spec: HopSpec
  readonly relay: Relay
  readonly neighbours: Map<string, Link | CloseReason>
  readonly terminals: TerminalCircuit[]
  /** Cells that reached the circuits ending here. */
  readonly cells: Uint8Array[]
  readonly closed: CloseReason[]
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function makeNode(): TestNode {
  const nodeId = new Uint8Array(randomBytes(32))
  const onionKeys = createOnionKeys({ provider: nodeCrypto, nodeId, randomBytes }, Date.now())
  const neighbours = new Map<string, Link | CloseReason>()
  const terminals: TerminalCircuit[] = []
  const cells: Uint8Array[] = []
  const closed: CloseReason[] = []
  const relay = createRelay({
    provider: nodeCrypto,
    build: createHopBuild({
      provider: nodeCrypto,
      randomBytes,
      nodeId,
      onionKeys,
      descriptor: () => new Uint8Array(0),
      preferAes: true,
    }),
    nextHops: {
      linkTo: async (id) => Promise.resolve(neighbours.get(hex(id)) ?? CLOSE_REASON.UNKNOWN_NODE),
    },
    terminals: {
      accept(terminal) {
        terminals.push(terminal)
        return {
          onCell: (cell) => void cells.push(cell),
          onClose: (reason) => void closed.push(reason),
        }
      },
    },
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    refuses: () => undefined,
    onCircuitClosed: () => {},
  })
  const onionKey = onionKeys.current().pair.publicKey
  return { spec: { nodeId, onionKey }, relay, neighbours, terminals, cells, closed }
}

function serve(node: TestNode, link: Link): void {
  const port = node.relay.attach(link)
  link.handler = {
    onCell: (id, cell, nowMs) => port.onCell(id, cell, nowMs),
    onMessage: () => {},
    onClose: (reason) => port.onLinkClosed(reason),
  }
}

/** client → a → b → c, all in memory. */
function makeChain() {
  const nodes = [makeNode(), makeNode(), makeNode()] as const
  for (const [from, to] of [
    [nodes[0], nodes[1]],
    [nodes[1], nodes[2]],
  ] as const) {
    const [near, far] = pair(
      { role: 'node', nodeId: from.spec.nodeId },
      { role: 'node', nodeId: to.spec.nodeId },
    )
    serve(from, near)
    serve(to, far)
    from.neighbours.set(hex(to.spec.nodeId), near)
  }
  const [client, entry] = pair({ role: 'client' }, { role: 'node', nodeId: nodes[0].spec.nodeId })
  serve(nodes[0], entry)
  return { nodes, client, entry }
}

function pair(
  dialler: LinkPeer,
  listener: Extract<LinkPeer, { role: 'node' }>,
): readonly [Link, Link] {
  const links = createMemoryLinkPair({ dialler, listenerNodeId: listener.nodeId })
  return [links.dialler, links.listener]
}

/** Sends cells of one circuit from the client's side and lets the test wait for what comes back. */
function openCircuit(link: Link) {
  const received: Uint8Array[] = []
  const waiters: ((cell: Uint8Array) => void)[] = []
  const circuitId = link.allocateCircuitId()
  const queue = link.openQueue(circuitId)
  link.handler = {
    onCell(_id, cell) {
      const waiter = waiters.shift()
      if (waiter) waiter(cell)
      else received.push(cell)
    },
    onMessage: () => {},
    onClose: () => {},
  }
  return {
    send: (cell: Uint8Array) => link.push(queue, cell),
    async next(): Promise<Uint8Array> {
      const waiting = received.shift()
      if (waiting) return waiting
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      waiters.push(resolve)
      return promise
    },
  }
}

async function build(link: Link, hops: readonly HopSpec[]) {
  const circuit = openCircuit(link)
  const origin = startOriginBuild({ provider: nodeCrypto, randomBytes, hops })
  circuit.send(origin.cell)
  const result: OriginBuildResult = origin.onCreated(await circuit.next())
  return { circuit, result }
}

async function buildReady(link: Link, hops: readonly HopSpec[]) {
  const { circuit, result } = await build(link, hops)
  assert.equal(result.type, 'ready')
  assert.ok(result.type === 'ready')
  const layers = createOriginLayers({ provider: nodeCrypto, hops: result.hops, entryLayer: false })
  const seal = (text: string, hop: number): Uint8Array => {
    const cell = new Uint8Array(cellBytesOfClass(SIZE_CLASS.SMALL))
    cell.set(Buffer.from(text), CELL_HEADER_BYTES)
    layers.seal(cell, hop, SIZE_CLASS.SMALL)
    return cell
  }
  return { circuit, layers, seal }
}

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    assert.ok(turn < 10_000, 'gave up waiting')
    await new Promise(setImmediate)
  }
}

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
  for (let i = 0; i < 95; i++) {
    const { result } = await build(client, [nodes[0].spec])
    reasons.push(result.type === 'failed' ? result.reason : 0)
  }
  assert.ok(reasons.slice(0, 90).every((reason) => reason === 0))
  assert.equal(reasons.at(-1), CLOSE_REASON.RESOURCE_LIMIT)
})
