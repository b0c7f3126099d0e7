/** Damaged files (SECURITY R26): found when the store is opened, repaired as far as it goes, never silently empty. */
import assert from 'node:assert/strict'
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import fc from 'fast-check'
import type { OpeningReport, Store } from '@byway/store'
import { SCHEMA_VERSION } from '../src/worker/migrations.ts'
import { copyStore, edit, flipped } from './support/disk.ts'
import { bytes, openAt, opening, temporaryFolder, winner } from './support/records.ts'

const WINNERS = 60
const PAGE_BYTES = 4096
const HEADER_BYTES = 100
/** The lowest byte of the schema's version. */
const VERSION_AT = 63
/** Flipped, SQLite would open the file for reading only, or without its log. */
const VERSION_BITS: [[number, number]][] = [[[18, 0]], [[18, 1]], [[19, 0]], [[19, 1]]]
const RUNS = process.env['SLOW'] === '1' ? 1000 : 25

/** A store with some of everything that a node keeps, closed; each run works on a copy. */
async function makeStore(folder: string): Promise<void> {
  await using store = await openAt(folder)
  await fill(store)
}

async function fill(store: Store): Promise<void> {
  const numbers = Array.from({ length: WINNERS }, (_, at) => at)
  await Promise.all([
    ...numbers.map((number) => store.winners.add(winner(number))),
    ...numbers.map((number) => store.openings.remember(opening(number))),
    ...numbers.map((number) =>
      store.spentTokens.spend(bytes('token key', 8), bytes(`nonce ${number}`, 32)),
    ),
    store.counters.add('tickets', 1000n),
  ])
}

/** Every winner that is there is as it was; gives how many there are. */
async function wholeWinners(store: Store): Promise<number> {
  const found = await store.winners.list(['received'])
  for (const { state: _state, reason: _reason, carrier: _carrier, changedAtMs, ...rest } of found) {
    assert.deepEqual(rest, winner(rest.index))
    assert.equal(changedAtMs, rest.receivedAtMs)
  }
  return found.length
}

function isSuspicious({ damagedRows, missingRows, isTailLost, sideFiles }: OpeningReport): boolean {
  return damagedRows + missingRows + sideFiles.length > 0 || isTailLost
}

/** The version of the schema stands there; a somewhat larger one may be that of a newer program, whose store nobody touches. */
function isNewerVersion(at: number, bit: number): boolean {
  return at === VERSION_AT && (SCHEMA_VERSION ^ (1 << bit)) > SCHEMA_VERSION
}

test('finds a flipped bit anywhere in the file, and keeps what is whole', async () => {
  await using folder = await temporaryFolder()
  const original = join(folder.path, 'original')
  await makeStore(original)
  const { size } = await stat(join(original, 'node.db'))
  // The header is a small part, and decides how everything else is read.
  const place = fc.tuple(fc.oneof(fc.nat(HEADER_BYTES - 1), fc.nat(size - 1)), fc.nat(7))
  const run = async ([at, bit]: [number, number]): Promise<void> => {
    const copy = join(folder.path, `flip-${at}-${bit}`)
    await copyStore(original, copy)
    await edit(copy, 'node.db', (content) => flipped(content, at, bit))
    if (isNewerVersion(at, bit)) {
      await assert.rejects(openAt(copy), { code: 'STORE_NEWER' })
      return await rm(copy, { recursive: true })
    }
    {
      await using store = await openAt(copy)
      assert.equal(store.report.isNew, false)
      const kept = await wholeWinners(store)
      // A page holds some seven winners; what else there is was written down.
      assert.ok(kept >= WINNERS - 8, `${kept} winners kept`)
      if (kept < WINNERS) assert.ok(isSuspicious(store.report))
      assert.equal(await store.winners.add(winner(WINNERS)), 'new')
    }
    await using again = await openAt(copy)
    assert.equal(isSuspicious(again.report), false, 'the second start finds nothing any more')
    await rm(copy, { recursive: true })
  }
  await fc.assert(fc.asyncProperty(place, run), { numRuns: RUNS, examples: VERSION_BITS })
})

test('lays the log over a file that no longer says that it has one', async () => {
  await using folder = await temporaryFolder()
  const live = join(folder.path, 'live')
  await using store = await openAt(live)
  await fill(store)
  for (const [[at, bit]] of VERSION_BITS) {
    const copy = join(folder.path, `flip-${at}-${bit}`)
    await copyStore(live, copy)
    await edit(copy, 'node.db', (content) => flipped(content, at, bit))
    await using found = await openAt(copy)
    assert.equal(await wholeWinners(found), WINNERS)
    assert.ok(isSuspicious(found.report))
  }
})

test('saves the rows of a file whose beginning is gone', async () => {
  await using folder = await temporaryFolder()
  await makeStore(folder.path)
  await edit(folder.path, 'node.db', (content) => content.fill(0, 0, PAGE_BYTES))
  await using store = await openAt(folder.path)
  assert.equal(await wholeWinners(store), WINNERS)
  assert.equal(await store.counters.get('tickets'), 1000n)
  const nonce = bytes('nonce 3', 32)
  assert.equal(await store.spentTokens.spend(bytes('token key', 8), nonce), 'spent')
  const copies = (await readdir(folder.path)).filter((name) => name.includes('damaged'))
  assert.deepEqual(copies, store.report.sideFiles)
})

test('saves what is left of a file that was cut off', async () => {
  await using folder = await temporaryFolder()
  await makeStore(folder.path)
  await edit(folder.path, 'node.db', (content) => content.subarray(0, content.length / 2))
  await using store = await openAt(folder.path)
  assert.ok(isSuspicious(store.report))
  assert.equal(store.report.isNew, false)
  await wholeWinners(store)
})

test('says that a file is empty or gone that was not', async () => {
  await using folder = await temporaryFolder()
  const original = join(folder.path, 'original')
  const copies = ['empty', 'gone'].map((name) => join(folder.path, name))
  const [empty = '', gone = ''] = copies
  await using live = await openAt(original)
  await fill(live)
  for (const copy of copies) await copyStore(original, copy)
  await edit(empty, 'node.db', () => Buffer.alloc(0))
  await rm(join(gone, 'node.db'))
  for (const copy of copies) {
    await using store = await openAt(copy)
    assert.equal(store.report.isNew, false, copy)
    assert.ok(isSuspicious(store.report), copy)
  }
})

test('takes out a row that somebody changed, and writes it down', async () => {
  await using folder = await temporaryFolder()
  await makeStore(folder.path)
  await edit(folder.path, 'node.db', (content) => {
    const at = content.indexOf(winner(7).reveal)
    return flipped(content, at + 5)
  })
  await using store = await openAt(folder.path)
  const { damagedRows, missingRows, keptRows, sideFiles } = store.report
  assert.deepEqual([damagedRows, missingRows, sideFiles.length], [1, 0, 1])
  assert.equal(keptRows, WINNERS - 1 + WINNERS + 2)
  const side = await readFile(join(folder.path, sideFiles[0] ?? ''), 'utf8')
  assert.match(side, /^\{"table":"winner","sequence":8,/)
  assert.equal(await wholeWinners(store), WINNERS - 1)
})

test('gives up a token key of which a spent token was changed', async () => {
  await using folder = await temporaryFolder()
  await makeStore(folder.path)
  const key = bytes('token key', 8)
  {
    await using store = await openAt(folder.path)
    await store.spentTokens.spend(bytes('other key', 8), bytes('nonce', 32))
  }
  await edit(folder.path, 'node.db', (content) => {
    // Records of the table of spent tokens: header of three bytes, the key's number 1 as a constant, 16 bytes.
    const at = content.lastIndexOf(Buffer.from([0x03, 0x09, 0x2c]))
    return flipped(content, at + 10)
  })
  await using store = await openAt(folder.path)
  assert.ok(isSuspicious(store.report))
  assert.deepEqual(await store.spentTokens.damagedKeys(), [key])
})

test('touches nothing that a newer program wrote', async () => {
  await using folder = await temporaryFolder()
  await makeStore(folder.path)
  const newer = (content: Buffer): Buffer => {
    content.writeUInt32BE(SCHEMA_VERSION + 1, VERSION_AT - 3)
    return content
  }
  await edit(folder.path, 'node.db', newer)
  const before = await readFile(join(folder.path, 'node.db'))
  await assert.rejects(openAt(folder.path), { code: 'STORE_NEWER' })
  assert.ok(before.equals(await readFile(join(folder.path, 'node.db'))))
})

test('touches nothing that was written with another key', async () => {
  await using folder = await temporaryFolder()
  await makeStore(folder.path)
  const before = await readFile(join(folder.path, 'node.db'))
  await assert.rejects(openAt(folder.path, { key: bytes('another', 32) }), {
    code: 'STORE_WRONG_KEY',
  })
  assert.ok(before.equals(await readFile(join(folder.path, 'node.db'))))
  await using store = await openAt(folder.path)
  assert.equal(await wholeWinners(store), WINNERS)
})

test('loses nothing that was acknowledged when the log is torn after it', async () => {
  await using folder = await temporaryFolder()
  const live = join(folder.path, 'live')
  const store = await openAt(live)
  const marks: { readonly winners: number; readonly bytes: number }[] = []
  for (let number = 0; number < 30; number++) {
    await store.winners.add(winner(number))
    marks.push({ winners: number + 1, bytes: (await stat(join(live, 'node.db-wal'))).size })
  }
  const run = async (cut: number): Promise<void> => {
    const copy = join(folder.path, `cut-${cut}`)
    await copyStore(live, copy)
    await edit(copy, 'node.db-wal', (content) => content.subarray(0, cut))
    const acknowledged = marks.findLast((mark) => mark.bytes <= cut)?.winners ?? 0
    await using torn = await openAt(copy)
    const found = await wholeWinners(torn)
    assert.ok(found === acknowledged || found === acknowledged + 1, `${found} of ${acknowledged}`)
    await rm(copy, { recursive: true })
  }
  const first = marks[0]?.bytes ?? 0
  const cuts = fc.integer({ min: first, max: marks.at(-1)?.bytes ?? 0 })
  await fc.assert(fc.asyncProperty(cuts, run), { numRuns: RUNS })
  await store[Symbol.asyncDispose]()
})

test('says so when the log with the newest writes was zeroed or spoiled', async () => {
  await using folder = await temporaryFolder()
  const live = join(folder.path, 'live')
  await using store = await openAt(live)
  for (let number = 0; number < 20; number++) await store.winners.add(winner(number))
  const spoil: Record<string, (content: Buffer) => Buffer> = {
    zeroed: (content) => Buffer.alloc(content.length),
    'cut to nothing': () => Buffer.alloc(0),
    'changed in the middle': (content) => flipped(content, content.length >> 1),
  }
  for (const [name, change] of Object.entries(spoil)) {
    const copy = join(folder.path, name)
    await copyStore(live, copy)
    await edit(copy, 'node.db-wal', change)
    await using torn = await openAt(copy)
    assert.equal(torn.report.isTailLost, true, name)
    await wholeWinners(torn)
  }
})
