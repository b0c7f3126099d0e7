/**
 * Installs the workspace when it is not installed, or when the lock file is newer than what is installed.
 * Runs on any Node from 18, because it is what a fresh clone runs first; it does not choose the Node that runs Byway (`run.mjs`).
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const installed = `${root}node_modules/.package-lock.json`
const wanted = `${root}package-lock.json`

/** Runs `npm ci` if needed; ends the process with npm's status when that fails. */
export function ensureInstalled() {
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return
  process.stderr.write('byway: installing dependencies (npm ci)\n')
  const windows = process.platform === 'win32'
  const npm = spawnSync(
    windows ? 'npm.cmd' : 'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: windows,
    },
  )
  if (npm.status === 0) return
  process.stderr.write(
    'byway: npm ci failed\nhint: is the npm registry reachable? run `npm ci` to see why\n',
  )
  process.exit(npm.status ?? 1)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureInstalled()
