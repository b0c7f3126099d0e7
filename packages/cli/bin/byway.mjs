#!/usr/bin/env node
/**
 * Starts the `byway` command. In a clone it runs the TypeScript sources on the workspace's pinned Node, whatever Node started this
 * file; in an installed package it runs the compiled program on the Node that is there. Written for old Nodes: it is what they see first.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runChild, sourceEnv, SOURCE_FLAGS } from './run-child.mjs'

/** Byway needs ML-KEM in node:crypto, node:sqlite and type stripping (docs/adr/0001). */
const OLDEST_MAJOR = 24

const source = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const compiled = new URL('../dist/main.js', import.meta.url)
const pinned = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))
const isNewEnough = Number(process.versions.node.split('.')[0]) >= OLDEST_MAJOR

if (existsSync(source) && (existsSync(pinned) || isNewEnough)) {
  const node = existsSync(pinned) ? pinned : process.execPath
  runChild(node, [...SOURCE_FLAGS, source, ...process.argv.slice(2)], sourceEnv())
} else if (existsSync(compiled) && isNewEnough) {
  await import(compiled.href)
} else {
  process.stderr.write(
    `byway: needs Node ${OLDEST_MAJOR} or newer, this is ${process.version}\n` +
      'hint: in a clone run `npm ci` first; elsewhere install Node from https://nodejs.org\n',
  )
  process.exitCode = 78
}
