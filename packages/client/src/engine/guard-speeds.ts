/**
 * How fast nodes are beside others, and how soon they answer, as several guards show it (SPEC §10.3, ADR-0048, ADR-0052), on disk between runs. Whatever is measured of a node comes through a guard,
 * which could slow down all that does not end at its friends; so each guard is a voice, and a weight moves only as far as two that stand apart agree.
 *
 * Holds no destination, and no node that was never used.
 * @module
 */
import {
  goodputOf,
  hearLateness,
  hearRatio,
  isLatency,
  parseNodeKey,
} from '@byway/protocol/directory'
import type { NodeKey, SpeedVoice } from '@byway/protocol/directory'
import { createAgreedSpeeds } from './agreed-speeds.ts'
import type { AgreedSpeed, AgreedSpeedsDeps } from './agreed-speeds.ts'
import type { Transfer } from './goodput-meter.ts'
import type { GuardDelays } from './guard-delays.ts'
import type { GuardLevels, SlowGuard } from './guard-levels.ts'
import { createNodeFile } from './node-file.ts'
import type { NodeFile, NodeFileDeps, NodeFileForm } from './node-file.ts'
import { createSlowGuards } from './slow-guards.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes behind guards that are remembered, 200 bytes each on the disk; those measured longest ago are forgotten first. */
const MAX_VOICES = 8192
/** Between two times that voices are stored. */
const STORE_EVERY_MS = 600_000

export type GuardSpeedsDeps = NodeFileDeps &
  Pick<AgreedSpeedsDeps, 'primary' | 'areApart' | 'monotonicMs'> & {
    readonly levels: GuardLevels
    readonly delays: GuardDelays
    /** Told when a guard turns out to be slow. */
    readonly onSlow: (facts: SlowGuard) => void
  }

/** Measurements of nodes, by guard. */
export interface GuardSpeeds extends Pick<NodeFile<SpeedVoice>, 'load' | 'flush'> {
  /** Takes in what a path, entry first, has brought. */
  observe(path: readonly NodeKey[], transfer: Transfer): void
  /** Takes in the least round trip over a path, entry first, to its last hop. */
  observeRtt(path: readonly NodeKey[], rttMs: number): void
  agreedOf(key: NodeKey): AgreedSpeed
  /** True once enough was measured behind a guard for others to confirm it. */
  hasLevel(guard: NodeKey): boolean
  /** True for a guard that gave clearly less than one after it in the client's order, in the last 12 h. */
  isSlow(guard: NodeKey): boolean
}

/** A guard and a node behind it. */
type Pair = `${string} ${string}`

/** Creates empty records. */
export function createGuardSpeeds(deps: GuardSpeedsDeps): GuardSpeeds {
  const { levels, delays, onSlow, nowMs, monotonicMs } = deps
  const slow = createSlowGuards({ levels, onSlow, monotonicMs })
  const file = createNodeFile(deps, VOICES)
  const agreed = createAgreedSpeeds({
    ...deps,
    voiceOf: (guard, node) => file.get(pairOf(guard, node)),
    nodes: () => nodesOf(file.keys()),
  })

  return {
    async load() {
      await file.load()
      agreed.forget()
    },
    flush: () => file.flush(),
    observe([guard, ...nodes], transfer) {
      const kbps = goodputOf(transfer)
      if (guard === undefined || nodes.length === 0 || kbps === undefined) return
      for (const node of nodes) levels.note(guard, node, kbps)
      const level = levels.of(guard)
      for (const node of level === undefined ? [] : nodes) {
        const pair = pairOf(guard, node)
        file.set(pair, hearRatio(file.get(pair), kbps / (level ?? kbps), nowMs()))
        agreed.renew(node)
      }
      slow.judge(agreed.guards())
    },
    observeRtt(path, rttMs) {
      const [guard, ...nodes] = path
      const laterMs = delays.note(path, rttMs)
      if (guard === undefined || laterMs === undefined) return
      for (const node of nodes) {
        const pair = pairOf(guard, node)
        file.set(pair, hearLateness(file.get(pair), laterMs, nowMs()))
        agreed.renew(node)
      }
    },
    agreedOf: (key) => agreed.of(key),
    hasLevel: (guard) => levels.of(guard) !== undefined || delays.has(guard),
    isSlow: slow.isSlow,
  }
}

const VOICES: NodeFileForm<SpeedVoice, Pair> = {
  parseKey: parsePair,
  most: MAX_VOICES,
  storeEveryMs: STORE_EVERY_MS,
  format: ({ ratio, samples, dayStartMs, dayStartRatio, latency, answers }) => [
    shortened(ratio),
    samples,
    dayStartMs,
    shortened(dayStartRatio),
    shortened(latency),
    answers,
  ],
  parse: voiceOf,
}

function shortened(ratio: number): number {
  return Number(ratio.toPrecision(4))
}

function pairOf(guard: NodeKey, node: NodeKey): Pair {
  return `${guard} ${node}`
}

function* nodesOf(pairs: Iterable<Pair>): Iterable<NodeKey> {
  for (const pair of pairs) {
    const [, node] = keysOf(pair)
    if (node !== undefined) yield node
  }
}

function keysOf(pair: string): readonly (NodeKey | undefined)[] {
  return pair.split(' ').map(parseNodeKey)
}

function parsePair(name: unknown): Pair | undefined {
  const [guard, node, ...rest] = typeof name === 'string' ? keysOf(name) : []
  if (guard === undefined || node === undefined || rest.length > 0) return undefined
  return pairOf(guard, node)
}

/** Rows of four numbers are from before round trips counted. */
function voiceOf(numbers: readonly number[]): SpeedVoice | undefined {
  const [ratio, samples, dayStartMs, dayStartRatio, latency = 1, answers = 0] = numbers
  if (!ratio || samples === undefined || dayStartMs === undefined || !dayStartRatio)
    return undefined
  if (!isLatency(latency) || samples + answers === 0) return undefined
  return { ratio, samples, latency, answers, dayStartMs, dayStartRatio }
}
