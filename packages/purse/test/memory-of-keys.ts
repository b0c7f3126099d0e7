/**
 * Opens a purse, signs, locks it, and looks for keys in its own memory, before and after: run as a process of its own by `locked-memory.test.ts`, with the state folder and the keys to look for.
 * These come masked, so that looking does not put them there. Prints how often each was found.
 */
import { openSync, readFileSync, readSync } from 'node:fs'
import { openPurse } from '@byway/purse'
import { PASSPHRASE, RULES, transaction } from './signer/signer-fixture.ts'

const [home = '', maskText = '', ...maskedKeys] = process.argv.slice(2)
const mask = Number(maskText)

/** What gives a key away, masked: either half of its bytes, and of its digits. */
type Traces = readonly Uint8Array[]

function tracesOf(maskedHex: string): Traces {
  const masked = Buffer.from(maskedHex, 'hex')
  const digits = Buffer.alloc(2 * masked.length)
  for (const [at, byte] of masked.entries()) {
    digits[2 * at] = DIGITS[(byte ^ mask) >>> 4]! ^ mask
    digits[2 * at + 1] = DIGITS[(byte ^ mask) & 15]! ^ mask
  }
  return [masked, digits].flatMap((trace) => [
    trace.subarray(0, trace.length / 2),
    trace.subarray(trace.length / 2),
  ])
}

/** How often traces of each key lie in writable memory. */
function countKeys(keys: readonly Traces[]): readonly number[] {
  const memory = openSync('/proc/self/mem', 'r')
  const counts = keys.map(() => 0)
  const chunk = Buffer.alloc(1 << 20)
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
    if (from === '') continue
    for (let at = Number(`0x${from}`); at < Number(`0x${to}`); at += chunk.length - MOST_BYTES) {
      const length = Math.min(chunk.length, Number(`0x${to}`) - at)
      countIn(chunk.subarray(0, read(memory, chunk, length, at)), keys, counts)
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

function countIn(chunk: Buffer, keys: readonly Traces[], counts: number[]): void {
  for (const [which, traces] of keys.entries()) {
    for (const trace of traces) {
      const first = trace[0]! ^ mask
      for (let at = chunk.indexOf(first); at >= 0; at = chunk.indexOf(first, at + 1)) {
        if (isAt(chunk, at, trace)) counts[which]! += 1
      }
    }
  }
}

function isAt(chunk: Buffer, from: number, trace: Uint8Array): boolean {
  if (from + trace.length > chunk.length) return false
  for (let at = 0; at < trace.length; at++) {
    if (chunk[from + at] !== (trace[at]! ^ mask)) return false
  }
  return true
}

/** A trace may lie across two chunks. */
const MOST_BYTES = 32
const DIGITS = Buffer.from('0123456789abcdef')

const keys = maskedKeys.map(tracesOf)
const purse = await openPurse(home, { passphrase: PASSPHRASE, isLocal: true, rules: RULES })
await purse.transactionSigner('funds').signTransaction(transaction())
const deadlineS = Math.floor(Date.now() / 1000)
await purse.signRedeemTerms({ kind: 'lock', items: new Uint8Array(32), fee: 1n, deadlineS })
await purse.depositOwner(0)
await purse.redeemedOwners()
const open = countKeys(keys)
await purse[Symbol.asyncDispose]()
console.log(JSON.stringify({ open, locked: countKeys(keys) }))
