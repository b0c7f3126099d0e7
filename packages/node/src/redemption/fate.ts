/**
 * What the chain says of a slot's winners, and what is to be done for them next (SPEC §14.2, §14.3). Pure.
 * @module
 */
import type { SlotWord } from '@byway/protocol/payment'
import type { LossReason, StoredWinner } from '@byway/store'

/** A slot with its winners and its word. */
export type SlotCase = {
  readonly nullifier: Uint8Array
  /** All of the slot that the store has, whatever their state. */
  readonly winners: readonly StoredWinner[]
  readonly word: SlotWord
  /** Whose the word's holder is. */
  readonly holder: 'ours' | 'other' | 'nobody'
  /** A lock was mined and did not take, or nobody can send one: bind without. */
  readonly isLockTried: boolean
}

/** `open`: still to be claimed. Everything else holds only as long as the chain is not reorganised. */
export type Fate = 'open' | 'paid' | LossReason

/** What a slot wants next. `wait`: another provider's lock may still lapse. */
export type Want = 'lock' | 'bind' | 'claim' | 'wait' | 'nothing'

/** The fate of each winner, by rising index. */
export function fatesOf(
  { winners, word, holder }: SlotCase,
  winsPerSlot: number,
): readonly { readonly winner: StoredWinner; readonly fate: Fate }[] {
  const rising = winners.toSorted((a, b) => a.index - b.index)
  switch (word.state) {
    case 'none':
    case 'locked':
    case 'lapsed':
    case 'refunding':
    case 'withdrawing':
      return rising.map((winner) => ({ winner, fate: 'open' }))
    case 'refunded':
    case 'withdrawn':
      return rising.map((winner) => ({ winner, fate: 'ended' }))
    case 'bound':
    case 'closing':
    case 'closed':
      if (holder !== 'ours') return rising.map((winner) => ({ winner, fate: 'taken' }))
      return boundFates(rising, word, winsPerSlot)
  }
}

/**
 * Our bound slot: the word says how many wins were paid and up to which index. Claims go out by rising index, so those below it were all paid. Should there be more
 * of them than paid wins, the highest count as paid: each pays the same, so the sum is right.
 */
function boundFates(
  rising: readonly StoredWinner[],
  { state, lastIndex, wins }: SlotWord,
  winsPerSlot: number,
): readonly { readonly winner: StoredWinner; readonly fate: Fate }[] {
  const below = rising.filter(({ index }) => index <= lastIndex)
  const paid = new Set(below.slice(Math.max(0, below.length - wins)))
  const rest = state === 'closed' ? 'ended' : wins >= winsPerSlot ? 'full' : 'open'
  return rising.map((winner) => {
    if (paid.has(winner)) return { winner, fate: 'paid' }
    return { winner, fate: winner.index <= lastIndex ? 'index' : rest }
  })
}

/** What to do next for a slot that has open winners. */
export function wantOf({ word, holder, isLockTried }: SlotCase): Want {
  switch (word.state) {
    case 'none':
      return isLockTried ? 'bind' : 'lock'
    case 'locked':
      return holder === 'ours' ? 'bind' : 'wait'
    case 'lapsed':
    case 'refunding':
    case 'withdrawing':
      return 'bind'
    case 'bound':
    case 'closing':
      return holder === 'ours' ? 'claim' : 'nothing'
    case 'closed':
    case 'refunded':
    case 'withdrawn':
      return 'nothing'
  }
}

/** Delays of the contract, seconds. */
export type SlotDelays = {
  readonly lockS: number
  readonly refundDelayS: number
  readonly closeDelayS: number
}

/** Until when, by the chain's clock, the next step can be taken without loss; nothing where no end is set. */
export function deadlineOf({ word }: SlotCase, delays: SlotDelays): number | undefined {
  switch (word.state) {
    case 'locked':
      return word.timeS + delays.lockS
    case 'refunding':
    case 'withdrawing':
      return word.timeS + delays.refundDelayS
    case 'closing':
      return word.timeS + delays.closeDelayS
    case 'none':
    case 'lapsed':
    case 'bound':
    case 'closed':
    case 'refunded':
    case 'withdrawn':
      return undefined
  }
}
