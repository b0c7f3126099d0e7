import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const RUN_CHILD = new URL('../bin/run-child.mjs', import.meta.url).href

/** A program that says that it runs and, on SIGTERM, that it was told to stop. */
const PROGRAM = `
  process.on('SIGTERM', () => { console.log('stopped'); process.exit(3) })
  setInterval(() => {}, 1000)
  console.log('running')
`
const WRAPPER = `
  import { runChild } from ${JSON.stringify(RUN_CHILD)}
  runChild(process.execPath, ['-e', ${JSON.stringify(PROGRAM)}])
`

/** `; :` keeps the shell from giving its own process to the command, as Debian's `sh` under npm does anyway. */
const IN_A_SHELL = ['-c', '"$0" --input-type=module -e "$1"; :', process.execPath, WRAPPER]

function start(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  })
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

test(
  'a program under npm stops when the shell between them is gone',
  { timeout: 60_000 },
  async () => {
    const { child: shell, lines } = start('sh', IN_A_SHELL, { npm_command: 'exec' })
    assert.equal((await lines.next()).value, 'running')
    shell.kill('SIGTERM')
    assert.equal((await lines.next()).value, 'stopped')
  },
)

test(
  'a signal reaches the program, whose exit status is taken over',
  { timeout: 60_000 },
  async () => {
    const { child, lines } = start(process.execPath, ['--input-type=module', '-e', WRAPPER], {})
    assert.equal((await lines.next()).value, 'running')
    child.kill('SIGTERM')
    assert.equal((await lines.next()).value, 'stopped')
    const [code] = await once(child, 'exit')
    assert.equal(code, 3)
  },
)
