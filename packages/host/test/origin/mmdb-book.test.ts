import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import fc from 'fast-check'
import { openBuiltInPlaces, openPlaceDatabase, type PlaceDatabase } from '@byway/host'
import { isBywayError } from '@byway/protocol/base'
import { createAsnTable } from '@byway/protocol/directory'
import { cidrAround, formatCidr, parseAddress } from '@byway/protocol/policy'
import type { IpAddress } from '@byway/protocol/policy'
import { asnRecord, countryRecord, writeMmdb, type MmdbOptions } from './write-mmdb.ts'

const BUILT_S = 1_790_000_000

suite('a database of the user (docs/PLACE.md)', () => {
  let folder: string
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'byway-mmdb-'))))
  after(() => rm(folder, { recursive: true }))

  async function openBytes(bytes: Uint8Array): Promise<PlaceDatabase> {
    const path = join(folder, 'test.mmdb')
    await writeFile(path, bytes)
    return await openPlaceDatabase(path, 3)
  }
  const openRows = async (
    rows: MmdbOptions['rows'],
    options: Partial<MmdbOptions> = {},
  ): Promise<PlaceDatabase> => await openBytes(writeMmdb({ rows, builtAtS: BUILT_S, ...options }))

  const ROWS = [
    { prefix: '1.0.0.0/8', record: countryRecord('DE') },
    { prefix: '1.2.3.0/24', record: countryRecord('FR') },
    { prefix: '203.0.113.7/32', record: countryRecord('US') },
    { prefix: '2a00::/16', record: countryRecord('SE') },
  ] as const
  const PLACES = [
    ['1.9.9.9', 'DE'],
    ['1.2.3.255', 'FR'],
    ['1.2.4.0', 'DE'],
    ['203.0.113.7', 'US'],
    ['203.0.113.6', undefined],
    ['::ffff:1.2.3.4', 'FR'],
    ['::ffff:102:304', 'FR'],
    ['2a00:1::1', 'SE'],
    ['2a01::1', undefined],
  ] as const

  for (const recordSize of [24, 28, 32] as const) {
    test(`says countries of both kinds of addresses, with records of ${recordSize} bits`, async () => {
      const book = await openRows(ROWS, { recordSize })
      for (const [text, country] of PLACES)
        assert.equal(book.lookup(addressOf(text))?.country, country, text)
      assert.equal(book.builtAtMs, BUILT_S * 1000)
    })
  }

  test('says AS numbers, and of a record with both both', async () => {
    const both = { ...Object(countryRecord('DE')), ...Object(asnRecord(3320)) }
    const book = await openRows([
      { prefix: '1.0.0.0/8', record: asnRecord(24_940) },
      { prefix: '2.0.0.0/8', record: both },
    ])
    assert.deepEqual(book.lookup(addressOf('1.1.1.1')), { country: '', asn: 24_940 })
    assert.deepEqual(book.lookup(addressOf('2.1.1.1')), { country: 'DE', asn: 3320 })
  })

  test('says the city of a record that has one', async () => {
    const named = (en: string) => ({ ...Object(countryRecord('BR')), city: { names: { en } } })
    const book = await openRows([
      { prefix: '1.0.0.0/8', record: named('São Paulo') },
      { prefix: '2.0.0.0/8', record: named('') },
      { prefix: '3.0.0.0/8', record: { city: { names: { en: 'Nowhere' } } } },
    ])
    assert.deepEqual(book.lookup(addressOf('1.1.1.1')), {
      country: 'BR',
      asn: 0,
      city: 'sao_paulo',
    })
    assert.deepEqual(book.lookup(addressOf('2.1.1.1')), { country: 'BR', asn: 0 })
    assert.equal(book.lookup(addressOf('3.1.1.1')), undefined)
  })

  test('of IPv4 alone says nothing of an IPv6 address whose first bits are the same', async () => {
    const book = await openRows([{ prefix: '42.0.0.0/8', record: countryRecord('DE') }], {
      ipVersion: 4,
    })
    assert.equal(book.lookup(addressOf('42.1.2.3'))?.country, 'DE')
    assert.equal(book.lookup(addressOf('2a00::1')), undefined)
  })

  test('says nothing where its publisher writes that it does not know, or names a region', async () => {
    const codes = ['ZZ', 'EU', 'AP', 'XX', 'de', '', 'A1']
    const rows = codes.map((code, at) => ({
      prefix: `${at + 1}.0.0.0/8`,
      record: countryRecord(code),
    }))
    const book = await openRows([...rows, { prefix: '100.0.0.0/8', record: countryRecord('DE') }])
    for (const at of codes.keys())
      assert.equal(book.lookup(addressOf(`${at + 1}.1.1.1`)), undefined)
  })

  test('says what a table of the same rows says', async () => {
    const row = fc.record({
      address: fc.oneof(
        fc
          .integer({ min: 0, max: 0xffff_ffff })
          .map((value): IpAddress => ({ family: 4, value: BigInt(value) })),
        fc.bigInt(1n << 120n, (1n << 128n) - 1n).map((value): IpAddress => ({ family: 6, value })),
      ),
      bits: fc.integer({ min: 8, max: 32 }),
      country: fc.constantFrom('DE', 'FR', 'US'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async (rows) => {
        const byLength = rows.toSorted((a, b) => a.bits - b.bits)
        const prefixes = byLength.map(({ address, bits, country }) => ({
          prefix: formatCidr(cidrAround(address, bits)),
          country,
        }))
        const table = createAsnTable(prefixes.map((each) => ({ ...each, asn: 1 })))
        const book = await openRows(
          prefixes.map(({ prefix, country }) => ({ prefix, record: countryRecord(country) })),
        )
        for (const { address } of rows)
          for (const near of [
            address,
            { ...address, value: address.value ^ 1n },
            { ...address, value: address.value ^ 256n },
          ])
            assert.equal(book.lookup(near)?.country, table.lookup(near)?.country)
      }),
      { numRuns: 60 },
    )
  })

  test('that is cut anywhere is a typed error', async () => {
    const whole = writeMmdb({ rows: ROWS })
    for (let bytes = 0; bytes < whole.length - 1; bytes += 7) {
      await assert.rejects(openBytes(whole.subarray(0, bytes)), (error) => {
        assert.ok(
          isBywayError(error) && error.code === 'PLACE_DAMAGED',
          `${bytes} bytes: ${String(error)}`,
        )
        assert.equal(Reflect.get(error.context, 'database'), 3)
        return true
      })
    }
  })

  test('whose tree points beyond the file is a typed error', async () => {
    const bytes = writeMmdb({ rows: ROWS, recordSize: 24 })
    // The right side of the root: half of all IPv6 addresses.
    bytes.set([0xff, 0xff, 0xff], 3)
    await assert.rejects(openBytes(bytes), (error) => {
      assert.ok(isBywayError(error))
      assert.deepEqual(
        [error.code, { ...error.context }],
        ['PLACE_DAMAGED', { database: 3, part: 'tree' }],
      )
      return true
    })
  })

  test('with a byte changed is a typed error, or a book that never throws', async () => {
    const whole = writeMmdb({ rows: ROWS })
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const bytes = Uint8Array.from(whole)
          bytes[at] = (bytes[at] ?? 0) ^ change
          try {
            const book = await openBytes(bytes)
            for (const [text] of PLACES) book.lookup(addressOf(text))
          } catch (error) {
            assert.ok(isBywayError(error), String(error))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('of something else, missing or no file is a typed error', async () => {
    const other = openRows([{ prefix: '1.0.0.0/8', record: { is_anonymous: 1 } }])
    await assert.rejects(other, { code: 'PLACE_NOTHING' })
    await assert.rejects(openBytes(Buffer.from('not a database')), { code: 'PLACE_DAMAGED' })
    await assert.rejects(openPlaceDatabase(join(folder, 'gone.mmdb'), 1), (error) => {
      assert.ok(isBywayError(error))
      assert.deepEqual(
        [error.code, { ...error.context }],
        ['PLACE_UNREADABLE', { database: 1, system: 'ENOENT' }],
      )
      return true
    })
    await assert.rejects(openPlaceDatabase(folder, 1), { code: 'PLACE_UNREADABLE' })
  })
})

test('the table that comes with the program says countries of IPv4 addresses', async () => {
  const book = await openBuiltInPlaces()
  // Blocks of two universities, each decades in one hand.
  assert.deepEqual(book.lookup(addressOf('18.9.22.69')), { country: 'US', asn: 0 })
  assert.deepEqual(book.lookup(addressOf('130.149.7.7')), { country: 'DE', asn: 0 })
  assert.equal(book.lookup(addressOf('2001:4860::1')), undefined)
})

function addressOf(text: string): IpAddress {
  const parsed = parseAddress(text)
  assert.ok(parsed, text)
  return parsed
}
