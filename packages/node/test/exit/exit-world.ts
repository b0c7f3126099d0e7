/**
 * A client's tunnel machine joined to the exit service by legs in memory: cells are really sealed and opened, and arrive in a later
 * turn of the event loop. Targets are real sockets on the loopback, allowed by name as a test network does.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { LogFields, Logger } from '@byway/protocol/base'
import {
  type ClientTunnel,
  createAccountant,
  createClientTunnel,
  type Leg,
  type ResolveAnswer,
} from '@byway/protocol/circuit'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import type { Link } from '@byway/protocol/link'
import { type AllowTarget, parsePolicyContext, type PolicyContext } from '@byway/protocol/policy'
import type { Endpoint, PayMessage, TunnelTerms } from '@byway/protocol/wire'
import { createExitConnector } from '../../src/exit/connect-pinned.ts'
import type { DnsResolver } from '../../src/exit/dns-stub.ts'
import { exitError } from '../../src/exit/exit-errors.ts'
import { createExitLimits } from '../../src/exit/exit-limits.ts'
import { createOpenPins } from '../../src/exit/open-pins.ts'
import {
  createExitService,
  type ExitMoney,
  type ExitService,
  type ExitServiceOptions,
  type MemoryOwner,
} from '../../src/exit/exit-service.ts'
import { createMemoryLeg, createQueueLink, type TestLeg } from './memory-leg.ts'
import { until } from './test-target.ts'

const TERMS = { trafficClass: 'browse', classStep: 0, priceStep: 0 } as const

/** What the client's application sees of one stream. */
export type AppStream = {
  readonly id: number
  readonly chunks: Uint8Array[]
  /** connected, end, reset N, drained, in order. */
  readonly events: string[]
  readonly datagrams: { readonly endpoint: Endpoint; readonly payload: Uint8Array }[]
  resolved: ResolveAnswer | undefined
  /** Consumes what comes at once. */
  reads: boolean
}

export type World = Disposable & {
  readonly service: ExitService
  readonly client: ClientTunnel
  readonly limits: ReturnType<typeof createExitLimits>
  readonly accountant: ReturnType<typeof createAccountant<MemoryOwner>>
  /** Every line of the exit's log, as text. */
  readonly lines: string[]
  leg: TestLeg
  isOver: boolean
  readonly draining: number[]
  /** Payment messages of the exit. */
  readonly pays: PayMessage[]
  stream(id: number): AppStream
  connect(port: number, host?: string): AppStream
  resolve(host: string): AppStream
  associate(): AppStream
  /** Writes all of it, waiting when told to. */
  send(id: number, bytes: Uint8Array): Promise<void>
  end(id: number): void
  pump(): void
  /** A fresh circuit to the exit; `join` makes the tunnel use it. */
  newLeg(): TestLeg
  rejoin(): void
  /** Moves the clock of client and exit on, and lets the exit do its housekeeping. */
  pass(ms: number): void
  sendDatagram(id: number, endpoint: Endpoint, payload: Uint8Array): void
  /** Another client opens a tunnel on a circuit of its own. */
  openTunnel(): TestLeg
}

export type WorldOptions = {
  readonly targets: readonly number[]
  readonly answers?: (name: string) => readonly string[] | undefined
  /** UDP ports; absent: no datagrams. */
  readonly datagramPorts?: readonly number[]
  readonly memoryBytes?: number
  readonly service?: ExitServiceOptions
  readonly isOpen?: () => boolean
  readonly takes?: (terms: TunnelTerms) => boolean
  readonly money?: ExitMoney
}

export function createWorld(options: WorldOptions): World {
  const lines: string[] = []
  const limits = createExitLimits()
  const accountant = createAccountant<MemoryOwner>(options.memoryBytes ?? 64 * 1024 * 1024)
  const context = contextOf(options.targets.map((port) => ({ address: '127.0.0.1', port })))
  const resolver = resolverOf(options.answers)
  let isClosed = false
  // Stands still but for `pass`: datagrams of 100 ms are dropped (SPEC §7.3), and a busy machine takes that long between two turns.
  let clockMs = 1_000_000
  const nowMs = (): number => clockMs
  const timers = new Set<() => void>()
  const shared = {
    resolverFor: () => resolver,
    context: () => context,
    limits,
    pins: createOpenPins(),
    nowMs,
  }
  const connector = createExitConnector(
    { ...shared, onAbuse: (circuit) => service.onAbuse(circuit) },
    { holdMs: 0, connectTimeoutMs: 2000 },
  )
  const service = createExitService(
    {
      provider: nodeCrypto,
      randomBytes: (count) => randomBytes(count),
      runtime: {
        nowMs,
        setTimer(run) {
          timers.add(run)
          return { cancel: () => timers.delete(run) }
        },
      },
      connector,
      limits,
      log: loggerInto(lines),
      accountant,
      isOpen: options.isOpen,
      takes: options.takes,
      money: options.money,
      createLegLink: ({ queue, push, onRoom }) => {
        queue.onRoom = onRoom
        return createQueueLink(queue, push)
      },
    },
    {
      ...(options.datagramPorts && { datagrams: { ...shared, ports: options.datagramPorts } }),
      ...options.service,
    },
  )
  const streams = new Map<number, AppStream>()
  const streamOf = (id: number): AppStream => {
    const known = streams.get(id)
    if (known) return known
    const fresh = { id, chunks: [], events: [], datagrams: [], resolved: undefined, reads: true }
    streams.set(id, fresh)
    return fresh
  }
  const link = {} as Link
  const newLeg = (): TestLeg => createMemoryLeg({ service, client: () => client, link, nowMs })
  const firstLeg = newLeg()
  let isScheduled = false
  const client: ClientTunnel = createClientTunnel({
    terms: TERMS,
    provider: nodeCrypto,
    tunnelId: randomBytes(16),
    leg: firstLeg.client,
    handler: {
      onWork() {
        if (isScheduled) return
        isScheduled = true
        queueMicrotask(() => {
          isScheduled = false
          client.pump(nowMs())
        })
      },
      onData(id, bytes) {
        const stream = streamOf(id)
        stream.chunks.push(bytes)
        if (stream.reads) client.consumed(id, bytes.length, nowMs())
      },
      onEnd: (id) => void streamOf(id).events.push('end'),
      onReset: (id, reason) => void streamOf(id).events.push(`reset ${reason}`),
      onDrained: (id) => void streamOf(id).events.push('drained'),
      onDatagram: (id, endpoint, payload) =>
        void streamOf(id).datagrams.push({ endpoint, payload }),
      onDraining: (seconds) => void world.draining.push(seconds),
      onPay(message) {
        world.pays.push(message)
        return true
      },
      onOver: () => (world.isOver = true),
      onConnected: (id) => void streamOf(id).events.push('connected'),
      onResolved: (id, answer) => (streamOf(id).resolved = answer),
      onJoined() {},
    },
  })
  const flags = 3
  const world: World = {
    service,
    client,
    limits,
    accountant,
    lines,
    leg: firstLeg,
    isOver: false,
    draining: [],
    pays: [],
    stream: streamOf,
    connect: (port, host = '127.0.0.1') => streamOf(client.connect({ host, port, flags }, nowMs())),
    resolve: (host) => streamOf(client.resolve(host, flags, nowMs())),
    associate: () => streamOf(client.associate(nowMs())),
    async send(id, bytes) {
      for (let at = 0; at < bytes.length; at += 65_536) {
        if (client.write(id, bytes.subarray(at, at + 65_536), nowMs())) continue
        const drained = (): number =>
          streamOf(id).events.filter((event) => event === 'drained').length
        const before = drained()
        await until(() => isClosed || drained() > before)
        assert.ok(!isClosed, 'the world was closed before all was sent')
      }
    },
    end: (id) => client.end(id),
    pump: () => void client.pump(nowMs()),
    newLeg,
    rejoin() {
      world.leg = newLeg()
      client.attachLeg(world.leg.client)
    },
    pass(ms) {
      clockMs += ms
      const due = [...timers]
      timers.clear()
      for (const run of due) run()
    },
    sendDatagram: (id, endpoint, payload) => client.sendDatagram(id, endpoint, payload, nowMs()),
    openTunnel() {
      const leg = newLeg()
      openAnotherTunnel(leg.client, nowMs())
      return leg
    },
    [Symbol.dispose]() {
      isClosed = true
      service.closeAll()
    },
  }
  return world
}

function contextOf(allowTargets: readonly AllowTarget[]): PolicyContext {
  const parsed = parsePolicyContext({ allowTargets })
  assert.ok('context' in parsed)
  return parsed.context
}

function resolverOf(answers: WorldOptions['answers']): DnsResolver {
  return {
    async lookup(name) {
      const addresses = answers?.(name)
      if (!addresses) throw exitError('NODE_EXIT_RESOLVE', { why: 'nxdomain' })
      return Promise.resolve({ addresses, ttlMs: 300_000 })
    },
  }
}

function loggerInto(lines: string[]): Logger {
  const line = (message: string, fields?: LogFields): void =>
    void lines.push(`${message} ${JSON.stringify(fields ?? {})}`)
  const log: Logger = {
    error: line,
    warn: line,
    info: line,
    debug: line,
    trace: line,
    child: () => log,
  }
  return log
}

export function bytesOf(stream: AppStream): Buffer {
  return Buffer.concat(stream.chunks)
}

export function textOf(stream: AppStream): string {
  return bytesOf(stream).toString()
}

/** A tunnel whose client does nothing but open it. */
function openAnotherTunnel(leg: Leg, nowMs: number): void {
  const nothing = (): void => undefined
  const handler = {
    onWork: nothing,
    onData: nothing,
    onEnd: nothing,
    onReset: nothing,
    onDrained: nothing,
    onDatagram: nothing,
    onDraining: nothing,
    onPay: () => true,
    onOver: nothing,
    onConnected: nothing,
    onResolved: nothing,
    onJoined: nothing,
  }
  const tunnelId = randomBytes(16)
  createClientTunnel({ terms: TERMS, provider: nodeCrypto, tunnelId, leg, handler }).pump(nowMs)
}
