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
const PROGRAMS = ['join', 'service-audit', 'slot', 'withdraw-unused']
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

/** What the tests leave out, by program: the statements that stand in their `without`, by name or as they are. */
function leftOut(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const quoted = /\['((?:[^'\\]|\\.)+)'/g
  const named = new Map(
    [...text.matchAll(/^const (\w+): Change = \['(.+?)'/gm)].map(([, name = '', line = '']) => [
      name,
      line,
    ]),
  )
  const found = new Map<string, Set<string>>()
  for (const part of text.split('describeDropped({').slice(1)) {
    const [, program = ''] = /program: '([\w-]+)'/.exec(part) ?? []
    const lines = found.get(program) ?? new Set()
    found.set(program, lines)
    for (const [, without = ''] of part.matchAll(/without: ([\s\S]+?),\n\s+\w+:/g)) {
      for (const [, line = ''] of without.matchAll(quoted)) lines.add(line)
      for (const [name, line] of named)
        if (new RegExp(`\\b${name}\\b`).test(without)) lines.add(line)
    }
  }
  return found
}

test('each statement that only constrains is left out in a test of a program that has it, and a lie passes then', () => {
  const sources = new Map(SOURCES.map((path) => [path, read(path)]))
  const ours = [...sources.values()].flatMap((source) =>
    [...source.matchAll(/^template (\w+)/gm)].map(([, name]) => name),
  )
  const isOurs = (line: string): boolean => ours.includes(/^(\w+)\(/.exec(line)?.[1])
  const tests = leftOut(DROPPED.map((name) => read(name)).join('\n'))
  assert.deepEqual([...tests.keys()].toSorted(), PROGRAMS)
  const all = [...sources].flatMap(([path, source]) =>
    constraintsIn(source).flatMap((line) => (isOurs(line) ? [] : [[path, line] as const])),
  )
  assert.ok(all.length > 25, `${all.length} were found`)
  const isTested = ([path, line]: readonly [string, string]): boolean => {
    const [, own] = /src\/([\w-]+)\.circom$/.exec(path) ?? []
    // What programs share is left out in one of them.
    return [...tests].some(([program, lines]) => (own ?? program) === program && lines.has(line))
  }
  const without = all.filter((each) => !SIGNATURE.test(each[1]) && !isTested(each))
  assert.deepEqual(without, [])
  assert.ok(all.some(([, line]) => SIGNATURE.test(line)))
})
