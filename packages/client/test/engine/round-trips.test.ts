/**
 * Light as a witness: nodes in cities, lines of fibre between them, and some that say they are elsewhere.
 *
 *   client (Berlin) ── guard ── exit           a circuit's time is at least that of light over all of it, there and back
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { leastKmBetween } from '@byway/protocol/directory'
import type { PlaceAuthority } from '@byway/protocol/directory'
import { createRoundTrips, SELF, type Observer } from '../../src/engine/round-trips.ts'
import { ownObserver } from '../../src/engine/own-observer.ts'
import { pathNode } from '../path-node.ts'
import { seededRandom } from './drawn-nodes.ts'

type City = readonly [country: string, latitude: number, longitude: number]

const CITIES: readonly City[] = [
  ['DE', 52.5, 13.4],
  ['FR', 48.9, 2.4],
  ['NL', 52.4, 4.9],
  ['GB', 51.5, -0.1],
  ['ES', 40.4, -3.7],
  ['PL', 52.2, 21.0],
  ['SE', 59.3, 18.1],
  ['IT', 41.9, 12.5],
  ['TR', 41.0, 29.0],
  ['RU', 55.8, 37.6],
  ['RU', 43.1, 131.9],
  ['US', 40.7, -74.0],
  ['US', 34.1, -118.2],
  ['US', 21.3, -157.9],
  ['CA', 45.5, -73.6],
  ['MX', 19.4, -99.1],
  ['BR', -23.6, -46.6],
  ['AR', -34.6, -58.4],
  ['GF', 4.9, -52.3],
  ['ZA', -33.9, 18.4],
  ['EG', 30.0, 31.2],
  ['IN', 19.1, 72.9],
  ['SG', 1.3, 103.8],
  ['ID', -6.2, 106.8],
  ['CN', 31.2, 121.5],
  ['JP', 35.7, 139.7],
  ['KR', 37.6, 127.0],
  ['AU', -33.9, 151.2],
  ['NZ', -36.8, 174.8],
  ['FJ', -18.1, 178.4],
]
const LIGHT_KM_PER_MS = 299.792
/** Two thirds of light, and cables that go round by a third. */
const FIBRE_KM_PER_MS = 150

function kmBetween([, latA, lonA]: City, [, latB, lonB]: City): number {
  const [a, b, dLon] = [latA, latB, lonB - lonA].map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
    number,
  ]
  const cosine = Math.sin(a) * Math.sin(b) + Math.cos(a) * Math.cos(b) * Math.cos(dLon)
  return 6371 * Math.acos(Math.min(1, cosine))
}

const rttMs = (way: readonly City[], kmPerMs: number): number =>
  way.reduce((sum, city, at) => sum + (2 * kmBetween(way[at - 1] ?? city, city)) / kmPerMs, 0)

/** A node in a city, whose address a table knows; or one that only says where it is. */
function nodeIn(number: number, [country]: City, by: PlaceAuthority = 'database', says = country) {
  return {
    ...pathNode(number, { country: says }),
    country: by === 'claim' ? says : country,
    countryBy: by,
  }
}

const [BERLIN, PARIS, AMSTERDAM, LONDON] = CITIES as [City, City, City, City]
const HOME: Observer = { key: SELF, country: 'DE', by: 'database' }
const LIAR = 99

suite('the least distance between countries', () => {
  test('is never more than lies between two places of them', () => {
    for (const one of CITIES) {
      for (const other of CITIES) {
        const least = leastKmBetween(one[0], other[0])
        assert.ok(least !== undefined && least <= kmBetween(one, other), `${one[0]} ${other[0]}`)
        assert.equal(least, leastKmBetween(other[0], one[0]))
      }
    }
  })

  test('says something of lands that are far apart, and nothing of what is on no map', () => {
    assert.ok((leastKmBetween('DE', 'JP') ?? 0) > 7000)
    assert.ok((leastKmBetween('DE', 'US') ?? 0) > 4000)
    assert.equal(leastKmBetween('DE', 'FR'), 0)
    assert.equal(leastKmBetween('DE', 'XX'), undefined)
    assert.equal(leastKmBetween('', ''), undefined)
  })
})

suite('a node that answers sooner than light (docs/PLACE.md)', () => {
  test('an honest one is never accused, wherever it is, and whoever looks', () => {
    const city = fc.constantFrom(...CITIES)
    const circuit = fc.record({
      way: fc.array(city, { minLength: 3, maxLength: 4 }),
      slowMs: fc.double({ min: 0, max: 100, noNaN: true }),
    })
    fc.assert(
      fc.property(fc.array(circuit, { minLength: 1, maxLength: 30 }), (circuits) => {
        const trips = createRoundTrips()
        for (const { way, slowMs } of circuits) {
          const [start, ...hops] = way
          const own = start && ({ key: SELF, country: start[0], by: 'database' } as const)
          const path = hops.map((hop) => nodeIn(1 + CITIES.indexOf(hop), hop))
          trips.onBuilt(path, rttMs(way, LIGHT_KM_PER_MS) + slowMs, own)
          for (const node of path) assert.equal(trips.tooNear(node), undefined)
        }
      }),
    )
  })

  for (const claims of ['JP', 'US', 'BR', 'SG']) {
    test(`one in Amsterdam without an address that says ${claims} falls before fifty circuits, and the clearest observer is named`, () => {
      const seed = 20_261_122
      const random = seededRandom(seed)
      const trips = createRoundTrips()
      const liar = nodeIn(LIAR, AMSTERDAM, 'claim', claims)
      const guards = [nodeIn(1, PARIS), nodeIn(2, LONDON), nodeIn(3, BERLIN)]
      const places = [PARIS, LONDON, BERLIN]
      let circuits = 0
      while (!trips.tooNear(liar) && circuits < 50) {
        circuits++
        const at = Math.floor(random() * 3)
        const [guard, place] = [guards[at], places[at]]
        assert.ok(guard && place)
        // Handshakes, and machines that are busy: between 5 and 105 ms more.
        const slowMs = 5 + 100 * random()
        trips.onBuilt(
          [guard, liar],
          rttMs([BERLIN, place, AMSTERDAM], FIBRE_KM_PER_MS) + slowMs,
          HOME,
        )
      }
      const found = trips.tooNear(liar)
      assert.ok(found, `${circuits} circuits, seed ${seed}`)
      assert.ok(circuits < 50)
      assert.ok(found.observers >= 2 && found.km > 4000 && found.rttMs < 60)
      assert.ok(['DE', 'FR', 'GB'].includes(found.country))
    })
  }

  test('one observer accuses nobody, a place that it only claims is no place, and the coarse table takes three', () => {
    const liar = nodeIn(LIAR, AMSTERDAM, 'claim', 'JP')
    const soon = 20
    const one = createRoundTrips()
    one.onBuilt([nodeIn(1, PARIS), liar], soon, undefined)
    one.onBuilt([nodeIn(1, PARIS), liar], soon - 5, undefined)
    assert.equal(one.tooNear(liar), undefined)
    one.onBuilt([nodeIn(2, LONDON, 'claim'), liar], soon, undefined)
    assert.equal(one.tooNear(liar), undefined)
    one.onBuilt([nodeIn(3, LONDON), liar], soon, undefined)
    assert.equal(one.tooNear(liar)?.observers, 2)

    const coarse = createRoundTrips()
    for (const number of [1, 2])
      coarse.onBuilt([nodeIn(number, PARIS, 'built-in'), liar], soon, undefined)
    assert.equal(coarse.tooNear(liar), undefined)
    coarse.onBuilt([nodeIn(3, LONDON, 'built-in'), liar], soon, undefined)
    assert.equal(coarse.tooNear(liar)?.observers, 3)
  })

  test('an observer that is itself too near to the others accuses nobody: its table errs', () => {
    const trips = createRoundTrips()
    const honest = nodeIn(4, AMSTERDAM, 'claim')
    // Tables say Tokyo and Sydney; they stand in Paris and London.
    const wrong = [
      { ...nodeIn(1, ['JP', 0, 0]), key: nodeIn(1, PARIS).key },
      { ...nodeIn(2, ['AU', 0, 0]), key: nodeIn(2, LONDON).key },
    ]
    for (const guard of wrong) trips.onBuilt([guard, honest], 20, HOME)
    assert.equal(trips.tooNear(honest), undefined)
    // Nobody knows where the client is: two guards whose tables err alike are believed.
    for (const guard of wrong) trips.onBuilt([guard, honest], 20, undefined)
    assert.equal(trips.tooNear(honest)?.observers, 2)
  })

  test('who claims nothing, or is on no map, is not judged', () => {
    const trips = createRoundTrips()
    for (const says of ['', 'XX']) {
      const node = nodeIn(LIAR, AMSTERDAM, 'claim', says)
      for (const number of [1, 2, 3]) trips.onBuilt([nodeIn(number, PARIS), node], 1, HOME)
      assert.equal(trips.tooNear(node), undefined)
    }
  })
})

test('this client is where two guards see it, if a table knows that', () => {
  const origins = {
    lookup: () => ({ country: 'DE', countryBy: 'database' as const, asn: 0, asnBy: undefined }),
  }
  const seen = (last: number) => ({
    nodeId: new Uint8Array(32),
    seenAs: { family: 4 as const, bytes: Uint8Array.of(5, 1, 0, last) },
  })
  assert.deepEqual(ownObserver([seen(1), seen(1)], origins), HOME)
  assert.equal(ownObserver([seen(1), seen(2)], origins), undefined)
  assert.equal(ownObserver([seen(1), { ...seen(1), seenAs: undefined }], origins), undefined)
  const unknown = { country: '', countryBy: undefined, asn: 0, asnBy: undefined }
  assert.equal(ownObserver([seen(1), seen(1)], { lookup: () => unknown }), undefined)
})
