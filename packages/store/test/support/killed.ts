/**
 * Kills a child at the nth fsync of a thread, and takes from its log what the disk had not been told to keep: a kill alone leaves in the files what was written and not yet
 * synced, a power cut does not.
 */
import { spawn } from 'node:child_process'
import { cp, readFile, truncate } from 'node:fs/promises'
import { basename, join } from 'node:path'

export type KilledLife = {
  /** What it printed. */
  readonly lines: readonly string[]
  readonly isKilled: boolean
  /** What it said on its standard error, for a test's message. */
  readonly last: string
  /** Writes to the write-ahead log that no fsync had covered begin here; undefined when there are none. */
  readonly unsynced: { readonly name: string; readonly from: number } | undefined
}

/** Runs a script of this repository under strace. @param log - where strace may write */
export async function liveUntilFsync(
  script: string,
  args: readonly string[],
  { at, log }: { readonly at: number; readonly log: string },
): Promise<KilledLife> {
  const rule = `inject=fsync:signal=SIGKILL:when=${at}`
  const calls = ['-e', 'trace=fsync,pwrite64', '-e', rule]
  const traced = ['-f', '-qq', '-y', '-s', '0', '-o', log, ...calls]
  const node = [process.execPath, '--conditions=byway:source', script, ...args]
  const child = spawn('strace', [...traced, ...node], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let last = ''
  child.stdout.setEncoding('utf8').on('data', (some: string) => (out += some))
  child.stderr.setEncoding('utf8').on('data', (some: string) => (last = (last + some).slice(-2000)))
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.once('close', (...ended) => resolve(ended)),
  )
  const isKilled = signal === 'SIGKILL' || code === 137
  const unsynced = unsyncedIn(await readFile(log, 'utf8'))
  return { lines: out.split('\n').filter(Boolean), isKilled, last, unsynced }
}

/** Copies a store's folder as a power cut would have left it. */
export async function copyWithoutUnsynced(
  from: string,
  to: string,
  { unsynced }: KilledLife,
): Promise<void> {
  await cp(from, to, { recursive: true, filter: (path) => !path.endsWith('-shm') })
  if (unsynced) await truncate(join(to, unsynced.name), unsynced.from)
}

/** The lowest place that was written since the log was synced last; one thread writes it. */
function unsyncedIn(log: string): KilledLife['unsynced'] {
  let name = ''
  let from = Number.POSITIVE_INFINITY
  for (const line of log.split('\n')) {
    const [, path, offset] =
      /pwrite64\(\d+<([^>]*-wal)>, .*, (\d+)(?:\)| <unfinished)/.exec(line) ?? []
    if (path !== undefined) {
      name = basename(path)
      from = Math.min(from, Number(offset))
    }
    if (/fsync\(\d+<[^>]*-wal>\)\s+= 0/.test(line)) from = Number.POSITIVE_INFINITY
    if (/fsync resumed>\)\s+= 0/.test(line)) from = Number.POSITIVE_INFINITY
  }
  return Number.isFinite(from) ? { name, from } : undefined
}
