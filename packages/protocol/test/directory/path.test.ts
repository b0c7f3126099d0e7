import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  choosePath,
  nodeKeyOf as keyOfId,
  type OriginBook,
  type OriginBooks,
  type PathInput,
  type PathNodeSet,
} from '@byway/protocol/directory'
import { formatAddress } from '@byway/protocol/policy'
import type { Descriptor } from '@byway/protocol/wire'
import { id, ipv4, keyOf, makeEntry, NO_NETWORK, nodeSet, NOW_MS, seeded } from './registry.ts'

const relay = { roles: 1, exitProfile: 0 } as const
const attachedTo = (...numbers: number[]): Partial<Descriptor> => ({
  addresses: [],
  attachments: numbers.map(id),
  roles: 2,
})

function choose(set: PathNodeSet, change: Partial<PathInput> = {}): readonly number[] | string {
  const input: PathInput = {
    set,
    guards: [keyOf(1)],
    request: { port: 443 },
    weightOf: () => 1,
    random: seeded(1),
    nowMs: NOW_MS,
    ...change,
  }
  const path = choosePath(input)
  if (path.result === 'none') return path.rule
  return path.hops.map(({ key }) => Number.parseInt(key.slice(0, 8), 16))
}

const guard = makeEntry(1, relay)

test('a public exit is reached by guard and exit (SPEC §10.3)', () => {
  assert.deepEqual(choose(nodeSet([guard, makeEntry(2)])), [1, 2])
})

test('an exit without an address is reached through its attachment (SPEC §10.3)', () => {
  const set = nodeSet([
    guard,
    makeEntry(2, relay),
    makeEntry(4, relay),
    makeEntry(3, attachedTo(2)),
  ])
  assert.deepEqual(choose(set), [1, 2, 3])
})

test('two nodes of which one owner put the stakes down are never in one circuit, whatever they say of themselves (SPEC §10.3)', () => {
  const owners = new Map<string, Uint8Array>()
  const ownerOf = ({ nodeId }: Pick<Descriptor, 'nodeId'>) => owners.get(keyOfId(nodeId))
  const set = nodeSet([guard, makeEntry(2)], NO_NETWORK, undefined, { ownerOf })
  const own = (number: number, owner: number): void =>
    void owners.set(keyOf(number), new Uint8Array(20).fill(owner))
  own(1, 5)
  own(2, 6)
  assert.deepEqual(choose(set), [1, 2])
  own(2, 5)
  assert.equal(choose(set), 'SEPARATION')
})

test('three hops on request put a relay between guard and a public exit', () => {
  const set = nodeSet([guard, makeEntry(2, relay), makeEntry(3)])
  assert.deepEqual(choose(set, { request: { hops: 3, port: 443, exit: keyOf(3) } }), [1, 2, 3])
})

test('one hop exists behind its switch only, and only to a public exit', () => {
  const set = nodeSet([guard, makeEntry(2)])
  const request = { hops: 1, port: 443 } as const
  assert.equal(choose(set, { request }), 'SINGLE_HOP')
  assert.deepEqual(choose(set, { request, unsafeSingleHop: true }), [2])
  const attached = nodeSet([guard, makeEntry(2, attachedTo(1))])
  assert.equal(choose(attached, { request, unsafeSingleHop: true }), 'SINGLE_HOP')
})

test('says which rule left nothing', () => {
  const set = nodeSet([guard, makeEntry(2, { country: 'DE' })])
  const cases: readonly (readonly [string, PathNodeSet, Partial<PathInput>])[] = [
    ['EXIT_ROLE', nodeSet([guard]), {}],
    ['EXIT_ROLE', nodeSet([]), {}],
    ['EXIT_PINNED', set, { request: { port: 443, exit: keyOf(9) } }],
    ['EXIT_PORT', set, { request: { port: 22 } }],
    ['EXIT_PORT', set, { request: { port: 25 } }],
    ['EXIT_DATAGRAMS', set, { request: { port: 443, needsDatagrams: true } }],
    ['EXIT_COUNTRY', set, { request: { port: 443, country: 'NO' } }],
    ['EXIT_CITY', set, { request: { port: 443, country: 'DE', city: 'berlin' } }],
    ['EXIT_ASN', set, { request: { port: 443, asn: 5 } }],
    ['EXIT_CLASS', set, { request: { port: 443, trafficClass: 'collect' } }],
    ['EXIT_ASN', set, { request: { port: 443, asn: 5, trafficClass: 'collect' } }],
    ['EXIT_WEIGHT', set, { weightOf: () => 0 }],
    ['GUARD', set, { guards: [] }],
    ['GUARD', set, { guards: [keyOf(7)] }],
    ['GUARD', set, { ownNodes: new Set([keyOf(1)]) }],
    ['EXIT_ROLE', set, { ownNodes: new Set([keyOf(2)]) }],
    ['EXIT_ROLE', set, { request: { port: 443, excludeNodes: new Set([keyOf(2)]) } }],
    ['EXIT_ROLE', set, { nowMs: NOW_MS + 25 * 3_600_000 }],
    ['SEPARATION', set, { guards: [keyOf(2)] }],
    ['MIDDLE', set, { request: { port: 443, hops: 3 }, weightOf: (k) => (k === keyOf(2) ? 1 : 0) }],
    ['ATTACHMENT', nodeSet([guard, makeEntry(2, attachedTo(8))]), {}],
    ['SEPARATION', nodeSet([guard, makeEntry(2, attachedTo(1))]), {}],
  ]
  for (const [rule, nodes, change] of cases) assert.equal(choose(nodes, change), rule)
})

test('an exit is one that takes the class, whatever else it takes (SPEC §10.3)', () => {
  const takes = (browse: number | undefined, collect: number | undefined): Partial<Descriptor> => ({
    classPrices: { browse, collect },
  })
  const set = nodeSet([guard, makeEntry(2, takes(0, undefined)), makeEntry(3, takes(undefined, 0))])
  const chosen = (trafficClass: 'browse' | 'collect' | undefined, seed: number) =>
    choose(set, { request: { port: 443, trafficClass }, random: seeded(seed) })
  for (let seed = 1; seed <= 20; seed++) {
    assert.deepEqual(chosen('browse', seed), [1, 2])
    assert.deepEqual(chosen('collect', seed), [1, 3])
  }
  // A session's exit is held to it as well; a control circuit ends wherever it is to.
  const pinned = { port: 443, trafficClass: 'collect' } as const
  assert.equal(choose(set, { request: { ...pinned, exit: keyOf(2) } }), 'EXIT_CLASS')
  assert.deepEqual(choose(set, { request: { ...pinned, controlled: keyOf(2) } }), [1, 2])
})

test('a node is weighed for its place: as exit or in the middle', () => {
  const set = nodeSet([guard, makeEntry(2), makeEntry(3)])
  const request = { port: 443, hops: 3 } as const
  const weightOf: PathInput['weightOf'] = (key, isExit) => (isExit === (key === keyOf(3)) ? 1 : 0)
  assert.deepEqual(choose(set, { request, weightOf }), [1, 2, 3])
})

test('hops never share a /16, a /32 of IPv6, an ASN, a family or a staker (SPEC §10.3)', () => {
  const v6 = (text: string): Descriptor['addresses'] => [
    { family: 6, bytes: Uint8Array.from(Buffer.from(text.padEnd(32, '0'), 'hex')), port: 1 },
  ]
  const mapped = v6('00000000000000000000ffff0a010002')
  const pairs: readonly (readonly [Partial<Descriptor>, Partial<Descriptor>, boolean])[] = [
    [{ addresses: [ipv4('10.1.0.1')] }, { addresses: [ipv4('10.1.255.1')] }, false],
    [{ addresses: [ipv4('10.1.0.1')] }, { addresses: [ipv4('10.2.0.1')] }, true],
    [{ addresses: [ipv4('10.1.0.1')] }, { addresses: mapped }, false],
    [{ addresses: v6('20010db8aaaa') }, { addresses: v6('20010db8bbbb') }, false],
    [{ addresses: v6('20010db8') }, { addresses: v6('20010db9') }, true],
    [{ addresses: [ipv4('10.1.0.1'), ipv4('10.2.0.1')] }, { addresses: [ipv4('10.2.0.9')] }, false],
    [{ asn: 5 }, { asn: 5 }, false],
    [{ asn: 0 }, { asn: 0 }, true],
    [{ familyId: id(7) }, { familyId: id(7) }, false],
    [{ stakerId: id(7) }, { stakerId: id(7) }, false],
    [{ familyId: id(7) }, { stakerId: id(7) }, true],
  ]
  for (const [a, b, isAllowed] of pairs) {
    const set = nodeSet([makeEntry(1, { ...relay, ...a }), makeEntry(2, b)])
    assert.deepEqual(choose(set), isAllowed ? [1, 2] : 'SEPARATION')
  }
})

test('the middle is apart from both its neighbours', () => {
  const set = nodeSet([
    makeEntry(1, { ...relay, asn: 1 }),
    makeEntry(2, { ...relay, asn: 1 }),
    makeEntry(3, { ...relay, asn: 3 }),
    makeEntry(4, { asn: 3 }),
    makeEntry(5, { ...relay, asn: 5 }),
  ])
  const request = { port: 443, hops: 3 } as const
  for (let seed = 0; seed < 20; seed++) {
    assert.deepEqual(choose(set, { request, random: seeded(seed) }), [1, 5, 4])
  }
})

test('the table is believed before the claim, and the claim when the table is silent', () => {
  const asnTable = [
    { prefix: '10.0.0.0/8', asn: 100, country: 'FR' },
    { prefix: '10.2.0.0/16', asn: 200, country: 'DE' },
  ]
  const set = nodeSet(
    [
      makeEntry(1, { ...relay, addresses: [ipv4('10.1.0.1')], asn: 900, country: 'NO' }),
      makeEntry(2, { addresses: [ipv4('10.2.0.1')], asn: 100, country: 'NO' }),
      makeEntry(3, { addresses: [ipv4('11.2.0.1')], asn: 300, country: 'SE' }),
    ],
    { ...NO_NETWORK, asnTable },
  )
  const by = (request: PathInput['request']): unknown => choose(set, { request })
  assert.deepEqual(by({ country: 'DE' }), [1, 2])
  assert.deepEqual(by({ asn: 200 }), [1, 2])
  assert.equal(by({ country: 'NO' }), 'EXIT_COUNTRY')
  assert.deepEqual(by({ country: 'SE' }), [1, 3])
  assert.deepEqual(by({ asn: 300 }), [1, 3])
  assert.deepEqual(set.get(keyOf(1))?.asns, [100])
})

test('a database is believed before the table: a node that is elsewhere serves nobody who asks for the country it claims', () => {
  const asnTable = [{ prefix: '11.0.0.0/8', asn: 100, country: 'DE' }]
  const nodes = [guard, makeEntry(2, { addresses: [ipv4('11.2.0.1')], country: 'DE' })]
  const french = { databases: [{ lookup: () => ({ country: 'FR', asn: 0 }) }] }
  const by = (country: string, books?: OriginBooks): unknown =>
    choose(nodeSet(nodes, { ...NO_NETWORK, asnTable }, books), { request: { country } })
  assert.deepEqual(by('DE'), [1, 2])
  assert.equal(by('DE', french), 'EXIT_COUNTRY')
  assert.deepEqual(by('FR', french), [1, 2])
})

test('a city is what a database says of all addresses, and no word of the node', () => {
  const cities: Readonly<Record<string, string>> = { '11.2.0.1': 'berlin', '11.3.0.1': 'new_york' }
  const lookup: OriginBook['lookup'] = (address) => {
    const city = cities[formatAddress(address)]
    return city === undefined ? undefined : { country: 'DE', asn: 0, city }
  }
  const exits = [
    makeEntry(2, { addresses: [ipv4('11.2.0.1'), ipv4('11.9.0.1')], country: 'DE' }),
    makeEntry(3, { addresses: [ipv4('11.3.0.1'), ipv4('11.2.0.1')], country: 'DE' }),
    makeEntry(4, { addresses: [ipv4('11.4.0.1')], country: 'DE' }),
  ]
  const set = nodeSet([guard, ...exits], NO_NETWORK, { databases: [{ lookup }] })
  const by = (city: string): unknown => choose(set, { request: { city } })
  assert.deepEqual(by('berlin'), [1, 2])
  assert.equal(by('new_york'), 'EXIT_CITY', 'one of its addresses is elsewhere')
  assert.equal(choose(nodeSet([guard, ...exits]), { request: { city: 'berlin' } }), 'EXIT_CITY')
})

test('the preferred guard is taken, and the next when the exit is too near to it', () => {
  const set = nodeSet([
    makeEntry(1, { ...relay, asn: 7 }),
    makeEntry(2, relay),
    makeEntry(3, { asn: 7 }),
    makeEntry(4),
  ])
  const guards = [keyOf(1), keyOf(2)]
  assert.deepEqual(choose(set, { guards, request: { exit: keyOf(4) } }), [1, 4])
  assert.deepEqual(choose(set, { guards, request: { exit: keyOf(3) } }), [2, 3])
})

test('a port of the local network’s targets is open at every exit of it', () => {
  const exitTargets = [{ address: '127.0.0.1', port: 8123 }]
  const set = nodeSet([guard, makeEntry(2)], { ...NO_NETWORK, exitTargets })
  assert.deepEqual(choose(set, { request: { port: 8123 } }), [1, 2])
  assert.equal(choose(nodeSet([guard, makeEntry(2)]), { request: { port: 8123 } }), 'EXIT_PORT')
})

test('the reduced profile opens more ports, but none that is hard denied', () => {
  const set = nodeSet([guard, makeEntry(2, { exitProfile: 2 })])
  assert.deepEqual(choose(set, { request: { port: 22 } }), [1, 2])
  assert.equal(choose(set, { request: { port: 389 } }), 'EXIT_PORT')
})

test('the same randomness gives the same path', () => {
  const set = nodeSet(Array.from({ length: 60 }, (_, number) => makeEntry(number + 1)))
  const guards = [keyOf(1), keyOf(2), keyOf(3)]
  const request = { port: 443, hops: 3 } as const
  const draw = (seed: number): unknown => choose(set, { guards, request, random: seeded(seed) })
  for (let seed = 0; seed < 50; seed++) assert.deepEqual(draw(seed), draw(seed))
})
