import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const CASES = 200

test('reports every test of a long file, and why the last one failed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'byway-end-of-tests-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'long.test.mjs')
  writeFileSync(
    file,
    `import { test } from 'node:test'
for (let i = 1; i <= ${CASES}; i++)
  test('case ' + i, () => { if (i === ${CASES}) throw new Error('the reason' + '!'.repeat(5000)) })
`,
  )
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const hook = new URL('../end-of-tests.ts', import.meta.url).href
  const args = [`--import=${hook}`, '--test', '--test-reporter=spec', file]
  const { stdout, status } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stdout, new RegExp(`tests ${CASES}\\n`))
  assert.match(stdout, /the reason!{5000}/)
})
