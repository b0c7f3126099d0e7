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

/** Starts what can be started, one after the other; the rest becomes a note under `section`. */
export async function startFleet(
  context: BenchContext,
  section: string,
  candidates: readonly Candidate[],
): Promise<SystemUnderTest[]> {
  const started: SystemUnderTest[] = []
  for (const candidate of candidates) {
    const skip = (reason: string): void => {
      context.recorder.skip({ section, system: candidate.name, reason })
      context.log(`SKIPPED ${candidate.name}: ${reason}`)
    }
    if (isUnavailable(candidate)) {
      skip(candidate.reason)
      continue
    }
    try {
      context.log(`starting ${candidate.name} (${candidate.description})`)
      await candidate.start(context.origin.port)
      await waitUntilCarries(context, candidate)
      started.push(candidate)
    } catch (cause) {
      await candidate.stop()
      skip(`did not start: ${reasonOf(cause)}`)
    }
  }
  return started
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
