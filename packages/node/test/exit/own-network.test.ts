import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { mock, test } from 'node:test'
import { judge } from '@byway/protocol/policy'
import { createOwnNetwork, type OwnNetworkDeps } from '../../src/exit/own-network.ts'
import { readIpv4Gateways, readIpv6Gateways } from '../../src/exit/proc-routes.ts'
import { readResolvConf } from '../../src/exit/resolv-conf.ts'

const ROUTE = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t01450251\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t00450251\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
garbage
`
const ROUTE6 = `00000000000000000000000000000000 00 00000000000000000000000000000000 00 2a0206b8001012000000000000000001 00000400 00000001 00000000 00000003 eth0
2a0206b8001012000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0
`
const FILES: Readonly<Record<string, string>> = {
  '/proc/net/route': ROUTE,
  '/proc/net/ipv6_route': ROUTE6,
  '/etc/resolv.conf':
    'search lan\nnameserver 81.2.71.53\nnameserver fe80::1%eth0\nnameserver 2a02:6b8::53\n',
}

type Host = {
  cidrs: string[]
  seen: string[]
  files: Readonly<Record<string, string>>
  nat64: number
}

function host(): Host {
  return {
    cidrs: ['127.0.0.1/8', '81.2.69.160/24', '2a02:6b8:10:1200::5/64'],
    seen: ['81.2.69.160'],
    files: FILES,
    nat64: 0,
  }
}

function depsOf(on: Host): OwnNetworkDeps {
  return {
    interfaces: () => ({
      eth0: on.cidrs.map((cidr) => ({ cidr })),
      broken: [{ cidr: null }],
      gone: undefined,
    }),
    async readText(path) {
      const text = on.files[path]
      if (text === undefined) throw new Error('no such file')
      return Promise.resolve(text)
    },
    seenAddresses: () => on.seen,
    relays: () => [
      ['51.15.0.9', 9001],
      ['not an address', 1],
      ['51.15.0.9', 0],
    ],
    async findNat64() {
      on.nat64++
      return Promise.resolve(['2a00:1098:2c::c000:aa'])
    },
  }
}

test('reads gateways from both routing tables, in either byte order', () => {
  assert.deepEqual(readIpv4Gateways(ROUTE, true), ['81.2.69.1'])
  assert.deepEqual(readIpv4Gateways(ROUTE, false), ['1.69.2.81'])
  assert.deepEqual(readIpv6Gateways(ROUTE6), ['2a02:6b8:10:1200::1'])
  assert.deepEqual(readIpv4Gateways('', true), [])
})

test('reads name servers and passes over search lists and zoned addresses', () => {
  const servers = readResolvConf(
    `${FILES['/etc/resolv.conf']}options edns0\n#nameserver 9.9.9.9\nnameserver\n`,
  )
  assert.deepEqual(servers, [
    { address: '81.2.71.53', port: 53 },
    { address: '2a02:6b8::53', port: 53 },
  ])
})

test('denies own addresses, prefixes, gateways, DNS servers, NAT64 and relays once read', async () => {
  const network = createOwnNetwork(depsOf(host()), { fixedFacts: { denyDomains: ['x.example'] } })
  assert.equal(judge({ host: '81.2.69.160', port: 443, context: network.context() }).reason, 'ok')
  assert.deepEqual(network.unknown(), ['interfaces'])
  await network.refresh()
  assert.deepEqual(network.unknown(), [])
  const reason = (target: string, port = 443): string =>
    judge({ host: target, port, answers: [], context: network.context() }).reason
  assert.equal(reason('81.2.69.160'), 'self')
  assert.equal(reason('81.2.69.1'), 'gateway')
  assert.equal(reason('81.2.69.7'), 'on-link')
  assert.equal(reason('2a02:6b8:10:1200::1'), 'gateway')
  assert.equal(reason('2a02:6b8:10:12ff::1'), 'delegated6')
  assert.equal(reason('81.2.71.53'), 'dns-server')
  assert.equal(reason('2a00:1098:2c::c0a8:101'), 'nat64-discovered')
  assert.equal(reason('51.15.0.9', 9001), 'relay')
  assert.equal(reason('www.x.example'), 'operator-name')
})

test('a new prefix is denied after the next refresh and announced once', async () => {
  const on = host()
  const changes: string[] = []
  const deps = { ...depsOf(on), onChange: () => changes.push('changed') }
  const network = createOwnNetwork(deps)
  await network.refresh()
  await network.refresh()
  assert.deepEqual(changes, [])
  assert.equal(on.nat64, 1)
  on.cidrs.push('93.184.216.5/24')
  await network.refresh()
  assert.deepEqual(changes, ['changed'])
  assert.equal(
    judge({ host: '93.184.216.34', port: 443, context: network.context() }).reason,
    'on-link',
  )
})

test('what cannot be read keeps its last value', async () => {
  const on = host()
  const network = createOwnNetwork(depsOf(on))
  await network.refresh()
  on.files = {}
  await network.refresh()
  const reason = (target: string): string =>
    judge({ host: target, port: 443, context: network.context() }).reason
  assert.equal(reason('81.2.69.1'), 'gateway')
  assert.equal(reason('81.2.71.53'), 'dns-server')
})

test('an address that relays saw counts without being on an interface, and its absence is said', async () => {
  const on = host()
  on.cidrs = ['192.168.1.2/24']
  on.seen = []
  const network = createOwnNetwork(depsOf(on))
  await network.refresh()
  assert.deepEqual(network.unknown(), ['public-address'])
  on.seen = ['93.184.216.34', '2606:4700::5']
  await network.refresh()
  assert.deepEqual(network.unknown(), [])
  const reason = (target: string): string =>
    judge({ host: target, port: 443, context: network.context() }).reason
  assert.equal(reason('93.184.216.34'), 'self')
  assert.equal(reason('2606:4700:0:ff::1'), 'delegated6')
  // Neighbours that go take no knowledge with them.
  on.seen = []
  await network.refresh()
  assert.deepEqual(network.unknown(), [])
  assert.equal(reason('93.184.216.34'), 'self')
})

test('asks for NAT64 prefixes anew where only an IPv6 address is new', async () => {
  const on = host()
  const network = createOwnNetwork(depsOf(on))
  await network.refresh()
  on.cidrs.push('2a00:1450:1::5/64')
  await network.refresh()
  await network.refresh()
  assert.equal(on.nat64, 2)
})

test('start reads at once and again each interval until disposed', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.after(() => mock.timers.reset())
  let readings = 0
  const deps = depsOf(host())
  const counting = {
    ...deps,
    interfaces() {
      readings++
      return deps.interfaces()
    },
  }
  const network = createOwnNetwork(counting)
  await network.start()
  mock.timers.tick(59_999)
  assert.equal(readings, 1)
  mock.timers.tick(1)
  assert.equal(readings, 2)
  await network[Symbol.asyncDispose]()
  mock.timers.tick(600_000)
  assert.equal(readings, 2)
})

test("reads this host's own network without failing", async () => {
  const network = createOwnNetwork({
    interfaces: networkInterfaces,
    readText: async (path) => readFile(path, 'utf8'),
    seenAddresses: () => [],
    relays: () => [],
  })
  await network.refresh()
  assert.ok(!network.unknown().includes('interfaces'))
})
