/** Programs that some tests need, and what a machine must allow them. Where `BYWAY_DISK_FAULTS=required`, as in CI, root's tests fail without; elsewhere they are skipped. */
import { spawnSync } from 'node:child_process'

/** Why a test must be skipped, or false. @throws where the program must be there and is not */
export function skipWithout(program: string): string | false {
  const isThere = spawnSync(program, ['-V'], { stdio: 'ignore' }).error === undefined
  if (isThere) return false
  return unavailable(`needs ${program}`)
}

/** The same for tests that spoil the system calls of a process. @throws where these must run and cannot */
export function skipWithoutTracer(): string | false {
  const missing = skipWithout('strace')
  if (missing !== false) return missing
  const { status } = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true'], { stdio: 'ignore' })
  return status === 0 ? false : unavailable('processes cannot be traced here')
}

/** Gives the reason back, to skip with. @throws where the tests must run */
export function unavailable(why: string): string {
  if (process.env['BYWAY_DISK_FAULTS'] === 'required' && process.getuid?.() === 0)
    throw new Error(`${why}, and BYWAY_DISK_FAULTS=required`)
  return why
}
