/**
 * Tells a person how far the first slots are proved: after a deposit nothing can be paid for some seconds, and who asks for a page then should know what it waits for.
 * @module
 */
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import type { SlotCounts } from './slot-keeper-types.ts'

// Local limits (tunable): docs/LIMITS.md.
/** A first path of three hops: with so many nobody waits. */
const FIRST_SLOTS = 3
const LOOK_MS = 250

export type ProvingWatchDeps = {
  readonly counts: () => Pick<SlotCounts, 'unshown' | 'ready' | 'inUse'>
  /** So many slots of so many are proved. Told when there are more, until there are enough; not at all where there are enough from the start. */
  readonly onProving: (proved: number, wanted: number) => void
  /** @default the system's */
  readonly timers?: Timers | undefined
  readonly closing: AbortSignal
}

/** Begins to watch; ends by itself, or when closing. */
export function watchProving({ counts, onProving, timers, closing }: ProvingWatchDeps): void {
  const clock = timers ?? systemTimers
  let told: number | undefined
  const look = (): void => {
    if (closing.aborted) return
    const { unshown, ready, inUse } = counts()
    const wanted = Math.min(FIRST_SLOTS, unshown + inUse)
    const proved = Math.min(wanted, ready + inUse)
    // Without a deposit there is nothing to prove yet.
    const isNews = wanted > 0 && proved !== told && (proved < wanted || told !== undefined)
    if (isNews) onProving((told = proved), wanted)
    if (wanted === 0 || proved < wanted) clock.after(LOOK_MS, look)
  }
  look()
}
