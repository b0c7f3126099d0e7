#!/usr/bin/env node
/**
 * Starts the `byway` command. In a clone it runs the TypeScript sources on the workspace's pinned Node, whatever Node started this
 * file; in an installed package it runs the compiled program on the Node that is there. Written for old Nodes: it is what they see first.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** Byway needs ML-KEM in node:crypto, node:sqlite and type stripping (docs/adr/0001). */
const OLDEST_MAJOR = 24

const source = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const compiled = new URL('../dist/main.js', import.meta.url)
const pinned = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))
const isNewEnough = Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR

if (existsSync(source) && (existsSync(pinned) || isNewEnough)) {
  runSource(existsSync(pinned) ? pinned : process.execPath)
} else if (existsSync(compiled) && isNewEnough) {
  await import(compiled.href)
} else {
  process.stderr.write(
    `byway: needs Node ${OLDEST_MAJOR} or newer, this is ${process.version}\n` +
      'hint: in a clone run `npm ci` first; elsewhere install Node from https://nodejs.org\n',
  )
  process.exitCode = 78
}

/** @param {string} node path of the Node to run on */
function runSource(node) {
  const args = ['--conditions=byway:source', source, ...process.argv.slice(2)]
  const child = spawn(node, args, { stdio: 'inherit' })
  // A terminal sends Ctrl-C to the whole group; what comes to this process alone must reach the child.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
    })
  }
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 15)
  })
}
