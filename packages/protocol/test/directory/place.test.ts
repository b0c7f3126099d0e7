import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  cityKey,
  createOriginSource,
  lineHintOf,
  placeOf,
  type OriginBook,
  type OriginBooks,
} from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'
import type { IpAddress } from '@byway/protocol/policy'

const says = (country: string, asn = 0): OriginBook => ({ lookup: () => ({ country, asn }) })

function addressOf(text: string): IpAddress {
  const parsed = parseAddress(text)
  assert.ok(parsed)
  return parsed
}

suite('who is asked where an address is (SPEC §10.3)', () => {
  const rows = [{ prefix: '1.2.0.0/16', asn: 7, country: 'SE' }]
  const address = addressOf('1.2.3.4')

  test('the databases in their order, then the table of the network, then the built-in one', () => {
    const ask = (books?: OriginBooks) => {
      const { country, countryBy } = createOriginSource(rows, books).lookup(address)
      return [country, countryBy]
    }
    assert.deepEqual(ask({ databases: [says(''), says('DE'), says('FR')], builtIn: says('US') }), [
      'DE',
      'database',
    ])
    assert.deepEqual(ask({ databases: [says('')], builtIn: says('US') }), ['SE', 'network'])
    assert.deepEqual(ask(), ['SE', 'network'])
    const other = createOriginSource([], { databases: [], builtIn: says('US') }).lookup(address)
    assert.deepEqual([other.country, other.countryBy, other.asnBy], ['US', 'built-in', undefined])
  })

  test('country and AS may come from different ones', () => {
    const source = createOriginSource(rows, { databases: [says('DE', 0)] })
    assert.deepEqual(source.lookup(address), {
      country: 'DE',
      countryBy: 'database',
      asn: 7,
      asnBy: 'network',
    })
  })

  test('a city comes from the first database that knows one, but not from another country', () => {
    const at = (country: string, city: string): OriginBook => ({
      lookup: () => ({ country, asn: 1, city }),
    })
    const cityBy = (...databases: OriginBook[]): string | undefined =>
      createOriginSource(rows, { databases }).lookup(address).city
    assert.equal(cityBy(says('DE', 1), at('DE', 'berlin'), at('DE', 'bonn')), 'berlin')
    assert.equal(cityBy(says('DE', 1), at('FR', 'paris')), undefined)
    assert.equal(cityBy(says('DE', 1)), undefined)
  })

  test('names of cities are written as requests write them', () => {
    for (const [name, key] of [
      ['New York', 'new_york'],
      ['São Paulo', 'sao_paulo'],
      ['Frankfurt am Main', 'frankfurt_am_main'],
      ["L'Aquila", 'laquila'],
      ['St. John’s', 'st_johns'],
      ['Saint-Denis', 'saint_denis'],
      ['Gießen', 'giessen'],
      ['TROMSØ', 'tromso'],
      ['Łódź', 'lodz'],
      ['Næstved', 'naestved'],
      ['Đà Nẵng', 'da_nang'],
      ['Iğdır', 'igdir'],
      ['Þorlákshöfn', 'thorlakshofn'],
      ['東京', ''],
    ] as const)
      assert.equal(cityKey(name), key)
  })

  test('of addresses that are in everybody’s home only the network’s table says anything', () => {
    const books = { databases: [says('DE', 1)], builtIn: says('US') }
    for (const text of [
      '10.1.2.3',
      '127.0.0.1',
      '100.64.0.1',
      '192.168.1.1',
      '::1',
      'fe80::1',
      'fd00::1',
    ])
      assert.equal(createOriginSource([], books).lookup(addressOf(text)).countryBy, undefined, text)
    const local = [{ prefix: '127.0.0.0/8', asn: 64_512, country: 'NO' }]
    assert.equal(createOriginSource(local, books).lookup(addressOf('127.0.0.1')).country, 'NO')
  })
})

suite('a claimed place', () => {
  const source = createOriginSource([
    { prefix: '1.0.0.0/8', asn: 10, country: 'DE' },
    { prefix: '2.0.0.0/8', asn: 20, country: 'US' },
  ])
  const [inGermany, inAmerica, nowhere] = ['1.1.1.1', '2.2.2.2', '3.3.3.3'].map(addressOf)
  assert.ok(inGermany && inAmerica && nowhere)

  test('is no cover for an address elsewhere, in whatever order they are named', () => {
    for (const addresses of [
      [inGermany, inAmerica],
      [inAmerica, inGermany],
    ]) {
      const place = placeOf(addresses, { country: 'DE', asn: 10 }, source)
      assert.deepEqual([place.isMisplaced, place.country], [true, 'US'])
      assert.deepEqual(new Set(place.asns), new Set([10, 20]))
    }
  })

  test('is all there is of a node without a public address', () => {
    const place = placeOf([], { country: 'DE', asn: 30 }, source)
    assert.deepEqual(place, {
      country: 'DE',
      countryBy: 'claim',
      isMisplaced: false,
      asns: [30],
      asnBy: 'claim',
    })
  })

  test('that is missing contradicts nothing', () => {
    const place = placeOf([inAmerica, nowhere], { country: '', asn: 0 }, source)
    assert.deepEqual([place.isMisplaced, place.country, place.asns], [false, 'US', [20]])
  })
})

suite('the hint about a line', () => {
  test('names a hosting network, and a hidden address does not outweigh it', () => {
    assert.equal(lineHintOf({ asns: [24_940], asnBy: 'database', isPublic: true }).grade, 'hosting')
    const claimed = lineHintOf({ asns: [24_940], asnBy: 'claim', isPublic: false })
    assert.deepEqual([claimed.grade, claimed.reasons.length], ['hosting', 2])
  })

  test('is against a home for what a node does, and hosting all the same for what its AS is', () => {
    const late = { reason: 'connects-late', byMs: 80, country: 'DE', others: 3 } as const
    const moved = { reason: 'moves-within-as', moves: 2 } as const
    const home = { asns: [3320], asnBy: 'network', isPublic: true } as const
    assert.equal(lineHintOf(home, { addresses: [moved], late: undefined }).grade, 'maybe-home')
    const hint = lineHintOf(home, { addresses: [moved], late })
    assert.deepEqual([hint.grade, hint.reasons.length], ['unlike-home', 3])
    const rented = { ...home, asns: [24_940] }
    assert.equal(lineHintOf(rented, { addresses: [moved], late }).grade, 'hosting')
  })

  test('is a maybe for any other AS and for a node without a public address, and nothing where nothing is known', () => {
    assert.equal(lineHintOf({ asns: [3320], asnBy: 'network', isPublic: true }).grade, 'maybe-home')
    assert.equal(lineHintOf({ asns: [], asnBy: undefined, isPublic: false }).grade, 'maybe-home')
    assert.deepEqual(lineHintOf({ asns: [], asnBy: undefined, isPublic: true }), {
      grade: 'open',
      reasons: [],
    })
  })
})
