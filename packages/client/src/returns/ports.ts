/**
 * What the way back of slots needs from outside (SPEC §14.4, §15.8). Implementations are `@byway/store`, the purse and whoever follows the chain.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import type { SlotState } from '@byway/protocol/payment'

/**
 * One slot that its owner wants back. `back`: what is left of it, shown or not, becomes a fresh deposit: by a refund, or by a close where a hop has won. `withdraw`: it was never shown, and
 * is paid out in money. `join`: rests of leaves become one leaf (SPEC §14.6).
 */
export type ReturnOrder =
  | { readonly nullifier: Uint8Array; readonly kind: 'back' }
  | {
      readonly nullifier: Uint8Array
      readonly kind: 'withdraw'
      /** Who receives the money, 20 bytes. */
      readonly to: Uint8Array
    }
  | {
      /** The first of the rests. */
      readonly nullifier: Uint8Array
      readonly kind: 'join'
      /** Their nullifiers, two to four. */
      readonly rests: readonly Uint8Array[]
    }

/** An order on its way. */
export type ReturnRecord = {
  /** 32 bytes; names it. */
  readonly nullifier: Uint8Array
  readonly kind: ReturnOrder['kind']
  /** Number of the deposit that becomes of what is left: each order has one of its own, and never another. Of a withdrawal -1. */
  readonly owner: number
  /** Of a withdrawal; empty otherwise. */
  readonly to: Uint8Array
  /** Of a joining; empty otherwise. They stay the same whoever is asked: another choice would link more leaves. */
  readonly rests: readonly Uint8Array[]
  /** `waiting`: nobody was told yet, or who was would not. `asked`: a relayer has it. */
  readonly state: 'waiting' | 'asked'
  /** Wall clock: nothing is done before. */
  readonly dueMs: number
  /** Who has it, or had it last; undefined for nobody. */
  readonly relay: NodeKey | undefined
  /** What the relayer was told; empty before. A withdrawal's receivers never change: two proofs of one slot for others burn its bond. */
  readonly body: Uint8Array
}

/** The orders on disk. **A promise resolves only when the disk has it.** */
export interface ReturnRecords {
  all(): Promise<readonly ReturnRecord[]>
  /** In place of the one with the same nullifier. */
  put(record: ReturnRecord): Promise<void>
  remove(nullifier: Uint8Array): Promise<void>
}

/** What the chain's events say of a slot. */
export type SlotFact = {
  readonly state: SlotState
  /** To whom it is bound, 20 bytes. */
  readonly provider: Uint8Array | undefined
  /** The highest index that was paid; absent where none was. */
  readonly lastWin?: number | undefined
}

/** All slots of the chain, from all its events: who asks for one tells whose it is. */
export interface SlotFacts {
  /** Undefined while the chain has not been read up to now. A slot that it never saw is `none`. */
  of(nullifier: Uint8Array): SlotFact | undefined
}
