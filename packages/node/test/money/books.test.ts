import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import type { MoneyEvent } from '@byway/protocol/ledger'
import { createBooks } from '../../src/money/books.ts'

const UNIT_BYTES = 1024 * 1024

function worldOf() {
  const events: MoneyEvent[] = []
  let failures = 0
  let isFailing = false
  const books = createBooks({
    sink: {
      async record(event) {
        if (isFailing) throw new Error('no room')
        events.push(event)
        return await Promise.resolve()
      },
    },
    nowMs: () => 1_700_000_000_000,
    winValue: 4096n,
    unitBytes: UNIT_BYTES,
    onFailed: () => failures++,
  })
  return { books, events, failures: () => failures, fail: (is: boolean) => void (isFailing = is) }
}

const bare = (events: readonly MoneyEvent[]): unknown[] =>
  events.map((event) => ({ ...event, id: '', atMs: 0 }))

suite("what a node's ledger is told", () => {
  test('tickets and tokens are added up, and told once', async () => {
    const { books, events } = worldOf()
    for (let i = 0; i < 3; i++) books.ticket({ use: 'link', units: 2, amount: 8n })
    books.ticket({ use: 'tokens', units: 16, amount: 64n })
    books.tokensSold('bandwidth', 4, 16)
    books.tokenTaken('bandwidth', 'relay')
    books.tokenTaken('bandwidth', 'relay')
    books.tokenTaken('admission', 'exit')
    assert.deepEqual(events, [])
    await books.flush()
    const head = { id: '', atMs: 0 }
    assert.deepEqual(bare(events), [
      {
        type: 'tickets-received',
        ...head,
        use: 'link',
        tickets: 3,
        units: 6,
        amount: 24n,
        variance: 3n * 8n * 4088n,
      },
      {
        type: 'tickets-received',
        ...head,
        use: 'tokens',
        tickets: 1,
        units: 16,
        amount: 64n,
        variance: 64n * 4032n,
      },
      { type: 'tokens-sold', ...head, kind: 'bandwidth', count: 4, units: 16 },
      { type: 'tokens-redeemed', ...head, kind: 'bandwidth', role: 'relay', count: 2 },
      { type: 'tokens-redeemed', ...head, kind: 'admission', role: 'exit', count: 1 },
    ])
    await books.flush()
    assert.equal(events.length, 5)
    assert.equal(new Set(events.map(({ id }) => id)).size, 5)
  })

  test('what a place carried and what lapsed with it add up to what it was paid', async () => {
    const { books, events } = worldOf()
    const toll = { countedBytes: 0, paidBytes: 0 }
    const account = books.openToll('exit', toll)
    Object.assign(toll, { countedBytes: 300_000, paidBytes: 0 })
    await books.flush()
    assert.deepEqual(events, [], 'it may be paid for yet')
    Object.assign(toll, { countedBytes: 900_000, paidBytes: 4 * UNIT_BYTES })
    await books.flush()
    // What was counted last never went.
    Object.assign(toll, { countedBytes: 880_000 })
    account.close()
    account.close()
    await books.flush()
    assert.deepEqual(bare(events), [
      { type: 'carried', id: '', atMs: 0, role: 'exit', paidBytes: 900_000n, freeBytes: 0n },
      {
        type: 'paid-lapsed',
        id: '',
        atMs: 0,
        from: 'exit',
        bytes: BigInt(4 * UNIT_BYTES - 900_000),
      },
    ])
  })

  test('a token pays for what was carried when the disk has it, and the end waits for that', async () => {
    const { books, events } = worldOf()
    const toll = { countedBytes: UNIT_BYTES, paidBytes: 4 * UNIT_BYTES }
    const account = books.openToll('exit', toll)
    const disk = Promise.withResolvers<boolean>()
    const kept = disk.promise.then((isKept) => {
      books.tokenTaken('bandwidth', 'exit')
      return isKept
    })
    account.taken({ bytes: 4 * UNIT_BYTES, kept })
    account.close()
    await books.flush()
    assert.deepEqual(events, [], 'nothing was redeemed yet')
    const closed = books.close()
    disk.resolve(true)
    await closed
    const head = { id: '', atMs: 0 }
    assert.deepEqual(bare(events), [
      { type: 'tokens-redeemed', ...head, kind: 'bandwidth', role: 'exit', count: 1 },
      { type: 'carried', ...head, role: 'exit', paidBytes: BigInt(UNIT_BYTES), freeBytes: 0n },
      { type: 'paid-lapsed', ...head, from: 'exit', bytes: 3n * BigInt(UNIT_BYTES) },
    ])
  })

  test('a token that the disk knew or did not take paid for nothing', async () => {
    const { books, events } = worldOf()
    const toll = { countedBytes: UNIT_BYTES, paidBytes: 4 * UNIT_BYTES }
    const account = books.openToll('relay', toll)
    account.taken({ bytes: 4 * UNIT_BYTES, kept: Promise.resolve(false) })
    account.close()
    await books.close()
    const head = { id: '', atMs: 0, role: 'relay' }
    assert.deepEqual(bare(events), [
      { type: 'carried', ...head, paidBytes: 0n, freeBytes: BigInt(UNIT_BYTES) },
    ])
  })

  test('what nobody paid for is free, known at the end', async () => {
    const { books, events } = worldOf()
    books.openToll('entry', { countedBytes: 150_000, paidBytes: 100_000 }).close()
    await books.flush()
    assert.deepEqual(bare(events), [
      { type: 'carried', id: '', atMs: 0, role: 'entry', paidBytes: 100_000n, freeBytes: 50_000n },
    ])
  })

  test('a win is told at once, under a name that a second telling has too', async () => {
    const { books, events } = worldOf()
    const nullifier = randomBytes(32)
    await books.won({ nullifier, index: 7, atMs: 5 })
    const slot = nullifier.toString('hex')
    const id = `win:${slot}:7`
    assert.deepEqual(events, [{ type: 'won', id, atMs: 5, slot, index: 7, amount: 4096n }])
  })

  test('a ledger that fails is said so, and nothing rejects', async () => {
    const { books, failures, fail } = worldOf()
    fail(true)
    books.ticket({ use: 'link', units: 1, amount: 1n })
    await books.flush()
    assert.equal(failures(), 1)
  })
})
