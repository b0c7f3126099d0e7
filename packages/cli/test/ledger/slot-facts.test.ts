/** When all of the chain's slots are known: who asks before then waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ChainNews } from '@byway/chain'
import { createSlotFacts } from '../../src/ledger/slot-facts.ts'

const HASH = `0x${'1'.repeat(64)}` as const
const HEAD: ChainNews = {
  type: 'head',
  head: { number: 3, hash: HASH, timeS: 9 },
  isNewest: true,
}
/** A part of a long history. */
const PART: ChainNews = { ...HEAD, isNewest: false }
const SLOT = new Uint8Array(32).fill(5)
const PLACE = { block: 2, blockHash: HASH, transaction: HASH, logIndex: 0 }

test('waits until the chain was read up to its head, and again when it cannot be asked', async (t) => {
  const news: ChainNews[] = []
  let more = Promise.withResolvers<void>()
  const tell = async (...some: readonly ChainNews[]): Promise<void> => {
    news.push(...some)
    more.resolve()
    more = Promise.withResolvers()
    await new Promise(setImmediate)
  }
  async function* events(): AsyncGenerator<ChainNews> {
    for (;;) {
      yield* news.splice(0)
      await more.promise
    }
  }
  const facts = createSlotFacts({ chain: { events }, fromBlock: 0 })
  facts.follow(t.signal).catch(assert.fail)
  const stop = new AbortController()
  const left = assert.rejects(facts.untilCurrent(stop.signal), { name: 'AbortError' })
  let isTold = false
  const waiting = facts.untilCurrent(t.signal).then(() => (isTold = true))
  await tell({
    type: 'event',
    event: { ...PLACE, name: 'slot', nullifier: SLOT, state: 'refunding' },
  })
  stop.abort()
  await left
  await tell(PART)
  assert.deepEqual([isTold, facts.of(SLOT)], [false, undefined])
  await tell(HEAD)
  await waiting
  assert.equal(facts.of(SLOT)?.state, 'refunding')
  await facts.untilCurrent(t.signal)

  await tell({ type: 'quiet' })
  let isBack = false
  const again = facts.untilCurrent(t.signal).then(() => (isBack = true))
  await tell()
  assert.equal(isBack, false)
  await tell(HEAD)
  await again
})
