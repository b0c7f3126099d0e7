/** Time to the first byte of small requests on a warm circuit, each on a new connection to the proxy, one at a time. */
import { median, percentile } from '../lib/stats.ts'
import type { Section } from './section.ts'

/** An exit takes a hundred BEGINs of one circuit at once, and then twenty a second (SECURITY §3). */
const REQUESTS = { quick: 50, full: 90 } as const
const WARM_UP_REQUESTS = 5
const BODY_BYTES = 64

/** Creates the section. */
export function createFirstByte(): Section {
  return {
    name: 'first-byte',
    title:
      'From connecting to the proxy (SOCKS included) to the first byte of a 64-byte answer, warm circuit, sequential',
    isFresh: false,
    isOnce: false,
    measure: async (context, system) => {
      const job = {
        route: system.route(),
        originPort: context.origin.port,
        streams: 1,
        bytesEach: BODY_BYTES,
        isHashed: false,
        isolations: ['bench0'],
      }
      await context.downloader.run({ ...job, repeat: WARM_UP_REQUESTS })
      const { streams } = await context.downloader.run({
        ...job,
        repeat: REQUESTS[context.isQuick ? 'quick' : 'full'],
      })
      const times = streams.map(({ firstByteMs }) => firstByteMs)
      const record = (metric: string, value: number): void =>
        context.recorder.add({
          section: 'first-byte',
          metric,
          system: system.name,
          unit: 'ms',
          value,
        })
      record('median', median(times))
      record('p95', percentile(times, 0.95))
      record('p99', percentile(times, 0.99))
      context.log(`  ${system.name}: first byte after ${median(times).toFixed(2)} ms`)
    },
  }
}
