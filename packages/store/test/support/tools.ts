/** Programs that some tests need. Where `BYWAY_DISK_FAULTS=required`, as in CI, one that root lacks fails the test; elsewhere, and where a machine forbids what it does, it is skipped. */
import { spawnSync } from 'node:child_process'

/** Why a test must be skipped, or false. @throws where the program must be there and is not */
export function skipWithout(program: string): string | false {
  const isThere = spawnSync(program, ['-V'], { stdio: 'ignore' }).error === undefined
  if (isThere) return false
  if (process.env['BYWAY_DISK_FAULTS'] === 'required' && process.getuid?.() === 0)
    throw new Error(`${program} is missing, and BYWAY_DISK_FAULTS=required`)
  return `needs ${program}`
}

/** The same for tests that spoil the system calls of a process. */
export function skipWithoutTracer(): string | false {
  const missing = skipWithout('strace')
  if (missing !== false) return missing
  const { status } = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true'], { stdio: 'ignore' })
  return status === 0 ? false : 'processes cannot be traced here'
}
