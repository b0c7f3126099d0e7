/**
 * Price steps (SPEC §13.1): the few prices that a descriptor can name, so that a price tells little about who asks it.
 * @module
 */

/** SPEC §13.1: a unit costs `V · PRICE_STEPS[s] / 4096`. */
export const PRICE_STEPS = [0, 1, 2, 3, 4, 6, 8, 12, 16] as const
/** SPEC §13.1: the last step. */
export const MAX_PRICE_STEP: number = PRICE_STEPS.length - 1
