/** A circuit in memory between a client's tunnel machine and the exit service: cells are really sealed and opened, and arrive a turn later. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  type ClientTunnel,
  createOriginLayers,
  createOriginLeg,
  type HopKeys,
  type Leg,
  type LegLink,
  preferredSizeClass,
} from '@byway/protocol/circuit'
import type { AeadKey } from '@byway/protocol/crypto'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { CellQueue, Link } from '@byway/protocol/link'
import { CLOSE_REASON, type CloseReason } from '@byway/protocol/wire'
import type { TerminalHandler, TerminalService } from '../../src/relay/ports.ts'

/** One circuit in memory. */
export type TestLeg = {
  readonly client: Leg
  readonly queue: { bytes: number }
  /** Why the exit destroyed it. */
  destroyed: CloseReason | undefined
  /** Why the exit did not take it. */
  refused: CloseReason | undefined
  /** A relay in between sends the exit a cell of its own making. */
  forge(cell: Uint8Array): void
  /** The relay is killed: nothing more passes, and the exit is told. */
  die(): void
}

/** What a leg joins. */
export type LegEnds = {
  readonly service: TerminalService
  readonly client: () => ClientTunnel
  /** The link that the exit sees it on. */
  readonly link: Link
  readonly nowMs: () => number
}

/** Opens a circuit; the exit has taken or refused it by the end. */
export function createMemoryLeg({ service, client, link, nowMs }: LegEnds): TestLeg {
  const key = (): AeadKey => nodeCrypto.aeadKey(randomBytes(32))
  const bind = randomBytes(32)
  const keys = { forward: key(), backward: key(), bind, tunnelSecret: randomBytes(32) }
  const hop: HopKeys = { suite: 'aes-256-gcm', keys, handshakeHash: randomBytes(32) }
  const layers = createOriginLayers({ provider: nodeCrypto, hops: [hop, hop], entryLayer: false })
  let isDead = false
  let handler: TerminalHandler | undefined
  const forward = createPipe((cell) => {
    if (!isDead) handler?.onCell(cell, nowMs())
  })
  const backward = createPipe((cell) => {
    if (isDead || client().leg !== leg.client) return
    const fault = client().onCell(leg.client, cell, nowMs())
    assert.equal(fault, undefined, 'the client found a fault')
  })
  forward.queue.onRoom = () => void client().pump(nowMs())
  const leg: TestLeg = {
    client: createOriginLeg(layers, {
      handshakeHash: hop.handshakeHash,
      tunnelSecret: keys.tunnelSecret,
      link: createQueueLink(forward.queue, (cell) => forward.push(cell)),
      randomBytes: (count) => randomBytes(count),
    }),
    queue: backward.queue,
    destroyed: undefined,
    refused: undefined,
    forge: (cell) => forward.push(cell),
    die() {
      isDead = true
      if (client().leg === leg.client) client().detachLeg()
      handler?.onClose(CLOSE_REASON.LINK_CLOSED)
    },
  }
  const accepted = service.accept(
    {
      circuit: { hop, position: 2, entryLayer: false, isLast: true },
      link,
      queue: backward.queue,
      carriedBytes: () => 0,
      push: (cell) => backward.push(cell),
      destroy(reason) {
        isDead = true
        leg.destroyed = reason
        if (client().leg === leg.client) client().detachLeg()
      },
    },
    nowMs(),
  )
  if (typeof accepted === 'number') leg.refused = accepted
  else handler = accepted
  return leg
}

/** A one-way link: cells arrive in order, a turn later. */
function createPipe(onCell: (cell: Uint8Array) => void): {
  readonly queue: CellQueue & { bytes: number }
  push(cell: Uint8Array): void
} {
  const cells: Uint8Array[] = []
  let lowWaterBytes: number | undefined
  const queue = {
    circuitId: 1,
    bytes: 0,
    length: 0,
    oldestAtMs: undefined,
    onRoom: undefined as (() => void) | undefined,
    wantRoom: (bytes: number) => void (lowWaterBytes = bytes),
  }
  let isScheduled = false
  const schedule = (): void => {
    if (isScheduled || cells.length === 0) return
    isScheduled = true
    setImmediate(deliver)
  }
  const deliver = (): void => {
    isScheduled = false
    for (const cell of cells.splice(0, 32)) {
      queue.bytes -= cell.length
      onCell(cell)
    }
    schedule()
    if (lowWaterBytes === undefined || queue.bytes > lowWaterBytes) return
    lowWaterBytes = undefined
    queue.onRoom?.()
  }
  return {
    queue,
    push(cell) {
      cells.push(cell)
      queue.bytes += cell.length
      schedule()
    },
  }
}

/** What the leg above sees of a queue; the exit's tests use it for both ends. */
export function createQueueLink(queue: CellQueue, push: (cell: Uint8Array) => void): LegLink {
  return {
    send: push,
    roomBytes() {
      const room = 262_144 - queue.bytes
      if (room <= 0) queue.wantRoom(131_072)
      return room
    },
    preferredClass: (waitingBytes) => preferredSizeClass(waitingBytes, 100_000),
  }
}
