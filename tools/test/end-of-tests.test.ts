import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

const CASES = 200

/** Runs a test file of this content as the runner would. */
function run(t: TestContext, content: string) {
  const folder = mkdtempSync(join(tmpdir(), 'byway-end-of-tests-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'some.test.mjs')
  writeFileSync(file, content)
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const hook = new URL('../end-of-tests.ts', import.meta.url).href
  const args = [`--import=${hook}`, '--test', '--test-reporter=spec', file]
  return spawnSync(process.execPath, args, { env, encoding: 'utf8' })
}

test('reports every test of a long file, and why the last one failed', (t) => {
  const { stdout, status } = run(
    t,
    `import { test } from 'node:test'
for (let i = 1; i <= ${CASES}; i++)
  test('case ' + i, () => { if (i === ${CASES}) throw new Error('the reason' + '!'.repeat(5000)) })
`,
  )
  assert.equal(status, 1)
  assert.match(stdout, new RegExp(`tests ${CASES}\\n`))
  assert.match(stdout, /the reason!{5000}/)
})

test('fails a file in which a test waits for what never comes', (t) => {
  const { stdout, stderr, status } = run(
    t,
    `import { describe, it } from 'node:test'
describe('some', () => {
  it('first', () => {})
  it('second', () => new Promise(() => {}))
  it('third', () => {})
})
`,
  )
  assert.equal(status, 1)
  assert.match(stderr + stdout, /a test of some\.test\.mjs waits for ever/)
})
