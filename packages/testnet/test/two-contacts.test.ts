/** Which first contacts a stranger's question is asked of (SPEC §10.2): real nodes over real links, each of which knows itself only, so that what is shown says who was asked. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createNode } from '@byway/node'
import type { BootstrapNode } from '@byway/protocol/directory'
import { planNetwork } from '@byway/testnet'
import { readDirectory } from '../../client/src/engine/ask-node.ts'

/** All orders of three. */
const DRAWS = [
  [1, 2, 3],
  [1, 3, 2],
  [2, 1, 3],
  [2, 3, 1],
  [3, 1, 2],
  [3, 2, 1],
]

test('a stranger asks two first contacts of two prefixes, in whatever order they are drawn, and two of one where there is no other', async (t) => {
  const { network } = planNetwork({})
  const home = await mkdtemp(join(tmpdir(), 'byway-two-contacts-'))
  t.after(() => rm(home, { recursive: true, force: true }))
  const contacts: BootstrapNode[] = []
  for (const host of ['127.1.0.1', '127.1.0.2', '127.2.0.1']) {
    const node = createNode({ network, home: join(home, host), listen: { host, port: 0 } })
    t.after(() => node[Symbol.asyncDispose]())
    await node.start(t.signal)
    const { host: address, port } = node.listen ?? assert.fail()
    contacts.push({ nodeId: node.nodeId, address, port })
  }
  const askedOf = async (bootstrap: readonly BootstrapNode[], draws: readonly number[]) => {
    const left = [...draws]
    const set = await readDirectory({
      network: { ...network, bootstrap },
      nowMs: Date.now,
      random: () => (left.shift() ?? assert.fail()) / 10,
      signal: t.signal,
    })
    const shown = Array.from(set.entries(), ({ descriptor }) => descriptor.addresses[0]?.port)
    return contacts.filter(({ port }) => shown.includes(port)).map(({ address }) => address)
  }
  for (const draws of DRAWS) {
    const asked = await askedOf(contacts, draws)
    assert.equal(asked.length, 2)
    assert.ok(asked.includes('127.2.0.1'), `${asked.join()} for ${draws.join()}`)
  }
  assert.deepEqual(await askedOf(contacts.slice(0, 2), [1, 2]), ['127.1.0.1', '127.1.0.2'])
})
