/** One download beside clients that asked for much and never read: what is left of the speed it has alone. */
import type { BenchContext } from '../lib/fleet.ts'
import type { SystemUnderTest } from '../lib/system.ts'
import type { Section } from './section.ts'

const BYTES = { quick: 16e6, full: 50e6 } as const
const STALLED = 4

/** Where the connections that never read are. */
const PLACES = [
  { title: 'other circuits', userOf: (index: number) => `stalled${index}` },
  { title: 'the same circuit', userOf: () => 'bench0' },
] as const

/** The titles of the places, as they stand in metrics. */
export const STALLED_PLACES: readonly string[] = PLACES.map(({ title }) => title)

/** Creates the section. */
export function createStalled(): Section {
  return {
    name: 'stalled',
    title: `Speed of one download, alone and beside ${STALLED} connections that asked for 4 GB and never read`,
    systems: ['nginx-stream', 'tor-vanilla', 'byway-3'],
    isFresh: false,
    isOnce: false,
    measure: async (context, system) => {
      const record = (metric: string, unit: string, value: number): void =>
        context.recorder.add({ section: 'stalled', metric, system: system.name, unit, value })
      await speedBeside(context, system, [])
      const before = await speedBeside(context, system, [])
      const speeds = []
      for (const { title, userOf } of PLACES) {
        const stalled = Array.from({ length: STALLED }, (_, index) => userOf(index))
        speeds.push({ title, speed: await speedBeside(context, system, stalled) })
      }
      // Alone before and after: what the machine does meanwhile is no one's fault.
      const alone = (before + (await speedBeside(context, system, []))) / 2
      record('alone', 'MB/s', alone)
      for (const { title, speed } of speeds) {
        record(`beside stalled ones on ${title}`, 'MB/s', speed)
        record(`kept, stalled ones on ${title}`, '%', (100 * speed) / alone)
        context.log(`  ${system.name}, ${title}: keeps ${((100 * speed) / alone).toFixed(0)} %`)
      }
    },
  }
}

async function speedBeside(
  context: BenchContext,
  system: SystemUnderTest,
  stalled: readonly string[],
): Promise<number> {
  const bytesEach = BYTES[context.isQuick ? 'quick' : 'full']
  const { wallMs } = await context.downloader.run({
    route: system.route(),
    originPort: context.origin.port,
    streams: 1,
    repeat: 1,
    bytesEach,
    isHashed: false,
    isolations: ['bench0'],
    stalled,
  })
  return bytesEach / wallMs / 1e3
}
