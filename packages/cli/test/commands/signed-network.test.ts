/** A signed test network as its members see it: a node and a client of their own processes, and what a new edition of its file does to them. */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fromHex } from '@byway/protocol/base'
import type { NetworkEdition, NetworkParameters } from '@byway/protocol/directory'
import { editionBy, keyText, publisherNumber, writeSigned } from '../network/publisher.ts'
import { startByway, type RunningByway } from '../running-byway.ts'
import { byway, temporaryHome } from '../spawn-byway.ts'

const [FIRST, SECOND] = [publisherNumber(1), publisherNumber(2)]
const BASE: NetworkParameters = {
  name: 'trial',
  local: false,
  // Nodes of this machine: a test network may name private prefixes as any other.
  reachablePrefixes: ['127.0.0.0/8'],
  asnTable: [],
  bootstrap: [],
  exitTargets: [],
}

type Status = Record<'client' | 'node', { readonly network: unknown } | null>

test('members start, say that it is a test network, follow its publisher and nobody else', async (t) => {
  const folder = await temporaryHome(t)
  const [nodeHome, clientHome] = [join(folder, 'node'), join(folder, 'client')]
  for (const home of [nodeHome, clientHome]) await mkdir(home, { mode: 0o700 })
  let bootstrap: NetworkParameters['bootstrap'] = []
  const publish = async (
    home: string,
    changes: Partial<NetworkEdition>,
    by = FIRST,
  ): Promise<void> => {
    const edition = editionBy(by, { isTest: true, ...changes })
    await writeSigned(join(home, 'network.toml'), { ...BASE, bootstrap, edition }, by)
  }
  const start = (home: string, ...args: string[]): RunningByway => {
    const running = startByway([...args, '--json', '--drain', '0'], { BYWAY_HOME: home })
    t.after(() => running.stop())
    return running
  }
  const up = (): RunningByway => start(clientHome, 'up', '--port', '0')
  /** The error with which a client does not start. */
  const refusal = async (): Promise<string> => {
    const { out } = await byway(['up', '--json'], { env: { BYWAY_HOME: clientHome } })
    return (JSON.parse(out) as { error: { code: string } }).error.code
  }

  await publish(nodeHome, {})
  const node = start(nodeHome, 'node', '--listen', '127.1.0.1:0')
  const { id, listen } = await node.event('ready')
  const [address = '', port = ''] = String(listen).split(':')
  const nodeId = fromHex(String(id)) ?? new Uint8Array(32)
  bootstrap = [{ nodeId, address, port: Number(port) }]

  await publish(clientHome, { sequence: 2 })
  const client = up()
  await client.event('ready')
  assert.ok(client.lastWords().includes(keyText(FIRST)))
  assert.match(client.lastWords(), /network trial is a test network/)
  for (const [home, program] of [
    [clientHome, 'client'],
    [nodeHome, 'node'],
  ] as const) {
    const env = { BYWAY_HOME: home }
    const { out } = await byway(['status', '--json'], { env })
    assert.deepEqual((JSON.parse(out) as Status)[program]?.network, { name: 'trial', test: true })
    const shown = await byway(['status'], { env })
    assert.match(shown.out, /^network: trial, a test network\n/)
  }
  assert.equal(await client.stop(), 0)

  await publish(clientHome, { sequence: 1 })
  assert.equal(await refusal(), 'NETWORK_ROLLBACK')
  await publish(clientHome, { sequence: 3 }, SECOND)
  assert.equal(await refusal(), 'NETWORK_PUBLISHER')
  await publish(clientHome, { sequence: 3, isTest: false })
  assert.equal(await refusal(), 'NETWORK_FEW_CONTACTS')

  await publish(clientHome, { sequence: 3, nextPublisher: keyText(SECOND) })
  const handed = up()
  await handed.event('ready')
  assert.equal(await handed.stop(), 0)
  await publish(clientHome, { sequence: 4 }, SECOND)
  const after = up()
  await after.event('ready')
  assert.equal(await after.stop(), 0)
  await publish(clientHome, { sequence: 5 })
  assert.equal(await refusal(), 'NETWORK_PUBLISHER')
})
