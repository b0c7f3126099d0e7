/**
 * Sixty nodes for a fortnight: a third never go, a third are machines that are switched on in the evening, a third come and go by the hour. A client hears their editions and builds
 * circuits; streams of six hours go to nodes that stay, and others as before.
 *
 *   client ── guard ── exit      an exit is drawn by weight, among those that are up
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createPathNodeSet, drawWeighted } from '@byway/protocol/directory'
import type { DirectoryEntry, NodeKey } from '@byway/protocol/directory'
import { lastsMsOf } from '../../src/engine/long-streams.ts'
import { createNodeUptimes } from '../../src/engine/node-uptimes.ts'
import { createNodeWeights } from '../../src/engine/node-weights.ts'
import { entryOf, seededRandom } from './drawn-nodes.ts'
import { NETWORK, NOW_MS } from './signed-nodes.ts'

const NODES = 60
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const DAY_MS = 24 * HOUR_MS
const DAYS = 14
const LASTS_MS = 6 * HOUR_MS
const END_MS = NOW_MS + DAYS * DAY_MS
const SEED = 20_261_122
/** Entries of the client, whose words are told apart. */
const GUARDS = [entryOf(1001).key, entryOf(1002).key] as const

type Span = readonly [fromMs: number, untilMs: number]
type Edition = { readonly atMs: number; readonly entry: DirectoryEntry }

/** When a node is up. */
function spansOf(number: number, random: () => number): readonly Span[] {
  const farMs = END_MS + 2 * LASTS_MS
  if (number % 3 === 0) return [[NOW_MS, farMs]]
  const spans: Span[] = []
  let atMs = NOW_MS
  while (atMs < farMs) {
    if (number % 3 === 1) {
      const fromMs = atMs + (16 + 2 * random()) * HOUR_MS
      spans.push([fromMs, fromMs + (3 + 4 * random()) * HOUR_MS])
      atMs += DAY_MS
    } else {
      const untilMs = atMs - Math.log(1 - random()) * HOUR_MS
      spans.push([atMs, untilMs])
      atMs = untilMs - Math.log(1 - random()) * HOUR_MS
    }
  }
  return spans
}

/** One at each start and one each twelve hours, each with a new onion key. */
function editionsOf(number: number, spans: readonly Span[]): readonly Edition[] {
  let sequence = 0
  return spans.flatMap(([fromMs, untilMs]) => {
    const editions: Edition[] = []
    for (let atMs = fromMs; atMs < untilMs; atMs += 12 * HOUR_MS) {
      const onionKey = new Uint8Array(32).fill(++sequence)
      const publishedS = Math.floor(atMs / 1000)
      const expiresS = publishedS + 48 * 3600
      editions.push({ atMs, entry: entryOf(number, { onionKey, publishedS, expiresS, sequence }) })
    }
    return editions
  })
}

suite('streams that last (SPEC §10.3)', () => {
  test('go to exits that stay, within their fair share, and others go as before', () => {
    const random = seededRandom(SEED)
    const spans = Array.from({ length: NODES }, (_, number) => spansOf(number, random))
    const editions = spans
      .flatMap((each, number) => editionsOf(number, each))
      .toSorted((a, b) => a.atMs - b.atMs)
    const known = new Map<NodeKey, DirectoryEntry>()
    const numbers = new Map(Array.from({ length: NODES }, (_, n) => [entryOf(n).key, n]))
    const nodes = createPathNodeSet(
      { get: (key) => known.get(key), entries: () => known.values() },
      NETWORK,
    )
    let nowMs = NOW_MS
    const uptimes = createNodeUptimes({ path: undefined, nowMs: () => nowMs })
    const weights = createNodeWeights({
      nodes: () => nodes,
      recordOf: () => undefined,
      uptimeOf: (key) => uptimes.get(key),
      nowMs: () => nowMs,
    })
    const isUp = (key: NodeKey, fromMs: number, untilMs: number): boolean =>
      (spans[numbers.get(key) ?? 0] ?? []).some(
        ([from, until]) => from <= fromMs && untilMs < until,
      )
    /** The first that answers of those that are drawn; what does not is noted. */
    const draw = (lastsMs: number | undefined): NodeKey | undefined => {
      const keys = nodes.list(nowMs).map(({ key }) => key)
      for (const key of drawWeighted(keys, (each) => weights.weightOf(each, lastsMs), random)) {
        const isThere = isUp(key, nowMs, nowMs)
        const by = GUARDS[Math.floor(random() * GUARDS.length)] ?? 'self'
        uptimes.note(key, isThere ? { type: 'seen', atMs: nowMs } : { type: 'doubt', by })
        if (isThere) return key
      }
      return undefined
    }
    const kept = { ordinary: 0, lasting: 0, count: 0 }
    const times = new Map<NodeKey, number>()
    let next = 0
    for (; nowMs < END_MS; nowMs += 10 * MINUTE_MS) {
      for (
        let edition = editions[next];
        edition && edition.atMs <= nowMs;
        edition = editions[++next]
      ) {
        known.set(edition.entry.key, edition.entry)
        uptimes.onEdition(edition.entry)
      }
      const ordinary = draw(undefined)
      if (nowMs < NOW_MS + 2 * DAY_MS || ordinary === undefined) continue
      const lasting = draw(LASTS_MS)
      assert.ok(lasting)
      kept.count++
      kept.ordinary += Number(isUp(ordinary, nowMs, nowMs + LASTS_MS))
      kept.lasting += Number(isUp(lasting, nowMs, nowMs + LASTS_MS))
      times.set(lasting, (times.get(lasting) ?? 0) + 1)
    }
    const shares = [kept.ordinary / kept.count, kept.lasting / kept.count] as const
    const words = `ordinary ${shares[0].toFixed(3)}, lasting ${shares[1].toFixed(3)} of ${kept.count}, seed ${SEED}`
    console.log(words)
    assert.ok(shares[0] < 0.75, `the world is too kind: ${words}`)
    assert.ok(shares[1] > 0.93, words)
    assert.ok(Math.max(...times.values()) / kept.count < 0.11, 'nobody gets more than a share')
    const stable = [...numbers].filter(([, number]) => number % 3 === 0).map(([key]) => key)
    assert.ok(
      stable.every((key) => (times.get(key) ?? 0) > 0),
      'each that stays is used',
    )
  })

  test('are those of ports that stay connected, and of sessions', () => {
    for (const port of [22, 5222, 6667, 6697, 993, 3389]) {
      assert.equal(lastsMsOf({}, port), LASTS_MS, String(port))
    }
    for (const port of [80, 443, 53, 8443, 25, undefined]) {
      assert.equal(lastsMsOf({}, port), undefined, String(port))
    }
    assert.equal(lastsMsOf({ session: 'a', lifeMs: 600_000 }, 443), 600_000)
    assert.equal(lastsMsOf({ session: 'a' }, 443), LASTS_MS)
  })
})
