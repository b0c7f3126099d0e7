/**
 * Opens a purse, signs, locks it, and looks for the keys in its own memory, before and after: run as a process of its own by `locked-memory.test.ts`. Prints how often each was found. It looks
 * for keys with the first byte changed, so that looking does not put them there.
 */
import { openSync, readFileSync, readSync } from 'node:fs'
import { openPurse } from '@byway/purse'
import { deriveOwnerKey, deriveProviderKey } from '../src/derive.ts'
import { unsealKeystore } from '../src/keystore.ts'
import { readPurseFile } from '../src/purse-file.ts'
import { PASSPHRASE, RULES, transaction } from './signer/signer-fixture.ts'

const [home = ''] = process.argv.slice(2)
const MASK = 0x5a

/** The keys, none of them as it is. */
async function maskedKeys(): Promise<readonly Uint8Array[]> {
  const funds = await unsealKeystore((await readPurseFile(home)).keystore, PASSPHRASE)
  const keys = [deriveProviderKey(funds), deriveOwnerKey(funds, 'deposit', 0), funds]
  return keys.map((key) => {
    const masked = key.map((byte) => byte ^ MASK)
    key.fill(0)
    return masked
  })
}

/** How often each key lies in writable memory. */
function countKeys(masked: readonly Uint8Array[]): readonly number[] {
  const memory = openSync('/proc/self/mem', 'r')
  const counts = masked.map(() => 0)
  const chunk = Buffer.alloc(1 << 20)
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
    if (from === '') continue
    for (let at = Number(`0x${from}`); at < Number(`0x${to}`); at += chunk.length - 31) {
      const length = Math.min(chunk.length, Number(`0x${to}`) - at)
      countIn(chunk, read(memory, chunk, length, at), masked, counts)
      if (length < chunk.length) break
    }
  }
  chunk.fill(0)
  return counts
}

function read(memory: number, chunk: Buffer, length: number, at: number): number {
  try {
    return readSync(memory, chunk, 0, length, at)
  } catch {
    return 0
  }
}

function countIn(
  chunk: Buffer,
  length: number,
  masked: readonly Uint8Array[],
  counts: number[],
): void {
  for (const [which, key] of masked.entries()) {
    const first = (key[0] ?? 0) ^ MASK
    for (
      let at = chunk.indexOf(first);
      at >= 0 && at + 32 <= length;
      at = chunk.indexOf(first, at + 1)
    ) {
      if (key.every((byte, index) => chunk[at + index] === (byte ^ MASK))) {
        counts[which] = (counts[which] ?? 0) + 1
      }
    }
  }
}

const masked = await maskedKeys()
const purse = await openPurse(home, { passphrase: PASSPHRASE, isLocal: true, rules: RULES })
await purse.transactionSigner('funds').signTransaction(transaction())
await purse.depositOwner(0)
const open = countKeys(masked)
await purse[Symbol.asyncDispose]()
console.log(JSON.stringify({ open, locked: countKeys(masked) }))
