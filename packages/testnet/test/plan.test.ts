import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAsnTable } from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'
import { LEAST_NAT_NODES, LEAST_NODES, MOST_NODES, planNetwork } from '../src/index.ts'

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
  const twenty = planNetwork({ nodes: 20 }).nodes
  assert.equal(new Set(twenty.map(({ country }) => country)).size, 20)
})

test('gives the first exits the class collect, the others browse alone, and relays none', () => {
  const classesOf = (collectors?: number) =>
    planNetwork({ nodes: 6, collectors }).nodes.map(({ classes }) => classes.join())
  assert.deepEqual(classesOf(), ['', '', '', 'browse', 'browse', 'browse'])
  assert.deepEqual(classesOf(2), ['', '', '', 'browse,collect', 'browse,collect', 'browse'])
})

test('opens the targets that were named, and no others', () => {
  const target = { address: '127.0.0.1', port: 8080 }
  assert.deepEqual(planNetwork().network.exitTargets, [])
  assert.deepEqual(planNetwork({ exitTargets: [target] }).network.exitTargets, [target])
})

test('puts the last half behind routers of each kind in turn, all exits but behind upnp, at addresses of their internet', () => {
  const routers = ['symmetric', 'upnp'] as const
  for (let count = LEAST_NAT_NODES; count <= MOST_NODES; count++) {
    const { nodes, network } = planNetwork({ nodes: count, routers })
    const behind = nodes.slice(Math.ceil(count / 2))
    assert.deepEqual(
      behind.map(({ nat, host }) => [nat, host]),
      behind.map((_, index) => [routers[index % 2], undefined]),
    )
    assert.ok(behind.every(({ nat, isExit }) => isExit === (nat === 'symmetric')))
    const open = nodes.slice(0, Math.ceil(count / 2))
    assert.ok(open.every(({ nat, host }, index) => !nat && host === `5.${index + 1}.0.1`))
    assert.ok(open.some(({ isExit }) => isExit) && open.slice(0, 2).every((node) => !node.isExit))
    assert.deepEqual(network.reachablePrefixes, [])
    const table = createAsnTable(network.asnTable)
    const last = table.lookup(parseAddress(`5.${count}.0.1`) ?? assert.fail())
    assert.equal(last?.asn, nodes.at(-1)?.asn, "a router's address is its home's")
  }
  const { length } = planNetwork({ nodes: LEAST_NODES }).nodes
  assert.throws(() => planNetwork({ nodes: length, routers }), { code: 'TESTNET_SIZE' })
})

test('gives each node an owner of its own, but for those that are said to have one', () => {
  const stakersOf = (oneOwner?: readonly number[]): readonly number[] =>
    planNetwork({ nodes: 6, oneOwner }).nodes.map(({ staker }) => staker)
  assert.deepEqual(stakersOf(), [1, 2, 3, 4, 5, 6])
  assert.deepEqual(stakersOf([5, 2]), [1, 2, 3, 4, 2, 6])
})
