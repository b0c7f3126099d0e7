/**
 * Was an address an exit, asked of a network of real processes (SPEC §10.6):
 *
 *     byway exit record ──► relay 1 ─┐
 *                       ──► relay 2 ─┴── each kept a signed page: exit 3 at 127.3.0.1
 */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findExitRecord } from '@byway/client'
import { fromHex, toHex } from '@byway/protocol/base'
import { toIpBytes } from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'
import { startProcesses } from '../packages/testnet/src/index.ts'
import { parseNetworkFile } from '../packages/cli/src/config/network-file.ts'
import { writeLocalNetwork } from '../packages/cli/src/engine/local-network.ts'
import { askControl } from '../packages/cli/src/control/control-socket.ts'
import { run } from '../packages/cli/test/run-cli.ts'
import { PROGRAM } from '../packages/cli/test/running-byway.ts'
import { createTestRegistry } from './lib/staked-nodes.ts'

type Answer = {
  readonly answer: string
  readonly staked: boolean
  readonly covering: number
  readonly exits: readonly {
    node: string
    witnesses: number
    signed: number
    from: string
    until: string
    shown: readonly { witness: string; page: { root: string } | null }[]
  }[]
  readonly contradicting: readonly object[]
}

test('independent nodes show by signed pages that an address was an exit, and that another was not', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'byway-record-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await using network = await startProcesses(
    {
      program: PROGRAM,
      env: process.env,
      writeNetwork: writeLocalNetwork,
      askStatus: (home, program) => askControl(home, program, 'status'),
    },
    { nodes: 4, signal: t.signal },
  )
  const where = ['--network', network.networkFile, '--home', folder, '--json']
  const ask = async (...args: readonly string[]): Promise<Answer> => {
    const { code, out, err } = await run('exit', 'record', ...args, ...where)
    assert.equal(code, 0, err)
    return JSON.parse(out) as Answer
  }
  const exit = network.nodes.find(({ listen }) => listen?.startsWith('127.3.0.1:'))
  if (!exit) assert.fail()
  /** Pages of a local network are ten seconds: asked until both relays have closed one. */
  const asked = async (): Promise<Answer> => {
    const found = await ask('127.3.0.1')
    t.signal.throwIfAborted()
    return found.exits[0]?.signed === 2 && found.covering >= 2 ? found : await asked()
  }
  const found = await asked()
  const [shown] = found.exits
  assert.deepEqual(
    [found.answer, shown?.node, shown?.witnesses, found.contradicting],
    ['yes', exit.id, 2, []],
  )

  const relays = network.nodes.filter(({ roles }) => !roles.includes('exit'))
  assert.equal(found.staked, true)
  assert.deepEqual(
    new Set(shown?.shown.map(({ witness }) => witness)),
    new Set(relays.map(({ id }) => id)),
  )
  assert.ok(shown?.shown.every(({ page }) => page && page.root.length === 64))

  const relay = await ask('127.1.0.1')
  assert.equal(relay.answer, 'no')
  const early = await run('exit', 'record', '127.3.0.1', '--at', '2020-01-01T00:00Z', ...where)
  assert.equal(early.code, 69)
  assert.match(early.out, /RECORD_UNKNOWN/)

  const evidence = join(folder, 'case.json')
  await ask('127.3.0.1', '--evidence', evidence)
  const verified = await ask('--verify', evidence)
  assert.deepEqual([verified.answer, verified.exits[0]?.node], ['yes', exit.id])
  const text = await readFile(evidence, 'utf8')
  const at = text.indexOf('"proofs":["') + 600
  const forged = join(folder, 'forged.json')
  await writeFile(
    forged,
    `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`,
  )
  // Whoever makes up witnesses has no stake behind them.
  const [staked] = relays
  const registry = createTestRegistry()
  registry.stake(fromHex(staked?.id ?? '') ?? new Uint8Array(0))
  const heard: string[] = []
  for await (const { nodeId } of findExitRecord({
    network: parseNetworkFile(await readFile(network.networkFile, 'utf8')),
    stakes: registry,
    address: toIpBytes(parseAddress('127.3.0.1') ?? assert.fail()),
    atS: undefined,
    pageS: 10,
    knownHead: () => undefined,
    random: Math.random,
    nowMs: Date.now,
    signal: t.signal,
  }))
    heard.push(toHex(nodeId))
  assert.deepEqual(heard, [staked?.id])

  const refused = await run('exit', 'record', '--verify', forged, ...where)
  assert.equal(refused.code, 76, refused.err)
})
