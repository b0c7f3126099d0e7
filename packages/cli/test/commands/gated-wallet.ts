/** Wallet commands whose way to the chain's endpoint leads through a gate that counts them. */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createTokenCalls } from '@byway/chain'
import { createPool } from '@byway/protocol/ticket'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { openPurse } from '@byway/purse'
import { formatNetworkFile, parseNetworkFile } from '../../src/config/network-file.ts'
import { fillFromFaucet } from '../../src/wallet/faucet.ts'
import { openGate, type ChainGate } from '../engine/chain-gate.ts'
import { temporaryHome } from '../spawn-byway.ts'
import { asScript } from './wallet-person.ts'

export type Row = Readonly<Record<string, unknown>>

/** A network file like another, with an endpoint behind a gate of its own. */
export async function gatedFile(
  t: TestContext,
  networkFile: string,
): Promise<{ readonly gate: ChainGate; readonly file: string }> {
  const known = parseNetworkFile(await readFile(networkFile, 'utf8'))
  const gate = await openGate(t, known.payment?.rpcUrls[0] ?? '')
  const payment = known.payment && { ...known.payment, rpcUrls: [gate.url] }
  const file = join(await temporaryHome(t), 'network.toml')
  await writeFile(file, formatNetworkFile({ ...known, ...(payment && { payment }) }))
  return { gate, file }
}

export type WalletRun = {
  readonly code: number
  /** What people are told. */
  readonly err: string
  /** The last JSON line. */
  readonly last: Row
}

/** Runs `byway wallet … --json`. */
export function runWallet(
  home: string,
  file: string,
  ...args: readonly string[]
): Promise<WalletRun> {
  return runByway(home, file, 'wallet', ...args)
}

/** Runs `byway … --json`. */
export async function runByway(
  home: string,
  file: string,
  ...args: readonly string[]
): Promise<WalletRun> {
  const all = [...args, '--json', '--network', file]
  const { code, out, err } = await asScript(all, { BYWAY_HOME: home })
  const rows = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row)
  return { code, err, last: rows.at(-1) ?? {} }
}

/** Sends tokens for so many slots, and coin, to a local purse's account: as somebody with another way to the chain. Gives how much a slot is worth. */
export async function fundPurse(home: string, networkFile: string, slots: number): Promise<bigint> {
  const { payment } = parseNetworkFile(await readFile(networkFile, 'utf8'))
  assert.ok(payment)
  await using purse = await openPurse(home, { isLocal: true, rules: payment })
  const pool = createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
  const coin = { payment, tokenCalls: createTokenCalls(payment.token) }
  const limit = AbortSignal.timeout(60_000)
  await fillFromFaucet(coin, purse.accounts.funds, BigInt(slots) * pool.slotValue, limit)
  return pool.slotValue
}
