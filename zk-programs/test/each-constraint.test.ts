/**
 * That no constraint goes without a lie of its own: every statement of the programs that only constrains must stand in `dropped-*.test.ts`, where it is left out. What assigns a signal
 * cannot be left out; that none of those is free is `constraints.test.ts`'s.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const SOURCES = ['../src/', '../lib/'].flatMap((folder) =>
  readdirSync(new URL(folder, import.meta.url)).map((name) => `${folder}${name}`),
)
const DROPPED = ['dropped-constraints.test.ts', 'dropped-audit-constraints.test.ts']

/** Where the lie is told with real signatures: the dropped tests have a stand-in for them. */
const SIGNATURE = /^EdDSAPoseidonVerifier\(\)/

/** Statements that only constrain: an equation, a range, a component without outputs. */
function constraintsIn(source: string): readonly string[] {
  return source
    .replaceAll(/\/\/.*$/gm, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.includes('===') || /^(_ <== )?[A-Z]\w+\(.*\)\(.*\);$/.test(line))
}

test('each statement that only constrains is left out in a test, and a lie passes then', () => {
  const sources = SOURCES.map(read)
  const ours = sources.flatMap((source) =>
    [...source.matchAll(/^template (\w+)/gm)].map(([, name]) => name),
  )
  const isOurs = (line: string): boolean => ours.includes(/^(\w+)\(/.exec(line)?.[1])
  const all = [...new Set(sources.flatMap(constraintsIn))].filter((line) => !isOurs(line))
  assert.ok(all.length > 25, `${all.length} were found`)
  const tests = DROPPED.map((name) => read(name)).join('\n')
  const without = all.filter((line) => !SIGNATURE.test(line) && !tests.includes(line))
  assert.deepEqual(without, [])
  assert.ok(all.some((line) => SIGNATURE.test(line)))
})
