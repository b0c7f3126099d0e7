/**
 * `npm run bench [-- [--quick] [--runs N] [--systems a,b] [section …]]`: measures Byway beside its peers on loopback, in
 * alternating runs, and writes bench/RESULTS.md and bench/results/DATE-TIME-COMMIT.json. With `--no-write` it only prints.
 * A missing peer is named and left out. Everything started ends with it.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { GOALS } from './goals.ts'
import { stopAllChildren } from './lib/child.ts'
import { readEnvironment } from './lib/environment.ts'
import { guardMeasure, orderOfRun, startFleet, stopFleet, type BenchContext } from './lib/fleet.ts'
import { latestOf } from './lib/latest.ts'
import { createRecorder } from './lib/recorder.ts'
import { renderReport } from './lib/report.ts'
import { compareGoals, type BenchResult } from './lib/results.ts'
import { isUnavailable, type Candidate, type SystemUnderTest } from './lib/system.ts'
import { startDownloader, startOrigin } from './lib/workers.ts'
import { createCircuitBuild } from './sections/circuit-build.ts'
import { createConcurrent } from './sections/concurrent.ts'
import { createFirstByte } from './sections/first-byte.ts'
import { createGas } from './sections/gas.ts'
import { createGossip } from './sections/gossip.ts'
import { createDeadExits } from './sections/dead-exits.ts'
import { createSpread } from './sections/spread.ts'
import { createMemory } from './sections/memory.ts'
import { createPayment } from './sections/payment.ts'
import { createDirectory } from './sections/directory.ts'
import { createDistance } from './sections/distance.ts'
import type { Section, WorldSection } from './sections/section.ts'
import { createStalled } from './sections/stalled.ts'
import { createThroughput } from './sections/throughput.ts'
import { createTickets } from './sections/tickets.ts'
import { createZk } from './sections/zk.ts'
import { createZkAudit } from './sections/zk-audit.ts'
import { createSystems } from './systems.ts'

const FULL_RUNS = 5
const QUICK_RUNS = 1

const sections = [
  createThroughput(),
  createFirstByte(),
  createCircuitBuild(),
  createConcurrent(),
  createStalled(),
  createMemory(),
]
const worlds = [
  createDistance(),
  createDirectory(),
  createGossip(),
  createSpread(),
  createDeadExits(),
  createTickets(),
  createGas(),
  createPayment(),
  createZk(),
  createZkAudit(),
]

type Options = {
  readonly isQuick: boolean
  readonly isWritten: boolean
  readonly runs: number
  readonly systems: readonly string[]
  readonly sections: readonly Section[]
  readonly worlds: readonly WorldSection[]
}

async function main(): Promise<void> {
  const options = readOptions()
  const environment = readEnvironment()
  const recorder = createRecorder()
  const context: BenchContext = {
    origin: await startOrigin(),
    downloader: await startDownloader(),
    recorder,
    isQuick: options.isQuick,
    log: (text) => void process.stderr.write(`bench: ${text}\n`),
  }
  const candidates = createSystems(context.log).filter(
    ({ name }) => options.systems.length === 0 || options.systems.includes(name),
  )
  for (const section of options.sections.filter(({ isFresh }) => isFresh)) {
    for (const candidate of candidates)
      if (looksAt(section, candidate.name))
        await measureAll(context, [section], [candidate], options.runs)
  }
  const shared = options.sections.filter(({ isFresh }) => !isFresh)
  if (shared.length > 0) await measureAll(context, shared, candidates, options.runs)

  for (const world of options.worlds) await measureWorld(context, world, options.runs)

  const series = recorder.series()
  const result: BenchResult = {
    environment,
    options: {
      runs: options.runs,
      isQuick: options.isQuick,
      sections: [...options.sections, ...options.worlds].map(({ name }) => name),
    },
    series,
    comparisons: compareGoals(GOALS, series),
    skipped: recorder.skipped(),
  }
  writeResult(result, candidates, options.isWritten)
  await stopAllChildren()
}

/** Starts the candidates, measures each in every run, and stops them. */
async function measureAll(
  context: BenchContext,
  wanted: readonly Section[],
  candidates: readonly Candidate[],
  runs: number,
): Promise<void> {
  const label = wanted.map(({ name }) => name).join(', ')
  const systems = await startFleet(context, label, candidates)
  try {
    for (let run = 0; run < runs; run++) {
      context.recorder.beginRun(run)
      for (const section of wanted.filter(({ isOnce }) => run === 0 || !isOnce)) {
        context.log(`run ${run + 1} of ${section.isOnce ? 1 : runs}: ${section.name}`)
        await measureSection(context, section, orderOfRun(systems, run))
      }
    }
  } finally {
    await stopFleet(systems)
  }
}

async function measureWorld(
  context: BenchContext,
  world: WorldSection,
  runs: number,
): Promise<void> {
  const missing = world.missing()
  if (missing !== undefined) {
    context.recorder.skip({ section: world.name, system: 'all', reason: missing })
    context.log(`SKIPPED ${world.name}: ${missing}`)
    return
  }
  await guardMeasure(context, world.name, { name: 'all' }, async () => {
    const opened = await world.open(context)
    try {
      for (let run = 0; run < runs; run++) {
        context.recorder.beginRun(run)
        context.log(`run ${run + 1} of ${runs}: ${world.name}`)
        await guardMeasure(context, world.name, { name: 'all' }, () => opened.measure(run))
      }
    } finally {
      await opened.close()
    }
  })
}

async function measureSection(
  context: BenchContext,
  section: Section,
  systems: readonly SystemUnderTest[],
): Promise<void> {
  for (const system of systems.filter(({ name }) => looksAt(section, name))) {
    await guardMeasure(context, section.name, system, () => section.measure(context, system))
  }
}

function looksAt(section: Section, system: string): boolean {
  return section.systems?.includes(system) ?? true
}

function writeResult(
  result: BenchResult,
  candidates: readonly Candidate[],
  isWritten: boolean,
): void {
  const systems = candidates.flatMap((one) =>
    isUnavailable(one) ? [] : [[one.name, one.description] as const],
  )
  const directory = fileURLToPath(new URL('./results/', import.meta.url))
  const report = renderReport(latestOf(result, earlierIn(directory), GOALS), {
    sections: Object.fromEntries([...sections, ...worlds].map(({ name, title }) => [name, title])),
    systems: Object.fromEntries(systems),
  })
  if (!isWritten) {
    process.stdout.write(report)
    return
  }
  mkdirSync(directory, { recursive: true })
  const { date, commit } = result.environment
  const minute = date.slice(0, 16).replace('T', '-').replace(':', '')
  writeFileSync(`${directory}${minute}-${commit}.json`, `${JSON.stringify(result, undefined, 2)}\n`)
  writeFileSync(fileURLToPath(new URL('./RESULTS.md', import.meta.url)), report)
  process.stderr.write('bench: wrote bench/RESULTS.md\n')
}

/** What was written before. */
function earlierIn(directory: string): readonly BenchResult[] {
  const files = globSync('*.json', { cwd: directory })
  return files.map((name) => JSON.parse(readFileSync(`${directory}${name}`, 'utf8')) as BenchResult)
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      systems: { type: 'string', default: '' },
      'no-write': { type: 'boolean', default: false },
    },
  })
  const names = [...sections, ...worlds].map(({ name }) => name)
  const unknown = positionals.filter((name) => !names.includes(name))
  const isWanted = (name: string): boolean => positionals.length === 0 || positionals.includes(name)
  const runs = Number(values.runs ?? (values.quick ? QUICK_RUNS : FULL_RUNS))
  if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
    process.stderr.write(
      `bench: no such section or number of runs: ${[...unknown, values.runs ?? ''].join(' ')}\n`,
    )
    process.stderr.write(`hint: sections are ${names.join(', ')}\n`)
    process.exit(2)
  }
  return {
    isQuick: values.quick,
    isWritten: !values['no-write'],
    runs,
    systems: values.systems.split(',').filter((name) => name !== ''),
    sections: sections.filter(({ name }) => isWanted(name)),
    worlds: worlds.filter(({ name }) => isWanted(name)),
  }
}

await main()
