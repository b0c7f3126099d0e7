/** Nothing that the bench starts outlives it, however it ends. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { startChild, waitForLine } from '../lib/child.ts'
import { pollUntil } from '../lib/wait.ts'

const childModule = fileURLToPath(new URL('../lib/child.ts', import.meta.url))
const hasSetpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0

/** Starts a program that starts `sleep` through the module under test, and tells both pids. */
async function startParent(): Promise<{ parent: ReturnType<typeof spawn>; childPid: number }> {
  const script = `import { startChild } from ${JSON.stringify(childModule)}
    const child = await startChild('sleep', 'sleep', ['600'])
    console.log(child.pid)
    setInterval(() => undefined, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: parent.stdout }))
    return { parent, childPid: Number(line) }
  throw new Error('the parent ended early')
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch (error) {
    // ENOENT before it is opened, ESRCH when it ends between opening and reading.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return false
    throw error
  }
}

suite('children', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    const skip =
      signal === 'SIGKILL' && !hasSetpriv ? 'setpriv (util-linux) is not installed' : false
    test(`a child ends when its parent gets ${signal}`, { skip }, async () => {
      const { parent, childPid } = await startParent()
      assert.ok(isAlive(childPid))
      parent.kill(signal)
      await pollUntil('the end of the child', 10_000, () => !isAlive(childPid) || undefined)
    })
  }
  test('a child that ignores SIGTERM is killed with its group after the grace', async () => {
    const child = await startChild('stubborn', 'sh', [
      '-c',
      'trap "" TERM; sleep 600 & echo $!; wait; wait',
    ])
    const grandchildPid = await waitForLine(child, 5_000, (line) => Number(line))
    await child.stop(100)
    await pollUntil('the end of the grandchild', 5_000, () => !isAlive(grandchildPid) || undefined)
  })
  test('a program that does not exist is an error', async () => {
    await assert.rejects(async () => {
      const child = await startChild('nothing', 'byway-no-such-program', [])
      await waitForLine(child, 5_000, () => true)
    })
  })
})
