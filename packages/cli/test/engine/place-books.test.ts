import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { parseAddress } from '@byway/protocol/policy'
import { openPlaceBooks, type PlaceBooks } from '../../src/engine/place-books.ts'
import { run } from '../run-cli.ts'
import { asnRecord, countryRecord, writeMmdb } from '../../../host/test/origin/write-mmdb.ts'

const BUILT_S = 1_790_000_000
const DAY_MS = 86_400_000
/** Of a university in the US, for decades. */
const AMERICAN = parseAddress('18.9.22.69')

suite('what this program knows of addresses (docs/PLACE.md)', () => {
  let home: string
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'byway-places-'))
    const rows = [{ prefix: '18.0.0.0/8', record: countryRecord('DE') }]
    await writeFile(join(home, 'country.mmdb'), writeMmdb({ rows, builtAtS: BUILT_S }))
    const asns = [{ prefix: '18.0.0.0/8', record: asnRecord(7) }]
    await writeFile(join(home, 'asn.mmdb'), writeMmdb({ rows: asns, builtAtS: BUILT_S }))
  })
  after(() => rm(home, { recursive: true }))

  const open = async (
    databases: readonly string[],
    { ageDays = 1, isLocal = false, builtIn = true } = {},
  ): Promise<PlaceBooks> =>
    await openPlaceBooks({
      config: { databases, builtIn },
      home,
      isLocal,
      nowMs: BUILT_S * 1000 + ageDays * DAY_MS,
    })

  test('is what the databases say, in their order, found from the state folder or by a whole path', async () => {
    assert.ok(AMERICAN)
    const { books } = await open(['asn.mmdb', join(home, 'country.mmdb')])
    assert.deepEqual(
      books.databases.map((book) => book.lookup(AMERICAN)),
      [
        { country: '', asn: 7 },
        { country: 'DE', asn: 0 },
      ],
    )
    assert.equal(books.builtIn?.lookup(AMERICAN)?.country, 'US')
  })

  test('leaves the coarse table out where it is switched off, and in a local network', async () => {
    assert.equal((await open([], { builtIn: false })).books.builtIn, undefined)
    assert.equal((await open([], { isLocal: true })).books.builtIn, undefined)
  })

  test('names a database that was made more than half a year ago, and no other', async () => {
    assert.deepEqual((await open(['country.mmdb'], { ageDays: 179 })).notices, [])
    const { notices } = await open(['country.mmdb', 'asn.mmdb'], { ageDays: 400 })
    assert.equal(notices.length, 2)
    assert.match(notices[0] ?? '', /^country\.mmdb is 13 months old/)
  })

  test('a wrong path stops the start, and says which database and what to do', async () => {
    await assert.rejects(open(['country.mmdb', 'gone.mmdb']), { code: 'PLACE_UNREADABLE' })
    await writeFile(join(home, 'network.toml'), 'name = "lab"\nlocal = true')
    await writeFile(join(home, 'text.mmdb'), 'no database')
    for (const [file, wanted] of [
      ['gone.mmdb', 'PLACE_UNREADABLE'],
      ['text.mmdb', 'PLACE_DAMAGED'],
    ] as const) {
      const flags = [
        '--place-database',
        join(home, 'asn.mmdb'),
        '--place-database',
        join(home, file),
      ]
      const { code, out } = await run('up', ...flags, '--home', home, '--json')
      assert.equal(code, 78)
      const { error } = JSON.parse(out) as { error: { code: string; hint: string } }
      assert.equal(error.code, wanted)
      assert.match(error.hint, /docs\/PLACE\.md|--place-database/)
    }
  })
})
