/** The queue before a process that proves or verifies: who waits goes first, and a stopped or hurried caller leaves nothing behind. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLane, type JobBody, type Lane } from '../src/lane.ts'
import { proversOf } from '../src/engine.ts'

/** Answered in a millisecond once the process runs: no proof has no bytes. */
const QUICK: JobBody = { do: 'verify', program: 'slot', signals: [], proof: new Uint8Array() }

function open(atOnce = 1, niceness = 0): Lane & Disposable {
  const lane = createLane({ idleMs: undefined, atOnce, niceness })
  return Object.assign(lane, { [Symbol.dispose]: () => lane.stop() })
}

describe('a lane of jobs', () => {
  it('lets those that are awaited overtake those that are not, but cuts nothing short', async () => {
    using lane = open()
    const order: string[] = []
    const run = (name: string, isAhead: boolean): Promise<void> =>
      lane.run(QUICK, { isAhead }).then(() => void order.push(name))
    const ahead = ['a', 'b', 'c'].map((name) => run(name, true))
    const awaited = ['x', 'y'].map((name) => run(name, false))
    await Promise.all([...ahead, ...awaited])
    assert.deepEqual(order, ['a', 'x', 'y', 'b', 'c'])
  })

  it('takes a job out of the queue when its caller gives up', async () => {
    using lane = open()
    const first = lane.run(QUICK)
    const hurried = new AbortController()
    const second = lane.run(QUICK, { signal: hurried.signal })
    const third = lane.run(QUICK)
    hurried.abort(new Error('too late'))
    await assert.rejects(second, /too late/)
    assert.deepEqual(
      (await Promise.all([first, third])).map(({ id }) => id),
      [1, 2],
      'the process was never asked',
    )
    await assert.rejects(lane.run(QUICK, { signal: hurried.signal }), /too late/)
  })

  it('refuses more than can wait, and all once it is stopped', async () => {
    using lane = open()
    const all = Array.from({ length: 100 }, () => lane.run(QUICK))
    await assert.rejects(lane.run(QUICK), { code: 'ZK_BUSY' })
    lane.stop()
    const ends = await Promise.allSettled(all)
    assert.deepEqual([...new Set(ends.map(({ status }) => status))], ['rejected'])
    await assert.rejects(lane.run(QUICK), { code: 'ZK_STOPPED' })
  })
})

describe('how many processes prove', () => {
  it('is one where a second would push others out', () => {
    const gib = 2 ** 30
    const cases = [
      [1, 8 * gib],
      [4, gib / 2],
      [2, gib],
    ] as const
    assert.deepEqual(
      cases.map(([cores, freeBytes]) => proversOf({ cores, freeBytes })),
      [1, 1, 2],
    )
  })
})
