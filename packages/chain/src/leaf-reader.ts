/** Reads the deposit tree's leaves, always from the first one asked for to the last: the answer says nothing of whose they are. */
import type { DepositLeaf } from '@byway/protocol/payment'
import type { ChainReader } from './chain-reader.ts'
import type { ChainView } from './chain-view.ts'
import { decodeEvent, type EventSources } from './contracts/events.ts'
import { chainError } from './errors.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Blocks of one question for logs; public endpoints refuse more. */
export const MAX_LOG_BLOCKS = 5000
/** Leaves are kept between questions only when this many blocks lie on top: no reorg takes them back. */
const SETTLED_BLOCKS = 64

/** Creates a reader that remembers what is settled, so that asking again costs only what is new. */
export function createLeafReader(
  reader: ChainReader,
  sources: EventSources,
  deployBlock: number,
): ChainView['leaves'] {
  let settled: readonly DepositLeaf[] = []
  let nextBlock = deployBlock
  const readRange = async (
    from: number,
    to: number,
    signal: AbortSignal,
  ): Promise<DepositLeaf[]> => {
    const logs = await reader.logs([sources.pool], from, to, signal)
    return logs.flatMap((log) => {
      const event = decodeEvent(log, sources)
      if (event?.name !== 'leaf') return []
      const { index, leaf, idc, limit } = event
      return [{ index, leaf, idc, limit }]
    })
  }
  return async (from, signal) => {
    const { number: top } = await reader.head(signal)
    while (nextBlock <= top - SETTLED_BLOCKS) {
      const to = Math.min(nextBlock + MAX_LOG_BLOCKS - 1, top - SETTLED_BLOCKS)
      const range = { from: nextBlock, to }
      const fresh = await readRange(range.from, range.to, signal)
      // Another question may have read the same meanwhile.
      if (nextBlock !== range.from) continue
      settled = inOrder([...settled, ...fresh])
      nextBlock = to + 1
    }
    const base = settled
    const rest = nextBlock <= top ? await readRange(nextBlock, top, signal) : []
    return inOrder([...base, ...rest]).slice(from)
  }
}

/** A hole or a wrong order means that history was held back. */
function inOrder(leaves: readonly DepositLeaf[]): readonly DepositLeaf[] {
  if (leaves.some(({ index }, at) => index !== at))
    throw chainError('CHAIN_CONTRACT', { what: 'leaves' })
  return leaves
}
