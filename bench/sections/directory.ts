/** What a client's directory costs: no network, so a world of its own. */
import { measureDirectory } from '../../packages/net/bench/directory.bench.ts'
import type { BenchContext } from '../lib/fleet.ts'
import { measureJunk } from '../lib/junk.ts'
import { worldOf, type WorldSection } from './section.ts'

const NODES = 10_000
const JUNK = { quick: 10_000, full: 100_000 } as const

export const DIRECTORY_SYSTEM = 'byway-directory'
export const DIRECTORY_METRICS = {
  whole: 'whole set of 10 000 nodes',
  hour: 'an hour in step',
  churn: (percent: number): string => `an hour in step, ${percent} % of the nodes come back`,
  read: 'a descriptor read',
  judged: 'a descriptor judged',
  refused: 'a mutated descriptor refused',
  pack: 'whole set packed',
  resting: 'resident memory, set of 10 000 nodes',
  grown: (junk: number): string => `resident memory that ${junk} mutated descriptors leave`,
  held: (junk: number): string => `memory that is held of ${junk} mutated descriptors`,
  most: (junk: number): string => `resident memory at most while ${junk} mutated ones come`,
} as const

/** Creates the section. */
export function createDirectory(): WorldSection {
  return {
    name: 'directory',
    title:
      'A synthetic set of 10 000 signed descriptors: bytes on the link in whole cells, whole and for an hour at two editions a node and day (asked for every ten minutes), beside it with an edition more of each of 5 to 30 % of the nodes, that come back within the hour, and the time that reading and judging takes. Every set is unpacked, verified and compared in each run. Memory is that of a process which holds the set and nothing else, collected before and after; each mutated descriptor must be refused',
    missing: () => undefined,
    open: (context) =>
      worldOf(async () => {
        record(context)
        await recordJunk(context)
      }),
  }
}

type Add = (metric: string, unit: string, value: number) => void

function adding({ recorder, log }: BenchContext): Add {
  return (metric, unit, value) => {
    recorder.add({ section: 'directory', metric, system: DIRECTORY_SYSTEM, unit, value })
    log(`  ${metric}: ${value} ${unit}`)
  }
}

async function recordJunk(context: BenchContext): Promise<void> {
  const add = adding(context)
  const junk = JUNK[context.isQuick ? 'quick' : 'full']
  const { before, after, mostBytes } = await measureJunk(NODES, junk)
  add(DIRECTORY_METRICS.resting, 'MB', before.residentBytes / 1e6)
  add(DIRECTORY_METRICS.grown(junk), 'MB', (after.residentBytes - before.residentBytes) / 1e6)
  add(DIRECTORY_METRICS.held(junk), 'MB', (after.heldBytes - before.heldBytes) / 1e6)
  add(DIRECTORY_METRICS.most(junk), 'MB', mostBytes / 1e6)
}

function record(context: BenchContext): void {
  const figures = measureDirectory(NODES)
  const add = adding(context)
  add(DIRECTORY_METRICS.whole, 'MB', figures.wholeBytes / 1e6)
  add(DIRECTORY_METRICS.hour, 'KB', figures.hourBytes / 1e3)
  for (const { percent, hourBytes } of figures.churn)
    add(DIRECTORY_METRICS.churn(percent), 'KB', hourBytes / 1e3)
  add(DIRECTORY_METRICS.read, 'ms', figures.readMs)
  add(DIRECTORY_METRICS.judged, 'ms', figures.judgedMs)
  add(DIRECTORY_METRICS.refused, 'ms', figures.refusedMs)
  add(DIRECTORY_METRICS.pack, 'ms', figures.packMs)
}
