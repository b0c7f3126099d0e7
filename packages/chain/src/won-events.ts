/** Wins that the pool paid, looked up by slot, from the newest block back. The endpoints learn which slots. */
import { getAbiItem, toEventSelector } from 'viem/utils'
import type { ChainReader } from './chain-reader.ts'
import type { ChainEvent, ChainView } from './chain-view.ts'
import { POOL_ABI } from './contracts/abi.ts'
import { hexOf } from './contracts/bytes.ts'
import { decodeEvent, type EventSources } from './contracts/events.ts'
import { MAX_LOG_BLOCKS } from './leaf-reader.ts'

export type WonEvent = ChainEvent & { readonly name: 'won' }

/** Where to look. */
export type WonPlace = {
  readonly reader: ChainReader
  readonly sources: EventSources
  readonly deployBlock: number
}

// Local limits (tunable): docs/LIMITS.md.
/** Questions for logs, each of as many blocks as an endpoint answers: three days of blocks of two seconds, for which a provider leaves wins with redeemers. */
const MAX_PAID_QUESTIONS = 32
/** Slots of one question. */
const MAX_ASKED_SLOTS = 64

/** The wins of slots in one range of blocks after the other, the newest range first, at most so many ranges; within a range in the chain's order. */
export async function* wonEvents(
  { reader, sources, deployBlock }: WonPlace,
  nullifiers: readonly Uint8Array[],
  maxQuestions: number,
  signal: AbortSignal,
): AsyncGenerator<readonly WonEvent[]> {
  const topics = [WON_TOPIC, nullifiers.map(hexOf)]
  let { number: to } = await reader.head(signal)
  for (let asked = 0; asked < maxQuestions && to >= deployBlock; asked++) {
    const from = Math.max(deployBlock, to - MAX_LOG_BLOCKS + 1)
    const logs = await reader.logs([sources.pool], from, to, signal, topics)
    yield logs.map((log) => decodeEvent(log, sources)).filter((event) => event?.name === 'won')
    to = from - 1
  }
}

/** Creates the reader of what was paid for wins. */
export function createPaidReader(place: WonPlace): ChainView['paidFor'] {
  return async (wins, signal) => {
    const slots = new Map<string, Wanted>()
    for (const { nullifier, index } of wins) {
      const first = Math.min(slots.get(hexOf(nullifier))?.first ?? index, index)
      slots.set(hexOf(nullifier), { nullifier, first })
    }
    const all = [...slots.values()]
    const found: WonEvent[] = []
    for (let at = 0; at < all.length; at += MAX_ASKED_SLOTS)
      found.push(...(await paidIn(place, all.slice(at, at + MAX_ASKED_SLOTS), signal)))
    return found
  }
}

/** A slot, and the lowest index that is asked for. */
type Wanted = { readonly nullifier: Uint8Array; readonly first: number }

async function paidIn(
  place: WonPlace,
  slots: readonly Wanted[],
  signal: AbortSignal,
): Promise<readonly WonEvent[]> {
  const open = new Map(slots.map(({ nullifier, first }) => [hexOf(nullifier), first]))
  const nullifiers = slots.map(({ nullifier }) => nullifier)
  const found: WonEvent[] = []
  for await (const events of wonEvents(place, nullifiers, MAX_PAID_QUESTIONS, signal)) {
    found.push(...events)
    // Indices rise, so what comes before one that low, or before a slot's first win, is not asked for.
    for (const { nullifier, index, wins } of events)
      if (index <= (open.get(hexOf(nullifier)) ?? 0) || wins === 1) open.delete(hexOf(nullifier))
    if (open.size === 0) break
  }
  return found
}

const WON_TOPIC = toEventSelector(getAbiItem({ abi: POOL_ABI, name: 'Won' }))
