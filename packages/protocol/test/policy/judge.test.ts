import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  judge,
  judgeRequest,
  judgeTargets,
  parsePolicyContext,
  type PolicyContext,
  type PolicyFacts,
} from '@byway/protocol/policy'

const PUBLIC = '93.184.216.34'
const PUBLIC6 = '2606:4700:4700::1111'

function contextOf(facts: PolicyFacts): PolicyContext {
  const parsed = parsePolicyContext(facts)
  assert.ok('context' in parsed)
  return parsed.context
}

function reason(host: string, facts: PolicyFacts, port = 443): string {
  return judge({ host, port, context: contextOf(facts) }).reason
}

test('pins the first answer of the first lookup and never reads a second one', () => {
  const answers = [[PUBLIC, '1.1.1.1'], ['127.0.0.1']]
  assert.deepEqual(judge({ host: 'a.example', port: 80, answers }), {
    verdict: 'allow',
    reason: 'ok',
    pin: PUBLIC,
  })
  const flipped = [['127.0.0.1'], [PUBLIC]]
  assert.equal(judge({ host: 'a.example', port: 80, answers: flipped }).reason, 'loopback')
})

test('one answer that is not public refuses the whole name, wherever it stands', () => {
  for (const answers of [
    [PUBLIC, '10.0.0.1'],
    ['10.0.0.1', PUBLIC],
    [PUBLIC6, '::ffff:10.0.0.1'],
  ]) {
    assert.equal(judge({ host: 'a.example', port: 443, answers }).reason, 'rfc1918')
  }
})

test('with IPv6 off a private AAAA still refuses the name, and a public one is passed over', () => {
  const context = contextOf({ ipv6: false })
  const ask = (answers: readonly string[]): string => {
    const verdict = judge({ host: 'a.example', port: 443, answers, context })
    return verdict.verdict === 'allow' ? verdict.pin : verdict.reason
  }
  assert.equal(ask([PUBLIC6, PUBLIC]), PUBLIC)
  assert.equal(ask([PUBLIC, 'fd00::1']), 'not-2000::/3')
  assert.equal(ask([PUBLIC6]), 'ipv6-off')
  assert.equal(reason(PUBLIC6, { ipv6: false }), 'ipv6-off')
  assert.equal(reason('fd00::1', { ipv6: false }), 'not-2000::/3')
})

test('every pin offered for a race has been judged', () => {
  const verdict = judgeTargets({ host: 'a.example', port: 443 }, [PUBLIC6, PUBLIC])
  assert.equal(verdict.verdict === 'allow' && verdict.pins.length, 2)
})

test('a name with no answer, or with an answer that is no address, is refused', () => {
  assert.equal(judge({ host: 'a.example', port: 443, answers: [] }).reason, 'no-answer')
  assert.equal(judge({ host: 'a.example', port: 443, answers: [[]] }).reason, 'no-answer')
  assert.equal(judge({ host: 'a.example', port: 443 }).reason, 'no-answer')
  for (const answer of ['', '0177.0.0.1', 'b.example', 'fe80::1%eth0']) {
    const answers = [PUBLIC, answer]
    assert.equal(judge({ host: 'a.example', port: 443, answers }).reason, 'bad-answer')
  }
})

test('an address literal is judged itself, whatever answers come with it', () => {
  assert.equal(judge({ host: '127.0.0.1', port: 443, answers: [PUBLIC] }).reason, 'loopback')
})

test('an address rule beats a port rule', () => {
  for (const port of [25, 22, 0]) {
    assert.equal(judge({ host: '10.0.0.1', port }).reason, 'rfc1918')
  }
})

for (const port of [0, -1, 65_536, 80.5, Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`port ${port} is no port`, () => {
    assert.equal(judge({ host: PUBLIC, port }).reason, 'port-invalid')
  })
}

test('a hard-denied port is refused in every profile', () => {
  for (const profile of ['web', 'tor-reduced'] as const) {
    for (const port of [25, 135, 137, 139, 389, 445, 5555, 11_211]) {
      assert.equal(judge({ host: PUBLIC, port, profile }).reason, 'port-hard')
    }
  }
})

const NAMES: readonly (readonly [string, string])[] = [
  ['', 'bad-name'],
  ['.', 'bad-name'],
  ['a..b.example', 'bad-name'],
  ['.example.com', 'bad-name'],
  ['example.com..', 'bad-name'],
  ['x-.example.com', 'bad-name'],
  ['a b.example.com', 'bad-name'],
  ['[::1]', 'bad-name'],
  ['1:2', 'bad-name'],
  ['user@example.com', 'bad-name'],
  [`${'a'.repeat(63)}.example.com`, 'ok'],
  [`${'a.'.repeat(121)}example.com`, 'ok'],
  [`${'a.'.repeat(121)}example.com.`, 'ok'],
  [`${'a.'.repeat(121)}xexample.com`, 'bad-name'],
  ['①②⑦.⓪.⓪.①', 'non-ascii'],
  ['127。0。0。1', 'non-ascii'],
  ['bücher.example.com', 'non-ascii'],
  ['_dmarc.example.com', 'ok'],
  ['EXAMPLE.COM', 'ok'],
  ['example.com.', 'ok'],
  ['1.2.3.4.', 'numeric-name'],
  ['256.1.1.1', 'numeric-name'],
  ['1.2.3.4.5', 'numeric-name'],
  ['0x7f.1', 'numeric-name'],
  ['0X7F000001', 'numeric-name'],
  ['example.0x1', 'numeric-name'],
  ['example.com.1', 'numeric-name'],
  ['1.2.3.4.com', 'ok'],
  ['localhost', 'special-name'],
  ['a.LocalHost.', 'special-name'],
  ['printer.local', 'special-name'],
  ['facebookcorewwwi.onion', 'special-name'],
  ['arpa', 'special-name'],
  ['localhost.example.com', 'ok'],
  ['com.', 'single-label'],
  ['fe80::1%eth0', 'zone-id'],
  ['::1%lo', 'zone-id'],
  ['example.com%eth0', 'bad-name'],
]

for (const [host, expected] of NAMES) {
  test(`the name ${JSON.stringify(host.slice(0, 24))} is judged ${expected} (SPEC §11)`, () => {
    assert.equal(judge({ host, port: 443, answers: [PUBLIC] }).reason, expected)
  })
}

test('before a lookup the name and the port are judged, and no pin is given out', () => {
  assert.deepEqual(judgeRequest({ host: 'WWW.Example.com.', port: 443 }), {
    verdict: 'resolve',
    name: 'www.example.com',
  })
  assert.deepEqual(judgeRequest({ host: 'a.example', port: 22 }), {
    verdict: 'deny',
    reason: 'port',
  })
  assert.deepEqual(judgeRequest({ host: 'router', port: 80 }), {
    verdict: 'deny',
    reason: 'single-label',
  })
  assert.equal(judgeRequest({ host: '10.0.0.1', port: 80 }).verdict, 'deny')
})

const HOME: PolicyFacts = {
  self: {
    publicV4: ['81.2.69.160/24'],
    v6: ['2a02:6b8:10:1200::5/64'],
    gateways: ['81.2.70.1'],
    dnsServers: ['81.2.71.53'],
    relays: [['51.15.0.9', 9001]],
    nat64: ['2a00:1098:2c::/96'],
  },
}

const OWN: readonly (readonly [string, string])[] = [
  ['81.2.69.160', 'self'],
  ['::ffff:81.2.69.160', 'self'],
  ['2a02:6b8:10:1200:0::5', 'self'],
  ['81.2.69.7', 'on-link'],
  ['2a02:6b8:10:1200::77', 'on-link'],
  ['2a02:6b8:10:12ff::1', 'delegated6'],
  ['2a02:6b8:10:11ff::1', 'ok'],
  ['2a02:6b8:10:1300::', 'ok'],
  ['81.2.70.1', 'gateway'],
  ['81.2.71.53', 'dns-server'],
  ['2a00:1098:2c::8.8.8.8', 'nat64-discovered'],
  ['51.15.0.9', 'ok'],
]

for (const [host, expected] of OWN) {
  test(`in a home, ${host} is judged ${expected} (SPEC §11)`, () => {
    assert.equal(reason(host, HOME), expected)
  })
}

test("a relay's listener is refused at its port only, before the port profile speaks", () => {
  assert.equal(reason('51.15.0.9', HOME, 9001), 'relay')
  assert.equal(reason('::ffff:51.15.0.9', HOME, 9001), 'relay')
  assert.equal(reason('51.15.0.9', HOME, 443), 'ok')
})

test('the delegated prefix is derived around each own global address, with the length the operator gives', () => {
  const self = { v6: ['2a02:6b8:10:1234::5/64', 'fe80::1/64'] }
  assert.equal(reason('2a02:6b8:10:1200::1', { self }), 'delegated6')
  assert.equal(reason('2a02:6b8:10::1', { self }), 'ok')
  assert.equal(reason('2a02:6b8:10::1', { self, delegatedBits: 48 }), 'delegated6')
})

test('with nat64Unwrap an address is judged by the IPv4 address inside, at every RFC 6052 length', () => {
  const inside: readonly (readonly [string, string, string])[] = [
    ['2a00:1098::/32', '2a00:1098:c0a8:101::', '2a00:1098:808:808::'],
    ['2a00:1098::/40', '2a00:1098:c0:a801:1::', '2a00:1098:8:808:8::'],
    ['2a00:1098::/48', '2a00:1098:0:c0a8:1:100::', '2a00:1098:0:808:8:800::'],
    ['2a00:1098::/56', '2a00:1098:0:c0:a8:101::', '2a00:1098:0:8:8:808::'],
    ['2a00:1098::/64', '2a00:1098::c0:a801:100:0', '2a00:1098::8:808:800:0'],
    ['2a00:1098::/96', '2a00:1098::c0a8:101', '2a00:1098::808:808'],
  ]
  for (const [prefix, lan, outside] of inside) {
    const facts = { nat64Unwrap: true, self: { nat64: [prefix] } }
    assert.equal(reason(lan, facts), 'rfc1918', prefix)
    assert.equal(reason(outside, facts), 'ok', prefix)
    assert.equal(reason(outside, { self: { nat64: [prefix] } }), 'nat64-discovered', prefix)
  }
  assert.equal(reason('64:ff9b::c0a8:101', { nat64Unwrap: true }), 'rfc1918')
  assert.equal(reason('64:ff9b::808:808', { nat64Unwrap: true }), 'ok')
  assert.equal(reason('64:ff9b:1::808:808', { nat64Unwrap: true }), 'nat64')
  const facts = { nat64Unwrap: true, self: { nat64: ['2a00:1098::/64'] } }
  assert.equal(reason('2a00:1098::108:808:800:0', facts), 'nat64')
})

test('the operator may only narrow: prefixes and names, with everything below them', () => {
  const facts: PolicyFacts = { denyCidrs: ['93.184.216.0/24'], denyDomains: ['Example.com'] }
  assert.equal(reason(PUBLIC, facts), 'operator-address')
  const ask = (host: string): string =>
    judge({ host, port: 443, answers: ['1.1.1.1'], context: contextOf(facts) }).reason
  assert.equal(ask('example.com'), 'operator-name')
  assert.equal(ask('a.b.EXAMPLE.com.'), 'operator-name')
  assert.equal(ask('notexample.com'), 'ok')
})

const TARGET: PolicyFacts = { allowTargets: [{ address: '127.0.0.1', port: 8081 }] }

test('an allowed target is reached literally and opens nothing beside it', () => {
  const verdict = judge({ host: '127.0.0.1', port: 8081, context: contextOf(TARGET) })
  assert.deepEqual(verdict, { verdict: 'allow', reason: 'ok', pin: '127.0.0.1' })
  assert.equal(reason('::ffff:127.0.0.1', TARGET, 8081), 'ok')
  assert.equal(reason('127.0.0.1', TARGET, 8082), 'loopback')
  assert.equal(reason('127.0.0.1', TARGET, 80), 'loopback')
  assert.equal(reason('127.0.0.2', TARGET, 8081), 'loopback')
  assert.equal(reason('::1', TARGET, 8081), 'loopback')
  assert.equal(reason('10.0.0.1', TARGET, 8081), 'rfc1918')
  assert.equal(reason(PUBLIC, TARGET, 8081), 'port')
})

test('an allowed target is reached over IPv6 even where IPv6 is off', () => {
  const facts = { ipv6: false, allowTargets: [{ address: '::1', port: 8081 }] }
  assert.equal(reason('::1', facts, 8081), 'ok')
  assert.equal(reason('::1', facts, 80), 'loopback')
})

test('an allowed target opens no hard-denied port and excuses no other answer', () => {
  const hard = { allowTargets: [{ address: '127.0.0.1', port: 5555 }] }
  assert.equal(reason('127.0.0.1', hard, 5555), 'port-hard')
  const context = contextOf(TARGET)
  const ask = (answers: readonly string[]): string =>
    judge({ host: 'a.example', port: 8081, answers, context }).reason
  assert.equal(ask(['127.0.0.1']), 'ok')
  assert.equal(ask(['127.0.0.1', '127.0.0.2']), 'loopback')
  assert.equal(ask([PUBLIC]), 'port')
  assert.equal(judgeRequest({ host: 'a.example', port: 8081, context }).verdict, 'resolve')
})

test('of a mixed answer only the allowed target is pinned when the port is not in the profile', () => {
  const answers = [PUBLIC, '127.0.0.1']
  const verdict = judge({ host: 'a.example', port: 8081, answers, context: contextOf(TARGET) })
  assert.equal(verdict.verdict === 'allow' && verdict.pin, '127.0.0.1')
})
