/**
 * What the engines see of the chain: reading. Every answer is one that enough endpoints gave for the same block (ADR-0009), and every call has a time
 * limit of its own besides its signal.
 * @module
 */
import type {
  ChainHead,
  DepositLeaf,
  EventPlace,
  PublishedRoot,
  Registration,
  SlotWord,
} from '@byway/protocol/payment'

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
  registration(provider: Uint8Array, signal: AbortSignal): Promise<Registration | undefined>
  registrationOf(nodeId: Uint8Array, signal: AbortSignal): Promise<Registration | undefined>
  /** What the pool owes to a provider and has not paid out. */
  credit(provider: Uint8Array, signal: AbortSignal): Promise<bigint>
  tokenBalance(account: Uint8Array, signal: AbortSignal): Promise<bigint>
  tokenAllowance(owner: Uint8Array, spender: Uint8Array, signal: AbortSignal): Promise<bigint>
  /** Native coin, for gas, wei. */
  gasBalance(account: Uint8Array, signal: AbortSignal): Promise<bigint>
  /**
   * Follows pool and registry from a block on, until the signal aborts (then it ends) or the chain was reorganised deeper than it remembers
   * (`CHAIN_REORG_DEPTH`). While the chain cannot be asked it waits and says `quiet`; it does not throw.
   */
  events(fromBlock: number, signal: AbortSignal): AsyncIterable<ChainNews>
}

/**
 * What the follower says, in the chain's order. `removed`: this event is no longer in the chain; told newest first. `head`: all events up to this block were
 * told. `quiet`: the chain cannot be asked at the moment; told once, a `head` ends it.
 */
export type ChainNews =
  | { readonly type: 'event'; readonly event: ChainEvent }
  | { readonly type: 'removed'; readonly event: ChainEvent }
  | { readonly type: 'head'; readonly head: ChainHead }
  | { readonly type: 'quiet' }

/** An event of the contracts. Amounts are the token's smallest parts. */
export type ChainEvent = EventPlace & ChainEventBody

export type ChainEventBody =
  | { readonly name: 'leaf'; readonly index: number; readonly leaf: bigint }
  | { readonly name: 'root'; readonly root: Uint8Array; readonly publishedAtS: number }
  | { readonly name: 'locked'; readonly nullifier: Uint8Array; readonly provider: Uint8Array }
  | {
      /** A win was paid: the first of a slot (which binds it) or a later one. */
      readonly name: 'won'
      readonly nullifier: Uint8Array
      readonly provider: Uint8Array
      readonly index: number
      readonly amount: bigint
      readonly isFirst: boolean
    }
  | {
      /** A slot changed its state in another way. */
      readonly name: 'slot'
      readonly nullifier: Uint8Array
      readonly change: SlotChange
    }
  | { readonly name: 'paid-out'; readonly provider: Uint8Array; readonly amount: bigint }
  | { readonly name: 'registry'; readonly provider: Uint8Array }

export type SlotChange =
  | 'closing'
  | 'closed'
  | 'refunding'
  | 'refunded'
  | 'withdrawing'
  | 'withdrawn'
  | 'conflict'
