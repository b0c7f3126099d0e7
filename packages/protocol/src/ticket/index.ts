/**
 * Tickets: what they pay for, what they say, when they win, and the slots behind them (SPEC §13). Pure: no I/O, no clock, no randomness.
 * @module
 */
export { TOKEN_BYTES, TOKEN_UNITS, UNIT_BYTES } from './units.ts'
