/**
 * `node tools/run.mjs FILE.ts …`: installs the workspace if needed, then runs the file from source on the pinned Node.
 * A shell that has once looked `node` up keeps that answer, so `node install && node file.ts` would go on with the old Node.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled } from './ensure-installed.mjs'

/** Byway needs ML-KEM in node:crypto, node:sqlite and type stripping (docs/adr/0001). */
const OLDEST_MAJOR = 24

ensureInstalled()
const root = fileURLToPath(new URL('..', import.meta.url))
const bin = `${root}node_modules/.bin`
const pinned = `${bin}/node`
const isNewEnough = Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR
if (!existsSync(pinned) && !isNewEnough) {
  process.stderr.write(
    `byway: needs Node ${OLDEST_MAJOR} or newer, this is ${process.version}\n` +
      'hint: there is no pinned Node for this system; install one from https://nodejs.org\n',
  )
  process.exit(1)
}

const child = spawn(
  existsSync(pinned) ? pinned : process.execPath,
  ['--conditions=byway:source', ...process.argv.slice(2)],
  {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` },
  },
)
// A terminal sends Ctrl-C to the whole group; SIGTERM comes to this process alone and must reach the child.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  })
}
child.on('exit', (code, signal) => {
  process.exit(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15))
})
