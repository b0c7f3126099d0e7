import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { writeTree } from './tree.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const PROGRAM = `
const code: number = Number(process.argv[2])
process.on('SIGTERM', () => {
  console.log('stopping')
  process.exit(code)
})
console.log(JSON.stringify({ node: process.versions.node, args: process.argv.slice(2), conditions: process.execArgv }))
if (process.argv[3] === 'wait') setInterval(() => {}, 1000)
else process.exit(code)
`

/** Starts a TypeScript file as the npm scripts do. */
function start(t: TestContext, ...args: readonly string[]): ChildProcess {
  const file = join(writeTree(t, { 'program.ts': PROGRAM }), 'program.ts')
  const child = spawn(process.execPath, [`${ROOT}tools/run.mjs`, file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    signal: AbortSignal.any([t.signal, AbortSignal.timeout(60_000)]),
  })
  child.on('error', () => {})
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  for await (const part of child.stdout ?? []) {
    text += String(part)
    if (text.includes('\n')) break
  }
  return text
}

test('runs TypeScript from source on Node 24 or newer, and hands the exit code on', async (t) => {
  const child = start(t, '7', 'go')
  const exit = once(child, 'exit')
  const seen = JSON.parse(await firstLine(child)) as {
    node: string
    args: string[]
    conditions: string[]
  }
  assert.equal(Number(seen.node.split('.')[0]) >= 24, true)
  assert.deepEqual(seen.args, ['7', 'go'])
  assert.equal(seen.conditions.includes('--conditions=byway:source'), true)
  assert.deepEqual(await exit, [7, null])
})

test('hands SIGTERM on and waits for the program to stop', async (t) => {
  const child = start(t, '3', 'wait')
  const exit = once(child, 'exit')
  await firstLine(child)
  child.kill('SIGTERM')
  assert.deepEqual(await exit, [3, null])
})

test('fails when no test file matches, instead of passing with nothing run', async (t) => {
  const child = spawn(process.execPath, [`${ROOT}tools/run-tests.ts`, 'no-such-part'], {
    stdio: 'ignore',
    signal: t.signal,
  })
  assert.deepEqual(await once(child, 'exit'), [1, null])
})
