import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseUsername } from '../../src/proxy/username.ts'

function codeOf(username: string): string {
  const result = parseUsername(username)
  return result.ok ? 'ok' : result.error.code
}

test('reads every option of the grammar', () => {
  const name = 'me-country-de-city-berlin-asn-3320-session-a1-life-10m-hops-3-class-collect'
  assert.deepEqual(parseUsername(name), {
    ok: true,
    selection: {
      country: 'DE',
      city: 'berlin',
      asn: 3320,
      session: 'a1',
      lifeMs: 600_000,
      hops: 3,
      trafficClass: 'collect',
    },
  })
})

test('takes the options in any order and a city of two words with an underscore', () => {
  assert.deepEqual(parseUsername('me-hops-2-city-New_York-country-US'), {
    ok: true,
    selection: { hops: 2, city: 'new_york', country: 'US' },
  })
})

test('selects nothing for an empty name or a name without options', () => {
  assert.deepEqual(parseUsername(''), { ok: true, selection: {} })
  assert.deepEqual(parseUsername('someone@example.com'), { ok: true, selection: {} })
})

test('refuses unknown, repeated and valueless keys, and options without a user', () => {
  assert.equal(codeOf('me-county-de'), 'USERNAME_UNKNOWN_KEY')
  assert.equal(codeOf('me-Country-de'), 'USERNAME_UNKNOWN_KEY')
  assert.equal(codeOf('me-constructor-x'), 'USERNAME_UNKNOWN_KEY')
  assert.equal(codeOf('me-city-new-york'), 'USERNAME_UNKNOWN_KEY')
  assert.equal(codeOf('me-country-de-country-fr'), 'USERNAME_REPEATED_KEY')
  assert.equal(codeOf('me-country'), 'USERNAME_MISSING_VALUE')
  assert.equal(codeOf('me-country--hops-3'), 'USERNAME_MISSING_VALUE')
  assert.equal(codeOf('-country-de'), 'USERNAME_NO_USER')
  assert.equal(codeOf('me-'), 'USERNAME_UNKNOWN_KEY')
})

test('refuses values outside their range', () => {
  const bad = [
    'country-deu',
    'country-d1',
    'city-9',
    'asn-0',
    'asn-4294967296',
    'asn-01',
    'asn-1e3',
    'session-a.b',
  ]
  const worse = [
    'hops-1',
    'hops-4',
    'class-any',
    'session-a-life-0s',
    'session-a-life-8d',
    'session-a-life-10',
  ]
  for (const option of [...bad, ...worse])
    assert.equal(codeOf(`me-${option}`), 'USERNAME_BAD_VALUE', option)
})

test('takes the ends of each range', () => {
  for (const option of [
    'asn-4294967295',
    'asn-1',
    'session-a-life-7d',
    'session-a-life-1s',
    'hops-2',
  ]) {
    assert.equal(codeOf(`me-${option}`), 'ok', option)
  }
})

test('refuses a life without a session, control characters and names beyond 255', () => {
  assert.equal(codeOf('me-life-10m'), 'USERNAME_LIFE_WITHOUT_SESSION')
  assert.equal(codeOf('m\0e'), 'USERNAME_BAD_CHARACTER')
  assert.equal(codeOf('a'.repeat(256)), 'USERNAME_TOO_LONG')
  assert.equal(codeOf('a'.repeat(255)), 'ok')
})

test('never throws, and an error never holds a part of the name', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      const result = parseUsername(`secret${text}-x`)
      assert.ok(!JSON.stringify(result).includes('secret'))
    }),
  )
})
