import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgeDial, parsePolicyContext, type PolicyFacts } from '@byway/protocol/policy'

function dial(address: string, port: number, facts: PolicyFacts = {}): string {
  const parsed = parsePolicyContext(facts)
  assert.ok('context' in parsed)
  const verdict = judgeDial(address, port, parsed.context)
  return verdict.verdict === 'allow' ? verdict.pin : verdict.reason
}

test('a node dials public addresses on any port that is not hard denied', () => {
  assert.equal(dial('93.184.216.34', 9001), '93.184.216.34')
  assert.equal(dial('::ffff:93.184.216.34', 9001), '93.184.216.34')
  assert.equal(dial('2606:4700:4700::1111', 443), '2606:4700:4700::1111')
  assert.equal(dial('93.184.216.34', 25), 'port-hard')
  assert.equal(dial('93.184.216.34', 0), 'port-invalid')
})

test('a node never dials a private range, its own network or a name (SPEC §11)', () => {
  assert.equal(dial('127.0.0.1', 443), 'loopback')
  assert.equal(dial('::ffff:192.168.0.1', 443), 'rfc1918')
  assert.equal(dial('fd00::1', 443), 'not-2000::/3')
  assert.equal(dial('localhost', 443), 'bad-address')
  assert.equal(dial('fe80::1%eth0', 443), 'bad-address')
  const self = { publicV4: ['81.2.69.160'], v6: ['2a02:6b8:10:1200::5/64'] }
  assert.equal(dial('81.2.69.160', 443, { self }), 'self')
  assert.equal(dial('2a02:6b8:10:12aa::1', 443, { self }), 'delegated6')
})

test('a prefix that the network file names is reachable, its neighbours are not', () => {
  const facts = { reachablePrefixes: ['127.0.0.0/8'], self: { v4: ['127.0.0.1/8'] } }
  assert.equal(dial('127.5.0.1', 40_001, facts), '127.5.0.1')
  assert.equal(dial('127.5.0.1', 0, facts), 'loopback')
  assert.equal(dial('10.0.0.1', 443, facts), 'rfc1918')
  assert.equal(dial('::1', 443, facts), 'loopback')
})

test('an allowed exit target is no address to dial nodes at', () => {
  const facts = { allowTargets: [{ address: '127.0.0.1', port: 8081 }] }
  assert.equal(dial('127.0.0.1', 8081, facts), 'loopback')
})
