/** What a whole node does with what it knows of its own network; the parts have tests of their own in `exit/`. */
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtemp, rm } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import os, { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test, type TestContext } from 'node:test'
import type { NetworkParameters } from '@byway/protocol/directory'
import { createNode, type NodeOptions, type RunningNode } from '../src/index.ts'

const LOOPBACK: NetworkParameters = {
  name: 'own-network',
  // As in public: only then must an exit know its address.
  local: false,
  reachablePrefixes: ['127.0.0.0/8'],
  asnTable: [],
  bootstrap: [],
  exitTargets: [],
}

async function startNode(t: TestContext, options: Partial<NodeOptions>): Promise<RunningNode> {
  const home = await mkdtemp(join(tmpdir(), 'byway-own-network-'))
  const listen = { host: '127.0.0.1', port: 0 }
  const node = createNode({ network: LOOPBACK, home, listen, ...options })
  t.after(async () => {
    await node[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })
  await node.start(t.signal)
  return node
}

function contactOf(node: RunningNode): NetworkParameters['bootstrap'][number] {
  assert.ok(node.listen)
  return { nodeId: node.nodeId, address: node.listen.host, port: node.listen.port }
}

async function until(holds: () => boolean, signal: AbortSignal): Promise<void> {
  while (!holds()) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

test('a node without the exit role dials nobody inside its own network', async (t) => {
  const cidrs = ['93.184.216.5/24', '2a02:6b8:10:1200::5/64']
  mock.method(os, 'networkInterfaces', () => ({ eth0: cidrs.map((cidr) => ({ cidr })) }))
  syncBuiltinESMExports()
  t.after(() => {
    mock.restoreAll()
    syncBuiltinESMExports()
  })
  let sockets = 0
  const count = (): void => void sockets++
  subscribe('net.client.socket', count)
  t.after(() => unsubscribe('net.client.socket', count))
  const nodeId = new Uint8Array(32).fill(7)
  const addresses = ['93.184.216.5', '93.184.216.1', '2a02:6b8:10:12ff::1']
  const bootstrap = addresses.map((address) => ({ nodeId, address, port: 443 }))
  await startNode(t, { network: { ...LOOPBACK, reachablePrefixes: [], bootstrap } })
  assert.equal(sockets, 0)
})

test('an exit carries nothing until two neighbours agree on its address', async (t) => {
  const first = await startNode(t, {})
  const joining = { network: { ...LOOPBACK, bootstrap: [contactOf(first)] } }
  const exit = await startNode(t, { ...joining, exit: { profile: 'web' } })
  await until(() => first.status().descriptors === 1, t.signal)
  assert.deepEqual([exit.status().links, exit.status().exit], [1, 'waiting'])
  assert.equal(first.status().exit, 'none')
  // Nobody tells the exit to meet the second one.
  await startNode(t, joining)
  await until(() => exit.status().exit === 'open', t.signal)
})
