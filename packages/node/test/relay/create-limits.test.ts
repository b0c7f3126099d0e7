import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCreateBook } from '../../src/relay/create-limits.ts'
import type { CreateLimits } from '../../src/relay/create-limits.ts'

const HOUR_MS = 3_600_000
const newBook = () => createCreateBook(() => 0.5)

/** How many circuits are granted at one moment, with none open. */
function drain(limits: CreateLimits, nowMs: number): number {
  let granted = 0
  while (granted < 10_000 && limits.tryCreate(0, nowMs)) granted++
  return granted
}

for (const { role, burst, perSecond, open } of [
  { role: 'client', burst: 90, perSecond: 3, open: 128 },
  { role: 'node', burst: 2000, perSecond: 200, open: 20_000 },
] as const) {
  test(`lets a ${role} open ${burst} circuits at once, then ${perSecond} a second (THREAT-MODEL T15)`, () => {
    const limits = newBook().open(role, '192.0.2.1', 1000)
    assert.equal(drain(limits, 1000), burst)
    assert.equal(drain(limits, 1000), 0)
    assert.equal(drain(limits, 2000), perSecond)
    assert.equal(drain(limits, 4000), 2 * perSecond)
  })

  test(`saves up no more than ${burst} for a quiet ${role}`, () => {
    const limits = newBook().open(role, '192.0.2.1', 0)
    drain(limits, 0)
    assert.equal(drain(limits, 86_400_000), burst)
  })

  test(`refuses a ${role} that has ${open} circuits open, and takes nothing from its bucket`, () => {
    const limits = newBook().open(role, '192.0.2.1', 0)
    for (let i = 0; i < burst + 1; i++) assert.equal(limits.tryCreate(open, 0), false)
    assert.equal(limits.tryCreate(open - 1, 0), true)
    assert.equal(drain(limits, 0), burst - 1)
  })
}

test('a clock that runs backwards gives nothing', () => {
  const limits = newBook().open('client', '192.0.2.1', 10_000)
  drain(limits, 10_000)
  assert.equal(limits.tryCreate(0, 9000), false)
  assert.equal(limits.tryCreate(0, 10_000), false)
})

test('twenty links of one client address share one bucket, a second address has its own (THREAT-MODEL T15)', () => {
  const book = newBook()
  const links = Array.from({ length: 20 }, () => book.open('client', '192.0.2.1', 0))
  const other = book.open('client', '192.0.2.2', 0)
  const granted = (atMs: number): number =>
    links.reduce((sum, limits) => sum + drain(limits, atMs), 0)
  assert.equal(granted(0), 90)
  assert.equal(granted(20_000), 60)
  assert.equal(drain(other, 20_000), 90)
})

test('a bucket outlives its links: who comes back finds it as it was', () => {
  const book = newBook()
  drain(book.open('client', '192.0.2.1', 0), 0)
  assert.equal(drain(book.open('client', '::ffff:192.0.2.1', 1000), 1000), 3)
})

test('an IPv6 client counts for its /64, and four times as generously for its /48', () => {
  const book = newBook()
  const granted = (address: string): number => drain(book.open('client', address, 0), 0)
  assert.equal(granted('2001:db8:1:1::1'), 90)
  assert.equal(granted('2001:db8:1:1::2'), 0)
  for (const subnet of [2, 3, 4]) assert.equal(granted(`2001:db8:1:${subnet}::1`), 90)
  assert.equal(granted('2001:db8:1:5::1'), 0)
  assert.equal(granted('2001:db8:2:1::1'), 90)
})

test('links of nodes have a bucket each, also where many nodes are at one address', () => {
  const book = newBook()
  for (let n = 0; n < 5; n++) assert.equal(drain(book.open('node', '192.0.2.1', 0), 0), 2000)
  assert.equal(drain(book.open('client', '192.0.2.1', 0), 0), 90)
})

test('an address that asks a thousand times in vain is out for an hour and a quarter, all its links', () => {
  const book = newBook()
  const limits = book.open('client', '192.0.2.1', 0)
  drain(limits, 0)
  // One refusal was counted by the drain.
  for (let n = 1; n < 1000; n++) assert.equal(limits.tryCreate(0, 0), false)
  const back = book.open('client', '192.0.2.1', HOUR_MS)
  assert.equal(back.tryCreate(0, HOUR_MS), false)
  assert.equal(back.tryCreate(0, 1.25 * HOUR_MS - 1), false)
  assert.equal(drain(back, 1.25 * HOUR_MS), 90)
})

test('a client that retries a little too often is never put out', () => {
  const limits = newBook().open('client', '192.0.2.1', 0)
  drain(limits, 0)
  // Six a second, half of them in vain, for an hour: what is refused is forgotten as fast as the bucket fills.
  let granted = 0
  for (let n = 1; n <= 6 * 3600; n++) if (limits.tryCreate(0, (n * 1000) / 6)) granted++
  assert.ok(granted > 10_700, `${granted} of 10 800`)
})

test('what has no address counts for its link alone', () => {
  const book = newBook()
  assert.equal(drain(book.open('client', '', 0), 0), 90)
  assert.equal(drain(book.open('client', '', 0), 0), 90)
})
