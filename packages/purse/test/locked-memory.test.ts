import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createPurse, keepVoucher, newWords } from '@byway/purse'
import { deriveOwnerKey, deriveProviderKey } from '../src/derive.ts'
import { keysOfWords } from '../src/words.ts'
import { CHEAP, PASSPHRASE } from './signer/signer-fixture.ts'
import { temporaryHome } from './temporary-home.ts'

const LOOKER = fileURLToPath(new URL('memory-of-keys.ts', import.meta.url))
const MASK = 0x5a

/** How V8 treats its heap. Whatever it does, no key may be there. */
const COLLECTORS = {
  'as it comes': [],
  // What dies stays where it is for whoever looks.
  'nothing collected': ['--min-semi-space-size=64'],
  'collected all the time': ['--gc-interval=500'],
  'moved all the time': ['--gc-interval=500', '--stress-compaction'],
}

for (const [collector, flags] of Object.entries(COLLECTORS)) {
  test(`after locking no key is left in memory, ${collector} (THREAT-MODEL T31)`, async (t) => {
    const home = await temporaryHome(t)
    // New ones: nothing of them is in the program's text.
    const words = newWords()
    await createPurse(home, words, CHEAP)
    const voucher = randomBytes(32)
    await keepVoucher(home, voucher, PASSPHRASE)
    const { funds } = await keysOfWords(words)
    const keys = [funds, voucher, deriveProviderKey(funds), deriveOwnerKey(funds, 'deposit', 0)]
    const { open, locked } = await look(flags, home, keys)
    const [ofFunds = 0, ofVoucher = 0] = open
    assert.ok(ofFunds > 0 && ofVoucher > 0, 'the looker finds keys that are there')
    assert.deepEqual(
      locked,
      keys.map(() => 0),
    )
  })
}

async function look(
  flags: readonly string[],
  home: string,
  keys: readonly Uint8Array[],
): Promise<{ readonly open: readonly number[]; readonly locked: readonly number[] }> {
  const masked = keys.map((key) => Buffer.from(key.map((byte) => byte ^ MASK)).toString('hex'))
  const args = [...flags, '--conditions=byway:source', LOOKER, home, String(MASK), ...masked]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as { open: readonly number[]; locked: readonly number[] }
}
