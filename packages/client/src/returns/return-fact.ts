/** Where an order is, as the chain says. @module */
import type { SlotState } from '@byway/protocol/payment'
import type { ReturnRecord, SlotFact, SlotFacts } from './ports.ts'

/** The slot's, or the rests' of a joining together; undefined while the chain has not been read up to now. */
export function factOf(facts: SlotFacts, record: ReturnRecord): SlotFact | undefined {
  return record.kind === 'join' ? joiningFact(facts, record.rests) : facts.of(record.nullifier)
}

/** Nothing is left to do: it came back, or can no longer be joined as it was asked for. */
export function isOver({ state }: SlotFact): boolean {
  return state === 'refunded' || state === 'closed' || state === 'withdrawn'
}

/** It was begun: what is left to do comes after the contract's delay. */
export function isUnderWay({ kind }: ReturnRecord, { state }: SlotFact): boolean {
  return kind === 'withdraw'
    ? state === 'withdrawing'
    : state === 'refunding' || state === 'closing'
}

/** True for a rest that can be joined: what somebody locks under its name counts for nothing (SPEC §14.4). */
export function isFree(state: SlotState): boolean {
  return state === 'none' || state === 'locked' || state === 'lapsed'
}

/** A joining is carried out whole or not at all: once one of them is gone the others are free for another. */
function joiningFact(facts: SlotFacts, rests: readonly Uint8Array[]): SlotFact | undefined {
  const all = rests.map((rest) => facts.of(rest))
  if (all.includes(undefined)) return undefined
  const isWhole = all.every((fact) => fact && isFree(fact.state))
  return { state: isWhole ? 'none' : 'refunded', provider: undefined }
}
