/** Where every slot of the chain is in its life, from all of its events: who asks for one slot tells whose it is. */
import type { ChainEvent, ChainView } from '@byway/chain'
import type { SlotFact, SlotFacts } from '@byway/client'
import { toHex } from '@byway/protocol/base'

export type SlotFactsDeps = {
  readonly chain: Pick<ChainView, 'events'>
  /** Where the pool begins. */
  readonly fromBlock: number
}

export interface FollowedFacts extends SlotFacts {
  /** Follows the chain until the signal aborts. @throws CHAIN_REORG_DEPTH */
  follow(signal: AbortSignal): Promise<void>
  /** Resolves once all is known up to the chain's head. @throws the signal's reason */
  untilCurrent(signal: AbortSignal): Promise<void>
}

/** Creates them; they know nothing before `follow` has come to the chain's head. */
export function createSlotFacts({ chain, fromBlock }: SlotFactsDeps): FollowedFacts {
  const facts = new Map<string, SlotFact>()
  /** What stood before each event that a reorganisation may still take back. */
  const before = new Map<string, SlotFact | undefined>()
  let isCurrent = false
  const waiting = new Set<() => void>()
  const take = (event: ChainEvent): void => {
    const fact = slotFactOf(event, (key) => facts.get(key))
    if (!fact) return
    const key = toHex(fact.nullifier)
    before.set(idOf(event), facts.get(key))
    facts.set(key, fact)
  }
  const undo = (event: ChainEvent): void => {
    if (!('nullifier' in event) || !before.has(idOf(event))) return
    const key = toHex(event.nullifier)
    const old = before.get(idOf(event))
    before.delete(idOf(event))
    if (old) facts.set(key, old)
    else facts.delete(key)
  }
  return {
    of(nullifier) {
      if (!isCurrent) return undefined
      return facts.get(toHex(nullifier)) ?? { state: 'none', provider: undefined }
    },
    async untilCurrent(signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const onAbort = (): void => reject(signal.reason)
      signal.throwIfAborted()
      if (isCurrent) return
      waiting.add(resolve)
      signal.addEventListener('abort', onAbort)
      await promise.finally(() => {
        waiting.delete(resolve)
        signal.removeEventListener('abort', onAbort)
      })
    },
    async follow(signal) {
      for await (const news of chain.events(fromBlock, signal)) {
        if (news.type === 'event') take(news.event)
        if (news.type === 'removed') undo(news.event)
        if (news.type === 'quiet') isCurrent = false
        if (news.type !== 'head') continue
        if (news.isNewest) isCurrent = true
        if (isCurrent) for (const tell of waiting) tell()
        for (const id of [...before.keys()].slice(0, -MAX_UNDONE_EVENTS)) before.delete(id)
      }
    },
  }
}

// Local limit (tunable): docs/LIMITS.md.
/** Events that can be taken back; what a deeper reorganisation undoes is read anew with the next start. */
const MAX_UNDONE_EVENTS = 10_000

type Named = SlotFact & { readonly nullifier: Uint8Array }

/** What an event says of its slot; undefined where it says nothing. @param known - what was known of a slot by its name's hexadecimal digits */
export function slotFactOf(
  event: ChainEvent,
  known: (key: string) => SlotFact | undefined,
): Named | undefined {
  if (event.name === 'locked' || event.name === 'lapsed')
    return { nullifier: event.nullifier, state: event.name, provider: undefined }
  const old = 'nullifier' in event ? known(toHex(event.nullifier)) : undefined
  if (event.name === 'won') {
    const { nullifier, provider, index } = event
    const lastWin = Math.max(index, old?.lastWin ?? 0)
    // A later win may be paid while the slot is being closed.
    const state = old?.state === 'closing' ? 'closing' : 'bound'
    return { nullifier, state, provider, lastWin }
  }
  if (event.name !== 'slot') return undefined
  const { nullifier, state } = event
  return { nullifier, state, provider: old?.provider, lastWin: old?.lastWin }
}

/** The same event in another block is another one. */
function idOf({ blockHash, logIndex }: ChainEvent): string {
  return `${blockHash}:${logIndex}`
}
