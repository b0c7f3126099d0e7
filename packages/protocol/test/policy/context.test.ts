import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicyContext } from '@byway/protocol/policy'

const FAULTS: readonly (readonly [unknown, string])[] = [
  [[], '(root)'],
  ['x', '(root)'],
  [{ selfish: {} }, 'selfish'],
  [{ self: [] }, 'self'],
  [{ self: { publicV5: [] } }, 'self.publicV5'],
  [{ self: { publicV4: '1.2.3.4' } }, 'self.publicV4'],
  [{ self: { publicV4: ['1.2.3.4', '1.2.3'] } }, 'self.publicV4[1]'],
  [{ self: { v6: ['::1/129'] } }, 'self.v6[0]'],
  [{ self: { gateways: [7] } }, 'self.gateways[0]'],
  [{ self: { relays: [['1.2.3.4']] } }, 'self.relays[0]'],
  [{ self: { relays: [['1.2.3.4', 0]] } }, 'self.relays[0]'],
  [{ self: { nat64: ['2a00::/95'] } }, 'self.nat64[0]'],
  [{ self: { nat64: ['10.0.0.0/32'] } }, 'self.nat64[0]'],
  [{ ipv6: 'no' }, 'ipv6'],
  [{ delegatedBits: 47 }, 'delegatedBits'],
  [{ delegatedBits: 65 }, 'delegatedBits'],
  [{ allowTargets: [{ address: '10.0.0.1', port: 80 }] }, 'allowTargets[0].address'],
  [{ allowTargets: [{ address: 'localhost', port: 80 }] }, 'allowTargets[0]'],
  [{ allowTargets: [{ address: '127.0.0.1', port: 80, note: '' }] }, 'allowTargets[0]'],
  [{ denyDomains: ['a b'] }, 'denyDomains[0]'],
]

for (const [facts, path] of FAULTS) {
  test(`a context is refused at ${path}: ${JSON.stringify(facts)}`, () => {
    assert.deepEqual(parsePolicyContext(facts), { faultPath: path })
  })
}

test('an absent context, an empty one and one with empty lists all know nothing', () => {
  const parsed = [undefined, {}, { self: {} }, { self: { v6: [] } }].map(parsePolicyContext)
  for (const result of parsed) assert.deepEqual(result, parsed[0])
  assert.ok(parsed[0] && 'context' in parsed[0])
})
