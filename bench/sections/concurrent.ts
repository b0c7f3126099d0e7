/** A thousand downloads at the same time, each with its hash checked: that they all arrive whole is the point, not the speed. */
import { bodySha256 } from '../lib/body.ts'
import type { Section } from './section.ts'

/** As many as one client must carry at once. */
export const STREAMS = 1_000
const BYTES_EACH = 64 * 1024 + 13

/** Creates the section. */
export function createConcurrent(): Section {
  return {
    name: 'concurrent',
    title: `${STREAMS} downloads of 64 KiB at the same time for one user: how many came whole (by hash), and how fast in all`,
    systems: ['tor-vanilla', 'byway-3'],
    isFresh: false,
    isOnce: true,
    measure: async (context, system) => {
      const { streams, wallMs } = await context.downloader.run({
        route: system.route(),
        originPort: context.origin.port,
        streams: STREAMS,
        repeat: 1,
        bytesEach: BYTES_EACH,
        isHashed: true,
        isolations: ['bench0'],
      })
      const expected = bodySha256(BYTES_EACH)
      const whole = streams.filter(({ sha256 }) => sha256 === expected).length
      const record = (metric: string, unit: string, value: number): void =>
        context.recorder.add({
          section: 'concurrent',
          metric,
          system: system.name,
          unit,
          value,
        })
      record('whole', 'streams', whole)
      record('speed', 'MB/s', (STREAMS * BYTES_EACH) / wallMs / 1e3)
      context.log(`  ${system.name}: ${whole} of ${STREAMS} whole after ${wallMs.toFixed(0)} ms`)
    },
  }
}
