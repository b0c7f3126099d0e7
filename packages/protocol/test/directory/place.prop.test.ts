import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { createOriginSource, placeOf, toIpAddress, toIpBytes } from '@byway/protocol/directory'
import type { AddressOrigin, AsnRow, OriginBook } from '@byway/protocol/directory'
import { formatAddress, parseAddress } from '@byway/protocol/policy'
import type { IpAddress } from '@byway/protocol/policy'

const COUNTRIES = ['', 'DE', 'FR', 'US'] as const
const origin = fc.record({ country: fc.constantFrom(...COUNTRIES), asn: fc.nat(3) })
/** Public addresses: 1.0.0.0 to 9.255.255.255, and 2a00::/16. */
const v4 = fc.integer({ min: 0x0100_0000, max: 0x09ff_ffff })
const v6 = fc.bigInt(0x2a00n << 112n, (0x2a01n << 112n) - 1n)
const address = fc.oneof(
  v4.map((value): IpAddress => ({ family: 4, value: BigInt(value) })),
  v6.map((value): IpAddress => ({ family: 6, value })),
)

/** A book that says the same of an address whatever its form was, and something of about half. */
function bookOf(said: readonly AddressOrigin[]): OriginBook {
  return { lookup: ({ family, value }) => said[Number((value + BigInt(family)) % 7n)] }
}

/** All texts that are one address. */
function textsOf(value: IpAddress): readonly string[] {
  const text = formatAddress(value)
  if (value.family === 4) {
    const [high, low] = [value.value >> 16n, value.value & 0xffffn].map((half) => half.toString(16))
    return [
      text,
      `::ffff:${text}`,
      `::FFFF:${text}`,
      `::ffff:${high}:${low}`,
      `0:0:0:0:0:ffff:${high}:${low}`,
    ]
  }
  const groups = Array.from(
    { length: 8 },
    (_, at) => (value.value >> BigInt(112 - 16 * at)) & 0xffffn,
  )
  const full = groups.map((group) => group.toString(16).padStart(4, '0')).join(':')
  return [text, text.toUpperCase(), full]
}

suite('what is known of an address', () => {
  test('is the same for all texts and bytes of it, an IPv4-mapped one too', () => {
    fc.assert(
      fc.property(
        address,
        fc.array(origin, { maxLength: 7 }),
        fc.array(origin, { maxLength: 7 }),
        (value, strong, weak) => {
          const rows: readonly AsnRow[] = [{ prefix: '1.0.0.0/8', asn: 1, country: 'DE' }]
          const source = createOriginSource(rows, {
            databases: [bookOf(strong)],
            builtIn: bookOf(weak),
          })
          const said = source.lookup(value)
          for (const text of textsOf(value)) {
            const parsed = parseAddress(text)
            assert.ok(parsed, text)
            assert.deepEqual(source.lookup(parsed), said, text)
          }
          const { family, bytes } = toIpBytes(value)
          assert.deepEqual(source.lookup(toIpAddress({ family, bytes })), said)
          if (family === 4) {
            const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytes)
            assert.deepEqual(source.lookup(toIpAddress({ family: 6, bytes: mapped })), said)
          }
        },
      ),
    )
  })

  test('is what the strongest source says that says anything, each field by itself', () => {
    fc.assert(
      fc.property(
        address,
        fc.array(fc.option(origin, { nil: undefined }), { minLength: 3, maxLength: 3 }),
        (value, said) => {
          const books = said.map((each): OriginBook => ({ lookup: () => each }))
          const source = createOriginSource([], { databases: books.slice(0, 2), builtIn: books[2] })
          const { country, countryBy, asn, asnBy } = source.lookup(value)
          const by = (at: number): string | undefined => ['database', 'database', 'built-in'][at]
          const first = said.findIndex((each) => (each?.country ?? '') !== '')
          const second = said.findIndex((each) => (each?.asn ?? 0) !== 0)
          assert.deepEqual([country, countryBy], [said[first]?.country ?? '', by(first)])
          assert.deepEqual([asn, asnBy], [said[second]?.asn ?? 0, by(second)])
        },
      ),
    )
  })
})

suite('a claim', () => {
  const claims = fc.record({ country: fc.constantFrom(...COUNTRIES), asn: fc.nat(3) })

  test('never gives a node a country that is not known of each of its addresses of which one is', () => {
    fc.assert(
      fc.property(
        fc.array(address, { maxLength: 3 }),
        claims,
        fc.array(origin, { maxLength: 7 }),
        (addresses, claim, said) => {
          const source = createOriginSource([], { databases: [bookOf(said)] })
          const known = addresses
            .map((each) => source.lookup(each).country)
            .filter((each) => each !== '')
          const place = placeOf(addresses, claim, source)
          const isOpposed = claim.country !== '' && known.some((each) => each !== claim.country)
          assert.equal(place.isMisplaced, isOpposed)
          if (isOpposed) assert.notEqual(place.country, claim.country)
          if (known.length > 0) assert.ok(known.includes(place.country))
          else
            assert.deepEqual(
              [place.country, place.countryBy],
              [claim.country, claim.country === '' ? undefined : 'claim'],
            )
        },
      ),
    )
  })
})
