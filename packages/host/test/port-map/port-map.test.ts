/** Reading what the router, and the system, say. What real routers answer is in e2e/nat.test.ts. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir, type NetworkInterfaceInfo } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readAnswer } from '../../src/port-map/answer.ts'
import { defaultGateway, localAddressFor } from '../../src/port-map/gateways.ts'
import { createRouterPortMap } from '../../src/port-map/router-port-map.ts'

const GOOD = { host: '198.51.100.9', port: 9443, lifetimeS: 7200, protocol: 'upnp' }

test('reads an answer, and takes nothing else for one', () => {
  assert.deepEqual(readAnswer(`${JSON.stringify(GOOD)}\n`), GOOD)
  for (const bad of [
    '',
    'null',
    '[]',
    '{',
    JSON.stringify({ ...GOOD, host: 'router.example' }),
    JSON.stringify({ ...GOOD, host: '2001:db8::1' }),
    JSON.stringify({ ...GOOD, host: 7 }),
    JSON.stringify({ ...GOOD, port: 0 }),
    JSON.stringify({ ...GOOD, port: 65_536 }),
    JSON.stringify({ ...GOOD, port: '9443' }),
    JSON.stringify({ ...GOOD, protocol: 'igd' }),
    JSON.stringify({ ...GOOD, lifetimeS: 0 }),
    JSON.stringify({ ...GOOD, lifetimeS: undefined }),
  ]) {
    assert.equal(readAnswer(bad), undefined, bad)
  }
})

test('finds the gateway of the default route', () => {
  const head =
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n'
  const lan = 'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n'
  const direct = 'tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0\n'
  const route = 'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n'
  assert.equal(defaultGateway(`${head}${lan}${direct}${route}`), '192.168.1.1')
  assert.equal(defaultGateway(`${head}${lan}${direct}`), undefined)
  assert.equal(defaultGateway(''), undefined)
})

test('finds the own address on the network of a gateway', () => {
  const of = (address: string, cidr: string, internal = false): NetworkInterfaceInfo => ({
    address,
    cidr,
    internal,
    netmask: '',
    mac: '',
    family: 'IPv4',
  })
  const all = [of('127.0.0.1', '127.0.0.1/8', true), of('10.0.0.5', '10.0.0.5/24'), undefined]
  const home = of('192.168.1.20', '192.168.1.20/24')
  assert.equal(localAddressFor('192.168.1.1', [...all, home]), '192.168.1.20')
  assert.equal(localAddressFor('192.168.2.1', [...all, home]), undefined)
  assert.equal(localAddressFor('127.0.0.2', all), undefined, 'not its own loopback')
  assert.equal(localAddressFor('router.example', [...all, home]), undefined)
})

test('a caller who gives up ends the process that asks; the name at routers is kept, and is for the owner alone', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'byway-port-map-'))
  t.after(() => rm(home, { recursive: true }))
  const file = join(home, 'port-map.nonce')
  const portMap = createRouterPortMap(home)
  assert.equal(await portMap.open(9443, AbortSignal.abort()), undefined)
  assert.equal(await portMap.open(9443, AbortSignal.timeout(1)), undefined)
  const nonce = await readFile(file, 'utf8')
  assert.match(nonce, /^[0-9a-f]{24}\n$/)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  await createRouterPortMap(home).open(9443, AbortSignal.timeout(1))
  assert.equal(await readFile(file, 'utf8'), nonce)
})
