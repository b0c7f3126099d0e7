/** Wins are looked up from the newest block back, and no further than needed; the chain is played. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hex } from '@byway/protocol/payment'
import { encodeAbiParameters, encodeEventTopics } from 'viem'
import type { ChainReader } from '../src/chain-reader.ts'
import { POOL_ABI } from '../src/contracts/abi.ts'
import { numberOf } from '../src/contracts/bytes.ts'
import type { BlockHeader, RawLog } from '../src/rpc/parse.ts'
import { createPaidReader } from '../src/won-events.ts'

const POOL: Hex = `0x${'aa'.repeat(20)}`
const PROVIDER: Hex = `0x${'bb'.repeat(20)}`
const HEAD = 200_000
const slot = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

type Won = {
  readonly block: number
  readonly slot: Uint8Array
  readonly index: number
  readonly wins: number
}

function logOf({ block, slot: nullifier, index, wins }: Won): RawLog {
  const args = { nullifier: numberOf(nullifier), provider: PROVIDER }
  return {
    address: POOL,
    topics: encodeEventTopics({ abi: POOL_ABI, eventName: 'Won', args }) as readonly Hex[],
    data: encodeAbiParameters(
      [{ type: 'uint32' }, { type: 'uint8' }, { type: 'uint96' }],
      [index, wins, BigInt(1000 + index)],
    ),
    block,
    blockHash: `0x${'cc'.repeat(32)}`,
    transaction: `0x${'dd'.repeat(32)}`,
    logIndex: 0,
  }
}

/** A chain in which these were won; notes the ranges that are asked for. */
function playedChain(all: readonly Won[]) {
  const asked: (readonly [from: number, to: number])[] = []
  const reader = {
    head: async () => ({ number: HEAD }) as BlockHeader,
    async logs(_addresses, from, to, _signal, topics = []) {
      asked.push([from, to])
      const [, slots] = topics
      return all
        .filter(({ block }) => block >= from && block <= to)
        .map(logOf)
        .filter((log) => Array.isArray(slots) && slots.includes(log.topics[1]))
    },
  } as Pick<ChainReader, 'head' | 'logs'> as ChainReader
  const sources = { pool: POOL, registry: `0x${'ee'.repeat(20)}` } as const
  return { asked, paidFor: createPaidReader({ reader, sources, deployBlock: 1000 }) }
}

test('what is near the top takes one question for all slots', async (t) => {
  const { asked, paidFor } = playedChain([
    { block: HEAD - 10, slot: slot(1), index: 4, wins: 1 },
    { block: HEAD - 9, slot: slot(1), index: 6, wins: 2 },
    { block: HEAD - 8, slot: slot(2), index: 3, wins: 2 },
    { block: HEAD - 8, slot: slot(3), index: 3, wins: 1 },
  ])
  const wins = [
    { nullifier: slot(1), index: 4 },
    { nullifier: slot(1), index: 6 },
    { nullifier: slot(2), index: 3 },
  ]
  const found = await paidFor(wins, t.signal)
  assert.deepEqual(
    found.map(({ index, paid }) => [index, paid]),
    [
      [4, 1004n],
      [6, 1006n],
      [3, 1003n],
    ],
  )
  assert.deepEqual(asked, [[HEAD - 4999, HEAD]])
})

test('looks back for a win that was paid long ago, and past no slot’s first win', async (t) => {
  const { asked, paidFor } = playedChain([
    { block: HEAD - 12_000, slot: slot(1), index: 5, wins: 1 },
  ])
  assert.equal((await paidFor([{ nullifier: slot(1), index: 5 }], t.signal)).length, 1)
  assert.equal(asked.length, 3)
  // An older copy of the records has the slot's win under another index: there is none before the first.
  assert.equal((await paidFor([{ nullifier: slot(1), index: 2 }], t.signal)).length, 1)
  assert.equal(asked.length, 6)
})

test('gives up after 160 000 blocks, and asks in parts for many slots', async (t) => {
  const { asked, paidFor } = playedChain([])
  assert.deepEqual(await paidFor([{ nullifier: slot(1), index: 5 }], t.signal), [])
  assert.deepEqual([asked.length, asked.at(-1)?.[0]], [32, HEAD - 160_000 + 1])
  const many = Array.from({ length: 65 }, (_each, at) => ({ nullifier: slot(at), index: 1 }))
  await paidFor(many, t.signal)
  assert.equal(asked.length, 32 * 3)
})
