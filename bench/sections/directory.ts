/** What a client's directory costs: no network, so a world of its own. */
import { measureDirectory } from '../../packages/net/bench/directory.bench.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { worldOf, type WorldSection } from './section.ts'

const NODES = 10_000

export const DIRECTORY_SYSTEM = 'byway-directory'
export const DIRECTORY_METRICS = {
  whole: 'whole set of 10 000 nodes',
  hour: 'an hour in step',
  churn: (percent: number): string => `an hour in step, ${percent} % of the nodes come back`,
  read: 'a descriptor read',
  judged: 'a descriptor judged',
  refused: 'a mutated descriptor refused',
  pack: 'whole set packed',
} as const

/** Creates the section. */
export function createDirectory(): WorldSection {
  return {
    name: 'directory',
    title:
      'A synthetic set of 10 000 signed descriptors: bytes on the link in whole cells, whole and for an hour at two editions a node and day (asked for every ten minutes), beside it with an edition more of each of 5 to 30 % of the nodes, that come back within the hour, and the time that reading and judging takes. Every set is unpacked, verified and compared in each run',
    missing: () => undefined,
    open: (context) =>
      worldOf(() => {
        record(context)
        return Promise.resolve()
      }),
  }
}

function record({ recorder, log }: BenchContext): void {
  const figures = measureDirectory(NODES)
  const add = (metric: string, unit: string, value: number): void => {
    recorder.add({ section: 'directory', metric, system: DIRECTORY_SYSTEM, unit, value })
    log(`  ${metric}: ${value} ${unit}`)
  }
  add(DIRECTORY_METRICS.whole, 'MB', figures.wholeBytes / 1e6)
  add(DIRECTORY_METRICS.hour, 'KB', figures.hourBytes / 1e3)
  for (const { percent, hourBytes } of figures.churn)
    add(DIRECTORY_METRICS.churn(percent), 'KB', hourBytes / 1e3)
  add(DIRECTORY_METRICS.read, 'ms', figures.readMs)
  add(DIRECTORY_METRICS.judged, 'ms', figures.judgedMs)
  add(DIRECTORY_METRICS.refused, 'ms', figures.refusedMs)
  add(DIRECTORY_METRICS.pack, 'ms', figures.packMs)
}
