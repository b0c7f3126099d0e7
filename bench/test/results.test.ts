/** What the bench makes of its samples: comparisons within one run, roles, order, and the parsers of other programs' words. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { readEnvironment } from '../lib/environment.ts'
import { orderOfRun } from '../lib/fleet.ts'
import { createRecorder } from '../lib/recorder.ts'
import { latestOf } from '../lib/latest.ts'
import { compareGoals, type BenchResult, type Goal, type Series } from '../lib/results.ts'
import { percentile, summarise } from '../lib/stats.ts'
import { parseLine } from '../byway/line-protocol.ts'
import { assignRoles } from '../peers/byway.ts'
import { parseCircuit } from '../peers/tor-control.ts'

const goal: Goal = {
  title: 'speed',
  section: 's',
  metric: 'm',
  system: 'ours',
  compare: 'ratio',
  beside: 'theirs',
  sense: 'at least',
  limit: 2,
}
const series = (system: string, samples: readonly (number | null)[]): Series => ({
  section: 's',
  metric: 'm',
  system,
  unit: 'MB/s',
  samples,
})

suite('comparisons', () => {
  test('a ratio is taken within each run and its median judged', () => {
    const [comparison] = compareGoals(
      [goal],
      [series('ours', [10, 40, 90]), series('theirs', [10, 10, 30])],
    )
    assert.deepEqual(comparison?.samples, [1, 4, 3])
    assert.equal(comparison?.median, 3)
    assert.equal(comparison?.isReached, true)
  })
  test('a run in which either system failed is left out, not shifted', () => {
    const [comparison] = compareGoals(
      [goal],
      [series('ours', [10, null, 90]), series('theirs', [10, 10])],
    )
    assert.deepEqual(comparison?.samples, [1])
    assert.equal(comparison?.isReached, false)
  })
  test('without the other system there is no verdict', () => {
    assert.equal(compareGoals([goal], [series('ours', [10])])[0]?.isReached, null)
  })
  test('the recorder leaves a hole where a run gave nothing', () => {
    const recorder = createRecorder()
    recorder.beginRun(2)
    recorder.add({ section: 's', metric: 'm', system: 'ours', unit: 'ms', value: 7 })
    assert.deepEqual(recorder.series()[0]?.samples, [null, null, 7])
  })
  test('each system goes first in one of the runs', () => {
    const firsts = [0, 1, 2].map((run) => orderOfRun(['a', 'b', 'c'], run)[0])
    assert.deepEqual(firsts, ['a', 'b', 'c'])
  })
  test('percentiles interpolate and refuse an empty set', () => {
    assert.equal(percentile([1, 2, 3, 4], 0.5), 2.5)
    assert.equal(summarise([3, 1, 2]).max, 3)
    assert.throws(() => percentile([], 0.5), RangeError)
  })
})

suite('roles of Byway', () => {
  const nodes = [
    { id: 'a', pid: 1 },
    { id: 'b', pid: 2 },
    { id: 'c', pid: 3 },
  ] as const
  const rolesOf = (path: string): string[] =>
    assignRoles({
      client: { pid: 9, proxyPort: 1080 },
      nodes,
      path: path.split(''),
    }).map(({ role }) => role)

  test('follow the path', () => {
    assert.deepEqual(rolesOf('abc'), ['client', 'entry', 'middle', 'exit'])
  })
  test('a node off the path is idle', () => {
    assert.deepEqual(rolesOf('ac'), ['client', 'entry', 'idle', 'exit'])
  })
  test('a single hop is the exit', () => {
    assert.deepEqual(rolesOf('c'), ['client', 'idle', 'idle', 'exit'])
  })
})

suite('words of other programs', () => {
  test('lines of our processes that are no JSON objects are ignored', () => {
    for (const line of ['', 'hello', 'null', '7']) assert.equal(parseLine(line), undefined)
    assert.equal(parseLine('{"event":"path"}')?.['event'], 'path')
  })
  test("a line of tor's circuit status gives hops in order", () => {
    const [first, second] = ['A'.repeat(40), 'B'.repeat(40)]
    const line = `12 BUILT $${first}~r1,$${second}~r2 BUILD_FLAGS=NEED_CAPACITY PURPOSE=GENERAL TIME_CREATED=x`
    assert.deepEqual(parseCircuit(line), {
      id: '12',
      status: 'BUILT',
      purpose: 'GENERAL',
      hops: [first, second],
    })
    assert.equal(parseCircuit('OK'), undefined)
  })
})

suite('results of several runs', () => {
  const run = (date: string, sections: readonly string[], value: number): BenchResult => ({
    environment: { ...readEnvironment(), date, commit: date },
    options: { runs: 1, isQuick: false, sections },
    series: sections.map((section) => ({ ...series('ours', [value]), section })),
    comparisons: [],
    skipped: [],
  })

  test('each section stands as the last run that measured it left it, whatever order they are read in', () => {
    const newest = run('2026-03', ['s'], 3)
    const earlier = [run('2026-01', ['s', 't', 'u'], 1), run('2026-02', ['s', 't'], 2)]
    for (const all of [earlier, earlier.toReversed()]) {
      const value: Goal = { ...goal, compare: 'value' }
      const { result, measured } = latestOf(newest, all, [value, { ...value, section: 'u' }])
      assert.deepEqual(
        result.series.map(({ section, samples }) => [section, ...samples]),
        [
          ['s', 3],
          ['t', 2],
          ['u', 1],
        ],
      )
      assert.deepEqual(
        measured.map(({ section, commit }) => [section, commit]),
        [
          ['s', '2026-03'],
          ['t', '2026-02'],
          ['u', '2026-01'],
        ],
      )
      assert.deepEqual(
        result.comparisons.map(({ median, isReached }) => [median, isReached]),
        [
          [3, true],
          [1, false],
        ],
      )
    }
  })
})
