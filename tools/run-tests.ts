/**
 * Runs every test of the project: each `*.test.ts` of the packages, tools and e2e, under node:test.
 * `node tools/run-tests.ts [pattern …]` runs only files whose path holds one of the patterns.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const patterns = process.argv.slice(2)
const files = globSync(['packages/*/test/**/*.test.ts', 'tools/test/**/*.test.ts', 'e2e/**/*.test.ts', 'bench/test/**/*.test.ts'], { cwd: root })
  .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
  .toSorted()
if (files.length === 0) {
  console.error('byway: no test file matches')
  process.exit(1)
}
const run = spawnSync(
  process.execPath,
  ['--conditions=byway:source', '--test', '--test-concurrency=2', '--unhandled-rejections=strict', ...files],
  { cwd: root, stdio: 'inherit' },
)
process.exit(run.status ?? 1)
