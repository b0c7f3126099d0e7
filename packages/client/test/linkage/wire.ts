/** Circuits of three hops in memory, with real handshakes and layers; every cell is taken down at the hop that gets it, or from which it comes. */
import assert from 'node:assert/strict'
import { toHex } from '@byway/protocol/base'
import {
  createControlHop,
  createExitLeg,
  createHopLayers,
  createOriginLayers,
  type HopLayers,
  type Leg,
  type OriginLayers,
} from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { HopPayMessage } from '@byway/protocol/wire'
import { createLegLink } from '@byway/net'
import { attempt, type TestNode } from '../../../protocol/test/circuit/circuit-harness.ts'
import type { BuiltCircuit } from '../../src/engine/build-circuit.ts'
import type { CircuitSink } from '../../src/engine/client-link.ts'
import { type ControlCarrier, createControlCircuit } from '../../src/money/control-circuit.ts'
import { createFakeLink } from '../engine/fake-link.ts'
import type { CellBook } from './cell-book.ts'
import type { Place, Recorder } from './recorder.ts'

export type Path = {
  readonly client: number
  readonly nodes: readonly TestNode[]
  /** Where each hop's view belongs. */
  readonly places: readonly Place[]
  /** What it is for: names its cells. */
  readonly role: string
  readonly randomBytes: (count: number) => Uint8Array
}

export type Wire = {
  readonly origin: OriginLayers
  readonly layers: readonly HopLayers[]
  readonly built: Pick<BuiltCircuit, 'hops' | 'entryLayer'>
  /** Of the last hop. */
  readonly last: { readonly handshakeHash: Uint8Array; readonly tunnelSecret: Uint8Array }
  /** Takes down a cell where it is seen. */
  readonly note: (hop: number, way: string, cell: Uint8Array) => void
  /** Takes down a cell that its hop has opened. */
  readonly noteOpened: (hop: number, cell: Uint8Array) => void
}

/** Builds a circuit. */
export function buildWire(recorder: Recorder, path: Path): Wire {
  const { client, nodes, places, role, randomBytes } = path
  const note = (
    hop: number,
    way: string,
    cell: Uint8Array,
    books: readonly CellBook[] = booksOf(recorder, hop),
  ): void => {
    const name = `${role} ${way} at ${hop}`
    const seenBy = toHex(nodes[hop]?.nodeId ?? assert.fail())
    recorder.cell(client, places[hop] ?? assert.fail(), { name, hop: seenBy, books }, cell)
  }
  const numbers = nodes.map(numberOf)
  for (const [at, place] of places.entries()) {
    const [previous, hop, next] = [numbers[at - 1], numbers[at] ?? assert.fail(), numbers[at + 1]]
    recorder.stands(client, place, role, { hop, at, previous, next })
  }
  const { result, answers } = attempt(nodes, { randomBytes }, (cell, way, hop) => {
    // Built hop by hop, each has a cell of its own.
    note(hop, way, cell, [recorder.cells])
    return cell
  })
  assert.ok(result.type === 'ready')
  const { hops, entryLayer } = result
  const circuits = answers.map((answer) => {
    assert.ok(answer.type === 'ready')
    return answer.circuit
  })
  const last = hops.at(-1) ?? assert.fail()
  return {
    origin: createOriginLayers({ provider: nodeCrypto, hops, entryLayer }),
    layers: circuits.map(({ hop, position, entryLayer: layered }) =>
      createHopLayers({ provider: nodeCrypto, hop, position, entryLayer: layered }),
    ),
    built: { hops, entryLayer },
    last: { handshakeHash: last.handshakeHash, tunnelSecret: last.keys.tunnelSecret },
    note: (hop, way, cell) => note(hop, way, cell),
    noteOpened: (hop, cell) => note(hop, 'opened', cell, [recorder.opened]),
  }
}

/** The first bits of its id. */
function numberOf({ nodeId }: TestNode): number {
  return Buffer.from(nodeId).readUInt32BE()
}

/** A leg that tells what it opens: the cell, now in the clear, and the list in it. */
export function watchedLeg(leg: Leg, onOpened: (cell: Uint8Array, list: Uint8Array) => void): Leg {
  const { layers } = leg
  const open = (cell: Uint8Array): Uint8Array | undefined => {
    const list = layers.open(cell)
    if (list) onOpened(cell, list)
    return list
  }
  return { ...leg, layers: { ...layers, open, openedFromHop: undefined } }
}

/** Where a cell of a built circuit is compared. */
function booksOf({ cells, inner }: Recorder, hop: number): readonly CellBook[] {
  if (hop === 0) return [cells]
  return hop === 1 ? [inner] : [cells, inner]
}

/** A control circuit as the client builds it, over a wire whose last hop passes on what is said to a carrier. */
export function openControl(recorder: Recorder, path: Path, atHop: ControlCarrier): ControlCarrier {
  const wire = buildWire(recorder, path)
  const { randomBytes } = path
  const [link, back] = [createFakeLink(), createFakeLink()]
  let sink: CircuitSink | undefined
  const queue = back.openQueue(1)
  const exit = wire.layers.at(-1) ?? assert.fail()
  const last = wire.layers.length - 1
  const legLink = createLegLink({ link: back, queue, onRoom() {} })
  const leg = watchedLeg(
    createExitLeg(exit, { ...wire.last, link: legLink, randomBytes }),
    (cell) => wire.noteOpened(last, cell),
  )
  const hop = createControlHop(leg, {
    onPay(message) {
      atHop.send([message])
      return true
    },
  })
  link.onPush = (_id, cell) => {
    for (const [at, layer] of wire.layers.entries()) {
      wire.note(at, 'forward', cell)
      if (at === last) assert.ok(hop.onCell(cell))
      else assert.equal(layer.openForward(cell), 'pass')
    }
  }
  back.onPush = (_id, cell) => {
    for (let at = last; at >= 0; at--) {
      if (at !== last) wire.layers[at]?.sealBackward(cell)
      wire.note(at, 'backward', cell)
    }
    sink?.onCell(cell, 0)
  }
  atHop.listen({
    onPay(pay) {
      assert.ok(hop.pay(pay as HopPayMessage))
      hop.pump()
    },
    onClosed() {},
  })
  const none = undefined as unknown
  return createControlCircuit(
    { provider: nodeCrypto, randomBytes },
    {
      ...wire.built,
      clientLink: none as BuiltCircuit['clientLink'],
      link,
      queue: link.openQueue(1),
      circuitId: 1,
      buildMs: 0,
      seen: [],
      setSink: (next) => (sink = next),
      destroy: () => atHop.close(),
    },
  )
}
