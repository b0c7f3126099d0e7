/**
 * Follows the contracts' events block by block. It remembers the blocks and events of the last while: when a block it knew is gone, it takes back what was in it, newest
 * first, and goes on from the last block that both chains share.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { isBywayError } from '@byway/protocol/base'
import type { ChainHead, Hex } from '@byway/protocol/payment'
import type { ChainReader } from './chain-reader.ts'
import type { ChainEvent, ChainNews } from './chain-view.ts'
import { decodeEvent, type EventSources } from './contracts/events.ts'
import { lookForLogs, type MayHaveLogs } from './contracts/log-bloom.ts'
import { chainError } from './errors.ts'
import { MAX_LOG_BLOCKS } from './leaf-reader.ts'
import type { BlockHeader, RawLog } from './rpc/parse.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Deeper reorganisations than this end the following: state must be read anew. The chains we know settle in fewer. */
export const REMEMBERED_BLOCKS = 256
/** Of the time between two looks, how old another follower's look may be: below one, so that whoever follows alone looks each time. */
const SHARED_HEAD_SHARE = 0.75

export type FollowOptions = {
  readonly reader: ChainReader
  readonly sources: EventSources
  /** Whose logs are asked for. @default those of both contracts */
  readonly addresses?: readonly Hex[] | undefined
  readonly fromBlock: number
  readonly pollMs: number
  readonly signal: AbortSignal
}

/** Ends when the signal aborts. @throws CHAIN_REORG_DEPTH */
export async function* followEvents(options: FollowOptions): AsyncGenerator<ChainNews, void, void> {
  const { signal, pollMs } = options
  const history = createHistory(options)
  let isQuiet = false
  while (!signal.aborted) {
    let step: Step = NOTHING
    try {
      step = await history.step(signal)
      isQuiet = false
    } catch (error) {
      if (signal.aborted) return
      if (!isAway(error)) throw error
      if (!isQuiet) yield { type: 'quiet' }
      isQuiet = true
    }
    yield* step.news
    if (!step.isMore) await sleep(pollMs, undefined, { signal }).catch(() => {})
  }
}

/** Too few answers, or answers that differ: nothing is believed, and the next look may be better. */
function isAway(error: unknown): boolean {
  return (
    isBywayError(error) && (error.code === 'CHAIN_UNREACHABLE' || error.code === 'CHAIN_DISAGREE')
  )
}

/** A block that was told, and what was told of it. */
type Mark = {
  readonly number: number
  readonly hash: Hex
  readonly events: readonly ChainEvent[]
}

/** What has happened since the last step, and whether more has that is not told yet. */
type Step = { readonly news: readonly ChainNews[]; readonly isMore: boolean }

const NOTHING: Step = { news: [], isMore: false }

interface History {
  /** A step that throws has told nothing and changed nothing. */
  step(signal: AbortSignal): Promise<Step>
}

function createHistory({ reader, sources, fromBlock, pollMs, ...options }: FollowOptions): History {
  const addresses = options.addresses ?? allOf(sources)
  const contracts = { reader, sources, addresses, mayHaveLogs: lookForLogs(addresses) }
  /** Blocks that may have to be taken back, oldest first; only those with events, and the last. */
  let marks: readonly Mark[] = []
  /** The newest block that was forgotten: what lies below cannot be taken back. */
  let anchor: Mark | undefined
  return {
    async step(signal) {
      const top = await reader.recentHead(SHARED_HEAD_SHARE * pollMs, signal)
      if ((marks.at(-1) ?? anchor)?.hash === top.hash) return NOTHING
      const isNext = top.parentHash === marks.at(-1)?.hash
      const kept = isNext ? marks : await shared(reader, marks, anchor, signal)
      const removed = marks.slice(kept.length).toReversed().flatMap(takenBack)
      const from = ((kept.at(-1) ?? anchor)?.number ?? fromBlock - 1) + 1
      const read = await readBlocks(contracts, { from, top }, signal)
      if (!read) return NOTHING
      const all = [...kept, ...read.marks]
      const oldest = read.head.number - REMEMBERED_BLOCKS
      anchor = all.findLast(({ number }) => number <= oldest) ?? anchor
      marks = all.filter(({ number }) => number > oldest)
      const told = read.marks.flatMap(({ events }) => events)
      const added = told.map((event): ChainNews => ({ type: 'event', event }))
      const isNewest = read.head.number >= top.number
      const news: ChainNews[] = [...removed, ...added, { type: 'head', head: read.head, isNewest }]
      return { news, isMore: !isNewest }
    },
  }
}

/** The marks that are still in the chain. */
async function shared(
  reader: ChainReader,
  marks: readonly Mark[],
  anchor: Mark | undefined,
  signal: AbortSignal,
): Promise<readonly Mark[]> {
  const isThere = async ({ number, hash }: Mark): Promise<boolean> =>
    (await reader.block(number, signal))?.hash === hash
  for (let length = marks.length; length > 0; length--) {
    const mark = marks[length - 1]
    if (mark && (await isThere(mark))) return marks.slice(0, length)
  }
  if (anchor && !(await isThere(anchor))) {
    throw chainError('CHAIN_REORG_DEPTH', { remembered: REMEMBERED_BLOCKS })
  }
  return []
}

type Range = { readonly from: number; readonly top: BlockHeader }

/** Whose logs are read, and how. */
type Contracts = Pick<FollowOptions, 'reader' | 'sources'> & {
  readonly addresses: readonly Hex[]
  readonly mayHaveLogs: MayHaveLogs
}

/** The events from a block on, as far as one question reaches; undefined when the chain moved while it was read. */
async function readBlocks(
  contracts: Contracts,
  { from, top }: Range,
  signal: AbortSignal,
): Promise<{ readonly marks: readonly Mark[]; readonly head: ChainHead } | undefined> {
  const to = Math.min(top.number, from + MAX_LOG_BLOCKS - 1)
  if (to < from) return { marks: [], head: headOf(top) }
  const { reader, sources, addresses } = contracts
  const alone = from === top.number ? await logsOfTop(contracts, top, signal) : undefined
  const logs = alone ?? (await reader.logs(addresses, from, to, signal))
  const end = alone ? top : await reader.block(to, signal)
  if (!end || (to === top.number && end.hash !== top.hash)) return undefined
  const byBlock = new Map<number, Mark>()
  for (const log of logs) {
    const event = decodeEvent(log, sources)
    const { events = [] } = byBlock.get(log.block) ?? {}
    if (!event) continue
    byBlock.set(log.block, { number: log.block, hash: log.blockHash, events: [...events, event] })
  }
  const last = byBlock.get(to) ?? { number: to, hash: end.hash, events: [] }
  if (last.hash !== end.hash) return undefined
  return {
    marks: [...[...byBlock.values()].filter(({ number }) => number !== to), last],
    head: headOf(end),
  }
}

/** Of the one new block that there mostly is: no question where its header says that there are none, else one instead of two. Undefined when they are not to be had, as those of a block that has gone. */
async function logsOfTop(
  { reader, addresses, mayHaveLogs }: Contracts,
  top: BlockHeader,
  signal: AbortSignal,
): Promise<readonly RawLog[] | undefined> {
  if (top.bloom !== undefined && !mayHaveLogs(top.bloom)) return []
  try {
    return await reader.logsOf(addresses, top, signal)
  } catch (error) {
    if (isAway(error) && !signal.aborted) return undefined
    throw error
  }
}

function takenBack({ events }: Mark): readonly ChainNews[] {
  return events.toReversed().map((event) => ({ type: 'removed', event }))
}

function headOf({ number, hash, timeS }: ChainHead): ChainHead {
  return { number, hash, timeS }
}

function allOf({ pool, registry, proofs }: EventSources): readonly Hex[] {
  return proofs ? [pool, registry, proofs] : [pool, registry]
}
