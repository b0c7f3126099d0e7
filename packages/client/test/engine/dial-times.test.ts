/**
 * Exits that connect late, among honest ones on lines of many kinds:
 *
 *   client ══ circuit ══ exit ──last mile── names, places            from BEGIN to CONNECTED without the circuit: all right of the exit
 *                          ╰──last mile── hidden proxy ── names, places
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { PathNode } from '@byway/protocol/directory'
import { createDialTimes, type DialTimes } from '../../src/engine/dial-times.ts'
import { pathNode } from '../path-node.ts'
import { seededRandom } from './drawn-nodes.ts'

const EXITS = 10
const HIDDEN_MS = 40
/** A tunnel takes streams for ten minutes: so many destinations of a browser. */
const PER_TUNNEL = 12

type Exit = { readonly node: PathNode; readonly lineMs: number }

function exitsIn(country: string, random: () => number): readonly Exit[] {
  return Array.from({ length: EXITS }, (_, i) => ({
    node: { ...pathNode(i + 1), country },
    lineMs: lineMsOf(random),
  }))
}

/** There and back over the last mile: fibre 2 to 6 ms, cable 8 to 18, copper 15 to 30. */
function lineMsOf(random: () => number): number {
  const kind = random()
  if (kind < 0.4) return 2 + 4 * random()
  return kind < 0.8 ? 8 + 10 * random() : 15 + 15 * random()
}

/** Names that are known or asked for, places that are near or far, a queue, and a lost packet now and then. */
function dialMs(random: () => number): number {
  const nameMs = random() < 0.5 ? 0.5 + 2.5 * random() : 5 + 75 * random()
  const placeMs = random() < 0.6 ? 2 + 13 * random() : 20 + 160 * random()
  const lossMs = random() < 0.03 ? 1000 : 0
  return nameMs + placeMs + lossMs - 5 * Math.log(1 - random())
}

/** Runs streams over every exit; gives those that were ever marked, with the streams that it took. */
function play(seed: number, streams: number, hidden: number): ReadonlyMap<number, number> {
  const random = seededRandom(seed)
  const times = createDialTimes(() => 0)
  const exits = exitsIn('DE', random)
  const marked = new Map<number, number>()
  let tunnels = exits.map(() => ({}))
  for (let count = 1; count <= streams; count++) {
    if (count % PER_TUNNEL === 0) tunnels = exits.map(() => ({}))
    for (const [i, { node, lineMs }] of exits.entries()) {
      const extraMs = lineMs + dialMs(random) + (i < hidden ? HIDDEN_MS : 0)
      times.note(node.key, tunnels[i] ?? {}, extraMs)
    }
    const late = times.late(exits.map(({ node }) => node))
    for (const [i, { node }] of exits.entries()) {
      if (late.has(node.key) && !marked.has(i)) marked.set(i, count)
    }
  }
  return marked
}

/** Streams over one exit: the same time each, in so many tunnels. */
function steady(
  times: DialTimes,
  { key }: PathNode,
  extraMs: number,
  { streams = 32, tunnels = 2 } = {},
): void {
  const own = Array.from({ length: tunnels }, () => ({}))
  for (let i = 0; i < streams; i++) times.note(key, own[i % tunnels] ?? {}, extraMs)
}

suite('exits that connect late', () => {
  const SEEDS = 100
  test('honest homes are seldom marked, whatever their lines', (t) => {
    let ever = 0
    for (let seed = 1; seed <= SEEDS; seed++) ever += play(seed, 96, 0).size
    const share = ever / (SEEDS * EXITS)
    t.diagnostic(`seeds 1 to ${SEEDS}: ${(100 * share).toFixed(1)} % of honest exits ever marked`)
    assert.ok(share < 0.03, String(share))
  })

  test('one with a proxy 40 ms behind it is marked, mostly as soon as it is held against others', (t) => {
    const took: number[] = []
    let others = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const marked = play(seed, 96, 1)
      took.push(marked.get(0) ?? Number.POSITIVE_INFINITY)
      others += marked.size - Number(marked.has(0))
    }
    took.sort((a, b) => a - b)
    const found = took.filter(Number.isFinite).length
    t.diagnostic(
      `seeds 1 to ${SEEDS}: ${found} found, the middle one after ${took[SEEDS / 2]} streams, nine in ten after ${took[(SEEDS * 9) / 10]}; ${others} of ${SEEDS * (EXITS - 1)} others marked`,
    )
    assert.ok(found >= 0.85 * SEEDS && (took[SEEDS / 2] ?? Infinity) <= 40)
    assert.ok(others < 0.03 * SEEDS * (EXITS - 1))
  })

  const [late, a, b, c, abroad, friend] = exitsIn('DE', seededRandom(1)).map(({ node }) => node)
  assert.ok(late && a && b && c && abroad && friend)

  test('are told by how much, and beside how many', () => {
    const times = createDialTimes(() => 0)
    steady(times, late, 90)
    for (const each of [a, b, c]) steady(times, each, 10)
    assert.deepEqual(Array.from(times.late([late, a, b, c])), [
      [late.key, { reason: 'connects-late', byMs: 80, country: 'DE', others: 3 }],
    ])
  })

  test('are held against three others of their country that are not their friends, and which differ less', () => {
    const times = createDialTimes(() => 0)
    steady(times, late, 90)
    for (const each of [a, b, c]) steady(times, each, 10)
    const inFrance = { ...c, country: 'FR' }
    assert.equal(times.late([late, a, b, inFrance]).size, 0)
    const friendly = { ...c, owners: ['staker 1'] }
    assert.equal(times.late([{ ...late, owners: ['staker 1'] }, a, b, friendly]).size, 0)
    const nowhere = [late, a, b, c].map((node) => ({ ...node, country: '' }))
    assert.equal(times.late(nowhere).size, 0)

    const wild = createDialTimes(() => 0)
    for (const [node, ms] of [
      [late, 90],
      [a, 10],
      [b, 40],
      [c, 75],
    ] as const)
      steady(wild, node, ms)
    assert.equal(wild.late([late, a, b, c]).size, 0)
  })

  test('are not judged by few streams, nor by those of one tunnel', () => {
    for (const few of [{ streams: 31 }, { tunnels: 1 }]) {
      const times = createDialTimes(() => 0)
      steady(times, late, 90, few)
      for (const each of [a, b, c]) steady(times, each, 10)
      assert.equal(times.late([late, a, b, c]).size, 0)
    }
  })
})

suite('the time of a stream', () => {
  const exit = { ...pathNode(1), country: 'DE' }
  const rest = [2, 3, 4].map((number) => ({ ...pathNode(number), country: 'DE' }))

  async function world(
    hosts: (tunnel: number, stream: number) => string,
    { movesIn = -1 } = {},
  ): Promise<number | undefined> {
    let nowMs = 0
    const times = createDialTimes(() => nowMs)
    for (const node of rest) steady(times, node, 10)
    for (let tunnel = 0; tunnel < 4; tunnel++) {
      const timed = { path: [pathNode(9), exit], rejoins: 0, baseRttMs: 100 }
      for (let stream = 0; stream < 16; stream++) {
        const { promise, resolve } = Promise.withResolvers<void>()
        times.watch(timed, hosts(tunnel, stream), promise)
        nowMs += 190
        if (tunnel >= movesIn && movesIn >= 0) timed.rejoins++
        resolve()
        await promise
      }
    }
    return times.late([exit, ...rest]).get(exit.key)?.byMs
  }

  test('is what passes until CONNECTED beyond the round trip', async () => {
    assert.equal(await world((tunnel, stream) => `${stream}.${tunnel}.example`), 80)
  })

  test('counts once for a destination of a tunnel, and not in a tunnel to three alone', async () => {
    assert.equal(await world((_, stream) => `${stream % 3}.example`), undefined)
    assert.equal(await world(() => 'far.example'), undefined)
  })

  test('counts for nothing where the tunnel moved meanwhile', async () => {
    assert.equal(
      await world((tunnel, stream) => `${stream}.${tunnel}.example`, { movesIn: 1 }),
      undefined,
    )
  })

  test('of a stream that failed is none', async () => {
    const times = createDialTimes(() => 0)
    const timed = { path: [exit], rejoins: 0, baseRttMs: 0 }
    for (let stream = 0; stream < 64; stream++)
      times.watch(timed, `${stream}.example`, Promise.reject(new Error('refused')))
    await new Promise(setImmediate)
    for (const node of rest) steady(times, node, 10)
    assert.equal(times.late([exit, ...rest]).size, 0)
  })
})
