/** A client's end of control circuits to a live node: a circuit of one hop over a real link, and the node's own descriptor to build it by. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createLegLink, dialLink, unpackDirectory } from '@byway/net'
import type { NetLink } from '@byway/net'
import {
  createControlClient,
  createOriginLayers,
  createOriginLeg,
  startOriginBuild,
} from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  bodyOf,
  COMMAND,
  commandOf,
  decodeDescriptor,
  LINK_MESSAGE,
  readDestroyBody,
  readKind,
} from '@byway/protocol/wire'
import type {
  ClientPayMessage,
  CloseReason,
  PayKind,
  PayMessage,
  Descriptor,
} from '@byway/protocol/wire'
import type { LiveNode } from './live-node.ts'

type Of<K extends PayKind> = Extract<PayMessage, { readonly kind: K }>

export type ControlCircuit = {
  destroyed: CloseReason | undefined
  send(...pays: readonly ClientPayMessage[]): void
  /** Sends a finished cell as it is. */
  sendCell(cell: Uint8Array): void
  seal(cell: Uint8Array, sizeClass: 0 | 1 | 2): void
  /** The next message of a kind; each is given once. Undefined when the circuit was destroyed. */
  next<K extends PayKind>(kind: K): Promise<Of<K> | undefined>
}

export type ControlLink = AsyncDisposable & {
  readonly link: NetLink
  readonly descriptor: Descriptor
  open(): Promise<ControlCircuit>
}

/** Dials a node, asks it for its descriptor, and opens circuits that end at it. */
export async function connectControl({ node }: LiveNode): Promise<ControlLink> {
  const { nodeId, listen } = node
  assert.ok(listen)
  const link = await dialLink({ crypto: nodeCrypto }, { ...listen, nodeId })
  const circuits = new Map<number, (cell: Uint8Array) => void>()
  const got = Promise.withResolvers<Descriptor>()
  link.handler = {
    onCell: (id, cell) => circuits.get(id)?.(cell),
    onMessage(message) {
      if (message.type !== LINK_MESSAGE.DIRECTORY_PART) return
      const [bytes] = unpackDirectory(message.block) ?? []
      if (bytes) got.resolve(decodeDescriptor(bytes).descriptor)
    },
    onClose: () => got.reject(new Error('the link closed')),
  }
  link.send({ type: LINK_MESSAGE.DIRECTORY_GET, requestId: 1, sinceS: 0 })
  const descriptor = await got.promise
  return {
    link,
    descriptor,
    open: () => openCircuit(link, circuits, descriptor),
    async [Symbol.asyncDispose]() {
      link.close('local')
      await Promise.resolve()
    },
  }
}

async function openCircuit(
  link: NetLink,
  circuits: Map<number, (cell: Uint8Array) => void>,
  { nodeId, onionKey }: Descriptor,
): Promise<ControlCircuit> {
  const id = link.allocateCircuitId()
  const queue = link.openQueue(id)
  const created = Promise.withResolvers<Uint8Array>()
  circuits.set(id, created.resolve)
  const origin = startOriginBuild({
    provider: nodeCrypto,
    randomBytes,
    hops: [{ nodeId, onionKey }],
  })
  link.push(queue, origin.cell)
  const built = origin.onCreated(await created.promise)
  assert.ok(built.type === 'ready')
  const [hop] = built.hops
  assert.ok(hop)
  const layers = createOriginLayers({ provider: nodeCrypto, hops: built.hops, entryLayer: false })
  const leg = createOriginLeg(layers, {
    handshakeHash: hop.handshakeHash,
    tunnelSecret: hop.keys.tunnelSecret,
    link: createLegLink({ link, queue, onRoom: () => {} }),
    randomBytes,
  })
  const pays: PayMessage[] = []
  let wake: () => void = () => {}
  const client = createControlClient(leg, {
    onPay(pay) {
      pays.push(pay)
      wake()
      return true
    },
    onDraining() {},
  })
  const circuit: ControlCircuit = {
    destroyed: undefined,
    send(...messages) {
      for (const pay of messages) assert.ok(client.pay(pay))
      client.pump()
    },
    sendCell: (cell) => link.push(queue, cell),
    seal: (cell, sizeClass) => leg.layers.seal(cell, sizeClass),
    async next<K extends PayKind>(kind: K): Promise<Of<K> | undefined> {
      for (;;) {
        const at = pays.findIndex((pay) => pay.kind === kind)
        if (at >= 0) return pays.splice(at, 1)[0] as Of<K>
        if (circuit.destroyed !== undefined) return undefined
        await new Promise<void>((resolve) => (wake = resolve))
      }
    },
  }
  circuits.set(id, (cell) => {
    if (commandOf(readKind(cell)) === COMMAND.DESTROY)
      circuit.destroyed = readDestroyBody(bodyOf(cell))
    else assert.ok(client.onCell(cell))
    wake()
  })
  return circuit
}
