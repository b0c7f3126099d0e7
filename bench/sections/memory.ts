/** Memory at rest, what each idle client link and circuit adds to the processes that hold it, and all of it held at once. */
import { setTimeout as delay } from 'node:timers/promises'

import type { BenchContext } from '../lib/fleet.ts'
import { readMemory } from '../lib/process-stats.ts'
import type { IdleLoad, Role, SystemUnderTest } from '../lib/system.ts'
import type { Section } from './section.ts'

const LINKS = { quick: 500, full: 2_000 } as const
const CIRCUITS = { quick: 1_000, full: 5_000 } as const
/** Time for buffers of the set-up to be given back before memory is read: V8 collects some seconds after it has become quiet. */
const SETTLE_MS = { quick: 3_000, full: 12_000 } as const

/** The metric of an entry that holds as much as the goal asks for. */
export const LOADED_METRIC: string = loadedMetric(LINKS.full, CIRCUITS.full)

/** Creates the section. */
export function createMemory(): Section {
  return {
    name: 'memory',
    title:
      'Resident memory after the first transfer, growth of the proportional set per idle client link and then per idle circuit on these links (growth into memory freed before reads as 0), and resident memory with all of them',
    systems: ['nginx-stream', 'tor-vanilla', 'byway-3'],
    isFresh: true,
    isOnce: true,
    measure: async (context, system) => {
      await context.downloader.run({
        route: system.route(),
        originPort: context.origin.port,
        streams: 1,
        repeat: 1,
        bytesEach: 1_000_000,
        isHashed: false,
        isolations: ['bench0'],
      })
      await settle(context)
      for (const [role, bytes] of await readRoles(system, 'residentBytes')) {
        record(context, system, `at rest, ${role}`, 'MB', bytes / 1e6)
      }
      await measureLoaded(context, system)
    },
  }
}

async function measureLoaded(context: BenchContext, system: SystemUnderTest): Promise<void> {
  const size = context.isQuick ? 'quick' : 'full'
  const held: IdleLoad[] = []
  try {
    if (system.openIdleLinks) {
      const open = system.openIdleLinks.bind(system)
      held.push(await growth(context, system, 'client link', LINKS[size], open, ['entry']))
    }
    if (system.openIdleCircuits) {
      const open = system.openIdleCircuits.bind(system)
      const roles: readonly Role[] = ['entry', 'middle', 'exit']
      held.push(await growth(context, system, 'circuit', CIRCUITS[size], open, roles))
    }
    if (held.length === 2) {
      const resident = (await readRoles(system, 'residentBytes')).get('entry') ?? 0
      record(context, system, loadedMetric(LINKS[size], CIRCUITS[size]), 'MB', resident / 1e6)
    }
  } finally {
    for (const load of held.toReversed()) await load.close()
  }
}

function loadedMetric(links: number, circuits: number): string {
  return `with ${links} client links and ${circuits} circuits, entry`
}

async function growth(
  context: BenchContext,
  system: SystemUnderTest,
  what: string,
  count: number,
  open: (count: number) => Promise<IdleLoad>,
  roles: readonly Role[],
): Promise<IdleLoad> {
  const before = await readRoles(system, 'proportionalBytes')
  const load = await open(count)
  await settle(context)
  const after = await readRoles(system, 'proportionalBytes')
  for (const role of roles) {
    const bytes = after.get(role)
    if (bytes === undefined) continue
    const perOne = (bytes - (before.get(role) ?? 0)) / count / 1e3
    record(context, system, `per idle ${what}, ${role}`, 'KB', perOne)
  }
  return load
}

async function settle(context: BenchContext): Promise<void> {
  await delay(SETTLE_MS[context.isQuick ? 'quick' : 'full'])
}

async function readRoles(
  system: SystemUnderTest,
  field: 'residentBytes' | 'proportionalBytes',
): Promise<Map<Role, number>> {
  const sums = new Map<Role, number>()
  for (const { role, pid } of await system.processes()) {
    if (role !== 'idle') sums.set(role, (sums.get(role) ?? 0) + readMemory(pid)[field])
  }
  return sums
}

function record(
  context: BenchContext,
  system: SystemUnderTest,
  metric: string,
  unit: string,
  value: number,
): void {
  context.recorder.add({ section: 'memory', metric, system: system.name, unit, value })
  context.log(`  ${system.name}, ${metric}: ${value.toFixed(2)} ${unit}`)
}
