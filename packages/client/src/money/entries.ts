/**
 * The payers of the links to guards, one each. A guard is paid when its link is used; the guards to which tunnels would move are shown a slot before, so that none of them waits for it
 * when its entry dies (ADR-0027).
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { untilAborted } from '../engine/abort.ts'
import { systemTimers } from '../proxy/timers.ts'
import { createEntryPayer } from './entry-payer.ts'
import type { EntryPayer, EntryPayerDeps } from './entry-payer.ts'
import { meterLink } from './metered-link.ts'
import type { SlotKeeper } from './slot-keeper-types.ts'
import type { Tariff } from './tariff.ts'

// Local limits (tunable): docs/LIMITS.md.
/** How soon a guard's new link, or slots proved meanwhile, are noticed. */
const LOOK_MS = 500

export type EntriesDeps = Omit<EntryPayerDeps, 'onGone' | 'slots'> & {
  readonly slots: EntryPayerDeps['slots'] & Pick<SlotKeeper, 'has' | 'hasSpare'>
  /** What a node asks; undefined while it is not known, or serves for nothing. */
  readonly tariffOf: (key: NodeKey) => Tariff | undefined
  /** True for the guards that tunnels move to. */
  readonly isGuard: (key: NodeKey) => boolean
}

/** Pays guards. */
export interface Entries {
  /** True when every guard that has a link, and asks for pay, has a slot. */
  readonly areReady: boolean
  /** Counts and pays for a guard's link. */
  meter(link: Link, guard: NodeKey): Link
  /** Resolves when this entry has a slot, or takes none now. @throws why there is none to be shown, or the signal's reason */
  ready(entry: NodeKey, signal: AbortSignal): Promise<void>
  /** Begins to show slots to guards ahead. */
  start(): void
  /** Signs last receipts, before the links are closed. Never rejects; takes seconds only where an entry does not answer. */
  finish(): Promise<void>
}

/** Creates them: without links. */
export function createEntries(deps: EntriesDeps): Entries {
  return new Payers(deps)
}

class Payers implements Entries {
  readonly #deps: EntriesDeps
  readonly #payers = new Set<EntryPayer>()
  /** Of each guard's newest link. */
  readonly #newest = new Map<NodeKey, EntryPayer>()
  #cancelLook: () => void = () => {}

  constructor(deps: EntriesDeps) {
    this.#deps = deps
  }

  get areReady(): boolean {
    return this.#guards.every(([, payer]) => payer.isOpen)
  }

  meter(link: Link, guard: NodeKey): Link {
    const { tariffOf } = this.#deps
    const payer: EntryPayer = createEntryPayer(
      { ...this.#deps, onGone: () => this.#forget(guard, payer) },
      { key: guard, tariff: () => tariffOf(guard) },
      link,
    )
    this.#newest.set(guard, payer)
    this.#payers.add(payer)
    return meterLink(link, payer)
  }

  async ready(entry: NodeKey, signal: AbortSignal): Promise<void> {
    const payer = this.#newest.get(entry)
    if (payer) await untilAborted(payer.ready(), signal)
  }

  start(): void {
    const { timers = systemTimers, closing } = this.#deps
    if (closing.aborted) return
    for (const [key, payer] of this.#guards)
      if (this.#mayShow(key)) payer.ready().catch(toldAlready)
    this.#cancelLook = timers.after(LOOK_MS, () => this.start())
  }

  async finish(): Promise<void> {
    this.#cancelLook()
    await Promise.all([...this.#payers].map((payer) => payer.finish()))
  }

  get #guards(): readonly (readonly [NodeKey, EntryPayer])[] {
    const { isGuard, tariffOf } = this.#deps
    return [...this.#newest].filter(([key]) => isGuard(key) && tariffOf(key) !== undefined)
  }

  /** A slot that the guard was shown before costs nothing; another one must not be taken from somebody who waits. */
  #mayShow(key: NodeKey): boolean {
    const { slots } = this.#deps
    return slots.has(key, 'link') || slots.hasSpare
  }

  #forget(guard: NodeKey, payer: EntryPayer): void {
    this.#payers.delete(payer)
    if (this.#newest.get(guard) === payer) this.#newest.delete(guard)
  }
}

/** By the payer's `onUnpayable`. */
function toldAlready(): void {}
