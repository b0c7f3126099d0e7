/** The stock of openings: who waits is served first, a restart keeps what was made, and nothing old is given out. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { numberOf, u256Bytes } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { createOpeningStock, type OpeningStock } from '../../src/money/opening-stock.ts'
import type { OpeningRecords } from '../../src/money/ports.ts'

const NEVER = new AbortController().signal
const nullifierOf = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const SLOTS = Array.from({ length: 40 }, (_, i) => nullifierOf(i + 1))

type Job = {
  readonly nullifier: Uint8Array
  readonly isAhead: boolean
  finish(): Promise<void>
  fail(error: Error): Promise<void>
}

/** A stock whose proofs are made when the test says so. */
function createWorld(
  records?: OpeningRecords,
  rootIntervalS = 1,
  random = (): number => 0,
): {
  readonly stock: OpeningStock
  readonly jobs: Job[]
  readonly clock: { nowMs: number }
} {
  const jobs: Job[] = []
  const clock = { nowMs: 0 }
  const stock = createOpeningStock({
    async make(nullifier, root, isAhead) {
      const made = Promise.withResolvers<void>()
      const end = async (settle: () => void): Promise<void> => {
        jobs.splice(jobs.indexOf(job), 1)
        settle()
        for (let turn = 0; turn < 3; turn++) await setImmediate()
      }
      const job: Job = {
        nullifier,
        isAhead,
        finish: () => end(made.resolve),
        fail: (error) => end(() => made.reject(error)),
      }
      jobs.push(job)
      await made.promise
      return openingOf(nullifier, root)
    },
    isOwn: ({ proof }) => proof.length === 3,
    rootIntervalS,
    records,
    random,
    nowMs: () => clock.nowMs,
  })
  return { stock, jobs, clock }
}

function openingOf(nullifier: Uint8Array, root: bigint): Opening {
  const [sessionKey, receiptKey] = [new Uint8Array(20), new Uint8Array(32)]
  return { root: u256Bytes(root), nullifier, sessionKey, receiptKey, proof: new Uint8Array(3) }
}

function createRecords(kept: Opening[] = []): OpeningRecords & { readonly kept: Opening[] } {
  const without = (nullifier: Uint8Array): number =>
    kept.findIndex((opening) => Buffer.compare(opening.nullifier, nullifier) === 0)
  return {
    kept,
    all: () => Promise.resolve([...kept]),
    put: (opening) => Promise.resolve(void kept.push(opening)),
    remove: (nullifier) =>
      Promise.resolve(void (without(nullifier) >= 0 && kept.splice(without(nullifier), 1))),
  }
}

async function finishAll(jobs: Job[]): Promise<number> {
  let made = 0
  for (let job = jobs[0]; job; job = jobs[0]) {
    await job.finish()
    made++
  }
  return made
}

describe('the stock of openings', () => {
  it('makes two at a time while it has few, then one that yields, until it is full', async () => {
    const { stock, jobs } = createWorld()
    const full = stock.keepFull({ unshown: SLOTS, root: 1n }, NEVER)
    await setImmediate()
    const lanes: string[] = []
    while (jobs.length > 0) {
      lanes.push(jobs.map(({ isAhead }) => (isAhead ? 'ahead' : 'awaited')).join('+'))
      await jobs[0]?.finish()
    }
    await full
    assert.equal(SLOTS.filter((nullifier) => stock.has(nullifier)).length, 16)
    assert.equal(lanes[0], 'awaited+ahead')
    assert.deepEqual(lanes.slice(5), Array(lanes.length - 5).fill('ahead'))
  })

  it('makes them, and gives them, in an order that is drawn: that of their deposit would be known again', async () => {
    let draw = 0
    const { stock, jobs } = createWorld(undefined, 1, () => draw)
    const slots = SLOTS.slice(0, 8)
    const made: Uint8Array[] = []
    draw = 0.999
    void stock.keepFull({ unshown: slots, root: 1n }, NEVER)
    for (let turn = 0; turn < 3; turn++) await setImmediate()
    for (let job = jobs[0]; job; job = jobs[0]) {
      made.push(job.nullifier)
      await job.finish()
    }
    assert.deepEqual(made, slots.toReversed())
    assert.deepEqual(stock.take(slots)?.nullifier, slots.at(-1))
    draw = 0
    assert.deepEqual(stock.take(slots)?.nullifier, slots[0])
    draw = 0.5
    assert.deepEqual(stock.take(slots)?.nullifier, slots[4])
  })

  it('makes four in one run, when so many are gone', async () => {
    const { stock, jobs } = createWorld()
    let unshown = SLOTS
    const fill = async (): Promise<number> => {
      const full = stock.keepFull({ unshown, root: 1n }, NEVER)
      await setImmediate()
      const made = await finishAll(jobs)
      await full
      return made
    }
    const take = (): void => {
      const taken = stock.take(unshown)?.nullifier
      unshown = unshown.filter((nullifier) => nullifier !== taken)
    }
    assert.equal(await fill(), 16)
    for (const made of [0, 0, 0, 4, 0]) {
      take()
      assert.equal(await fill(), made)
    }
    assert.equal(stock.size, 15)
  })

  it('gives who waits the next that is ready, whoever made it, and works for them first', async () => {
    const { stock, jobs } = createWorld()
    void stock.keepFull({ unshown: SLOTS, root: 1n }, NEVER)
    const taken: (Opening | undefined)[] = []
    const wait = async (): Promise<void> => {
      await stock.one({ unshown: SLOTS, root: 1n }, NEVER)
      taken.push(stock.take(SLOTS))
    }
    const waiting = [wait(), wait(), wait()]
    await setImmediate()
    await jobs.find(({ isAhead }) => isAhead)?.finish()
    assert.equal(taken.length, 1)
    while (taken.length < 3) {
      const job = jobs.find(({ isAhead }) => !isAhead)
      assert.ok(job, 'somebody waits, and nobody works for them alone')
      await job.finish()
    }
    await Promise.all(waiting)
    assert.equal(new Set(taken.map((opening) => opening?.nullifier)).size, 3)
  })

  it('tells who waits why there is none, once nobody works any more', async () => {
    const { stock, jobs } = createWorld()
    const waiting = stock.one({ unshown: SLOTS, root: 1n }, NEVER)
    const end = assert.rejects(waiting, /no prover/)
    await setImmediate()
    const [awaited, ahead] = jobs
    await awaited?.fail(new Error('no process'))
    await ahead?.fail(new Error('no prover'))
    await end
    const again = stock.one({ unshown: SLOTS, root: 1n }, NEVER)
    await setImmediate()
    await jobs[0]?.finish()
    await again
  })

  it('lets those look again for whom no slot is left', async () => {
    const { stock, jobs } = createWorld()
    const [only = nullifierOf(1)] = SLOTS
    const both = [1, 2].map(() => stock.one({ unshown: [only], root: 1n }, NEVER))
    await setImmediate()
    assert.equal(await finishAll(jobs), 1)
    await Promise.all(both)
    assert.ok(stock.take([only]))
    assert.equal(stock.take([only]), undefined)
  })

  it('goes on with what was made under older roots for ten minutes, however many follow, and then makes all anew', async () => {
    const { stock, jobs, clock } = createWorld()
    const rootsInStock = (): number[] =>
      SLOTS.slice(0, 2).map((nullifier) =>
        Number(numberOf(stock.take([nullifier])?.root ?? new Uint8Array(32))),
      )
    const fill = async (root: bigint, slots: readonly Uint8Array[]): Promise<void> => {
      const full = stock.keepFull({ unshown: slots, root }, NEVER)
      await setImmediate()
      await finishAll(jobs)
      await full
    }
    await fill(1n, SLOTS.slice(0, 1))
    for (let root = 2n; root < 9n; root++) {
      clock.nowMs += 599_999 / 7
      await fill(root, SLOTS.slice(0, 2))
    }
    assert.equal(jobs.length, 0)
    assert.deepEqual(rootsInStock(), [1, 2])
    await fill(8n, SLOTS.slice(0, 2))
    clock.nowMs += 1
    await fill(8n, SLOTS.slice(0, 2))
    assert.deepEqual(rootsInStock(), [8, 8])
  })

  it('shows none under a root that is known to have been followed where roots come in hours', async () => {
    const { stock, jobs } = createWorld(undefined, 6 * 3600)
    for (const root of [1n, 2n]) {
      const full = stock.keepFull({ unshown: SLOTS.slice(0, 3), root }, NEVER)
      await setImmediate()
      if (root === 2n) assert.equal(stock.take(SLOTS), undefined, 'dropped at once')
      await finishAll(jobs)
      await full
    }
    for (let i = 0; i < 3; i++)
      assert.equal(numberOf(stock.take(SLOTS)?.root ?? new Uint8Array(32)), 2n)
  })

  it('drops what was made under an older root, also what comes late', async () => {
    const records = createRecords()
    const { stock, jobs, clock } = createWorld(records)
    void stock.keepFull({ unshown: SLOTS.slice(0, 3), root: 1n }, NEVER)
    await setImmediate()
    await jobs[0]?.finish()
    clock.nowMs += 600_000
    const full = stock.keepFull({ unshown: SLOTS.slice(0, 3), root: 2n }, NEVER)
    await setImmediate()
    assert.deepEqual(records.kept, [])
    await finishAll(jobs)
    await full
    assert.deepEqual(
      records.kept.map(({ root }) => numberOf(root)),
      [2n, 2n, 2n],
    )
  })

  it('has after a restart what it had before, but nothing shown since or made with other keys', async () => {
    const records = createRecords(SLOTS.slice(0, 5).map((nullifier) => openingOf(nullifier, 1n)))
    records.kept.push({ ...openingOf(nullifierOf(6), 1n), proof: new Uint8Array(4) })
    const { stock, jobs } = createWorld(records)
    const unshown = SLOTS.slice(1, 6)
    await stock.one({ unshown, root: 1n }, NEVER)
    assert.equal(jobs.length, 0, 'nothing had to be made')
    assert.deepEqual(
      SLOTS.slice(0, 6).map((nullifier) => stock.has(nullifier)),
      [false, true, true, true, true, false],
    )
    assert.equal(records.kept.length, 4)
    stock.take(unshown)
    assert.equal(records.kept.length, 3, 'who takes one has it alone')
  })
})
