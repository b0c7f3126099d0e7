/** Three relays and a client joined by links in memory: cells are really sealed and opened, and arrive in a later turn. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  createHopBuild,
  createOnionKeys,
  createOriginLayers,
  startOriginBuild,
} from '@byway/protocol/circuit'
import type { HopSpec, OriginBuildResult, OriginLayers } from '@byway/protocol/circuit'
import type { Link, LinkPeer } from '@byway/protocol/link'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CELL_HEADER_BYTES, cellBytesOfClass, CLOSE_REASON, SIZE_CLASS } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import { createMemoryLinkPair } from '@byway/net'
import { createRelay } from '../../src/relay/relay.ts'
import type { Relay } from '../../src/relay/relay.ts'
import type { RelayMoney, TerminalCircuit } from '../../src/relay/ports.ts'

export type TestNode = {
  readonly spec: HopSpec
  readonly relay: Relay
  readonly neighbours: Map<string, Link | CloseReason>
  readonly terminals: TerminalCircuit[]
  /** Cells that reached the circuits ending here. */
  readonly cells: Uint8Array[]
  readonly closed: CloseReason[]
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function makeNode(money: RelayMoney | undefined): TestNode {
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
    money,
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    refuses: () => undefined,
    seenPlaceOf: () => ({ country: '', asn: 0 }),
    onCircuitClosed: () => {},
  })
  const onionKey = onionKeys.current().pair.publicKey
  return { spec: { nodeId, onionKey }, relay, neighbours, terminals, cells, closed }
}

function serve(node: TestNode, link: Link, address = ''): void {
  const port = node.relay.attach(link, address)
  link.handler = {
    onCell: (id, cell, nowMs) => port.onCell(id, cell, nowMs),
    onMessage: () => {},
    onClose: (reason) => port.onLinkClosed(reason),
  }
}

export type TestChain = {
  readonly nodes: readonly [TestNode, TestNode, TestNode]
  readonly client: Link
}

/** client → a → b → c, all in memory. @param moneyOf - payment of each node */
export function makeChain(
  moneyOf: (hop: number) => RelayMoney | undefined = () => undefined,
): TestChain {
  const nodes = [makeNode(moneyOf(0)), makeNode(moneyOf(1)), makeNode(moneyOf(2))] as const
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
  return { nodes, client }
}

/** Joins one more client to a node, at an address. */
export function joinClient(node: TestNode, address: string): Link {
  const [client, entry] = pair({ role: 'client' }, { role: 'node', nodeId: node.spec.nodeId })
  serve(node, entry, address)
  return client
}

function pair(
  dialler: LinkPeer,
  listener: Extract<LinkPeer, { role: 'node' }>,
): readonly [Link, Link] {
  const links = createMemoryLinkPair({ dialler, listenerNodeId: listener.nodeId })
  return [links.dialler, links.listener]
}

export type TestCircuit = {
  readonly send: (cell: Uint8Array) => void
  next(): Promise<Uint8Array>
}

/** Sends cells of one circuit from the client's side and lets the test wait for what comes back. */
export function openCircuit(link: Link): TestCircuit {
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

export async function build(
  link: Link,
  hops: readonly HopSpec[],
): Promise<{ readonly circuit: TestCircuit; readonly result: OriginBuildResult }> {
  const circuit = openCircuit(link)
  const origin = startOriginBuild({ provider: nodeCrypto, randomBytes, hops })
  circuit.send(origin.cell)
  const result: OriginBuildResult = origin.onCreated(await circuit.next())
  return { circuit, result }
}

export type ReadyCircuit = {
  readonly circuit: TestCircuit
  readonly layers: OriginLayers
  /** A small cell with this text for a hop. */
  readonly seal: (text: string, hop: number) => Uint8Array
}

export async function buildReady(link: Link, hops: readonly HopSpec[]): Promise<ReadyCircuit> {
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

/** Ends a wait that would never end. */
const HANG_MS = 60_000

export async function until(holds: () => boolean): Promise<void> {
  const endMs = performance.now() + HANG_MS
  while (!holds()) {
    assert.ok(performance.now() < endMs, 'gave up waiting')
    await new Promise(setImmediate)
  }
}
