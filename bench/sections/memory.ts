/** Memory at rest, and what each idle circuit or client link adds to the processes that hold it. */
import { setTimeout as delay } from 'node:timers/promises'

import type { BenchContext } from '../lib/fleet.ts'
import { readMemory } from '../lib/process-stats.ts'
import type { IdleLoad, Role, SystemUnderTest } from '../lib/system.ts'
import type { Section } from './section.ts'

const IDLE = { quick: 1_000, full: 2_000 } as const
/** Time for buffers of the set-up to be given back before memory is read. */
const SETTLE_MS = 2_000

/** Creates the section. */
export function createMemory(): Section {
  return {
    name: 'memory',
    title:
      'Resident memory after the first transfer, and growth of the proportional set per idle circuit or client link (growth into memory freed before reads as 0)',
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
      await delay(SETTLE_MS)
      for (const [role, bytes] of await readRoles(system, 'residentBytes')) {
        record(context, system, `at rest, ${role}`, 'MB', bytes / 1e6)
      }
      if (system.openIdleCircuits)
        await growth(context, system, 'circuit', system.openIdleCircuits.bind(system))
      if (system.openIdleLinks)
        await growth(context, system, 'client link', system.openIdleLinks.bind(system), ['entry'])
    },
  }
}

async function growth(
  context: BenchContext,
  system: SystemUnderTest,
  what: string,
  open: (count: number) => Promise<IdleLoad>,
  roles: readonly Role[] = ['client', 'entry', 'middle', 'exit'],
): Promise<void> {
  const count = IDLE[context.isQuick ? 'quick' : 'full']
  const before = await readRoles(system, 'proportionalBytes')
  const load = await open(count)
  await delay(SETTLE_MS)
  const after = await readRoles(system, 'proportionalBytes')
  await load.close()
  for (const role of roles) {
    const bytes = after.get(role)
    if (bytes === undefined) continue
    record(
      context,
      system,
      `per idle ${what}, ${role}`,
      'KB',
      (bytes - (before.get(role) ?? 0)) / count / 1e3,
    )
  }
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
