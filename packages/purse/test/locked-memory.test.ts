import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createPurse, newWords } from '@byway/purse'
import { CHEAP } from './signer/signer-fixture.ts'
import { temporaryHome } from './temporary-home.ts'

const LOOKER = fileURLToPath(new URL('memory-of-keys.ts', import.meta.url))

test('after locking no key is left in memory (THREAT-MODEL T31)', async (t) => {
  const home = await temporaryHome(t)
  // New ones: nothing of them is in the program's text.
  await createPurse(home, newWords(), CHEAP)
  const args = ['--conditions=byway:source', LOOKER, home]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { open, locked } = JSON.parse(stdout) as { open: number[]; locked: number[] }
  const [, , funds = 0] = open
  assert.ok(funds > 0, 'the looker finds a key that is there')
  assert.deepEqual(locked, [0, 0, 0])
})
