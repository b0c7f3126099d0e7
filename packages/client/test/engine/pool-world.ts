/** A pool of tunnels to an exit in memory, over circuits that the test builds and kills. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { CircuitNeed } from '../../src/engine/circuit-need.ts'
import type { ClientTunnelDriver } from '../../src/engine/client-tunnel-driver.ts'
import { createTunnelPool } from '../../src/engine/tunnel-pool.ts'
import type { TunnelPool } from '../../src/engine/tunnel-pool.ts'
import type { TunnelRequest } from '../../src/engine/tunnel-group.ts'
import { createHandTimers, type HandTimers } from './hand-timers.ts'
import { createTestExit, pathNodes, type TestCircuit, type TestExit } from './tunnel-world.ts'

export const NEVER: AbortSignal = new AbortController().signal
export const MINUTE_MS: number = 60_000
const nodes = pathNodes(4)
export const GUARD: PathNode | undefined = nodes[0]
export const MIDDLE: PathNode | undefined = nodes[1]
export const EXIT: PathNode | undefined = nodes[2]
export const OTHER: PathNode | undefined = nodes[3]
export const BASE: TunnelRequest = {
  isolation: {
    listener: '127.0.0.1:1080',
    sourceAddress: '127.0.0.1',
    username: '',
    password: '',
    portClass: 'web',
  },
  selection: {},
  port: 443,
}

export type PoolWorld = {
  readonly pool: TunnelPool
  readonly acquire: (
    change?: Partial<TunnelRequest>,
    signal?: AbortSignal,
  ) => Promise<ClientTunnelDriver>
  /** What was asked of the source. */
  readonly needs: CircuitNeed[]
  readonly circuits: TestCircuit[]
  readonly stock: TestCircuit[]
  /** Paths whose hops cannot be paid at once. */
  readonly unprovided: (readonly PathNode[])[]
  /** Nodes that are likely to stay. */
  readonly staying: Set<NodeKey>
  /** Nodes that said that they stop. */
  readonly left: readonly NodeKey[]
  readonly control: { onBuild: (need: CircuitNeed, signal: AbortSignal) => Promise<TestCircuit> }
  readonly build: () => TestCircuit
  readonly timers: HandTimers
  readonly exit: TestExit
}

const OPEN_PORTS: ReadonlySet<number> = new Set([443, 22, 6667, 12_345])

/** A pool whose source answers as `onBuild` says. Exits open 443 and some others, and 80 on the exit `OTHER`. */
export function poolWorld(): PoolWorld {
  const [guard, middle, exitNode, other] = nodes
  assert.ok(guard && middle && exitNode && other)
  const timers = createHandTimers(1000)
  const exit = createTestExit(timers.nowMs)
  const needs: CircuitNeed[] = []
  const circuits: TestCircuit[] = []
  const stock: TestCircuit[] = []
  const unprovided: (readonly PathNode[])[] = []
  const left: NodeKey[] = []
  const staying = new Set<NodeKey>()
  const build = (): TestCircuit => {
    const circuit = exit.circuit([guard, middle, exitNode])
    circuits.push(circuit)
    return circuit
  }
  const control: PoolWorld['control'] = {
    onBuild: async () => Promise.resolve(build()),
  }
  const pool = createTunnelPool({
    provider: nodeCrypto,
    randomBytes,
    nowMs: timers.nowMs,
    timers,
    onTransfer: () => {},
    onRtt: () => {},
    source: {
      build: (need, signal) => {
        needs.push(need)
        return control.onBuild(need, signal)
      },
    },
    stock: {
      size: 0,
      take: (fits) => {
        const found = stock.find(fits)
        if (found) stock.splice(stock.indexOf(found), 1)
        return found
      },
      start() {},
      stop() {},
    },
    defaultHops: undefined,
    defaultClass: 'browse',
    opensPort: (node, port) => OPEN_PORTS.has(port) || (port === 80 && node.key === other.key),
    stays: ({ key }) => staying.has(key),
    onPath() {},
    onLost: () => {},
    onRefused: () => {},
    onLeaving: ({ key }) => left.push(key),
    isProvided: (path) => !unprovided.includes(path),
  })
  const acquire: PoolWorld['acquire'] = (change = {}, signal = NEVER) =>
    pool.acquire({ ...BASE, ...change }, signal)
  return {
    pool,
    acquire,
    needs,
    circuits,
    stock,
    unprovided,
    staying,
    left,
    control,
    build,
    timers,
    exit,
  }
}

export const isolated = (change: Partial<TunnelRequest['isolation']>): Partial<TunnelRequest> => ({
  isolation: { ...BASE.isolation, ...change },
})

/** Opens a stream that nobody reads. */
export function open(driver: ClientTunnelDriver): void {
  driver.connect('a', 443).on('error', () => {})
}
