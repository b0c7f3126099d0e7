/** An exit's connector with what a test puts in its place, and origins on the loopback. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { parsePolicyContext, type PolicyContext, type PolicyFacts } from '@byway/protocol/policy'
import {
  createExitConnector,
  type ExitConnector,
  type ExitConnectorOptions,
} from '../../src/exit/connect-pinned.ts'
import { listenAsTarget } from '@byway/testnet'
import type { DnsResolver } from '../../src/exit/dns-stub.ts'
import { exitError } from '../../src/exit/exit-errors.ts'
import { createExitLimits, type ExitLimits } from '../../src/exit/exit-limits.ts'
import { createOpenPins, type OpenPins } from '../../src/exit/open-pins.ts'
import type { OpenSocket } from '../../src/exit/pinned-socket.ts'

export type Origin = {
  readonly port: number
  hits(): number
  [Symbol.asyncDispose](): Promise<void>
}

export async function startOrigin(host: string): Promise<Origin> {
  let hits = 0
  const server: Server = createServer((socket) => {
    hits++
    socket.on('error', () => undefined)
    socket.end('hello')
  })
  const port = await listenAsTarget(server, host)
  return {
    port,
    hits: () => hits,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

export function contextOf(facts: PolicyFacts): PolicyContext {
  const parsed = parsePolicyContext(facts)
  assert.ok('context' in parsed)
  return parsed.context
}

export type Fixture = {
  readonly facts: PolicyFacts
  readonly answers?: (name: string) => readonly string[]
  readonly openSocket?: OpenSocket
  readonly limits?: ExitLimits
  readonly pins?: OpenPins
  readonly context?: () => PolicyContext
  readonly options?: ExitConnectorOptions
  readonly onAbuse?: (circuit: string) => void
}

export function connector(fixture: Fixture): {
  readonly exit: ExitConnector
  readonly lookups: string[]
} {
  const lookups: string[] = []
  const resolver: DnsResolver = {
    async lookup(name) {
      lookups.push(name)
      const addresses = fixture.answers?.(name)
      if (addresses === undefined) throw exitError('NODE_EXIT_RESOLVE', { why: 'nxdomain' })
      return Promise.resolve({ addresses, ttlMs: 300_000 })
    },
  }
  const exit = createExitConnector(
    {
      resolverFor: () => resolver,
      context: fixture.context ?? (() => contextOf(fixture.facts)),
      limits: fixture.limits ?? createExitLimits(),
      pins: fixture.pins ?? createOpenPins(),
      nowMs: () => 0,
      onAbuse: fixture.onAbuse,
      openSocket: fixture.openSocket,
    },
    { staggerMs: 20, connectTimeoutMs: 2000, holdMs: 0, ...fixture.options },
  )
  return { exit, lookups }
}

export function target(port: number, address = '127.0.0.1'): PolicyFacts {
  return { allowTargets: [{ address, port }] }
}

export async function textOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
