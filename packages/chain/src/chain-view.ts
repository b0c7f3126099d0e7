/**
 * What the engines see of the chain: reading. Every answer is one that enough endpoints gave for the same block (ADR-0009), and every call has a time
 * limit of its own besides its signal.
 * @module
 */
import type { StakeChange } from '@byway/protocol/directory'
import type {
  ChainHead,
  DepositLeaf,
  EventPlace,
  Hex,
  PublishedRoot,
  Registration,
  SlotState,
  SlotWord,
} from '@byway/protocol/payment'
import type { CallOpening, CallTicket } from './contracts/pool-types.ts'

/**
 * The contracts' state. All methods throw `CHAIN_UNREACHABLE` when too few endpoints answer, `CHAIN_DISAGREE` when answers differ, `CHAIN_WRONG_CHAIN`
 * for endpoints of another chain, and the signal's reason.
 */
export interface ChainView {
  readonly chainId: number
  /** The newest block that the endpoints agree on. Looked up at most once in a poll interval; `CHAIN_UNREACHABLE` also when only one is near the top. */
  head(signal: AbortSignal): Promise<ChainHead>
  /** A slot's word; a slot the contract never saw is `free`. */
  slot(nullifier: Uint8Array, signal: AbortSignal): Promise<SlotWord>
  /** When a root was published, or undefined when it was not. */
  publishedRoot(root: Uint8Array, signal: AbortSignal): Promise<PublishedRoot | undefined>
  /** The root to prove against now; undefined before the first. */
  newestRoot(signal: AbortSignal): Promise<PublishedRoot | undefined>
  /**
   * Every leaf from index `from` on, in order and without a hole. Always the whole set: who asks for one leaf tells whose it is.
   */
  leaves(from: number, signal: AbortSignal): Promise<readonly DepositLeaf[]>
  /** A node as the registry has it; undefined for a provider that was never registered. */
  registration(provider: Uint8Array, signal: AbortSignal): Promise<Registration | undefined>
  /** What of a provider's wins is held back in the pool: of the epoch before, of this one, and lost but not yet burned. */
  held(provider: Uint8Array, signal: AbortSignal): Promise<HeldBack>
  /** What the pool owes to a provider and has not paid out. */
  credit(provider: Uint8Array, signal: AbortSignal): Promise<bigint>
  tokenBalance(account: Uint8Array, signal: AbortSignal): Promise<bigint>
  tokenAllowance(owner: Uint8Array, spender: Uint8Array, signal: AbortSignal): Promise<bigint>
  /** Native coin, for gas, wei. */
  gasBalance(account: Uint8Array, signal: AbortSignal): Promise<bigint>
  /** What a transaction of a block did: its events in order; undefined when it is not in the chain. */
  eventsOf(transaction: Hex, signal: AbortSignal): Promise<readonly ChainEvent[] | undefined>
  /**
   * What bound a slot, for whoever holds evidence against it; undefined where no bind of the last 20 000 blocks is found, or it was sent through another contract. The
   * endpoints learn which slot.
   */
  bindOf(nullifier: Uint8Array, signal: AbortSignal): Promise<SlotBind | undefined>
  /**
   * What was paid for wins, in no order, and for others of their slots, whoever sent them; those of the last 160 000 blocks. The endpoints learn which slots.
   */
  paidFor(wins: readonly WinPlace[], signal: AbortSignal): Promise<readonly PaidWin[]>
  /** Who sent a transaction of a block, 20 bytes; undefined when it is not in the chain. */
  senderOf(transaction: Hex, signal: AbortSignal): Promise<Uint8Array | undefined>
  /**
   * Follows pool and registry from a block on, until the signal aborts (then it ends) or the chain was reorganised deeper than it remembers
   * (`CHAIN_REORG_DEPTH`). While the chain cannot be asked it waits and says `quiet`; it does not throw.
   */
  events(fromBlock: number, signal: AbortSignal): AsyncIterable<ChainNews>
}

/** The first win of a slot, as it was shown to the contract. */
export type SlotBind = {
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly opening: CallOpening
  readonly ticket: CallTicket
}

/** A win: its slot and its index in it. */
export type WinPlace = { readonly nullifier: Uint8Array; readonly index: number }

/** A win that was paid, as the contract says it. */
export type PaidWin = WinPlace & { readonly provider: Uint8Array; readonly paid: bigint }

/** Parts of wins that wait in the pool (SPEC §17.5). */
export type HeldBack = { readonly due: bigint; readonly open: bigint; readonly lost: bigint }

/**
 * What the follower says, in the chain's order. `removed`: this event is no longer in the chain; told newest first. `head`: all events up to this block were
 * told, and `isNewest` says that there is no later one: a long history is read in parts. `quiet`: the chain cannot be asked at the moment; told once, a `head` ends it.
 */
export type ChainNews =
  | { readonly type: 'event'; readonly event: ChainEvent }
  | { readonly type: 'removed'; readonly event: ChainEvent }
  | { readonly type: 'head'; readonly head: ChainHead; readonly isNewest: boolean }
  | { readonly type: 'quiet' }

/** An event of the contracts. Amounts are the token's smallest parts. */
export type ChainEvent = EventPlace & ChainEventBody

export type ChainEventBody =
  | {
      /** A leaf entered the tree: a deposit, or the rest of a slot. */
      readonly name: 'leaf'
      readonly index: number
      readonly leaf: bigint
      readonly idc: bigint
      readonly limit: number
    }
  | {
      /** A root may be used from now on; it covers the first `leaves` leaves. */
      readonly name: 'root'
      readonly root: Uint8Array
      readonly leaves: number
      readonly publishedAtS: number
    }
  | { readonly name: 'locked'; readonly nullifier: Uint8Array; readonly provider: Uint8Array }
  | {
      readonly name: 'lapsed'
      readonly nullifier: Uint8Array
      readonly provider: Uint8Array
      readonly penalty: bigint
    }
  | {
      /** A win was paid; `wins` 1 is the one that bound the slot, `paid` what the provider got after fees and what is held back. */
      readonly name: 'won'
      readonly nullifier: Uint8Array
      readonly provider: Uint8Array
      readonly index: number
      readonly wins: number
      readonly paid: bigint
    }
  | {
      /** A slot went into a state other than `locked`, `lapsed` and `bound`. */
      readonly name: 'slot'
      readonly nullifier: Uint8Array
      readonly state: SlotState
    }
  | {
      readonly name: 'bond-burned'
      readonly nullifier: Uint8Array
      readonly reporter: Uint8Array
      readonly reward: bigint
    }
  | {
      readonly name: 'paid-out'
      readonly provider: Uint8Array
      readonly to: Uint8Array
      readonly amount: bigint
    }
  | {
      /** Held back of wins in an epoch to which the provider did not commit: to be burned. */
      readonly name: 'held-lost'
      readonly provider: Uint8Array
      readonly amount: bigint
    }
  | {
      /** What was held back for an epoch, `held`, went to the payout address, but for fees of who sent in the provider's place. */
      readonly name: 'held-released'
      readonly provider: Uint8Array
      readonly epoch: number
      readonly amount: bigint
      readonly held: bigint
    }
  | {
      /** What was held back for an epoch, but for a fee that was paid before, was burned. */
      readonly name: 'held-burned'
      readonly provider: Uint8Array
      readonly epoch: number
      readonly amount: bigint
    }
  | {
      /** Who sent a step of a service proof in the provider's place was paid: of what was held back, or for an answer of the bond. */
      readonly name: 'held-fee' | 'answer-fee'
      readonly provider: Uint8Array
      readonly epoch: number
      readonly to: Uint8Array
      readonly amount: bigint
    }
  | { readonly name: 'burned'; readonly amount: bigint }
  | {
      /** An entry of a batch was left out. */
      readonly name: 'skipped'
      readonly nullifier: Uint8Array
      readonly reason: SkipReason
    }
  | {
      readonly name: 'registry'
      readonly provider: Uint8Array
      /** Absent for what is not about the stake, such as a new payout address. */
      readonly change: StakeChange | undefined
    }

/** Why the pool left an entry of a batch out; `unknown` for a word of a later contract. */
export type SkipReason =
  | 'unknown-root'
  | 'slot-taken'
  | 'slot-finished'
  | 'slot-full'
  | 'wrong-state'
  | 'too-early'
  | 'not-active'
  | 'bad-amount'
  | 'bad-index'
  | 'bad-signature'
  | 'not-a-win'
  | 'bad-proof'
  | 'bad-destination'
  | 'fee-not-covered'
  | 'unknown'
