/**
 * Installs the workspace when it is not installed, or when the lock file is newer than what is installed.
 * Runs on any Node from 18: it is what `npm start` and `npm test` call first in a fresh clone.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const installed = `${root}node_modules/.package-lock.json`
const wanted = `${root}package-lock.json`

const isCurrent = existsSync(installed) && statSync(installed).mtimeMs >= statSync(wanted).mtimeMs
if (!isCurrent) {
  process.stderr.write('byway: installing dependencies (npm ci)\n')
  const windows = process.platform === 'win32'
  const run = spawnSync(windows ? 'npm.cmd' : 'npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: windows,
  })
  if (run.status !== 0) {
    process.stderr.write('byway: npm ci failed\nhint: is the npm registry reachable? run `npm ci` to see why\n')
    process.exit(run.status ?? 1)
  }
}
