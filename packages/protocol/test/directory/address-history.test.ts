import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  addressNumber,
  addressReasons,
  type AddressRecord,
  noteAddress,
  shortLivedBlocks,
} from '@byway/protocol/directory'
import { parseAddress } from '@byway/protocol/policy'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const START_MS = 1_000 * DAY_MS
const NONE: ReadonlyMap<number, number> = new Map()

function numberOf(text: string): number {
  const address = parseAddress(text)
  const number = address && addressNumber(address)
  assert.ok(number !== undefined)
  return number
}

/** Editions each so many hours; `addressAt` and `asnAt` say what they show. */
function history(
  days: number,
  everyHours: number,
  at: (hours: number) => readonly [address: string, asn: number],
): AddressRecord {
  let record: AddressRecord | undefined
  for (let hours = 0; hours <= days * 24; hours += everyHours) {
    const [address, asn] = at(hours)
    const atMs = START_MS + hours * HOUR_MS
    record = noteAddress(record, { address: numberOf(address), asn, bornMs: START_MS, atMs })
  }
  assert.ok(record)
  return record
}

const reasonsOf = (record: AddressRecord) =>
  addressReasons(record, NONE, record.seenMs).map(({ reason }) => reason)

suite('addresses over time', () => {
  test('a home that gets an address of its provider each night moves within its AS', () => {
    const nightly = history(20, 6, (hours) => [`84.1.${Math.floor(hours / 24)}.7`, 3320])
    assert.deepEqual(reasonsOf(nightly), ['moves-within-as'])
  })

  test('a node that keeps its address says nothing, whatever it is', () => {
    const rented = history(20, 12, () => ['84.1.2.3', 3320])
    assert.deepEqual(reasonsOf(rented), [])
  })

  test('more than two changes a day are often, and forgotten two days later', () => {
    const rotating = history(3, 6, (hours) => [`84.1.${hours % 250}.7`, 3320])
    assert.deepEqual(reasonsOf(rotating), ['moves-often'])
    const later = rotating.seenMs + 2 * DAY_MS
    assert.deepEqual(
      addressReasons(rotating, NONE, later).map(({ reason }) => reason),
      ['moves-within-as'],
    )
  })

  test('two changes of the AS in a month are no home, one is a new provider', () => {
    const wandering = history(20, 12, (hours) => {
      const third = Math.floor(hours / 160)
      return [`84.${third}.0.7`, 3320 + third]
    })
    assert.deepEqual(reasonsOf(wandering), ['changes-network'])
    const moved = history(20, 12, (hours) => (hours < 240 ? ['84.1.0.7', 1] : ['85.1.0.7', 2]))
    assert.deepEqual(reasonsOf(moved), [])
    const unknown = history(20, 12, (hours) => [`84.${Math.floor(hours / 160)}.0.7`, 0])
    assert.deepEqual(reasonsOf(unknown), [])
  })

  test('another family is no move, nor is an older edition or a new table', () => {
    const first = { address: numberOf('84.1.2.3'), asn: 1, bornMs: 0, atMs: START_MS }
    const record = noteAddress(undefined, first)
    const six = numberOf('2a00:1:2:3::4')
    const changed = noteAddress(record, { ...first, address: six, atMs: START_MS + 1 })
    assert.deepEqual([changed.address, changed.moves], [six, []])
    const older = { ...first, address: numberOf('84.1.2.4'), atMs: START_MS - 1 }
    assert.equal(noteAddress(record, older), record)
    const relisted = noteAddress(record, { ...first, asn: 2, atMs: START_MS + 1 })
    assert.deepEqual(relisted.strays, [])
  })

  test('an IPv6 site is one, and addresses of nobody are none', () => {
    assert.equal(numberOf('2a00:1:2:3::4'), numberOf('2a00:1:2:ffff::1'))
    assert.notEqual(numberOf('2a00:1:2::1'), numberOf('2a00:1:3::1'))
    for (const text of ['127.0.0.1', '192.168.1.1', 'fe80::1']) {
      const address = parseAddress(text)
      assert.ok(address)
      assert.equal(addressNumber(address), undefined)
    }
  })
})

suite('blocks of short-lived nodes', () => {
  const NOW_MS = START_MS + 10 * DAY_MS
  const node = (last: number, fromMs: number, untilMs: number, bornMs = fromMs): AddressRecord => ({
    address: numberOf(`84.1.2.${last}`),
    asn: 1,
    bornMs,
    seenMs: untilMs,
    moves: [],
    strays: [],
  })
  const steady = node(1, START_MS, NOW_MS)
  const brief = (last: number, daysAgo: number): AddressRecord =>
    node(last, NOW_MS - daysAgo * DAY_MS, NOW_MS - daysAgo * DAY_MS + 6 * HOUR_MS)
  const reasonsBeside = (others: readonly AddressRecord[]) =>
    addressReasons(steady, shortLivedBlocks([steady, ...others]), NOW_MS)

  test('speak against the rest of the block from four on', () => {
    const four = [brief(2, 5), brief(3, 4), brief(4, 3), brief(5, 2)]
    assert.deepEqual(reasonsBeside(four), [{ reason: 'short-lived-neighbours', nodes: 4, days: 7 }])
    assert.deepEqual(reasonsBeside(four.slice(1)), [])
    const elsewhere = { ...steady, address: numberOf('84.1.3.1') }
    assert.deepEqual(addressReasons(elsewhere, shortLivedBlocks([steady, ...four]), NOW_MS), [])
  })

  test('are not those that stayed, are still there, left long ago, or began before anybody looked', () => {
    const others = [
      node(2, NOW_MS - 5 * DAY_MS, NOW_MS - 3 * DAY_MS),
      node(3, NOW_MS - 6 * HOUR_MS, NOW_MS - HOUR_MS),
      brief(4, 9),
      node(5, NOW_MS - 3 * DAY_MS, NOW_MS - 2.5 * DAY_MS, 0),
    ]
    assert.equal(shortLivedBlocks([steady, ...others]).size, 0)
  })

  test('are not all nodes after a client was away: nobody came since', () => {
    const seen = [brief(2, 5), brief(3, 5), brief(4, 5), brief(5, 5)]
    assert.equal(shortLivedBlocks(seen).size, 0)
  })
})
