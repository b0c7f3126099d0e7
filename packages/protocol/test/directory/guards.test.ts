import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  EMPTY_GUARD_STATE,
  guardEntries,
  type GuardHealth,
  type GuardState,
  MAX_SAMPLE,
  type NodeKey,
  noteLinkFailed,
  noteLinkOpened,
  parseGuardState,
  type PathNodeSet,
  primaryGuards,
  refreshGuards,
} from '@byway/protocol/directory'
import { HOUR_MS, ipv4, keyOf, makeEntry, nodeSet, NOW_MS, seeded } from './registry.ts'

const DAY_MS = 24 * HOUR_MS
const FOREVER = { expiresS: NOW_MS / 1000 + 400 * 24 * 3600 }
const UP: GuardHealth = new Map()

function registry(count: number, without: readonly NodeKey[] = []): PathNodeSet {
  const entries = Array.from({ length: count }, (_, number) => makeEntry(number, FOREVER))
  return nodeSet(entries.filter(({ key }) => !without.includes(key)))
}

function refresh(state: GuardState, set: PathNodeSet, nowMs = NOW_MS): GuardState {
  return refreshGuards(state, { set, weightOf: () => 1, random: seeded(nowMs % 1000), nowMs })
}

test('a new client samples a fifth of the relays, and enters by three', () => {
  const state = refresh(EMPTY_GUARD_STATE, registry(100))
  assert.equal(state.sample.length, 20)
  assert.deepEqual(
    primaryGuards(state),
    state.sample.slice(0, 3).map(({ key }) => key),
  )
  assert.deepEqual(guardEntries(state, UP, NOW_MS), primaryGuards(state))
  assert.equal(refresh(EMPTY_GUARD_STATE, registry(1000)).sample.length, MAX_SAMPLE)
  assert.equal(refresh(EMPTY_GUARD_STATE, registry(5)).sample.length, 3)
  assert.deepEqual(guardEntries(EMPTY_GUARD_STATE, UP, NOW_MS), [])
})

test('guards are public relays with weight, apart from each other, and never one’s own', () => {
  const set = nodeSet([
    makeEntry(1, { roles: 2 }),
    makeEntry(2, { addresses: [], attachments: [new Uint8Array(32)] }),
    makeEntry(3),
    makeEntry(4),
    makeEntry(5, { addresses: [ipv4('9.9.0.1')] }),
    makeEntry(6, { addresses: [ipv4('9.9.0.2')] }),
  ])
  const state = refreshGuards(EMPTY_GUARD_STATE, {
    set,
    weightOf: (key) => (key === keyOf(3) ? 0 : 1),
    random: seeded(1),
    nowMs: NOW_MS,
    ownNodes: new Set([keyOf(4)]),
  })
  assert.equal(state.sample.length, 1)
  assert.ok([keyOf(5), keyOf(6)].includes(state.sample[0]!.key))
})

test('guards stay while they are listed, whatever else joins', () => {
  let state = refresh(EMPTY_GUARD_STATE, registry(100))
  const first = primaryGuards(state)
  for (let day = 1; day < 80; day++) {
    state = refresh(state, registry(100 + day), NOW_MS + day * DAY_MS)
    assert.deepEqual(primaryGuards(state), first)
  }
})

test('an unlisted guard is replaced at once, and is a guard again when it comes back within a week', () => {
  const state = refresh(EMPTY_GUARD_STATE, registry(100))
  const [gone, ...others] = primaryGuards(state)
  const without = refresh(state, registry(100, [gone!]), NOW_MS + 1000)
  assert.deepEqual(primaryGuards(without), [...others, state.sample[3]!.key])
  const back = refresh(without, registry(100), NOW_MS + 6 * DAY_MS)
  assert.deepEqual(primaryGuards(back), primaryGuards(state))
  const forgotten = refresh(without, registry(100, [gone!]), NOW_MS + 8 * DAY_MS)
  assert.ok(!forgotten.sample.some(({ key }) => key === gone))
})

test('a guard past its time goes, one in ten minutes', () => {
  const start = refresh(EMPTY_GUARD_STATE, registry(15))
  assert.ok(
    start.sample.every(({ addedAtMs, expiresAtMs }) => expiresAtMs - addedAtMs >= 90 * DAY_MS),
  )
  assert.ok(
    start.sample.every(({ addedAtMs, expiresAtMs }) => expiresAtMs - addedAtMs <= 120 * DAY_MS),
  )
  const late = NOW_MS + 121 * DAY_MS
  const left = (state: GuardState): number =>
    state.sample.filter(({ addedAtMs }) => addedAtMs === NOW_MS).length
  let state = refresh(start, registry(15), late)
  assert.equal(left(state), 2)
  state = refresh(state, registry(15), late + 599_000)
  assert.equal(left(state), 2)
  state = refresh(state, registry(15), late + 600_000)
  assert.equal(left(state), 1)
})

test('a guard that does not answer is passed over for a while, and stays a guard', () => {
  const state = refresh(EMPTY_GUARD_STATE, registry(100))
  const [a, b, c] = primaryGuards(state) as [NodeKey, NodeKey, NodeKey]
  const failed = noteLinkFailed(state, UP, a, NOW_MS)
  assert.deepEqual(guardEntries(failed.state, failed.health, NOW_MS), [b, c])
  assert.deepEqual(guardEntries(failed.state, failed.health, NOW_MS + 60_000), [a, b, c])
  assert.deepEqual(primaryGuards(failed.state), [a, b, c])
  const opened = noteLinkOpened(failed.state, failed.health, a)
  assert.deepEqual(guardEntries(opened.state, opened.health, NOW_MS), [a, b, c])
})

test('when no guard answers, one further stands in, at most one in ten minutes (THREAT-MODEL T7)', () => {
  let state = refresh(EMPTY_GUARD_STATE, registry(100))
  let health = UP
  const seen = new Set<NodeKey>()
  const failAll = (nowMs: number): number => {
    for (let attempt = 0; attempt < 30; attempt++) {
      for (const key of guardEntries(state, health, nowMs)) {
        seen.add(key)
        ;({ state, health } = noteLinkFailed(state, health, key, nowMs))
      }
    }
    return state.fallbacks
  }
  const atMinute = [0, 5, 9.99, 10, 19.99, 20, 30].map((minute) =>
    failAll(NOW_MS + minute * 60_000),
  )
  assert.deepEqual(atMinute, [1, 1, 1, 2, 2, 3, 4])
  assert.equal(seen.size, 3 + 4)
  const [primary] = primaryGuards(state)
  ;({ state, health } = noteLinkOpened(state, health, primary!))
  assert.equal(state.fallbacks, 0)
  assert.deepEqual(guardEntries(state, health, NOW_MS + 30 * 60_000), [primary])
})

test('with the whole sample silent the primary guards are tried again', () => {
  let state = refresh(EMPTY_GUARD_STATE, registry(5))
  let health = UP
  for (const key of primaryGuards(state))
    ({ state, health } = noteLinkFailed(state, health, key, NOW_MS))
  assert.deepEqual(guardEntries(state, health, NOW_MS), primaryGuards(state))
  assert.equal(state.fallbacks, 0)
})

test('a link failure of a node that is no guard changes nothing', () => {
  const state = refresh(EMPTY_GUARD_STATE, registry(5))
  const noted = noteLinkFailed(state, UP, keyOf(999), NOW_MS)
  assert.deepEqual(noted, { state, health: UP })
})

test('a stored state is read back as it was', () => {
  const state = refresh(EMPTY_GUARD_STATE, registry(30))
  const gone = refresh(state, registry(30, primaryGuards(state).slice(0, 1)), NOW_MS + 5)
  for (const each of [EMPTY_GUARD_STATE, state, gone, { ...gone, fallbacks: 2, switchedAtMs: 5 }]) {
    assert.deepEqual(parseGuardState(JSON.parse(JSON.stringify(each))), each)
  }
})

test('refuses a stored state that is not exactly one', () => {
  const state = refresh(EMPTY_GUARD_STATE, registry(5))
  const [guard] = state.sample
  const bad: readonly unknown[] = [
    undefined,
    null,
    [],
    'x',
    {},
    { ...state, version: 2 },
    { ...state, extra: 1 },
    { ...state, fallbacks: -1 },
    { ...state, fallbacks: 1e9 },
    { ...state, switchedAtMs: 1.5 },
    { ...state, sample: {} },
    { ...state, sample: [guard, guard] },
    { ...state, sample: Array.from({ length: 61 }, (_, n) => ({ ...guard, key: keyOf(n) })) },
    { ...state, sample: [null] },
    { ...state, sample: [{ ...guard, key: 'ABC' }] },
    { ...state, sample: [{ ...guard, extra: 1 }] },
    { ...state, sample: [{ ...guard, addedAtMs: '1' }] },
    { ...state, sample: [{ ...guard, unlistedSinceMs: undefined }] },
  ]
  for (const json of bad) {
    assert.throws(() => parseGuardState(json), { code: 'DIRECTORY_GUARD_STATE' })
  }
})
