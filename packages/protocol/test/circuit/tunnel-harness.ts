/**
 * A client and an exit joined by circuits in memory, in virtual time: every cell is really sealed, passed on by the relays in
 * between and opened. The network delivers in order; a test may meddle with cells or kill legs.
 */
import { nodeCrypto } from '@byway/protocol/node-crypto'
import {
  type CloseReason,
  type Endpoint,
  SIZE_CLASS,
  type SizeClass,
  type IpFamily,
  type PayMessage,
  type TunnelTerms,
} from '@byway/protocol/wire'
import { type ClientTunnel, createClientTunnel } from '../../src/circuit/client-tunnel.ts'
import {
  createExitTunnels,
  type ExitTunnel,
  type ExitTunnelDriver,
  type ExitTunnels,
} from '../../src/circuit/exit-tunnel.ts'
import { createExitLeg, createOriginLeg, type Leg, type LegLink } from '../../src/circuit/leg.ts'
import { takePayCell } from '../../src/circuit/pay-cells.ts'
import { createPayQueue } from '../../src/circuit/pay-queue.ts'
import type { ClientTunnelHandler, ResolveAnswer } from '../../src/circuit/tunnel-state.ts'
import { buildCircuit, type TestCircuit, testNodes } from './circuit-harness.ts'
import { seededBytes } from './seeded.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

export type Way = 'forward' | 'backward'
/** Sees a cell before it reaches `hop` (the client is hop −1); returns what arrives instead. */
export type Meddler = (cell: Uint8Array, way: Way, hop: number) => readonly Uint8Array[]

/** One leg with its circuit and its queues. */
export type TestLeg = {
  readonly circuit: TestCircuit
  readonly client: Leg
  readonly exit: Leg
  readonly queues: Record<Way, Uint8Array[]>
  exitTunnel: ExitTunnel | undefined
  isAlive: boolean
  /** Why each end destroyed it, if one did. */
  closedBy: { end: 'client' | 'exit' | 'relay'; reason: CloseReason | undefined } | undefined
}

export type Recorded = {
  readonly events: string[]
  /** Bytes per stream. */
  readonly data: Map<number, Uint8Array[]>
}

export type WorldOptions = {
  readonly hops?: number
  readonly entryLayer?: boolean
  readonly seed?: number
  readonly roomBytes?: number
  readonly preferredClass?: (waitingBytes: number) => SizeClass
  /** Consumes at once what comes, at both ends. @default true */
  readonly consumes?: boolean
  readonly maxOrphans?: number
  /** What the exit takes. @default all */
  readonly takes?: (terms: TunnelTerms) => boolean
}

export type World = {
  nowMs: number
  readonly client: ClientTunnel
  readonly tunnels: ExitTunnels
  readonly atClient: Recorded
  readonly atExit: Recorded
  /** The exit's end; there once the first cell arrived. */
  exit(): ExitTunnel
  leg(): TestLeg
  /** Builds another circuit to the same exit. */
  newLeg(): TestLeg
  /** Kills the leg, whatever is under way, and tells both ends. */
  kill(leg: TestLeg): void
  /** Kills the present leg and joins with a new one. */
  rejoin(): TestLeg
  /** Delivers at most so many cells; returns how many. */
  step(count: number): number
  /** Pumps and delivers until nothing moves. */
  settle(): void
  meddle: Meddler
  onExitData: (stream: number, bytes: Uint8Array) => void
  onExitBegin: (stream: number) => void
  /** A list that the client sealed for a relay; false destroys the circuit. */
  onRelayList: (list: Uint8Array, hop: number) => boolean
  /** A relay says something to the client on the present leg, at once. */
  fromRelay(hop: number, message: PayMessage): void
  /** What both ends' handlers answer to PAY. */
  acceptsPay: boolean
}

const SMALL_QUEUE = 256 * 1024

export function createWorld(options: WorldOptions = {}): World {
  const { hops = 2, entryLayer = false, seed = 1, consumes = true } = options
  const nodes = testNodes(hops)
  const random = seededBytes(seed)
  const { maxOrphans, takes } = options
  const orphans = { max: maxOrphans }
  const tunnels = createExitTunnels({ provider: nodeCrypto, orphans, takes })
  const atClient: Recorded = { events: [], data: new Map() }
  const atExit: Recorded = { events: [], data: new Map() }
  let current: TestLeg

  const link = (queue: Uint8Array[]): LegLink => ({
    send: (cell) => void queue.push(cell),
    roomBytes: () =>
      (options.roomBytes ?? SMALL_QUEUE) - queue.reduce((sum, cell) => sum + cell.length, 0),
    preferredClass: options.preferredClass ?? preferred,
  })
  const newLeg = (): TestLeg => {
    const circuit = buildCircuit(nodes, { entryLayer, randomBytes: random })
    const queues = { forward: [], backward: [] } as Record<Way, Uint8Array[]>
    const { handshakeHash, tunnelSecret } = circuit.last
    const common = { handshakeHash, tunnelSecret, randomBytes: random }
    const last = circuit.hops.at(-1)
    if (!last) throw new Error('no hops')
    return {
      circuit,
      queues,
      client: createOriginLeg(circuit.origin, { ...common, link: link(queues.forward) }),
      exit: createExitLeg(last, { ...common, link: link(queues.backward) }),
      exitTunnel: undefined,
      isAlive: true,
      closedBy: undefined,
    }
  }

  const common = (recorded: Recorded, consume: (stream: number, bytes: number) => void) => ({
    onWork: () => {},
    onData: (stream: number, bytes: Uint8Array) => {
      recorded.data.set(stream, [...(recorded.data.get(stream) ?? []), bytes.slice()])
      if (consumes) consume(stream, bytes.length)
    },
    onEnd: (stream: number) => void recorded.events.push(`end ${stream}`),
    onReset: (stream: number, reason: number) =>
      void recorded.events.push(`reset ${stream} ${reason}`),
    onDrained: (stream: number) => void recorded.events.push(`drained ${stream}`),
    onDatagram: (stream: number, _endpoint: Endpoint, payload: Uint8Array) =>
      void recorded.events.push(`datagram ${stream} ${payload.length}`),
    onDraining: (seconds: number, hop: number | undefined) =>
      void recorded.events.push(`draining ${seconds} ${hop ?? 'end'}`),
    onPay: (message: PayMessage, hop: number | undefined) => {
      recorded.events.push(`pay ${message.kind} ${hop ?? 'end'}`)
      return world.acceptsPay
    },
    onOver: () => void recorded.events.push('over'),
  })

  const clientHandler: ClientTunnelHandler = {
    ...common(atClient, (stream, bytes) => world.client.consumed(stream, bytes, world.nowMs)),
    onConnected: (stream: number, family: IpFamily) =>
      void atClient.events.push(`connected ${stream} ${family}`),
    onResolved: (stream: number, answer: ResolveAnswer) =>
      void atClient.events.push(`resolved ${stream} ${answer.addresses.length}`),
    onJoined: () => void atClient.events.push('joined'),
  }
  let exitTunnel: ExitTunnel | undefined
  const openExit = (): ExitTunnelDriver => {
    const base = common(atExit, (stream, bytes) => exitTunnel?.consumed(stream, bytes, world.nowMs))
    return {
      ...base,
      onOpened: (tunnel) => void (exitTunnel = tunnel),
      onData: (stream, bytes) => {
        base.onData(stream, bytes)
        world.onExitData(stream, bytes)
      },
      onBegin: (stream, request) => {
        atExit.events.push(`begin ${stream} ${request.host}:${request.port}`)
        world.onExitBegin(stream)
      },
      onResolve: (stream, host) => void atExit.events.push(`resolve ${stream} ${host}`),
      onAssociate: (stream) => void atExit.events.push(`associate ${stream}`),
    }
  }

  const kill = (leg: TestLeg): void => {
    leg.isAlive = false
    leg.queues.forward.length = 0
    leg.queues.backward.length = 0
    if (world.client.leg === leg.client) world.client.detachLeg()
    if (leg.exitTunnel) tunnels.onLegGone(leg.exitTunnel, leg.exit, world.nowMs)
  }
  const die = (leg: TestLeg, end: 'client' | 'exit' | 'relay', reason?: CloseReason): void => {
    leg.closedBy = { end, reason }
    kill(leg)
  }

  const arriveAtExit = (leg: TestLeg, cell: Uint8Array): void => {
    if (leg.exitTunnel) {
      const fault = leg.exitTunnel.onCell(leg.exit, cell, world.nowMs)
      if (fault) die(leg, 'exit', fault.reason)
      return
    }
    const result = tunnels.onFirstCell(leg.exit, cell, world.nowMs, openExit)
    if (result.type === 'refused') die(leg, 'exit', result.reason)
    if (result.type === 'opened' || result.type === 'joined') leg.exitTunnel = result.tunnel
  }
  /** True when the cell goes on; a list for this relay does not. */
  const passRelay = (leg: TestLeg, cell: Uint8Array, hop: number): boolean => {
    const result = leg.circuit.hops[hop]?.openForward(cell)
    if (result === 'pass') return true
    if (!(result instanceof Uint8Array) || !world.onRelayList(result, hop)) die(leg, 'relay')
    return false
  }
  const forward = (leg: TestLeg, cell: Uint8Array): void => {
    const hopCount = leg.circuit.hops.length
    let cells: readonly Uint8Array[] = [cell]
    for (let hop = 0; hop < hopCount; hop++) {
      cells = cells.flatMap((one) => [...world.meddle(one, 'forward', hop)])
      cells = cells.filter((one) => {
        if (!leg.isAlive) return false
        if (hop < hopCount - 1) return passRelay(leg, one, hop)
        arriveAtExit(leg, one)
        return true
      })
    }
  }
  const backward = (leg: TestLeg, cell: Uint8Array, from = leg.circuit.hops.length - 1): void => {
    let cells: readonly Uint8Array[] = [cell]
    for (let hop = from - 1; hop >= -1; hop--) {
      cells = cells.flatMap((one) => [...world.meddle(one, 'backward', hop)])
      for (const one of cells) {
        if (!leg.isAlive) return
        if (hop >= 0) {
          leg.circuit.hops[hop]?.sealBackward(one)
          continue
        }
        const fault = world.client.onCell(leg.client, one, world.nowMs)
        if (fault) die(leg, 'client', fault.reason)
      }
    }
  }

  const step = (count: number): number => {
    let moved = 0
    for (const way of ['forward', 'backward'] as const) {
      for (let i = 0; i < count; i++) {
        const leg = current
        const cell = leg.queues[way].shift()
        if (!cell) break
        moved++
        world.nowMs += 0.01
        if (way === 'forward') forward(leg, cell)
        else backward(leg, cell)
      }
    }
    return moved
  }
  const pump = (): number => world.client.pump(world.nowMs) + (exitTunnel?.pump(world.nowMs) ?? 0)

  current = newLeg()
  const world: World = {
    nowMs: 1000,
    client: createClientTunnel({
      terms: TERMS,
      provider: nodeCrypto,
      tunnelId: random(16),
      leg: current.client,
      handler: clientHandler,
    }),
    tunnels,
    atClient,
    atExit,
    exit: () => {
      if (!exitTunnel) throw new Error('no tunnel at the exit yet')
      return exitTunnel
    },
    leg: () => current,
    newLeg: () => (current = newLeg()),
    kill,
    rejoin: () => {
      kill(current)
      current = newLeg()
      world.client.attachLeg(current.client)
      return current
    },
    step,
    settle: () => {
      for (let rounds = 0; rounds < 100_000; rounds++) {
        const moved = pump() + step(16)
        world.nowMs += 0.2
        if (moved === 0) return
      }
      throw new Error('does not settle')
    },
    meddle: (cell) => [cell],
    onExitData: () => {},
    onExitBegin: (stream) => exitTunnel?.connected(stream, 4),
    acceptsPay: true,
    onRelayList: () => false,
    fromRelay: (hop, message) => {
      const queue = createPayQueue()
      queue.push(message)
      const layers = current.circuit.hops[hop]
      if (!layers) throw new Error('no such relay')
      const cell = takePayCell(queue, {
        listBytes: (sizeClass) => layers.listBytes(sizeClass),
        seal: (sealed, sizeClass) => layers.sealOwn(sealed, sizeClass),
      })
      if (cell) backward(current, cell, hop)
    },
  }
  return world
}

function preferred(waitingBytes: number): SizeClass {
  if (waitingBytes >= 12 * 1024) return SIZE_CLASS.LARGE
  return waitingBytes > 1024 ? SIZE_CLASS.MEDIUM : SIZE_CLASS.SMALL
}

/** All bytes of a stream that one end received. */
export function received(recorded: Recorded, stream: number): Uint8Array {
  return Buffer.concat(recorded.data.get(stream) ?? [])
}
