/** What goes to the disk when, and in which order. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GroupQueue } from '../src/group-queue.ts'
import type { Operation } from '../src/operation.ts'
import type { Group } from '../src/protocol.ts'

const SOON_MS = 250

function operation(number: number): Operation<'spend'> {
  return { verb: 'spend', table: 'spent', key: Uint8Array.of(number), tag: Uint8Array.of(number) }
}

type World = {
  readonly queue: GroupQueue
  /** Numbers of the operations of each batch that was sent. */
  readonly sent: number[][]
  /** Moves the clock. */
  readonly pass: (ms: number) => Promise<void>
  /** The worker has done the batch under way. */
  readonly settle: () => void
}

function createWorld(): World {
  const sent: number[][] = []
  let nowMs = 0
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>()
  const numbersOf = (groups: readonly Group[]): number[] =>
    groups.flatMap((group) =>
      group.map((one) => ('key' in one && one.key instanceof Uint8Array ? (one.key[0] ?? 0) : 0)),
    )
  const clock = {
    nowMs: () => nowMs,
    after(ms: number, run: () => void) {
      const timer = { atMs: nowMs + ms, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
  }
  const queue = new GroupQueue((groups) => sent.push(numbersOf(groups)), clock)
  return {
    queue,
    sent,
    pass: async (ms) => {
      nowMs += ms
      for (const timer of timers) {
        if (timer.atMs > nowMs) continue
        timers.delete(timer)
        timer.run()
      }
      await Promise.resolve()
    },
    settle: () => queue.settle((sent.at(-1) ?? []).map(() => ({ given: ['new'] }))),
  }
}

describe('what may wait for more of its kind', () => {
  it('goes at once where nothing was done for a moment, then together', async () => {
    const { queue, sent, pass, settle } = createWorld()
    const first = queue.submitSoon(operation(1))
    await pass(0)
    assert.deepEqual(sent, [[1]])
    settle()
    assert.equal(await first, 'new')
    const more = [2, 3, 4].map((number) => queue.submitSoon(operation(number)))
    await pass(SOON_MS - 1)
    assert.deepEqual(sent, [[1]])
    await pass(1)
    assert.deepEqual(sent, [[1], [2, 3, 4]])
    settle()
    await Promise.all(more)
  })

  it('waits no longer than for what may not wait, and keeps its place before it', async () => {
    const { queue, sent, pass, settle } = createWorld()
    void queue.submit(operation(1))
    await pass(0)
    settle()
    void queue.submitSoon(operation(2))
    await pass(10)
    void queue.submit(operation(3))
    await pass(0)
    assert.deepEqual(sent, [[1], [2, 3]])
    await pass(SOON_MS)
    assert.equal(sent.length, 2, 'its timer is over')
  })

  it('that comes while the disk is busy waits for its time, and what may not wait goes next', async () => {
    const { queue, sent, pass, settle } = createWorld()
    void queue.submit(operation(1))
    await pass(0)
    void queue.submitSoon(operation(2))
    settle()
    await pass(0)
    assert.deepEqual(sent, [[1]])
    await pass(SOON_MS)
    assert.deepEqual(sent, [[1], [2]])
    void queue.submitSoon(operation(3))
    void queue.submit(operation(4))
    settle()
    assert.deepEqual(sent, [[1], [2], [3, 4]])
  })

  it('is written when the store is closed', async () => {
    const { queue, sent, pass, settle } = createWorld()
    void queue.submit(operation(1))
    await pass(0)
    settle()
    const last = queue.submitSoon(operation(2))
    const drained = queue.drain()
    assert.deepEqual(sent, [[1], [2]])
    settle()
    assert.equal(await last, 'new')
    await drained
  })
})
