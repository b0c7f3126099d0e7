/**
 * Commands with money beside a running client (DESIGN §7.2, SPEC §15.9), in a network of real processes with a chain of its own:
 *
 *     byway wallet ──socket──▶ client ──guard──▶ node ──▶ anvil        three seats, of which two must agree
 *     byway wallet ──gate──▶ anvil                                     nobody, while the client runs
 *
 * The client's own gate is shut once it asks nodes, so that nothing reaches the endpoint by way of it either.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { startProcesses, type ProcessNetwork } from '../packages/testnet/src/index.ts'
import { writeLocalNetwork } from '../packages/cli/src/engine/local-network.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import {
  fundPurse,
  gatedFile,
  runByway,
  runWallet,
  type Row,
  type WalletRun,
} from '../packages/cli/test/commands/gated-wallet.ts'
import { PROGRAM, startByway } from '../packages/cli/test/running-byway.ts'
import { isBywayError } from '../packages/protocol/src/base/index.ts'
import { createLocalPurse } from '../packages/purse/src/index.ts'
import { chainQuestions, until } from './lib/chain-asked.ts'

const STRANGER = '0x52908400098527886E0F7030069857D2E4169EE7'
const SLOTS = 3

/** What matters of it is tried in the suite of `byway testnet` as well. */
const skip = process.env['SLOW'] === undefined && 'a network of its own; with SLOW=1'

suite('commands with money beside a running client', { skip }, () => {
  const stop = new AbortController()
  const parts = new AsyncDisposableStack()
  let network: ProcessNetwork
  before(async () => {
    const deps = {
      program: PROGRAM,
      env: process.env,
      writeNetwork: writeLocalNetwork,
      askStatus: (home: string, program: 'client' | 'node') => askControl(home, program, 'status'),
    }
    network = parts.use(await startProcesses(deps, { nodes: 4, signal: stop.signal }))
  })
  // A start that fails leaves nothing running either, or the file would never end.
  after(async () => {
    stop.abort()
    await parts.disposeAsync()
  })

  test('no endpoint hears of them, until no client runs', async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'byway-wallet-'))
    t.after(() => rm(home, { recursive: true, force: true }))
    await createLocalPurse(home)
    const clients = await gatedFile(t, network.networkFile)
    const wallets = await gatedFile(t, network.networkFile)
    const slotValue = await fundPurse(home, network.networkFile, SLOTS + 1)
    const args = ['up', '--network', clients.file, '--home', home, '--port', '0', '--json']
    const client = startByway(args)
    t.after(() => client.kill())
    // Before it has circuits: whoever asks then waits for them.
    await until(() => isAsked(home))
    const early = await runWallet(home, wallets.file, 'show')
    assert.equal(early.code, 0, early.err)
    await client.event('ready')
    const isThrough = async (): Promise<boolean> =>
      (await askControl(home, 'client', 'status'))['chainThrough'] === 'network'
    await until(isThrough)
    await clients.gate.shut()
    const wallet = (...words: readonly string[]): Promise<WalletRun> =>
      runWallet(home, wallets.file, ...words)
    const works = async (...words: readonly string[]): Promise<WalletRun> => {
      const done = await wallet(...words)
      assert.equal(done.code, 0, `${words.join(' ')}: ${done.err}\n${client.lastWords()}`)
      return done
    }

    const asked = await chainQuestions(network)
    const deposited = await works('deposit', '--slots', `${SLOTS}`)
    assert.equal(deposited.last['event'], 'usable')
    assert.match(deposited.err, /through the circuits of the running client/)
    const shown = (await works('show')).last
    const [deposit] = shown['deposits'] as readonly Row[]
    assert.deepEqual([deposit?.['slots'], shown['tokens']], [SLOTS, String(slotValue)])
    await works('withdraw', '--from', 'balance', '--to', STRANGER, '--yes')
    const locked = await wallet('withdraw', '--direct')
    assert.equal((locked.last['error'] as Row | undefined)?.['code'], 'STORE_LOCKED')
    const books = await runByway(home, wallets.file, 'ledger', '--side', 'client', '--chain')
    assert.equal(books.code, 0, books.err)
    assert.match(books.err, /through the circuits of the running client/)
    // The node of a stranger: what is asked names no account of ours.
    const doubt = await runByway(home, wallets.file, 'proof', 'challenge', STRANGER, '--anyway')
    assert.equal((doubt.last['error'] as Row | undefined)?.['code'], 'PROOF_NO_COMMITMENT')
    assert.ok((await chainQuestions(network)) > asked)
    assert.equal(wallets.gate.connections, 0)
    assert.equal(await client.stop(), 0, client.lastWords())

    const refused = await wallet('show', '--via-client')
    assert.equal((refused.last['error'] as Row | undefined)?.['code'], 'WALLET_NO_CLIENT')
    assert.equal(wallets.gate.connections, 0)
    const alone = await works('show')
    assert.match(alone.err, /no client runs: the endpoints of the chain are asked directly/)
    assert.ok(wallets.gate.connections > 0)
    assert.deepEqual(alone.last, { ...shown, coinWei: alone.last['coinWei'], tokens: '0' })
  })
})

/** True once a client that begins, or runs, may be asked. */
async function isAsked(home: string): Promise<boolean> {
  try {
    await askControl(home, 'client', 'chain about')
    return true
  } catch (error) {
    if (isBywayError(error) && error.code === 'CONTROL_NOT_RUNNING') return false
    throw error
  }
}
