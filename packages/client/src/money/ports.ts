/**
 * What the client's money needs from outside: a chain to look at, a disk that keeps, somebody who signs for deposits. Their implementations are
 * `@byway/chain`, `@byway/store` and the purse; here they are only named.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import type { Opening } from '@byway/protocol/wire'

/**
 * What a slot is shown for. An entry knows its client; as a later hop the same node must not, so it is shown another slot there.
 * `link`: tickets on the link to an entry. `tokens`: tickets on control circuits, for tokens.
 */
export type SlotUse = 'link' | 'tokens'

/** One slot of one of the client's deposits (SPEC §13.2). */
export type Slot = {
  /** 32 bytes: names the slot. */
  readonly nullifier: Uint8Array
  /** False: it may have been shown to somebody in a past that this client has no record of, so it is never shown again. */
  readonly isKnownUnshown: boolean
}

/** Says which slots there are and makes their openings: the one place that knows what proves a slot. */
export interface SlotAuthoriser {
  /**
   * Every slot of the client's deposits that the chain has, looked up anew.
   * @throws what the chain throws, or the signal's reason
   */
  slots(signal: AbortSignal): Promise<readonly Slot[]>
  /**
   * The opening to show now, under the root of these hours.
   * @throws DEPOSIT_TOO_NEW while no published root holds the deposit; what the chain or the signer throws, or the signal's reason
   */
  openingFor(nullifier: Uint8Array, signal: AbortSignal): Promise<Opening>
  /** The secp256k1 private key of a slot, 32 bytes: the same whenever it is asked for. */
  sessionKeyFor(nullifier: Uint8Array): Uint8Array
  /**
   * Makes openings ahead, for some of these slots, which nobody was shown. Call it when there is time, and again when a root is published.
   * @throws what the chain or the prover throws, or the signal's reason
   */
  prepare(unshown: readonly Uint8Array[], signal: AbortSignal): Promise<void>
  /** True when the slot's opening is there at once. */
  isPrepared(nullifier: Uint8Array): boolean
}

/**
 * What became of a slot that was shown. `shown`: in use, or to be used again. `full`: its wins are used up. `refused`: its hop does not take it (any more).
 * Neither of the last two is ever shown again.
 */
export type SlotStanding = 'shown' | 'full' | 'refused'

/** A slot that was, or is about to be, shown. */
export type SlotRecord = {
  readonly nullifier: Uint8Array
  /** To whom, and for what. */
  readonly hop: NodeKey
  readonly use: SlotUse
  readonly standing: SlotStanding
  readonly shownAtS: number
  /** What was shown: it is shown again on each new carrier, with or without a chain to ask. */
  readonly opening: Opening
  /** Tickets with an index below this may have been signed in an earlier life. */
  readonly floor: number
}

/** The journal of slots. **A promise resolves only when the disk has it**: an opening is shown and an index signed after that and never before. */
export interface SlotJournal {
  all(): Promise<readonly SlotRecord[]>
  /** Writes the record in place of the one with the same nullifier; its floor never falls. */
  put(record: SlotRecord): Promise<void>
  /** Raises a record's floor. */
  raiseFloor(nullifier: Uint8Array, index: number): Promise<void>
}

/** What was spent in each calendar month, kept between runs. */
export interface MonthBook {
  /** @param month - `2026-11` */
  load(month: string): Promise<bigint>
  add(month: string, amount: bigint): Promise<void>
}
