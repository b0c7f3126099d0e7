/** Whether anybody committed to an epoch's service proof: the contract keeps commitments by provider, so the answer stands in its logs. */
import { encodeEventTopics } from 'viem/utils'
import type { Hex } from '@byway/protocol/payment'
import type { ChainReader } from './chain-reader.ts'
import { PROOFS_ABI as abi } from './contracts/abi.ts'
import { MAX_LOG_BLOCKS } from './leaf-reader.ts'
import { hashOf } from './rpc/parse.ts'

/** Of an epoch: from its end until nobody may commit any more, seconds since 1970. */
export type CommitWindow = {
  readonly epoch: number
  readonly fromS: number
  readonly toS: number
}

/** Looks through the window from its beginning, where most commit. @throws what the reader throws */
export async function hasCommitments(
  reader: ChainReader,
  contract: Hex,
  { epoch, fromS, toS }: CommitWindow,
  signal: AbortSignal,
): Promise<boolean> {
  const { number: newest } = await reader.head(signal)
  const first = await firstBlockAt(reader, fromS, newest, signal)
  const last = (await firstBlockAt(reader, toS, newest, signal)) - 1
  for (let from = first; from <= last; from += MAX_LOG_BLOCKS) {
    const to = Math.min(from + MAX_LOG_BLOCKS - 1, last)
    const logs = await reader.logs([contract], from, to, signal, COMMITTED)
    if (logs.some(({ topics: [, , of] }) => of !== undefined && BigInt(of) === BigInt(epoch)))
      return true
  }
  return false
}

/** By halves: blocks' times rise. The number after the newest where all are older. */
async function firstBlockAt(
  reader: ChainReader,
  timeS: number,
  newest: number,
  signal: AbortSignal,
): Promise<number> {
  let [before, after] = [-1, newest + 1]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    const block = await reader.block(middle, signal)
    if (block && block.timeS < timeS) before = middle
    else after = middle
  }
  return after
}

/** Provider and epoch follow in the log. */
const COMMITTED: readonly Hex[] = encodeEventTopics({ abi, eventName: 'Committed' })
  .map(hashOf)
  .filter((topic) => topic !== undefined)
