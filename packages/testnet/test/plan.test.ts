import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAsnTable } from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'
import { LEAST_NODES, MOST_NODES, planNetwork } from '../src/index.ts'

test('gives every node a /16 and an AS of its own, and exactly one exit no port', () => {
  for (let count = LEAST_NODES; count <= MOST_NODES; count++) {
    const { nodes, network } = planNetwork({ nodes: count })
    assert.equal(nodes.length, count)
    assert.equal(new Set(nodes.map(({ asn }) => asn)).size, count)
    const open = nodes.flatMap(({ host }) => (host === undefined ? [] : [host]))
    assert.equal(new Set(open.map((host) => host.split('.', 2).join('.'))).size, count - 1)
    assert.ok(open.every((host) => !host.startsWith('127.0.')))
    assert.deepEqual(
      nodes.filter(({ host }) => host === undefined).map(({ isExit }) => isExit),
      [true],
    )
    assert.ok(nodes.slice(0, 2).every(({ isExit }) => !isExit))
    assert.ok(nodes.some(({ host, isExit }) => host !== undefined && isExit))
    assert.ok(network.local)
  }
})

test('names each address in the table of the network file as it was planned', () => {
  const { nodes, network } = planNetwork()
  const table = createAsnTable(network.asnTable)
  for (const { host, asn, country } of nodes) {
    const address = host === undefined ? undefined : parseAddress(host)
    if (address) assert.partialDeepStrictEqual(table.lookup(address), { asn, country })
  }
  assert.ok(new Set(nodes.map(({ country }) => country)).size >= 5)
})

test('opens the targets that were named, and no others', () => {
  const target = { address: '127.0.0.1', port: 8080 }
  assert.deepEqual(planNetwork().network.exitTargets, [])
  assert.deepEqual(planNetwork({ exitTargets: [target] }).network.exitTargets, [target])
})
