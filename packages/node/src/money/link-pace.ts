/**
 * How fast a client's link is served (SPEC §15.2): without limit while its slot is locked or bound to this node, else at {@link UNLOCKED_BYTES_PER_S}. A slot that nobody
 * holds may be shown elsewhere at the same time; what all of them serve before one binds it is then less than its bond.
 *
 * Asks the chain where the slot stands only while cells pass.
 * @module
 */
import { UNLOCKED_BYTES_PER_S } from '@byway/protocol/payment'
import type { SlotStanding } from '@byway/protocol/payment'

/** What a toll asks before it passes a cell. */
export interface CellPace {
  /** True when the cell may go now; it is counted then. */
  take(bytes: number, nowMs: number): boolean
}

/** Of a slot on a carrier, what its pace needs. */
export type PacedSlot = { standing(): Promise<SlotStanding> }

// Local limits (tunable): docs/LIMITS.md.
/** What may go at once: a page loads as fast as the line; over ten seconds it is 3 % of the rate. */
const BURST_BYTES = 4 * 1024 * 1024
/** While cells wait for their turn, the chain is asked this often whether the slot is ours by now. */
const ASK_WAITING_MS = 1000
/** And so often whether it still is: a lock may lapse. */
const ASK_HELD_MS = 20_000

/** Creates the pace of one link. @param slot - the slot that is shown on it at the moment */
export function createLinkPace(slot: () => PacedSlot | undefined): CellPace {
  return new LinkPace(slot)
}

class LinkPace implements CellPace {
  readonly #slot: () => PacedSlot | undefined
  #asked: PacedSlot | undefined
  #isHeld = false
  #askAtMs = Number.NEGATIVE_INFINITY
  #level = BURST_BYTES
  #atMs = Number.POSITIVE_INFINITY

  constructor(slot: () => PacedSlot | undefined) {
    this.#slot = slot
  }

  take(bytes: number, nowMs: number): boolean {
    const slot = this.#slot()
    if (slot !== this.#asked) this.#begin(slot)
    if (nowMs >= this.#askAtMs) this.#ask(slot, nowMs)
    if (this.#isHeld) return true
    this.#refill(nowMs)
    if (this.#level <= 0) return false
    // The cell that empties it may go below zero: a large one must not wait for a fuller bucket than a small one.
    this.#level -= bytes
    return true
  }

  #begin(slot: PacedSlot | undefined): void {
    this.#asked = slot
    this.#isHeld = false
    this.#askAtMs = slot ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  #ask(slot: PacedSlot | undefined, nowMs: number): void {
    if (!slot) return
    this.#askAtMs = nowMs + (this.#isHeld ? ASK_HELD_MS : ASK_WAITING_MS)
    void this.#learn(slot, nowMs)
  }

  /** What cannot be asked stays as it was. */
  async #learn(slot: PacedSlot, nowMs: number): Promise<void> {
    const standing = await slot.standing()
    if (standing === 'unknown' || slot !== this.#asked) return
    this.#isHeld = standing === 'mine'
    if (this.#isHeld) this.#askAtMs = nowMs + ASK_HELD_MS
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs)
    const earned = (elapsedMs * UNLOCKED_BYTES_PER_S) / 1000
    this.#level = Math.min(BURST_BYTES, this.#level + earned)
    this.#atMs = nowMs
  }
}
