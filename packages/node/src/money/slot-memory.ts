/**
 * What the chain said of slots when it was asked last (SPEC §15.6), for as long as that can be relied on while it cannot be asked: traffic goes on over an
 * hour without a chain. Nothing is kept so long that what is won meanwhile could not be bound or claimed any more.
 * @module
 */
import type { SlotWord } from '@byway/protocol/payment'

/** The words of slots. */
export interface SlotMemory {
  /** True when the word says when a lock began that was not known before: its end needs the chain's clock. */
  needsClock(name: string, word: SlotWord): boolean
  /** Takes what the chain says now. @param headS - the chain's clock, where `needsClock` asked for it and it is known */
  learn(name: string, word: SlotWord, headS: number | undefined): void
  /** What holds still; undefined where nothing does. */
  recall(name: string): SlotWord | undefined
}

/** Seconds, of the network (SPEC §14.2, §14.4). */
export type SlotDelays = {
  readonly lockS: number
  readonly refundDelayS: number
  readonly closeDelayS: number
}

export type SlotMemoryDeps = SlotDelays & {
  /** Monotonic. */
  readonly nowMs: () => number
}

// Local limits (tunable): docs/LIMITS.md.
/** A slot that nobody held may be used elsewhere by now: so long it is served all the same, and no longer than half the way back of a refund. */
const OPEN_MEMORY_MS = 2 * 3_600_000
/** A bound slot is ours for good, unless it is closed: no longer than half the way back of that either. */
const BOUND_MEMORY_MS = 24 * 3_600_000
/** The one that was heard of first is forgotten beyond it. */
const MAX_REMEMBERED_SLOTS = 16_384

type Memory = { readonly word: SlotWord; readonly untilMs: number }

/** Creates a memory of nothing. */
export function createSlotMemory(deps: SlotMemoryDeps): SlotMemory {
  const { nowMs } = deps
  const memories = new Map<string, Memory>()

  const isKnownLock = (name: string, { timeS }: SlotWord): boolean => {
    const known = memories.get(name)?.word
    return known?.state === 'locked' && known.timeS === timeS
  }

  function untilMs(name: string, word: SlotWord, headS: number | undefined): number | undefined {
    if (word.isBurned) return undefined
    switch (word.state) {
      case 'bound':
        return nowMs() + Math.min(BOUND_MEMORY_MS, (deps.closeDelayS * 1000) / 2)
      case 'none':
      case 'lapsed':
        return nowMs() + Math.min(OPEN_MEMORY_MS, (deps.refundDelayS * 1000) / 2)
      case 'locked':
        if (headS !== undefined) return nowMs() + (word.timeS + deps.lockS - headS) * 1000
        return isKnownLock(name, word) ? memories.get(name)?.untilMs : undefined
      case 'closing':
      case 'closed':
      case 'refunding':
      case 'refunded':
      case 'withdrawing':
      case 'withdrawn':
        return undefined
    }
  }

  return {
    needsClock: (name, word) => word.state === 'locked' && !isKnownLock(name, word),
    learn(name, word, headS) {
      const until = untilMs(name, word, headS)
      memories.delete(name)
      if (until === undefined) return
      const [oldest] = memories.keys()
      if (memories.size >= MAX_REMEMBERED_SLOTS && oldest !== undefined) memories.delete(oldest)
      memories.set(name, { word, untilMs: until })
    },
    recall(name) {
      const memory = memories.get(name)
      return memory && nowMs() < memory.untilMs ? memory.word : undefined
    },
  }
}
