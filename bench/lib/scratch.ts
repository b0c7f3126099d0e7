/** Directories for the peers' files: below the system's temporary directory, removed when the bench ends. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made = new Set<string>()

/** Makes an empty directory that only this user can read. */
export function makeScratch(name: string): string {
  if (made.size === 0) process.on('exit', () => made.forEach((path) => removeScratch(path)))
  const path = mkdtempSync(join(tmpdir(), `byway-bench-${name}-`))
  made.add(path)
  return path
}

/** Removes a directory of `makeScratch`; the processes that write to it must have ended. */
export function removeScratch(path: string): void {
  made.delete(path)
  rmSync(path, { recursive: true, force: true, maxRetries: 3 })
}
