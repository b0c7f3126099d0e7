/**
 * `node tools/run.mjs FILE.ts …`: installs the workspace if needed, then runs the file from source on the pinned Node.
 * A shell that has once looked `node` up keeps that answer, so `node install && node file.ts` would go on with the old Node.
 */
import { existsSync } from 'node:fs'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runChild, sourceEnv, SOURCE_FLAGS } from '../packages/cli/bin/run-child.mjs'
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

const node = existsSync(pinned) ? pinned : process.execPath
const path = `${bin}${delimiter}${process.env['PATH'] ?? ''}`
runChild(node, [...SOURCE_FLAGS, ...process.argv.slice(2)], { ...sourceEnv(), PATH: path })
