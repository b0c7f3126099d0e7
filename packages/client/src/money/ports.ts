/**
 * What the client's money needs from outside: a chain to look at, a disk that keeps, somebody who signs for deposits. Their implementations are
 * `@byway/chain`, `@byway/store` and the purse; here they are only named.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import type { JoinTerms, RefundTerms } from '@byway/protocol/ticket'
import type { JoinRequest, Opening } from '@byway/protocol/wire'

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
  /** False: somebody else has the secret of its deposit as well, as who gave a voucher does. What the chain says of it tells nothing of these records. */
  readonly isOwnersAlone: boolean
}

/** Says which slots there are and makes their openings: the one place that knows what proves a slot. */
export interface SlotAuthoriser {
  /** Openings in stock. */
  readonly prepared: number
  /**
   * Every slot of the client's deposits that the chain has, looked up anew.
   * @throws what the chain throws, or the signal's reason
   */
  slots(signal: AbortSignal): Promise<readonly Slot[]>
  /**
   * The opening of this slot under the newest root.
   * @throws DEPOSIT_TOO_NEW while no published root holds the deposit; what the chain or the prover throws, or the signal's reason
   */
  openingFor(nullifier: Uint8Array, signal: AbortSignal): Promise<Opening>
  /** The secp256k1 private key of a slot, 32 bytes: the same whenever it is asked for. */
  sessionKeyFor(nullifier: Uint8Array): Uint8Array
  /**
   * Keeps a stock of openings, for some of these slots, which nobody was shown; those made for others, or under an older root, are dropped. Call it when the slots change, and again
   * when a root may be published. Resolves when the stock is full.
   * @throws what the chain or the prover throws, or the signal's reason
   */
  prepare(unshown: readonly Uint8Array[], signal: AbortSignal): Promise<void>
  /**
   * Resolves when there is one more opening for some of these slots: who waits here goes before the stock.
   * @throws as `openingFor` does
   */
  prepareOne(unshown: readonly Uint8Array[], signal: AbortSignal): Promise<void>
  /** Takes an opening of one of these slots out of the stock, any of them; undefined when there is none. */
  takePrepared(unshown: readonly Uint8Array[]): Opening | undefined
  /**
   * A proof that sends a slot to a new deposit, whether it was shown or not (SPEC §14.4).
   * @throws as {@link SlotAuthoriser.openingFor}
   */
  refundFor(nullifier: Uint8Array, terms: RefundTerms, signal: AbortSignal): Promise<BoundProof>
  /**
   * A proof that pays a slot out to `to`, less a unit for `feeTo` (SPEC §14.4). Ask for no slot that anybody was shown, and for none twice: two proofs burn its bond.
   * @throws as {@link SlotAuthoriser.openingFor}
   */
  withdrawalFor(
    nullifier: Uint8Array,
    to: Uint8Array,
    feeTo: Uint8Array,
    signal: AbortSignal,
  ): Promise<BoundProof>
  /**
   * What the client's leaves under the newest root have beyond whole slots, joined already or not; leaves of the last {@link SlotAuthoriser.slots}.
   * @throws what the chain throws, or the signal's reason
   */
  leafRests(signal: AbortSignal): Promise<readonly LeafRest[]>
  /**
   * A proof that makes one leaf of up to four rests (SPEC §14.6). A second one of the same rests costs nothing: whichever is carried out first counts.
   * @throws as {@link SlotAuthoriser.openingFor}
   */
  joiningFor(
    rests: readonly Uint8Array[],
    terms: JoinTerms,
    signal: AbortSignal,
  ): Promise<JoinProof>
}

/** A slot proof that was made for where the slot goes. */
export type BoundProof = { readonly root: Uint8Array; readonly proof: Uint8Array }

/** The units of a leaf that make no slot: all of one smaller than a slot. */
export type LeafRest = {
  /** Its nullifier, 32 bytes: names it. */
  readonly rest: Uint8Array
  /** At least one, and fewer than a slot has. */
  readonly units: number
}

/** What a join request needs besides its terms. */
export type JoinProof = Pick<JoinRequest, 'root' | 'rests' | 'units' | 'proof'>

/** Openings made ahead, kept between runs: each cost a second of a core. A promise resolves when the disk has it. */
export interface OpeningRecords {
  all(): Promise<readonly Opening[]>
  put(opening: Opening): Promise<void>
  remove(nullifier: Uint8Array): Promise<void>
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
