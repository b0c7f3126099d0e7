/**
 * What the chain says of slots that clients show (SPEC §15.6): is the root the newest or was it until lately, and who holds the slot. Asks with a time limit and few
 * questions at once; a chain that hangs costs the client a TRY_LATER and the node nothing. Answers are kept for a moment, since many ask alike, and for longer while there are none.
 * @module
 */
import type { ChainView } from '@byway/chain'
import { equalBytes, toHex } from '@byway/protocol/base'
import type { CryptoProvider } from '@byway/protocol/crypto'
import type { SlotStanding, SlotWord } from '@byway/protocol/payment'
import { VERDICT } from '@byway/protocol/wire'
import type { Opening, Verdict } from '@byway/protocol/wire'
import {
  createSlotMemory,
  type KnownWord,
  type SlotMemory,
  type SlotMemoryDeps,
} from './slot-memory.ts'

/** Judges slots by the chain. Nothing rejects. */
export interface SlotJudge {
  /** Judges an opening whose proof holds. @param isFirst - it was never shown here before: its root must be the newest, or have been it until lately */
  judge(opening: Opening, isFirst: boolean): Promise<Verdict>
  /** Whether a root was ever published, whatever its age: `bind` takes no other. Undefined when the chain cannot be asked. */
  isPublished(root: Uint8Array): Promise<boolean | undefined>
  standing(opening: Pick<Opening, 'nullifier' | 'sessionKey'>): Promise<SlotStanding>
}

export type SlotJudgeDeps = SlotMemoryDeps & {
  readonly chain: Pick<ChainView, 'head' | 'slot' | 'publishedRoot'>
  readonly hash: Pick<CryptoProvider, 'sha256'>
  /** This node's address as a provider. */
  readonly provider: Uint8Array
  /** For how long after a newer root the one before is taken, seconds. */
  readonly rootMaxAgeS: number
}

// Local limits (tunable): docs/LIMITS.md.
/** A client waits for SHOWN meanwhile. */
const CHAIN_TIMEOUT_MS = 5000
/** Questions at once; more are told to try later. */
const MAX_QUESTIONS = 64
/** How long an answer about a slot holds: a purchase must see a lock of another within it. */
const SLOT_CACHE_MS = 1000
const MAX_CACHED_SLOTS = 4096
/** What superseded a root is kept for good; that it is the newest, for so long: then it is taken a little longer than it has to be. */
const NEWEST_ROOT_CACHE_MS = 60_000
const MAX_CACHED_ROOTS = 512

/** Creates a judge that knows what was stored, and asks anew while it can. */
export function createSlotJudge(deps: SlotJudgeDeps): SlotJudge {
  return new Judge(deps)
}

/** `supersededAtS` in seconds of the chain's clock. */
type CachedRoot = { readonly atMs: number; readonly supersededAtS: number | undefined }
type CachedSlot = { readonly atMs: number; readonly word: Promise<SlotWord | undefined> }

class Judge implements SlotJudge {
  readonly #deps: SlotJudgeDeps
  readonly #slots = new Map<string, CachedSlot>()
  readonly #roots = new Map<string, CachedRoot>()
  readonly #memory: SlotMemory
  #questions = 0
  /** The last question had no answer. That too much is asked does not count: anybody can do that. */
  #isAway = false

  constructor(deps: SlotJudgeDeps) {
    this.#deps = deps
    this.#memory = createSlotMemory(deps)
  }

  async judge(opening: Opening, isFirst: boolean): Promise<Verdict> {
    const [rootVerdict, standing] = await Promise.all([
      isFirst ? this.#judgeRoot(opening.root) : VERDICT.OK,
      this.standing(opening),
    ])
    if (rootVerdict !== VERDICT.OK) return rootVerdict
    if (standing === 'taken') return VERDICT.SLOT_TAKEN
    return standing === 'unknown' ? VERDICT.TRY_LATER : VERDICT.OK
  }

  async isPublished(root: Uint8Array): Promise<boolean | undefined> {
    const known = await this.#rootOf(root)
    return known === 'away' ? undefined : known !== undefined
  }

  async standing({
    nullifier,
    sessionKey,
  }: Pick<Opening, 'nullifier' | 'sessionKey'>): Promise<SlotStanding> {
    const word = (await this.#word(nullifier)) ?? this.#recall(nullifier)
    if (!word) return 'unknown'
    const { provider, hash } = this.#deps
    if (word.state === 'locked') return equalBytes(word.holder, provider) ? 'mine' : 'taken'
    if (word.state === 'bound') {
      const holder = hash.sha256(provider, sessionKey).subarray(0, word.holder.length)
      return equalBytes(word.holder, holder) ? 'mine' : 'taken'
    }
    return (word.state === 'none' || word.state === 'lapsed') && !word.isBurned ? 'open' : 'taken'
  }

  #recall(nullifier: Uint8Array): KnownWord | undefined {
    return this.#isAway ? this.#memory.recall(toHex(nullifier)) : undefined
  }

  #word(nullifier: Uint8Array): Promise<SlotWord | undefined> {
    const nowMs = this.#deps.nowMs()
    const name = toHex(nullifier)
    const known = this.#slots.get(name)
    if (known && nowMs - known.atMs < SLOT_CACHE_MS) return known.word
    this.#slots.delete(name)
    forgetOldest(this.#slots, MAX_CACHED_SLOTS)
    const word = this.#askWord(name, nullifier)
    this.#slots.set(name, { atMs: nowMs, word })
    return word
  }

  async #askWord(name: string, nullifier: Uint8Array): Promise<SlotWord | undefined> {
    const { chain } = this.#deps
    const word = await this.#ask((signal) => chain.slot(nullifier, signal))
    if (!word) return undefined
    const wantsHead = this.#memory.needsClock(name, word)
    const head = wantsHead ? await this.#ask((signal) => chain.head(signal)) : undefined
    this.#memory.learn(name, word, head?.timeS)
    return word
  }

  /** The newest root is good whatever its age: where nobody deposits, there is none to follow it. */
  async #judgeRoot(root: Uint8Array): Promise<Verdict> {
    const { chain, rootMaxAgeS } = this.#deps
    const known = await this.#rootOf(root)
    if (known === 'away') return VERDICT.TRY_LATER
    if (!known) return VERDICT.UNKNOWN_ROOT
    if (known.supersededAtS === undefined) return VERDICT.OK
    const head = await this.#ask((signal) => chain.head(signal))
    if (!head) return VERDICT.TRY_LATER
    return head.timeS - known.supersededAtS > rootMaxAgeS ? VERDICT.UNKNOWN_ROOT : VERDICT.OK
  }

  /** Undefined for a root that was not published. */
  async #rootOf(root: Uint8Array): Promise<CachedRoot | undefined | 'away'> {
    const { chain, nowMs } = this.#deps
    const name = toHex(root)
    const cached = this.#roots.get(name)
    const isNewest = cached?.supersededAtS === undefined
    if (cached && !(isNewest && nowMs() - cached.atMs >= NEWEST_ROOT_CACHE_MS)) return cached
    const found = await this.#ask(async (signal) => ({
      published: await chain.publishedRoot(root, signal),
    }))
    if (!found) return 'away'
    if (!found.published) return undefined
    const known = { atMs: nowMs(), supersededAtS: found.published.supersededAtS }
    forgetOldest(this.#roots, MAX_CACHED_ROOTS)
    this.#roots.set(name, known)
    return known
  }

  /** Asks the chain; `undefined` when it does not answer, or when too much is asked already. */
  async #ask<T extends object>(
    question: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    if (this.#questions >= MAX_QUESTIONS) return undefined
    this.#questions++
    const signal = AbortSignal.timeout(CHAIN_TIMEOUT_MS)
    try {
      // A chain that does not heed its signal must not hold the client either.
      const answer = await Promise.race([question(signal), untilAborted(signal)])
      this.#isAway = answer === undefined
      return answer
    } catch {
      this.#isAway = true
      return undefined
    } finally {
      this.#questions--
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  signal.addEventListener('abort', () => resolve(undefined), { once: true })
  return promise
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  if (map.size < most) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
