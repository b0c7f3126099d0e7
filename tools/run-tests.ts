/**
 * Runs every test of the project under node:test: the packages', the tools' and e2e's, each file in a process of its own.
 * `npm test -- PART …` runs only the files whose path holds one of the parts. Finding no file is a failure.
 */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const PLACES = [
  'packages/*/test/**/*.test.ts',
  'contracts/test/**/*.test.ts',
  'tools/test/**/*.test.ts',
  'zk-programs/test/**/*.test.ts',
  'e2e/**/*.test.ts',
  'bench/test/**/*.test.ts',
]

/** One file that hangs must not hold the run for ever; the slowest end-to-end files need some minutes, their full counts an hour. */
const FILE_TIMEOUT_MS = process.env['SLOW'] === undefined ? 900_000 : 14_400_000

const root = fileURLToPath(new URL('..', import.meta.url))
const parts = process.argv.slice(2)
const files = globSync(PLACES, { cwd: root })
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .toSorted()
if (files.length === 0) {
  console.error(`byway: no test file matches ${parts.join(' ')}`)
  process.exit(1)
}

const child = spawn(
  process.execPath,
  [
    '--conditions=byway:source',
    '--unhandled-rejections=strict',
    '--test',
    '--test-reporter=spec',
    '--test-concurrency=2',
    `--import=${new URL('end-of-tests.ts', import.meta.url).href}`,
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    ...files,
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => child.kill(signal))
}
child.on('exit', (code, signal) => {
  console.error(`byway: ${files.length} test files, ${code === 0 ? 'all passed' : 'FAILED'}`)
  process.exit(code ?? 128 + constants.signals[signal ?? 'SIGTERM'])
})
