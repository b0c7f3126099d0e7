/**
 * A client's own source of circuits over a hundred nodes in memory, which do real handshakes. Some are one party's, and one of the client's guards may be; what those do to circuits the test says.
 *
 *   client ── guard (perhaps theirs) ── [middle] ── exit (one of a hundred, twenty of them theirs)
 */
import { createHopBuild, createOnionKeys } from '@byway/protocol/circuit'
import type { HopBuild } from '@byway/protocol/circuit'
import { createPathNodeSet, nodeKeyOf } from '@byway/protocol/directory'
import type { DirectoryEntry, NodeKey, PathNode } from '@byway/protocol/directory'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { CLOSE_REASON, COMMAND, commandOf, readKind } from '@byway/protocol/wire'
import type { CloseReason } from '@byway/protocol/wire'
import { createCircuitSource, type CircuitSourceDeps } from '../../src/engine/circuit-source.ts'
import { createClientLink, type ClientLink } from '../../src/engine/client-link.ts'
import { createGuardKeeper } from '../../src/engine/guard-keeper.ts'
import { createNodeRecords, type NodeRecords } from '../../src/engine/node-records.ts'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { createReach, type Reach } from '../../src/engine/reach.ts'
import { entryOf, seededRandom } from './drawn-nodes.ts'
import { createFakeLink } from './fake-link.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

export const NODES = 100
/** Nodes 0 to 19 are one party's. */
export const HOSTILE = 20
const NEVER = new AbortController().signal

type Node = { readonly entry: DirectoryEntry; readonly hop: HopBuild }

export type LyingWorld = {
  /** Numbers of the client's guards, the preferred one first. @default it draws them itself, and keeps them by its own rules */
  readonly guards?: readonly number[]
  readonly hops?: 2 | 3
  /** Guards to which a link stands, behind which enough was measured to be confirmed. @default none */
  readonly measuring?: readonly number[]
  readonly seed: number
  /** What a node says instead of going on to the next; undefined for the truth. */
  readonly lie?: (at: number, next: number, random: () => number) => CloseReason | undefined
}

/** A client and who misleads it. */
export type LiedTo = {
  /** Numbers of nodes that are not there. */
  readonly down: Set<number>
  readonly reach: Reach
  readonly records: NodeRecords
  /** What the user was told. */
  readonly warnings: readonly string[]
  /** What is measured of a node's success, 0 to 1; undefined for one never used. */
  successOf(number: number): number | undefined
  /** Circuits that were asked of guards. */
  attempts(): number
  /** Guards that were asked for circuits. */
  readonly entered: ReadonlySet<number>
  /** Builds one circuit some time after the last, to this exit or to one that is drawn; gives the numbers on its path, or undefined where there was none. @param laterMs - ten seconds by default */
  build(laterMs?: number, exit?: number): Promise<readonly number[] | undefined>
}

/** Creates it. */
export function lyingWorld({ guards, hops = 2, measuring, seed, lie }: LyingWorld): LiedTo {
  const standing = new Set(measuring?.map(keyOf))
  const random = seededRandom(seed)
  const randomBytes = (count: number): Uint8Array =>
    Uint8Array.from({ length: count }, () => Math.floor(random() * 256))
  const all = Array.from({ length: NODES }, (_, number) => makeNode(number, randomBytes))
  const entries = new Map(all.map(({ entry }) => [entry.key, entry]))
  const numbers = new Map(all.map(({ entry }, number) => [entry.key, number]))
  const nodes = createPathNodeSet(
    { get: (key) => entries.get(key), entries: () => entries.values() },
    NETWORK,
  )
  const clock = { nowMs: NOW_MS }
  const nowMs = (): number => clock.nowMs
  const down = new Set<number>()
  const warnings: string[] = []
  const entered = new Set<number>()
  const records = createNodeRecords({ path: undefined, nowMs })
  const recordOf = (key: NodeKey) => records.get(key)
  const ownNodes = (): ReadonlySet<NodeKey> => new Set()
  const weights = createNodeWeights({ nodes: () => nodes, recordOf, nowMs })
  const kept = createGuardKeeper({ path: undefined, weights, random, nowMs, ownNodes })
  kept.refresh(nodes)
  const named = guards?.map((number) => keyOf(number))
  const reach = createReach({
    nodeOf: (key) => nodes.get(key),
    primary: () => named ?? kept.primary(),
    uptimes: { note() {} },
    log: { warn: (message) => void warnings.push(message) },
    monotonicMs: nowMs,
    nowMs,
  })
  const source = createCircuitSource({
    build: { provider: nodeCrypto, randomBytes, hopFromDescriptor: () => undefined },
    directory: { nodes, isComplete: true, requireComplete() {}, refreshIfOld: async () => false },
    guards: { entries: (atMs: number) => named ?? kept.entries(atMs) },
    weights,
    observe: (key: NodeKey, seen: Parameters<typeof records.observe>[1]) =>
      records.observe(key, seen),
    reach,
    links: {
      get: (key: NodeKey) => (standing.has(key) ? { isDraining: false } : undefined),
      connect: (target: PathNode) => linkTo(target.key),
    },
    hasLevel: measuring && ((key: NodeKey) => standing.has(key)),
    random,
    nowMs,
    ownNodes,
    entryLayer: false,
    unsafeSingleHop: false,
  } as unknown as CircuitSourceDeps)

  let attempts = 0

  function linkTo(key: NodeKey): Promise<ClientLink> {
    kept.onLink(key, true)
    const link = createFakeLink()
    link.onPush = (circuitId, cell) => {
      if (commandOf(readKind(cell)) !== COMMAND.CREATE) return
      attempts++
      entered.add(numberOf(key))
      queueMicrotask(() => link.handler.onCell(circuitId, answer(numberOf(key), cell, 1), 0))
    }
    return Promise.resolve(createClientLink(link, new Uint8Array(32)))
  }

  /** What a node says to CREATE, as its neighbours and it itself have it. */
  function answer(at: number, cell: Uint8Array, position: number): Uint8Array {
    const step = all[at]!.hop.onCreate(cell.slice(), position === 1 ? 'client' : 'node', NOW_MS)
    if (step.type !== 'extend') return step.cell
    const next = numberOf(nodeKeyOf(step.nodeId))
    const gone = down.has(next) ? CLOSE_REASON.CONNECT_FAILED : undefined
    const refusal = lie?.(at, next, random) ?? gone
    if (refusal !== undefined) return step.onNextFailed(refusal).cell
    return step.onNextCreated(answer(next, step.cell, position + 1)).cell
  }

  function numberOf(key: NodeKey): number {
    return numbers.get(key)!
  }

  return {
    down,
    reach,
    records,
    warnings,
    entered,
    successOf: (number) => records.get(keyOf(number))?.success,
    attempts: () => attempts,
    async build(laterMs = 10_000, number?: number) {
      clock.nowMs += laterMs
      const exit = number === undefined ? undefined : keyOf(number)
      try {
        const { path, circuit } = await source.build({ hops, port: 443, exit }, NEVER)
        circuit.destroy(CLOSE_REASON.FINISHED)
        return path.map(({ key }) => numberOf(key))
      } catch {
        return undefined
      }
    },
  }
}

function makeNode(number: number, randomBytes: (count: number) => Uint8Array): Node {
  const { nodeId } = entryOf(number).descriptor
  const deps = { provider: nodeCrypto, nodeId, randomBytes }
  const onionKeys = createOnionKeys(deps, NOW_MS)
  const hop = createHopBuild({
    ...deps,
    onionKeys,
    descriptor: () => new Uint8Array(0),
    preferAes: true,
  })
  const onionKey = onionKeys.current().pair.publicKey
  return { entry: entryOf(number, { onionKey }), hop }
}

export function keyOf(number: number): NodeKey {
  return entryOf(number).key
}
