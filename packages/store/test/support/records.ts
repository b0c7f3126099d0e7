/** Records for tests, each unlike the others. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoredTransaction } from '@byway/protocol/payment'
import {
  openStore,
  type ShownOpening,
  type Store,
  type StoreOptions,
  type Winner,
} from '@byway/store'

export const KEY: Uint8Array = bytes('key', 32)

/** Bytes that depend on the label only. */
export function bytes(label: string, length: number): Uint8Array {
  const parts = []
  for (let i = 0; i * 32 < length; i++)
    parts.push(createHash('sha256').update(`${label} ${i}`).digest())
  return new Uint8Array(Buffer.concat(parts).subarray(0, length))
}

export function winner(number: number, index: number = number): Winner {
  return {
    nullifier: bytes(`nullifier ${number}`, 32),
    index,
    opening: bytes(`opening ${number}`, 300),
    provider: bytes('provider', 20),
    amount: 2n ** 90n + BigInt(number),
    nonce: bytes(`nonce ${number}`, 16),
    reveal: bytes(`reveal ${number}`, 32),
    signature: bytes(`signature ${number}`, 65),
    receivedAtMs: 1_800_000_000_000 + number,
  }
}

export function opening(number: number): ShownOpening {
  return {
    nullifier: bytes(`nullifier ${number}`, 32),
    opening: bytes(`opening ${number}`, 300),
    sessionKey: bytes(`session ${number}`, 20),
    keyEpoch: 1,
    floor: 64,
    firstSeenMs: 1_800_000_000_000 + number,
  }
}

export function signedTransaction(nonce: number): StoredTransaction {
  const fees = { maxFeePerGas: 20_000_000n, maxPriorityFeePerGas: 1_000_000n }
  return {
    account: bytes('account', 20),
    nonce,
    key: `bind:${nonce}`,
    call: { to: bytes('pool', 20), data: bytes('data', 500), value: 0n, gasCap: 500_000n },
    feeCap: 50_000_000n,
    gas: 400_000n,
    forms: [{ hash: '0xaa', raw: '0x02f8', ...fees, sentAtBlock: 3 }],
    state: 'pending',
    receipt: undefined,
  }
}

/** A folder that is removed at the end. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'byway-store-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export function openAt(folder: string, more: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore({ folder, name: 'node', key: KEY, ...more })
}

/** All that a page-wise read gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
