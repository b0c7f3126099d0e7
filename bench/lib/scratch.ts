/**
 * Directories for the peers' files: below the system's temporary directory, removed when the bench ends. What a killed
 * bench left behind is removed by the next.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'byway-bench'
const made = new Set<string>()
let isGuarded = false

/** Makes an empty directory that only this user can read. */
export function makeScratch(name: string): string {
  if (!isGuarded) {
    isGuarded = true
    removeStale()
    process.on('exit', () => made.forEach((path) => removeScratch(path)))
  }
  const path = mkdtempSync(join(tmpdir(), `${PREFIX}-${process.pid}-${name}-`))
  made.add(path)
  return path
}

/** Removes a directory of `makeScratch`; the processes that write to it must have ended. */
export function removeScratch(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  made.delete(path)
}

function removeStale(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeScratch(join(tmpdir(), name))
  }
}
