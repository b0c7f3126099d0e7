/** Reads slots with winners: from the store what we hold, from the chain how they stand. */
import { createHash } from 'node:crypto'
import { equalBytes, toHex } from '@byway/protocol/base'
import type { SlotWord } from '@byway/protocol/payment'
import { decodeOpening } from '@byway/protocol/wire'
import type { StoredWinner } from '@byway/store'
import type { SlotCase } from './fate.ts'
import type { RedemptionDeps } from './ports.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Slots asked about at once. */
const READS_AT_ONCE = 16
/** A settled winner is looked at for so long: a reorganisation may undo what settled it. */
const WATCH_MS = 3_600_000
/** And so seldom: no win waits for it. */
const WATCH_BLOCKS = 8

/** Knows which slots are worth a look. */
export class SlotCases {
  readonly #deps: RedemptionDeps
  /** Slots with settled winners that are still watched, and since when. */
  #watched: Map<string, { readonly nullifier: Uint8Array; readonly sinceMs: number }> | undefined
  /** Slots whose lock did not take. */
  readonly #lockTried = new Set<string>()
  /** When the watched slots were read last. */
  #watchedBlock = Number.NEGATIVE_INFINITY

  constructor(deps: RedemptionDeps) {
    this.#deps = deps
  }

  lockTried(nullifier: Uint8Array): void {
    this.#lockTried.add(toHex(nullifier))
  }

  /** Slots with open winners, and now and then those with winners settled a short while ago. @param block - of the newest head */
  async read(block: number, signal: AbortSignal): Promise<readonly SlotCase[]> {
    const open = await this.#deps.store.winners.list(['received', 'queued', 'sent'])
    const slots = new Map(open.map(({ nullifier }) => [toHex(nullifier), nullifier]))
    // A chain that is shorter than before was reorganised.
    if (block < this.#watchedBlock || block - this.#watchedBlock >= WATCH_BLOCKS) {
      for (const [name, { nullifier }] of await this.#watch()) slots.set(name, nullifier)
      this.#watchedBlock = block
    }
    const all = [...slots.values()]
    const cases: SlotCase[] = []
    for (let at = 0; at < all.length; at += READS_AT_ONCE) {
      const some = all.slice(at, at + READS_AT_ONCE)
      cases.push(...(await Promise.all(some.map((nullifier) => this.#readOne(nullifier, signal)))))
    }
    return cases
  }

  /** Keeps an eye on a slot of which a winner was settled just now. */
  async watch(nullifier: Uint8Array): Promise<void> {
    const watched = await this.#watch()
    watched.set(toHex(nullifier), { nullifier, sinceMs: this.#deps.nowMs() })
  }

  async #readOne(nullifier: Uint8Array, signal: AbortSignal): Promise<SlotCase> {
    const { store, chain, provider } = this.#deps
    const winners = await store.winners.ofSlot(nullifier)
    const word = await chain.slot(nullifier, signal)
    const isLockTried = this.#lockTried.has(toHex(nullifier))
    return { nullifier, winners, word, holder: holderOf(word, winners, provider), isLockTried }
  }

  async #watch(): Promise<Map<string, { nullifier: Uint8Array; sinceMs: number }>> {
    const { store, nowMs } = this.#deps
    if (!this.#watched) {
      const settled = await store.winners.list(['done', 'lost', 'lapsed'])
      const named = settled.map(({ nullifier, changedAtMs }) => {
        return [toHex(nullifier), { nullifier, sinceMs: changedAtMs }] as const
      })
      this.#watched = new Map(named)
    }
    for (const [name, { sinceMs }] of this.#watched)
      if (nowMs() - sinceMs > WATCH_MS) this.#watched.delete(name)
    return this.#watched
  }
}

/** SPEC §14.2: a lock names the provider, a bound slot the hash of provider and session key. */
function holderOf(
  { holder, state }: SlotWord,
  [winner]: readonly StoredWinner[],
  provider: Uint8Array,
): SlotCase['holder'] {
  if (state === 'locked') return equalBytes(holder, provider) ? 'ours' : 'other'
  if (state !== 'bound' && state !== 'closing' && state !== 'closed') return 'nobody'
  const { sessionKey } = winner ? decodeOpening(winner.opening) : { sessionKey: new Uint8Array(20) }
  const bound = createHash('sha256').update(provider).update(sessionKey).digest()
  return equalBytes(holder, bound.subarray(0, holder.length)) ? 'ours' : 'other'
}
