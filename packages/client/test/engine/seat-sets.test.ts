/** Which nodes are asked about which account (SPEC §15.9): no node hears of two over one circuit, and none of two at all where the network is large enough. The nodes are in memory. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { CHAIN_QUESTION } from '@byway/protocol/wire'
import type { ClientChainSeat } from '../../src/engine/chain-seats.ts'
import { createSeatSets, type AskedFor } from '../../src/engine/seat-sets.ts'
import { answerOf, carrierTo, nodesOf } from './answering-nodes.ts'
import { createHandTimers } from './hand-timers.ts'

const HEAD = { kind: CHAIN_QUESTION.HEAD } as const
const ACCOUNTS: readonly AskedFor[] = ['funds', 'provider', 'nobody']

/** @param begin - in [0, 1): of the draws */
function createWorld(t: TestContext, nodes: readonly PathNode[], begin = 0) {
  const timers = createHandTimers()
  const random = turnsFrom(begin)
  /** Each circuit's node. */
  const opened: NodeKey[] = []
  const sets = createSeatSets({
    nodes: () => nodes,
    weightOf: () => 1,
    random,
    open: async ({ key, entry }) => {
      opened.push(key)
      return carrierTo(answerOf(entry.descriptor.nodeId[0] ?? 0, 8), () => {})
    },
    onWrong() {},
    nowMs: timers.nowMs,
    closing: new AbortController().signal,
    timers,
  })
  const fill = async (seats: readonly ClientChainSeat[]): Promise<readonly NodeKey[]> => {
    for (const seat of seats) await seat.ask(HEAD, t.signal)
    return seats.flatMap(({ holder }) => holder ?? [])
  }
  return { sets, opened, fill }
}

/** Every part of [0, 1) in turn. */
function turnsFrom(begin: number): () => number {
  let at = begin
  return () => (at = (at + 0.618_034) % 1)
}

test('each account has nodes that no other is asked of, nor what every client asks', async (t) => {
  const { sets, fill } = createWorld(t, nodesOf(...Array.from({ length: 12 }, (_, at) => at + 1)))
  const all = [...(await fill(sets.routine))]
  for (const account of ACCOUNTS) all.push(...(await fill(sets.for(account))))
  assert.equal(all.length, 12)
  assert.equal(new Set(all).size, 12)
})

test('a node that is given up is replaced by one that is asked nothing else', async (t) => {
  for (let begin = 0; begin < 1; begin += 1 / 16) {
    const { sets, fill } = createWorld(t, nodesOf(1, 2, 3, 4, 5, 6, 7), begin)
    const funds = await fill(sets.for('funds'))
    await fill(sets.for('provider'))
    const [seat] = sets.for('provider')
    const before = seat?.holder
    seat?.replace(false)
    await seat?.ask(HEAD, t.signal)
    assert.notEqual(seat?.holder, before)
    const provider = sets.for('provider').flatMap(({ holder }) => holder ?? [])
    assert.equal(new Set([...funds, ...provider]).size, 6)
  }
})

test('in a small network nodes are shared, and each account has its own circuits', async (t) => {
  const { sets, fill, opened } = createWorld(t, nodesOf(1, 2, 3))
  for (const account of ACCOUNTS) assert.equal(new Set(await fill(sets.for(account))).size, 3)
  assert.equal(opened.length, 9)
})
