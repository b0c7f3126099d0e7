/**
 * What the chain said of slots when it was asked last (SPEC §15.8), for as long as that can be relied on while it cannot be asked: traffic goes on over an
 * hour without a chain, and over a restart in it. Nothing is kept so long that what is won meanwhile could not be bound or claimed any more.
 * @module
 */
import { equalBytes, fromHex, toHex } from '@byway/protocol/base'
import type { SlotWord } from '@byway/protocol/payment'
import type { SlotWordRecords, StoredSlotWord } from '@byway/store'

/** What a slot is served by. */
export type KnownWord = Pick<SlotWord, 'state' | 'holder' | 'timeS' | 'isBurned'>

/** The words of slots, by the nullifier's hexadecimal digits. */
export interface SlotMemory {
  /** True when the word says when a lock began that was not known before: its end needs the chain's clock. */
  needsClock(name: string, word: KnownWord): boolean
  /** Takes what the chain says now. @param headS - the chain's clock, where `needsClock` asked for it and it is known */
  learn(name: string, word: KnownWord, headS: number | undefined): void
  /** What holds still; undefined where nothing does. */
  recall(name: string): KnownWord | undefined
}

/** Seconds, of the network (SPEC §14.2, §14.4). */
export type SlotDelays = {
  readonly lockS: number
  readonly refundDelayS: number
  readonly closeDelayS: number
}

export type SlotMemoryDeps = SlotDelays & {
  /** Where words are kept over a restart. What cannot be written is not: the store says so by its health. */
  readonly records: Pick<SlotWordRecords, 'put' | 'remove'>
  /** Of an earlier run. */
  readonly stored: readonly StoredSlotWord[]
  /** Monotonic. */
  readonly nowMs: () => number
  /** Wall clock: only by it can a word outlive the process. */
  readonly wallMs: () => number
}

// Local limits (tunable): docs/LIMITS.md.
/** A slot that nobody held may be used elsewhere by now: so long it is served all the same, and no longer than half the way back of a refund. */
const OPEN_MEMORY_MS = 2 * 3_600_000
/** A bound slot is ours for good, unless it is closed: no longer than half the way back of that either. */
const BOUND_MEMORY_MS = 24 * 3_600_000
/** The one that was heard of first is forgotten beyond it. */
const MAX_REMEMBERED_SLOTS = 16_384
/** The disk's end of a word lags by this part of its time at most: a slot in use is not written again each second. */
const STORED_LAG_PARTS = 8

/** `storedUntilMs` is what the disk says, by the monotonic clock. */
type Memory = {
  readonly word: KnownWord
  readonly untilMs: number
  readonly storedUntilMs: number
}

/** Creates a memory of what was stored. */
export function createSlotMemory(deps: SlotMemoryDeps): SlotMemory {
  return new Words(deps)
}

class Words implements SlotMemory {
  readonly #deps: SlotMemoryDeps
  readonly #memories = new Map<string, Memory>()

  constructor(deps: SlotMemoryDeps) {
    this.#deps = deps
    for (const stored of deps.stored) this.#restore(stored)
  }

  needsClock(name: string, word: KnownWord): boolean {
    return word.state === 'locked' && !this.#isKnownLock(name, word)
  }

  learn(name: string, word: KnownWord, headS: number | undefined): void {
    const before = this.#memories.get(name)
    const untilMs = this.#untilMs(name, word, headS)
    this.#memories.delete(name)
    if (untilMs === undefined) {
      if (before) this.#forget(name)
      return
    }
    this.#makeRoom()
    const isStored = before !== undefined && this.#isNearEnough(before, word, untilMs)
    const storedUntilMs = isStored ? before.storedUntilMs : untilMs
    this.#memories.set(name, { word, untilMs, storedUntilMs })
    if (!isStored) this.#store(name, word, untilMs)
  }

  recall(name: string): KnownWord | undefined {
    const memory = this.#memories.get(name)
    return memory && this.#deps.nowMs() < memory.untilMs ? memory.word : undefined
  }

  #isKnownLock(name: string, { timeS }: KnownWord): boolean {
    const known = this.#memories.get(name)?.word
    return known?.state === 'locked' && known.timeS === timeS
  }

  #untilMs(name: string, word: KnownWord, headS: number | undefined): number | undefined {
    const spanMs = this.#mostMs(word)
    if (spanMs === undefined) return undefined
    const nowMs = this.#deps.nowMs()
    if (word.state !== 'locked') return nowMs + spanMs
    if (headS !== undefined) return nowMs + (word.timeS - headS) * 1000 + spanMs
    return this.#isKnownLock(name, word) ? this.#memories.get(name)?.untilMs : undefined
  }

  /** How long a word holds, from when it was told, a lock's from when it began; undefined for one that is never served by. */
  #mostMs({ state, isBurned }: KnownWord): number | undefined {
    const { lockS, refundDelayS, closeDelayS } = this.#deps
    if (isBurned) return undefined
    switch (state) {
      case 'bound':
        return Math.min(BOUND_MEMORY_MS, (closeDelayS * 1000) / 2)
      case 'none':
      case 'lapsed':
        return Math.min(OPEN_MEMORY_MS, (refundDelayS * 1000) / 2)
      case 'locked':
        return lockS * 1000
      case 'closing':
      case 'closed':
      case 'refunding':
      case 'refunded':
      case 'withdrawing':
      case 'withdrawn':
        return undefined
    }
  }

  /** A clock that was set back, or a store from a machine with another, makes nothing hold for longer than it would if it were told now. */
  #restore({ nullifier, untilMs: untilWallMs, ...rest }: StoredSlotWord): void {
    const word = { ...rest, isBurned: false }
    const leftMs = Math.min(untilWallMs - this.#deps.wallMs(), this.#mostMs(word) ?? 0)
    if (leftMs <= 0) return
    const untilMs = this.#deps.nowMs() + leftMs
    this.#makeRoom()
    this.#memories.set(toHex(nullifier), { word, untilMs, storedUntilMs: untilMs })
  }

  #isNearEnough({ word, storedUntilMs }: Memory, next: KnownWord, untilMs: number): boolean {
    const isSame = word.state === next.state && word.timeS === next.timeS
    if (!isSame || !equalBytes(word.holder, next.holder)) return false
    return untilMs - storedUntilMs <= (this.#mostMs(next) ?? 0) / STORED_LAG_PARTS
  }

  #makeRoom(): void {
    const [oldest] = this.#memories.keys()
    if (this.#memories.size < MAX_REMEMBERED_SLOTS || oldest === undefined) return
    this.#memories.delete(oldest)
    this.#forget(oldest)
  }

  #store(name: string, { state, holder, timeS }: KnownWord, untilMs: number): void {
    const { records, nowMs, wallMs } = this.#deps
    const nullifier = fromHex(name)
    if (!nullifier) return
    const untilWallMs = Math.round(wallMs() + untilMs - nowMs())
    records
      .put({ nullifier, state, holder, timeS, untilMs: untilWallMs })
      .catch(ignoreUntilLearntAgain)
  }

  #forget(name: string): void {
    const nullifier = fromHex(name)
    if (nullifier) this.#deps.records.remove(nullifier).catch(ignoreUntilLearntAgain)
  }
}

/** The disk cannot be written: what it says of the slot ends by itself. */
function ignoreUntilLearntAgain(): void {}
