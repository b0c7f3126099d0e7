/** A slot's one word (SPEC §14): `u160 holder ‖ u32 last index ‖ u8 wins ‖ u8 state ‖ u48 time`, from the highest bit down; the top bit of `state` says that the bond is gone. */
import { SLOT_STATES, type SlotState, type SlotWord } from '@byway/protocol/payment'
import { wordOf } from './bytes.ts'

/** Decodes the word; undefined for a state that no contract we know has. */
export function decodeSlotWord(word: bigint): SlotWord | undefined {
  const state = slotStateOf(Number((word >> 48n) & 0x7fn))
  if (state === undefined) return undefined
  return {
    holder: wordOf(word >> 96n).slice(12),
    lastIndex: Number((word >> 64n) & 0xffff_ffffn),
    wins: Number((word >> 56n) & 0xffn),
    state,
    isBurned: ((word >> 55n) & 1n) === 1n,
    timeS: Number(word & 0xffff_ffff_ffffn),
  }
}

/** The name of a state's number. */
export function slotStateOf(state: number): SlotState | undefined {
  return SLOT_STATES[state]
}
