/** The systems of one bench, started once and measured in turn. A system that does not start is noted and left out. */
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

import type { Recorder } from './recorder.ts'
import { isUnavailable, type Candidate, type SystemUnderTest } from './system.ts'
import { pollUntil } from './wait.ts'
import type { Downloader, Origin } from './workers.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** A result file holds a sentence, not a log. */
const MAX_REASON_CHARS = 300
/** Longest time between "up" and the first byte. */
const FIRST_DOWNLOAD_TIMEOUT_MS = 60_000

/** What every section gets. */
export type BenchContext = {
  readonly origin: Origin
  readonly downloader: Downloader
  readonly recorder: Recorder
  readonly isQuick: boolean
  readonly log: (text: string) => void
}

/** Starts what can be started, all at the same time since Tor's authorities mostly wait; the rest becomes a note under `section`. */
export async function startFleet(
  context: BenchContext,
  section: string,
  candidates: readonly Candidate[],
): Promise<SystemUnderTest[]> {
  const attempts = await Promise.all(
    candidates.map(async (candidate) => ({
      candidate,
      failure: isUnavailable(candidate) ? candidate.reason : await tryStart(context, candidate),
    })),
  )
  const started: SystemUnderTest[] = []
  for (const { candidate, failure } of attempts) {
    const reason = isUnavailable(candidate)
      ? failure
      : (failure ?? (await tryCarry(context, candidate)))
    if (reason === undefined && !isUnavailable(candidate)) started.push(candidate)
    if (reason === undefined) continue
    context.recorder.skip({ section, system: candidate.name, reason })
    context.log(`SKIPPED ${candidate.name}: ${reason}`)
  }
  return started
}

/** Returns why it did not start. */
async function tryStart(
  context: BenchContext,
  system: SystemUnderTest,
): Promise<string | undefined> {
  context.log(`starting ${system.name} (${system.description})`)
  return await orStop(system, () => system.start(context.origin.port))
}

/** Returns why it carries nothing. One system after the other: the downloader takes one job at a time. */
async function tryCarry(
  context: BenchContext,
  system: SystemUnderTest,
): Promise<string | undefined> {
  return await orStop(system, () => waitUntilCarries(context, system))
}

async function orStop(
  system: SystemUnderTest,
  step: () => Promise<void>,
): Promise<string | undefined> {
  try {
    await step()
    return undefined
  } catch (cause) {
    await system.stop()
    return `did not start: ${reasonOf(cause)}`
  }
}

/** A network that says it is up may still refuse its first stream: small downloads are tried until one passes. */
async function waitUntilCarries(context: BenchContext, system: SystemUnderTest): Promise<void> {
  let lastReason = ''
  const job = { streams: 1, repeat: 1, bytesEach: 1_000, isHashed: false, isolations: ['bench0'] }
  try {
    await pollUntil('the first small download', FIRST_DOWNLOAD_TIMEOUT_MS, async () => {
      try {
        await context.downloader.run({
          ...job,
          route: system.route(),
          originPort: context.origin.port,
        })
        return true
      } catch (cause) {
        lastReason = reasonOf(cause)
        return undefined
      }
    })
  } catch (cause) {
    throw new Error(`carries no traffic: ${lastReason}`, { cause })
  }
}

/** One short line for the result file, without this machine's directories. */
function reasonOf(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text
    .replaceAll(ROOT, '')
    .replaceAll(tmpdir(), '')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_REASON_CHARS)
}

/** Stops every system, whatever the others do. */
export async function stopFleet(systems: readonly SystemUnderTest[]): Promise<void> {
  await Promise.allSettled(systems.map((system) => system.stop()))
}

/** The systems in the order of run number `run`: each goes first once, so that no one always follows the same other. */
export function orderOfRun<T>(systems: readonly T[], run: number): T[] {
  const shift = run % Math.max(1, systems.length)
  return [...systems.slice(shift), ...systems.slice(0, shift)]
}

/** Measures one system; a failure is noted and the bench goes on. */
export async function guardMeasure(
  context: BenchContext,
  section: string,
  system: Pick<SystemUnderTest, 'name'>,
  measure: () => Promise<void>,
): Promise<void> {
  try {
    await measure()
  } catch (cause) {
    const reason = `failed: ${reasonOf(cause)}`
    context.recorder.skip({ section, system: system.name, reason })
    context.log(`FAILED ${system.name}: ${reason}`)
  }
}
