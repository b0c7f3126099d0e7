/**
 * How fast nodes are beside others, as several guards show it (SPEC §10.3, ADR-0048), on disk between runs. Whatever is measured of a node comes through a guard, which could slow down all that does not
 * end at its friends; so each guard is a voice, and a weight moves only as far as two that stand apart agree.
 *
 * Holds no destination, and no node that was never used.
 * @module
 */
import { agreedRatio, goodputOf, hearRatio, parseNodeKey } from '@byway/protocol/directory'
import type { NodeKey, SpeedVoice } from '@byway/protocol/directory'
import type { Transfer } from './goodput-meter.ts'
import type { GuardLevels, SlowGuard } from './guard-levels.ts'
import { createNodeFile } from './node-file.ts'
import type { NodeFile, NodeFileDeps, NodeFileForm } from './node-file.ts'
import { createSlowGuards } from './slow-guards.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Nodes behind guards that are remembered, 200 bytes each on the disk; those measured longest ago are forgotten first. */
const MAX_VOICES = 8192
/** Between two times that voices are stored. */
const STORE_EVERY_MS = 600_000
/** How soon a change of guards is noticed. */
const LOOK_EVERY_MS = 1000

export type GuardSpeedsDeps = NodeFileDeps & {
  readonly levels: GuardLevels
  readonly primary: () => readonly NodeKey[]
  /** True for two nodes that may share a circuit: one party's are one voice. */
  readonly areApart: (a: NodeKey, b: NodeKey) => boolean
  /** Told when a guard turns out to be slow. */
  readonly onSlow: (facts: SlowGuard) => void
  readonly monotonicMs: () => number
}

/** Measurements of nodes, by guard. */
export interface GuardSpeeds extends Pick<NodeFile<SpeedVoice>, 'load' | 'flush'> {
  /** Takes in what a path, entry first, has brought. */
  observe(path: readonly NodeKey[], transfer: Transfer): void
  /** Beside other nodes, as guards agree: 1 where they do not, or nobody measured. With one primary guard its word is taken. */
  speedOf(key: NodeKey): number
  /** Guards whose measurements of a node count. */
  voicesOf(key: NodeKey): number
  /** True once enough was measured behind a guard for others to confirm it. */
  hasLevel(guard: NodeKey): boolean
  /** True for a guard that gave clearly less than one after it in the client's order, in the last 12 h. */
  isSlow(guard: NodeKey): boolean
}

/** A guard and a node behind it. */
type Pair = `${string} ${string}`
type Agreed = { readonly speed: number; readonly voices: number }

/** Creates empty records. */
export function createGuardSpeeds(deps: GuardSpeedsDeps): GuardSpeeds {
  const { levels, primary, areApart, onSlow, nowMs, monotonicMs } = deps
  const slow = createSlowGuards({ levels, onSlow, monotonicMs })
  const file = createNodeFile(deps, VOICES)
  /** Of each node that a guard in use measured. */
  const agreed = new Map<NodeKey, Agreed>()
  let guards: readonly NodeKey[] = []
  let lookedAtMs = Number.NEGATIVE_INFINITY

  function agree(key: NodeKey): void {
    const heard: { readonly guard: NodeKey; readonly ratio: number }[] = []
    for (const guard of guards) {
      const voice = file.get(pairOf(guard, key))
      if (voice && heard.every((other) => areApart(guard, other.guard)))
        heard.push({ guard, ratio: voice.ratio })
    }
    const [first] = heard
    if (!first) agreed.delete(key)
    else {
      // Where there is one guard only, nobody else can be asked.
      const speed = guards.length === 1 ? first.ratio : agreedRatio(heard.map(({ ratio }) => ratio))
      agreed.set(key, { speed, voices: heard.length })
    }
  }

  /** Guards are seldom others than before, and a path is chosen among thousands of nodes. */
  function look(): void {
    const atMs = monotonicMs()
    if (atMs - lookedAtMs < LOOK_EVERY_MS) return
    lookedAtMs = atMs
    const now = primary()
    if (now.length === guards.length && now.every((key, at) => key === guards[at])) return
    guards = now
    agreed.clear()
    for (const pair of file.keys()) {
      const [, key] = keysOf(pair)
      if (key !== undefined && !agreed.has(key)) agree(key)
    }
  }

  function agreedOf(key: NodeKey): Agreed {
    look()
    return agreed.get(key) ?? UNMEASURED
  }

  return {
    async load() {
      await file.load()
      guards = []
      lookedAtMs = Number.NEGATIVE_INFINITY
    },
    flush: () => file.flush(),
    observe([guard, ...nodes], transfer) {
      const kbps = goodputOf(transfer)
      if (guard === undefined || nodes.length === 0 || kbps === undefined) return
      look()
      for (const node of nodes) levels.note(guard, node, kbps)
      const level = levels.of(guard)
      for (const node of level === undefined ? [] : nodes) {
        const pair = pairOf(guard, node)
        file.set(pair, hearRatio(file.get(pair), kbps / (level ?? kbps), nowMs()))
        agree(node)
      }
      slow.judge(guards)
    },
    speedOf: (key) => agreedOf(key).speed,
    voicesOf: (key) => agreedOf(key).voices,
    hasLevel: (guard) => levels.of(guard) !== undefined,
    isSlow: slow.isSlow,
  }
}

const VOICES: NodeFileForm<SpeedVoice, Pair> = {
  parseKey: parsePair,
  most: MAX_VOICES,
  storeEveryMs: STORE_EVERY_MS,
  format: ({ ratio, samples, dayStartMs, dayStartRatio }) => [
    Number(ratio.toPrecision(4)),
    samples,
    dayStartMs,
    Number(dayStartRatio.toPrecision(4)),
  ],
  parse: voiceOf,
}

const UNMEASURED: Agreed = { speed: 1, voices: 0 }

function pairOf(guard: NodeKey, node: NodeKey): Pair {
  return `${guard} ${node}`
}

function keysOf(pair: string): readonly (NodeKey | undefined)[] {
  return pair.split(' ').map(parseNodeKey)
}

function parsePair(name: unknown): Pair | undefined {
  const [guard, node, ...rest] = typeof name === 'string' ? keysOf(name) : []
  if (guard === undefined || node === undefined || rest.length > 0) return undefined
  return pairOf(guard, node)
}

function voiceOf([ratio, samples, dayStartMs, dayStartRatio]: readonly number[]):
  | SpeedVoice
  | undefined {
  if (!ratio || !samples || dayStartMs === undefined || !dayStartRatio) return undefined
  return { ratio, samples, dayStartMs, dayStartRatio }
}
