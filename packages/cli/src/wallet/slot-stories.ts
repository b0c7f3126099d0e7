/** What became of every slot of a pool, from all of its events: who asks the chain for one slot tells whose it is. */
import type { Chain, ChainEvent } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import type { SlotWord } from '@byway/protocol/payment'
import { slotFactOf } from '../ledger/slot-facts.ts'

/** A slot's word (SPEC §14.2), but for its holder and last index. */
export type SlotStory = Pick<SlotWord, 'state' | 'wins' | 'isBurned' | 'timeS'>

/** Tells slots' stories as they were at one moment. */
export type SlotStories = (nullifier: Uint8Array) => SlotStory

type Told = Omit<SlotStory, 'timeS'> & { readonly block: number }

/** Reads all events up to the newest block. @param fromBlock - where the pool begins @throws what following and reading the chain throw, or the signal's reason */
export async function readSlotStories(
  {
    view,
    reader,
  }: {
    readonly view: Pick<Chain['view'], 'events'>
    readonly reader: Pick<Chain['reader'], 'freshHead' | 'block'>
  },
  fromBlock: number,
  signal: AbortSignal,
): Promise<SlotStories> {
  const events = new Map<string, ChainEvent>()
  for await (const news of view.events(fromBlock, signal)) {
    if (news.type === 'event') events.set(idOf(news.event), news.event)
    if (news.type === 'removed') events.delete(idOf(news.event))
    // Whoever waits at a terminal is told that the chain is away; one that answers again is followed on.
    if (news.type === 'quiet') await reader.freshHead(signal)
    if (news.type === 'head' && news.isNewest) break
  }
  signal.throwIfAborted()
  const told = new Map<string, Told>()
  for (const event of events.values()) {
    if (!('nullifier' in event)) continue
    const key = toHex(event.nullifier)
    told.set(key, after(event, told.get(key)))
  }
  const times = new Map<number, number>()
  for (const { block } of told.values()) {
    const timeS = times.get(block) ?? (await reader.block(block, signal))?.timeS
    if (timeS !== undefined) times.set(block, timeS)
  }
  return (nullifier) => {
    const { block, ...story } = told.get(toHex(nullifier)) ?? NOTHING
    return { ...story, timeS: times.get(block) ?? 0 }
  }
}

const NOTHING: Told = { state: 'none', wins: 0, isBurned: false, block: 0 }

function after(event: ChainEvent, before: Told = NOTHING): Told {
  if (event.name === 'bond-burned') return { ...before, isBurned: true }
  const fact = slotFactOf(event, () => ({ ...before, provider: undefined }))
  if (!fact) return before
  const { state } = fact
  if (event.name !== 'won') return { ...before, state, block: event.block }
  // The time of a bound slot is that of its first win.
  const isFirst = before.state !== 'bound' && before.state !== 'closing'
  return { ...before, state, wins: event.wins, block: isFirst ? event.block : before.block }
}

/** The same event in another block is another one. */
function idOf({ blockHash, logIndex }: ChainEvent): string {
  return `${blockHash}:${logIndex}`
}
