/** What exits that are gone cost a client: its own source of circuits over a hundred nodes in memory, which do real handshakes. */
import { lyingWorld, NODES } from '../../packages/client/test/engine/lying-guard-world.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { worldOf, type WorldSection } from './section.ts'

/** Of the hundred, that go at the same time; none of them is a guard. */
const DEAD = 10
const FIRST_DEAD = 20
const GUARDS = [60, 70, 80] as const
const HOURS = { quick: 1, full: 4 } as const
const EACH_MS = 10_000
const HOUR_MS = 3_600_000
const SEED = 20_261_123

export const DEAD_EXITS_SYSTEM = 'byway-client'
export const DEAD_EXITS_METRICS = {
  first: 'failed builds per dead exit, first hour',
  later: 'failed builds per dead exit, each later hour',
  lowered: 'dead exits whose measure fell',
  tries: 'tries per circuit, first hour',
} as const

/** Creates the section. */
export function createDeadExits(): WorldSection {
  return {
    name: 'dead-exits',
    title: `Circuits of one client, one each ten seconds, in a network of ${NODES} exits of which ${DEAD} have gone at the same moment: builds that failed, and what was asked of guards for each circuit. Nodes in memory, handshakes and choices as they are; every circuit ends at an exit that is there, or there are no figures. Each run has a seed of its own`,
    missing: () => undefined,
    open: (context) => {
      let run = 0
      return worldOf(async () => await measure(context, SEED + run++))
    },
  }
}

async function measure({ recorder, log, isQuick }: BenchContext, seed: number): Promise<void> {
  const add = (metric: string, unit: string, value: number): void => {
    recorder.add({ section: 'dead-exits', metric, system: DEAD_EXITS_SYSTEM, unit, value })
    log(`  ${metric}: ${value.toFixed(2)} ${unit}`)
  }
  const hours = HOURS[isQuick ? 'quick' : 'full']
  const { failed, circuits, lowered } = await playDeadExits(seed, hours)
  const [first = 0, ...later] = failed
  add(DEAD_EXITS_METRICS.first, 'builds', first / DEAD)
  add(DEAD_EXITS_METRICS.tries, 'tries', 1 + first / circuits)
  add(DEAD_EXITS_METRICS.lowered, '%', (100 * lowered) / DEAD)
  if (later.length === 0) return
  const sum = later.reduce((total, each) => total + each, 0)
  add(DEAD_EXITS_METRICS.later, 'builds', sum / later.length / DEAD)
}

export type DeadExits = {
  /** Builds that failed, hour by hour. */
  readonly failed: readonly number[]
  /** In each hour. */
  readonly circuits: number
  /** Dead exits that are known to have failed a circuit. */
  readonly lowered: number
}

/** Plays some hours. @throws when a circuit is not built, or ends at an exit that is gone */
export async function playDeadExits(seed: number, hours: number): Promise<DeadExits> {
  const world = lyingWorld({ guards: GUARDS, seed })
  const dead = Array.from({ length: DEAD }, (_, at) => FIRST_DEAD + at)
  for (const number of dead) world.down.add(number)
  const circuits = HOUR_MS / EACH_MS
  const failed: number[] = []
  for (let hour = 0; hour < hours; hour++) {
    const before = world.attempts()
    for (let circuit = 0; circuit < circuits; circuit++) {
      const path = await world.build(EACH_MS)
      const exit = path?.at(-1)
      if (exit === undefined || world.down.has(exit))
        throw new Error(`circuit ${circuit} of hour ${hour} ends nowhere, seed ${seed}`)
    }
    failed.push(world.attempts() - before - circuits)
  }
  const lowered = dead.filter((number) => (world.successOf(number) ?? 1) < 1).length
  return { failed, circuits, lowered }
}
