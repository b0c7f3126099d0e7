/** Bulk downloads: speed, and the CPU each process of the path spends per megabyte. */
import { checkTransfer, timeTransfer, type TransferShape } from '../lib/transfer.ts'
import type { Section } from './section.ts'

/** The transfers; their titles are part of the metrics' names. */
export const SHAPES: readonly TransferShape[] = [
  { title: '1 stream', streams: 1, circuits: 'one' },
  { title: '8 streams, 1 circuit', streams: 8, circuits: 'one' },
  { title: '8 streams, 8 circuits', streams: 8, circuits: 'own' },
]

/** Creates the section; sizes of transfers are found once per system and shape and then kept. */
export function createThroughput(): Section {
  const sizes = new Map<string, number>()
  return {
    name: 'throughput',
    title:
      'Bulk downloads over loopback; MB = 10^6 bytes; every system, the origin and the downloader share the machine',
    isFresh: false,
    isOnce: false,
    measure: async (context, system) => {
      for (const shape of SHAPES) {
        const key = `${system.name}|${shape.title}`
        const totalBytes = sizes.get(key) ?? (await checkTransfer(context, system, shape))
        sizes.set(key, totalBytes)
        const measure = await timeTransfer(context, system, shape, totalBytes)
        const record = (metric: string, unit: string, value: number): void =>
          context.recorder.add({
            section: 'throughput',
            metric: `${shape.title}: ${metric}`,
            system: system.name,
            unit,
            value,
          })
        record('speed', 'MB/s', measure.megabytesPerSecond)
        for (const [role, value] of measure.cpuMsPerMegabyte) record(`CPU ${role}`, 'ms/MB', value)
        context.log(
          `  ${system.name}, ${shape.title}: ${measure.megabytesPerSecond.toFixed(0)} MB/s`,
        )
      }
    },
  }
}
