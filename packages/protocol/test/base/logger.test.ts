import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLogWord, LOG_NUMBER_FIELDS, LOG_WORD_FIELDS, NO_LOG } from '@byway/protocol/base'

test('takes words of our own vocabulary as field values', () => {
  for (const word of ['peer', 'STALE_KEY', 'entry-layer', 'SIGTERM', 'v4'])
    assert.equal(isLogWord(word), true)
})

test('refuses values that look like an address, a host name, a URL or a key', () => {
  const key = Buffer.alloc(32, 7)
  const values = [
    '192.0.2.1',
    '2001:db8::1',
    'example.com',
    'https://a',
    'a b',
    '',
    key.toString('hex'),
    key.toString('base64url'),
    7,
    undefined,
  ]
  for (const value of values) assert.equal(isLogWord(value), false, String(value))
})

test('has no field in which a destination, address or key could stand', () => {
  const names: readonly string[] = [...LOG_NUMBER_FIELDS, ...LOG_WORD_FIELDS]
  assert.equal(new Set(names).size, names.length)
  assert.deepEqual(
    names.filter((name) => /host|addr|\bip\b|url|port|key|nodeId|peer|token|secret/i.test(name)),
    [],
  )
})

test('forgets every line when no log is wanted', () => {
  assert.equal(NO_LOG.child('link'), NO_LOG)
  assert.equal(NO_LOG.error('nothing'), undefined)
})
