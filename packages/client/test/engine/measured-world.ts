/**
 * A client that measures a hundred exits through its guards, of which some are hostile: circuits are drawn and measured by its own parts, and what came over each is made up.
 *
 *   client ── guard (perhaps theirs) ── [middle] ── exit (one of a hundred, twenty of them theirs)
 */
import assert from 'node:assert/strict'
import { choosePath, createPathNodeSet } from '@byway/protocol/directory'
import type { NodeKey } from '@byway/protocol/directory'
import { besideFirst, ONE_IN_BESIDE, preferStanding } from '../../src/engine/guard-order.ts'
import type { GuardOrderDeps } from '../../src/engine/guard-order.ts'
import { createNodeMemory } from '../../src/engine/node-memory.ts'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { createReach } from '../../src/engine/reach.ts'
import { entryOf, seededRandom } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const NODES = 100
/** Nodes 0 to 19 are one party's. */
const HOSTILE = 20
const LINE_KBPS = 2000
const BODY_BYTES = 1_000_000
/** A circuit's round trip where nothing is far: to the guard, and on to an exit that is near. */
const NEAR_MS = 80
/** One of a circuit beside the next over the same nodes, as the deviation of a factor's logarithm. */
const JITTER = 0.15
/** What lies behind an exit: its connection, and the site's answer. */
const [LEAST_BEHIND_MS, MOST_BEHIND_MS] = [20, 300] as const
/** Guards to which a client keeps a link. */
const WARM = 2

export type MeasuredWorld = {
  readonly seed: number
  /** Numbers of the guards, the first one first. */
  readonly guards: readonly number[]
  readonly hops?: 2 | 3
  /** What part a hop before the exit lets through of what goes there. */
  readonly lets?: (hop: number, exit: number) => number
  /** Spread of lines, as the deviation of a factor's logarithm. @default all are the same */
  readonly spread?: number
  /** The same of one measurement beside the next. */
  readonly noise?: number
  /** How much farther than others a hop is from what leads to it, ms. @default round trips are no matter */
  readonly farther?: (hop: number) => number
  /** What a hop before the exit holds back of what goes there, ms. */
  readonly holds?: (hop: number, exit: number) => number
  /** False for a client that weighs nodes by their goodput alone. @default true */
  readonly weighsLatency?: boolean
  readonly circuits?: number
  readonly eachMs?: number
}

export type Played = {
  /** What part of the first two hundred circuits, and of the last, ended at the party's exits. */
  readonly firstShare: number
  readonly lastShare: number
  /** Circuits through each guard. */
  readonly through: ReadonlyMap<number, number>
  /** The middle one of the times to the first byte over the last two hundred circuits, ms. */
  readonly lastFirstByteMs: number
  /** Exits of the last two hundred circuits. */
  readonly lastExits: readonly number[]
  /** What lines the last two hundred exits had, beside the usual one. */
  readonly lastLine: number
  readonly warnings: readonly string[]
}

export const isTheirs = (number: number): boolean => number < HOSTILE

/** Plays it. */
export function playMeasured(world: MeasuredWorld): Played {
  const {
    seed,
    hops = 2,
    lets = () => 1,
    spread = 0,
    noise = 0,
    farther,
    holds = () => 0,
    circuits = 1000,
    eachMs = 10_000,
  } = world
  const random = seededRandom(seed)
  const factor = (deviation: number): number => Math.exp(deviation * gauss(random))
  const all = Array.from({ length: NODES }, (_, number) => entryOf(number))
  const lines = all.map(() => LINE_KBPS * factor(spread))
  const guards = world.guards.map((number) => entryOf(number).key)
  const client = createMeasuringClient(all, { guards, random, weighsLatency: world.weighsLatency })
  const exits: number[] = []
  const firstBytes: number[] = []
  const through = new Map<number, number>()
  for (let circuit = 0; circuit < circuits; circuit++) {
    const path = client.draw(hops)
    const numbers = path.map((key) => all.findIndex((entry) => entry.key === key))
    const [guard, exit] = [numbers[0], numbers.at(-1)]
    assert.ok(guard !== undefined && exit !== undefined)
    exits.push(exit)
    through.set(guard, (through.get(guard) ?? 0) + 1)
    const line = Math.min(...numbers.slice(1).map((number) => lines[number]!))
    const passed = numbers.slice(0, -1).reduce((part, hop) => part * lets(hop, exit), 1)
    const kbps = line * factor(noise) * passed
    client.measured(path, (BODY_BYTES * 8) / kbps)
    if (farther) {
      const ways = numbers.reduce((sum, hop) => sum + farther(hop), NEAR_MS)
      const held = numbers.slice(0, -1).reduce((sum, hop) => sum + holds(hop, exit), 0)
      const rttMs = ways * factor(JITTER) + held
      const behindMs = LEAST_BEHIND_MS + random() * (MOST_BEHIND_MS - LEAST_BEHIND_MS)
      firstBytes.push(rttMs + behindMs)
      client.answered(path, rttMs)
    }
    client.later(eachMs)
  }
  const part = (some: readonly number[]): number => some.filter(isTheirs).length / some.length
  const last = exits.slice(-200)
  const sum = last.reduce((total, exit) => total + lines[exit]!, 0)
  return {
    firstShare: part(exits.slice(0, 200)),
    lastShare: part(last),
    through,
    lastFirstByteMs: firstBytes.slice(-200).toSorted((a, b) => a - b)[100] ?? 0,
    lastExits: last,
    lastLine: sum / last.length / LINE_KBPS,
    warnings: client.warnings,
  }
}

function createMeasuringClient(
  all: readonly ReturnType<typeof entryOf>[],
  {
    guards,
    random,
    weighsLatency = true,
  }: {
    readonly guards: readonly NodeKey[]
    readonly random: () => number
    readonly weighsLatency: boolean | undefined
  },
) {
  const byKey = new Map(all.map((entry) => [entry.key, entry]))
  const nodes = createPathNodeSet(
    { get: (key) => byKey.get(key), entries: () => byKey.values() },
    NETWORK,
  )
  let atMs = NOW_MS
  const nowMs = (): number => atMs
  const warnings: string[] = []
  const seen = {
    nodeOf: (key: NodeKey) => nodes.get(key),
    primary: () => guards,
    log: { warn: (message: string) => void warnings.push(message) },
    monotonicMs: nowMs,
    nowMs,
  }
  const memory = createNodeMemory({ ...seen, home: undefined })
  const { records, uptimes, speeds } = memory
  const reach = createReach({ ...seen, uptimes, isSlow: (guard) => speeds.isSlow(guard) })
  const weights = createNodeWeights({
    nodes: () => nodes,
    recordOf: (key) => records.get(key),
    agreedOf(key) {
      const { speed, latency } = speeds.agreedOf(key)
      return { speed, latency: weighsLatency ? latency : 1 }
    },
    nowMs,
  })
  const isWarm = (key: NodeKey): boolean => reach.guards().slice(0, WARM).includes(key)
  const deps = {
    links: { get: (key: NodeKey) => (isWarm(key) ? { isDraining: false } : undefined) },
    isSuspect: (key: NodeKey) => reach.isSuspect(key),
    hasLevel: (key: NodeKey) => speeds.hasLevel(key),
  } as unknown as GuardOrderDeps
  return {
    warnings,
    draw(hops: 2 | 3): readonly NodeKey[] {
      const order = preferStanding(guards, deps)
      const isBeside = random() * ONE_IN_BESIDE < 1
      const path = choosePath({
        set: nodes,
        guards: isBeside ? besideFirst(order, deps, random) : order,
        request: { hops, port: 443 },
        weightOf: (key) => weights.weightOf(key),
        random,
        nowMs: atMs,
      })
      assert.equal(path.result, 'path')
      return path.hops.map(({ key }) => key)
    },
    measured(path: readonly NodeKey[], durationMs: number): void {
      const listed = path.flatMap((key) => nodes.get(key) ?? [])
      for (const { key } of listed) records.observe(key, { type: 'success' })
      memory.onTransfer(listed, { bytes: BODY_BYTES, durationMs })
    },
    answered(path: readonly NodeKey[], rttMs: number): void {
      memory.onRtt(
        path.flatMap((key) => nodes.get(key) ?? []),
        rttMs,
      )
    },
    later: (ms: number) => void (atMs += ms),
  }
}

function gauss(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
