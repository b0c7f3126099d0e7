/**
 * A client that speaks by hand: over `dialLink` where the link itself is lawful, over raw TLS where it is not. It takes no care of credit, windows or
 * acknowledgements unless a test does.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { TcpSocketConnectOpts } from 'node:net'
import { dialLink, unpackDirectory } from '@byway/net'
import type { NetLink } from '@byway/net'
import { createOriginLayers, startOriginBuild } from '@byway/protocol/circuit'
import type { HopSpec, OriginBuildResult, OriginLayers } from '@byway/protocol/circuit'
import { pathToken } from '@byway/protocol/crypto'
import type { LinkCloseReason } from '@byway/protocol/link'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  appendHopMessage,
  bodyOf,
  CELL_HEADER_BYTES,
  cellBytesOfClass,
  COMMAND,
  commandOf,
  decodeDescriptor,
  decodeHopMessage,
  encodeClientGreeting,
  isSequencedType,
  LINK_MESSAGE,
  LINK_PROOF_BYTES,
  MessageListWriter,
  messagesIn,
  readDestroyBody,
  readKind,
  SIZE_CLASS,
} from '@byway/protocol/wire'
import type { CloseReason, HopMessage, SizeClass } from '@byway/protocol/wire'
import { within } from './until.ts'

/** Where a node is. */
export type Listening = {
  readonly nodeId: Uint8Array
  readonly listen: { readonly host: string; readonly port: number } | undefined
}

/** One circuit as raw hands hold it. */
export interface RawCircuit {
  /** Cells that came and nobody took. */
  readonly cells: Uint8Array[]
  /** Why the other side destroyed it. */
  readonly destroyed: CloseReason | undefined
  /** Pushes a cell as it is; its kind is the caller's. */
  push(cell: Uint8Array): void
  next(): Promise<Uint8Array>
}

/** A link as a client that proves nothing has it. */
export interface RawLink {
  readonly link: NetLink
  readonly closedBy: LinkCloseReason | undefined
  circuit(): RawCircuit
  /** Fetches the directory: hops by node id in hex. */
  hops(): Promise<ReadonlyMap<string, HopSpec>>
}

/** Dials a node as a client. @param localAddress - from where; limits count by address */
export async function dialRaw(
  { nodeId, listen }: Listening,
  localAddress = '127.0.0.1',
): Promise<RawLink> {
  if (!listen) throw new Error('the node listens nowhere')
  const link = await dialLink({ crypto: nodeCrypto }, { ...listen, nodeId, localAddress })
  const sinks = new Map<number, (cell: Uint8Array) => void>()
  const known = new Map<string, HopSpec>()
  const complete = Promise.withResolvers<ReadonlyMap<string, HopSpec>>()
  let closedBy: LinkCloseReason | undefined
  link.handler = {
    onCell: (id, cell) => sinks.get(id)?.(cell),
    onMessage(message) {
      if (message.type !== LINK_MESSAGE.DIRECTORY_PART) return
      for (const bytes of unpackDirectory(message.block) ?? []) {
        const { nodeId: id, onionKey } = decodeDescriptor(bytes).descriptor
        known.set(Buffer.from(id).toString('hex'), { nodeId: id, onionKey })
      }
      if (message.last) complete.resolve(known)
    },
    onClose: (reason) => (closedBy = reason),
  }
  return {
    link,
    get closedBy() {
      return closedBy
    },
    circuit: () => openCircuit(link, sinks),
    async hops() {
      link.send({ type: LINK_MESSAGE.DIRECTORY_GET, requestId: 1, sinceS: 0 })
      return await within('the directory', complete.promise)
    },
  }
}

function openCircuit(link: NetLink, sinks: Map<number, (cell: Uint8Array) => void>): RawCircuit {
  const id = link.allocateCircuitId()
  const queue = link.openQueue(id)
  const cells: Uint8Array[] = []
  const waiters: ((cell: Uint8Array) => void)[] = []
  let destroyed: CloseReason | undefined
  sinks.set(id, (cell) => {
    if (commandOf(readKind(cell)) === COMMAND.DESTROY) destroyed = readDestroyBody(bodyOf(cell))
    const waiter = waiters.shift()
    if (waiter) waiter(cell)
    else cells.push(cell)
  })
  return {
    cells,
    get destroyed() {
      return destroyed
    },
    push: (cell) => link.push(queue, cell),
    async next() {
      const waiting = cells.shift()
      if (waiting) return waiting
      const { promise, resolve } = Promise.withResolvers<Uint8Array>()
      waiters.push(resolve)
      return await within('a cell of the circuit', promise)
    },
  }
}

/** Builds a circuit through these hops. */
export async function buildRaw(
  raw: RawLink,
  hops: readonly HopSpec[],
): Promise<{ readonly circuit: RawCircuit; readonly result: OriginBuildResult }> {
  const circuit = raw.circuit()
  const build = startOriginBuild({ provider: nodeCrypto, randomBytes, hops })
  circuit.push(build.cell)
  return { circuit, result: build.onCreated(await circuit.next()) }
}

/** Speaks to the last hop of a circuit. */
export interface RawTunnel {
  readonly circuit: RawCircuit
  readonly layers: OriginLayers
  send(...messages: readonly HopMessage[]): void
  sendRaw(list: Uint8Array, sizeClass?: SizeClass): void
  /** The next sequenced message of the exit; what else it sends is passed over. */
  nextSequenced(): Promise<HopMessage>
}

/** Builds a circuit and gives its far end. */
export async function openRawTunnel(raw: RawLink, hops: readonly HopSpec[]): Promise<RawTunnel> {
  const { circuit, result } = await buildRaw(raw, hops)
  if (result.type !== 'ready') throw new Error(`the circuit failed with ${result.reason}`)
  const layers = createOriginLayers({ provider: nodeCrypto, hops: result.hops, entryLayer: false })
  const last = result.hops.length - 1
  const sendCell = (fill: (region: Uint8Array) => void, sizeClass: SizeClass): void => {
    const cell = new Uint8Array(cellBytesOfClass(sizeClass))
    fill(cell.subarray(CELL_HEADER_BYTES, CELL_HEADER_BYTES + layers.listBytes(last, sizeClass)))
    layers.seal(cell, last, sizeClass)
    circuit.push(cell)
  }
  const arrived: HopMessage[] = []
  return {
    circuit,
    layers,
    async nextSequenced() {
      for (;;) {
        const message = arrived.shift()
        if (message) return message
        const list = layers.open(await circuit.next())
        if (!list) throw new Error('what came does not open')
        for (const { type, body } of messagesIn(list))
          if (isSequencedType(type)) arrived.push(decodeHopMessage(type, body))
      }
    },
    send(...messages) {
      sendCell((region) => {
        const list = new MessageListWriter().reset(region)
        for (const message of messages) appendHopMessage(list, message)
        list.finish()
      }, SIZE_CLASS.MEDIUM)
    },
    sendRaw: (list, sizeClass = SIZE_CLASS.MEDIUM) =>
      sendCell((region) => region.set(list.subarray(0, region.length)), sizeClass),
  }
}

/** TLS, upgrade and greeting by hand, from an address of the loopback that the test chooses; afterwards bytes go as they are. */
export async function openRawBytes(
  { nodeId, listen }: Listening,
  localAddress: string,
): Promise<TLSSocket> {
  const options: ConnectionOptions & TcpSocketConnectOpts = {
    host: listen?.host ?? '',
    port: listen?.port ?? 0,
    localAddress,
    rejectUnauthorized: false,
    servername: '',
    ALPNProtocols: ['http/1.1'],
  }
  const socket = connect(options)
  socket.on('error', () => {})
  await within('TLS', once(socket, 'secureConnect'))
  const label = 'EXPORTER-byway-link-v1'
  const exporter = Uint8Array.from(socket.exportKeyingMaterial(32, label, Buffer.alloc(0)))
  const token = pathToken(nodeCrypto, nodeId, exporter)
  socket.write(
    `GET /${token} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  )
  let bytes = 0
  const greeted = Promise.withResolvers<void>()
  const onData = (chunk: Buffer): void => {
    bytes += chunk.length
    if (bytes > LINK_PROOF_BYTES) greeted.resolve()
  }
  socket.on('data', onData)
  await within('the greeting', greeted.promise)
  socket.off('data', onData)
  socket.write(encodeClientGreeting())
  return socket
}
