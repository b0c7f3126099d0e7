/** What keeps the slots, as the rest of the money sees it. */
import type { NodeKey } from '@byway/protocol/directory'
import type { SentTickets } from '@byway/protocol/payment'
import type { Opening } from '@byway/protocol/wire'
import type { SlotFacts } from '../returns/ports.ts'
import type { SlotAuthoriser, SlotJournal, SlotStanding, SlotUse } from './ports.ts'

/** What it needs. */
export type SlotKeeperDeps = {
  readonly authoriser: SlotAuthoriser
  readonly journal: SlotJournal
  /** A hop is about to be shown a slot for the first time. */
  readonly onShown: (hop: NodeKey, nullifier: Uint8Array) => void
  /** What the chain says of slots; absent where nobody follows it. */
  readonly facts?: SlotFacts | undefined
  /** The records are older than the chain: what is known of deposits until now is void. Repeated until it has worked; these slots were used and have no record. */
  readonly onOlder: (unrecorded: readonly Uint8Array[]) => Promise<void>
  /** This slot is on its way back to its owner: it is shown to nobody. */
  readonly isReturning: (nullifier: Uint8Array) => boolean
  /** Wall clock. */
  readonly nowMs: () => number
  /** So many slots may have been shown by somebody who forgot it: none of them is used. Told when there are more of them. */
  readonly onUnknown: (slots: number) => void
  /** Told once each time the unshown slots become few. */
  readonly onLow: (unshown: number) => void
  /** Aborted when the client stops. */
  readonly closing: AbortSignal
}

/** A slot that may be shown now: the disk knows of it. */
export type ShownSlot = {
  readonly nullifier: Uint8Array
  readonly opening: Opening
  /** secp256k1 private key, 32 bytes. */
  readonly sessionKey: Uint8Array
  /** Tickets with an index below this may have been signed. */
  readonly floor: number
  /** What was signed in this life. */
  readonly sent: SentTickets
}

/** How many slots are where. */
export type SlotCounts = {
  readonly total: number
  /** Neither shown nor of unknown past. */
  readonly unshown: number
  /** Of these, with an opening made ahead. */
  readonly ready: number
  readonly inUse: number
  /** Of unknown past, and not back yet: not to be shown, since a second showing could cost their bond. */
  readonly unknown: number
  /** Full, or of no use to their hop. */
  readonly over: number
}

/** Keeps the slots. */
export interface SlotKeeper {
  readonly counts: SlotCounts
  /** Some of the counts, for whoever asks for them all the time. */
  readonly left: Pick<SlotCounts, 'unshown' | 'inUse'>
  /** Those of unknown past that have not come back (DESIGN §7.1): of before a restore, or of records that were lost. */
  readonly unknownSlots: readonly Uint8Array[]
  /** True when a slot may be taken that nobody waits for: one is proved, and enough are left. */
  readonly hasSpare: boolean
  /** Reads the journal. Slots shown before can be shown again at once; others need {@link SlotKeeper.refresh}. */
  load(): Promise<void>
  /** Looks for deposits and top-ups on the chain. @throws what the chain throws, or the signal's reason */
  refresh(signal: AbortSignal): Promise<void>
  /** Looks whether the chain is ahead of the records; nothing while it is not read up to now. @throws what `onOlder` and the journal throw */
  compare(): Promise<void>
  /**
   * The slot of this hop for this use: the one that it was shown before, or one never shown, journalled by then.
   * @throws DEPOSIT_SPENT when no slot is left, what the authoriser or the journal throws, or the signal's reason
   */
  slotFor(hop: NodeKey, use: SlotUse, signal: AbortSignal): Promise<ShownSlot>
  /**
   * The slot that will follow the one of `slotFor` at this hop, journalled by then; `slotFor` gives it once that one is retired. Undefined while no opening is ready for it, or few slots are left:
   * nobody waits for it.
   * @throws what the journal throws
   */
  nextFor(hop: NodeKey, use: SlotUse): Promise<Opening | undefined>
  /** True when `slotFor` needs no further slot for this hop. */
  has(hop: NodeKey, use: SlotUse): boolean
  /** Makes a shown slot's opening anew: its hop does not know, or no longer takes, the root under which it was made. */
  renew(nullifier: Uint8Array, signal: AbortSignal): Promise<void>
  /** Indices below this may be signed from now on: resolves when the disk knows it. */
  raiseFloor(nullifier: Uint8Array, index: number): Promise<void>
  /** A ticket with this index was signed: this life does not sign it again. */
  onSigned(nullifier: Uint8Array, index: number): void
  /** The slot is of no use at its hop any more: the next `slotFor` gives another. */
  retire(nullifier: Uint8Array, standing: Exclude<SlotStanding, 'shown'>): Promise<void>
}
