/** What a client's money looks after by itself, each minute: slots against the chain, what goes back to the owner, small leaves to be joined. */
import type { Pool } from '@byway/protocol/ticket'
import { systemTimers } from '../proxy/timers.ts'
import type { Joiner } from '../returns/joiner.ts'
import { ordersForOver, ordersForShown, ordersForUnknown } from '../returns/over-slots.ts'
import type { ReturnOrder, SlotFacts } from '../returns/ports.ts'
import type { ReturnQueue } from '../returns/return-queue.ts'
import type { MoneyDeps } from './money-types.ts'
import { UNKNOWN_HOP } from './old-records.ts'
import type { SlotKeeper } from './slot-keeper-types.ts'
import type { Spending } from './spending.ts'

// Local limit (tunable): docs/LIMITS.md.
/** How soon a deposit, a top-up or a chain that answers again is noticed. */
const REFRESH_MS = 60_000
/** After a look that failed: without slots nothing can be paid. */
const REFRESH_AGAIN_MS = 10_000
/** People are told so seldom that nothing could be asked back: each time it is tried again within minutes. */
const RETURNS_TOLD_MS = 3_600_000

/** What it needs. */
export type UpkeepDeps = Pick<MoneyDeps, 'returns' | 'journal' | 'monotonicMs' | 'timers'> & {
  readonly slots: SlotKeeper
  /** Undefined where nothing goes back. */
  readonly queue: ReturnQueue | undefined
  readonly joiner: Joiner | undefined
  readonly pool: Pool
  readonly closing: AbortSignal
  readonly spending: Pick<Spending, 'onSlotShown'>
  /** The chain cannot be looked at. */
  readonly onUnpayable: (error: unknown) => void
  /** Nothing could be asked back; told once an hour. */
  readonly onReturnsDelayed: (error: unknown) => void
}

/** Looks again and again once it is told to look first. */
export class Upkeep {
  readonly #deps: UpkeepDeps
  #cancel: () => void = () => {}
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(deps: UpkeepDeps) {
    this.#deps = deps
  }

  /** One look, and the next ones after it until `stop`. Never throws. */
  async look(signal: AbortSignal): Promise<void> {
    const { slots, closing, onUnpayable, timers = systemTimers } = this.#deps
    let nextMs = REFRESH_MS
    try {
      await slots.refresh(signal)
    } catch (error) {
      // Without the chain the slots shown before go on; the next look is soon.
      nextMs = REFRESH_AGAIN_MS
      if (!closing.aborted) onUnpayable(error)
    }
    await this.#lookForReturns(signal)
    if (closing.aborted) return
    this.#cancel = timers.after(nextMs, () => void this.look(closing))
  }

  stop(): void {
    this.#cancel()
  }

  /** For a person: queues what is over, or all that was ever shown, and what no record names; gives how many slots. @throws what the journal throws */
  async giveBack(isAll: boolean): Promise<number> {
    const { returns, slots, spending } = this.#deps
    if (!returns) return 0
    // Another machine with the same words may still use them: they wait for a person who knows.
    const unknown = ordersForUnknown(slots.unknownSlots, returns.facts)
    for (const { nullifier } of unknown) spending.onSlotShown(UNKNOWN_HOP, nullifier)
    return await this.#queue(isAll, returns, unknown)
  }

  async #queue(
    isAll: boolean,
    { facts, fee }: { readonly facts: SlotFacts; readonly fee: bigint },
    unknown: readonly ReturnOrder[],
  ): Promise<number> {
    const { journal, queue, slots, pool } = this.#deps
    if (!queue) return 0
    // Numbers of deposits that an older copy takes for free may be in use.
    await slots.compare()
    const records = await journal.all()
    // A full slot holds its bond alone, and the relayer gets some of it.
    const shown = isAll
      ? ordersForShown(records, facts)
      : ordersForOver(records, facts, fee < pool.bond)
    const orders = [...shown, ...unknown]
    if (orders.length === 0) return 0
    const added = await queue.add(orders)
    for (const { nullifier } of orders) {
      if (queue.has(nullifier)) await slots.retire(nullifier, 'refused')
    }
    return added
  }

  /** Once an hour at most. */
  tellDelayed(error: unknown): void {
    const nowMs = this.#deps.monotonicMs()
    if (nowMs - this.#toldMs < RETURNS_TOLD_MS) return
    this.#toldMs = nowMs
    this.#deps.onReturnsDelayed(error)
  }

  /** Nobody is paid less while it cannot be looked for. */
  async #lookForReturns(signal: AbortSignal): Promise<void> {
    try {
      const { returns } = this.#deps
      if (returns) await this.#queue(false, returns, [])
      await this.#deps.joiner?.look(signal)
    } catch (error) {
      if (!this.#deps.closing.aborted) this.tellDelayed(error)
    }
  }
}
