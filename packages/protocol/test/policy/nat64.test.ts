import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNat64Prefixes, formatCidr, parseAddress } from '@byway/protocol/policy'

function prefixes(...texts: readonly string[]): readonly string[] {
  const answers = texts.map((text) => parseAddress(text)).filter((address) => address !== undefined)
  return findNat64Prefixes(answers).map(formatCidr)
}

test('finds the prefix in the AAAA answers for ipv4only.arpa (RFC 7050 §3)', () => {
  assert.deepEqual(prefixes('64:ff9b::c000:aa'), ['64:ff9b::/96'])
  assert.deepEqual(prefixes('2a00:1098:2c::c000:ab'), ['2a00:1098:2c::/96'])
  assert.deepEqual(prefixes('2a00:1098:c000:aa::'), ['2a00:1098::/32'])
  assert.deepEqual(prefixes('2a00:1098::c0:0:aa00:0'), ['2a00:1098::/64'])
})

test('finds nothing in other answers', () => {
  assert.deepEqual(prefixes('2606:4700:4700::1111', '192.0.0.170'), [])
  assert.deepEqual(prefixes(), [])
})
