/**
 * Many clients in one process: holds idle links to the first contact and idle circuits on them, and times single builds.
 * Looks below `createClient` on purpose, since no client opens thousands of either. Dials from many addresses of the
 * loopback, because a listener takes a hundred links from one (THREAT-MODEL T15).
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import { dialLink } from '@byway/net'
import type { HopSpec } from '@byway/protocol/circuit'
import { nodeKeyOf, verifyDescriptor } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CLOSE_REASON } from '@byway/protocol/wire'

import {
  buildCircuit,
  type BuildFailure,
  type BuiltCircuit,
} from '../../packages/client/src/engine/build-circuit.ts'
import { createClientLink, type ClientLink } from '../../packages/client/src/engine/client-link.ts'
import { serve, tell, type Line } from './line-protocol.ts'
import { readSettings, toNetwork, type LoadSettings } from './settings.ts'

/** Below the burst of 40 connects that a listener grants an address. */
const LINKS_PER_ADDRESS = 30
/** Below the 10 half-open connections of an address. */
const DIALS_AT_ONCE = 8
const BUILDS_AT_ONCE = 8
/** Below the burst of 90 circuits that a relay grants a client's address. */
const BUILDS_PER_LINK = 80
/** Links for builds come from addresses of their own, behind those of idle links. */
const FIRST_BUILD_PLACE = 10_000
const STEP_TIMEOUT_MS = 30_000
const BUSY_PAUSE_MS = 100

const network = toNetwork((readSettings() as LoadSettings).network)
const [contact] = network.bootstrap
if (!contact) throw new Error('the network has no first contact')
const isLoopback = contact.address.startsWith('127.')

const directory = new Map<string, HopSpec>()
const idleLinks: ClientLink[] = []
const idleCircuits: BuiltCircuit[] = []
let dials = 0
let timedLink: ClientLink | undefined
let timedBuilds = 0
let timedLinks = 0

async function openLink(place = Math.floor(dials++ / LINKS_PER_ADDRESS)): Promise<ClientLink> {
  const { address: host, port, nodeId } = contact as NonNullable<typeof contact>
  const link = await dialLink(
    { crypto: nodeCrypto },
    {
      host,
      port,
      nodeId,
      ...(isLoopback
        ? { localAddress: `127.200.${Math.floor(place / 250)}.${(place % 250) + 1}` }
        : {}),
      timeoutMs: STEP_TIMEOUT_MS,
    },
  )
  return createClientLink(link, nodeId)
}

async function learnDirectory(link: ClientLink): Promise<void> {
  const learn = (bytes: Uint8Array): void => {
    const verdict = verifyDescriptor(nodeCrypto, bytes, Date.now())
    if (verdict.result !== 'valid') return
    const { nodeId, onionKey } = verdict.descriptor
    directory.set(nodeKeyOf(nodeId), { nodeId, onionKey })
  }
  const signal = AbortSignal.timeout(STEP_TIMEOUT_MS)
  await link.fetchDirectory(
    0,
    (descriptors) => {
      descriptors.forEach((bytes) => learn(bytes))
      return true
    },
    signal,
  )
}

/** Waits while a hop takes no more circuits a second from its neighbour. */
async function buildPatiently(link: ClientLink, path: readonly string[]): Promise<BuiltCircuit> {
  const endAtMs = performance.now() + STEP_TIMEOUT_MS
  for (;;) {
    const built = await tryBuild(link, path)
    if (!('type' in built)) return built
    const isBusy = built.reason === CLOSE_REASON.RESOURCE_LIMIT && performance.now() < endAtMs
    if (!isBusy) throw new Error(`hop ${built.hopIndex + 1} refused: reason ${built.reason}`)
    await delay(BUSY_PAUSE_MS)
  }
}

async function build(link: ClientLink, path: readonly string[]): Promise<BuiltCircuit> {
  const built = await tryBuild(link, path)
  if (!('type' in built)) return built
  throw new Error(`hop ${built.hopIndex + 1} refused: reason ${built.reason}`)
}

async function tryBuild(
  link: ClientLink,
  path: readonly string[],
): Promise<BuiltCircuit | BuildFailure> {
  const hops = path.flatMap((id) => directory.get(id) ?? [])
  if (hops.length !== path.length) throw new Error('the directory lacks a node of the path')
  return await buildCircuit(
    { provider: nodeCrypto, randomBytes, hopFromDescriptor: () => undefined },
    link,
    hops,
    { entryLayer: false, signal: AbortSignal.timeout(STEP_TIMEOUT_MS) },
  )
}

/** Runs `count` steps, a few at a time. */
async function many(count: number, atOnce: number, step: (index: number) => Promise<void>) {
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) await step(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

const pathOf = (request: Line): string[] => (request['path'] as unknown[]).map(String)

/** Opens one link, on which circuits are built one after the other; a link that has built many is replaced. */
async function linkForBuild(): Promise<ClientLink> {
  if (timedLink && timedBuilds < BUILDS_PER_LINK && !timedLink.isClosed) return timedLink
  timedLink?.link.close('local')
  timedBuilds = 0
  timedLink = await openLink(FIRST_BUILD_PLACE + timedLinks++)
  if (directory.size === 0) await learnDirectory(timedLink)
  return timedLink
}

tell({ event: 'ready' })
serve(
  {
    /** One build on a warm link of our own; answers with its milliseconds. */
    build: async (request) => {
      const link = await linkForBuild()
      timedBuilds++
      const circuit = await build(link, pathOf(request))
      circuit.destroy(CLOSE_REASON.FINISHED)
      return { buildMs: circuit.buildMs }
    },
    /** A build whose last hop need not serve as one: it makes both handshakes all the same. */
    warm: async (request) => {
      const link = await linkForBuild()
      timedBuilds++
      const built = await tryBuild(link, pathOf(request))
      if (!('type' in built)) built.destroy(CLOSE_REASON.FINISHED)
      else if (built.reason !== CLOSE_REASON.NOT_EXIT)
        throw new Error(`refused: reason ${built.reason}`)
      return {}
    },
    links: async ({ count }) => {
      await many(Number(count), DIALS_AT_ONCE, async () => void idleLinks.push(await openLink()))
      return { open: idleLinks.filter((link) => !link.isClosed).length }
    },
    /** Circuits spread evenly over the idle links. */
    circuits: async (request) => {
      const [first] = idleLinks
      if (!first) throw new Error('circuits need idle links')
      await learnDirectory(first)
      await many(Number(request['count']), BUILDS_AT_ONCE, async (index) => {
        const link = idleLinks[index % idleLinks.length] ?? first
        idleCircuits.push(await buildPatiently(link, pathOf(request)))
      })
      return { open: idleCircuits.length }
    },
    /** How many of the links still stand: a relay may have closed some. */
    standing: () => ({ links: idleLinks.filter((link) => !link.isClosed).length }),
    closeCircuits: () => {
      for (const circuit of idleCircuits.splice(0)) circuit.destroy(CLOSE_REASON.FINISHED)
      return {}
    },
    closeLinks: () => {
      for (const { link } of idleLinks.splice(0)) link.close('local')
      return {}
    },
  },
  () => Promise.resolve(),
)
