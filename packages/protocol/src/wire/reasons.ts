/**
 * Close reasons of circuits and reset reasons of streams (SPEC §12), and the body of DESTROY (SPEC §4.2).
 * @module
 */

/** SPEC §12.1. Names are those of the table. */
export const CLOSE_REASON = {
  PROTOCOL: 16,
  INTERNAL: 17,
  RESOURCE_LIMIT: 18,
  STALE_KEY: 19,
  UNKNOWN_NODE: 20,
  NOT_ATTACHED: 21,
  CONNECT_FAILED: 22,
  TIMEOUT: 23,
  FINISHED: 24,
  DRAINING: 25,
  LINK_CLOSED: 26,
  FENCED: 27,
  UNKNOWN_TUNNEL: 28,
  NOT_EXIT: 29,
  UNPAID: 30,
} as const
export type CloseReason = (typeof CLOSE_REASON)[keyof typeof CLOSE_REASON]
export type CloseReasonName = keyof typeof CLOSE_REASON

/** SPEC §12.2. Names are those of the table. */
export const RESET_REASON = {
  MISC: 1,
  RESOLVE_FAILED: 2,
  CONNECT_REFUSED: 3,
  EXIT_POLICY: 4,
  TIMEOUT: 5,
  UNREACHABLE: 6,
  CONNECTION_RESET: 7,
  RESOURCE_LIMIT: 8,
  DRAINING: 9,
  PROTOCOL: 10,
  IDLE: 11,
  INTERNAL: 12,
} as const
export type ResetReason = (typeof RESET_REASON)[keyof typeof RESET_REASON]
export type ResetReasonName = keyof typeof RESET_REASON

/** Reads a close reason. SPEC §12.1: "A reason other than these reads as INTERNAL." */
export function parseCloseReason(byte: number): CloseReason {
  return isCloseReason(byte) ? byte : CLOSE_REASON.INTERNAL
}

/** Reads a reset reason; one that this version does not know is MISC, "anything else". */
export function parseResetReason(byte: number): ResetReason {
  return isResetReason(byte) ? byte : RESET_REASON.MISC
}

/** Returns the name of SPEC §12.1, for logs and messages. */
export function closeReasonName(reason: CloseReason): CloseReasonName {
  return CLOSE_NAMES[reason - CLOSE_REASON.PROTOCOL]!
}

/** Returns the name of SPEC §12.2, for logs and messages. */
export function resetReasonName(reason: ResetReason): ResetReasonName {
  return RESET_NAMES[reason - RESET_REASON.MISC]!
}

/** Writes the body of DESTROY: the reason, then zeros. */
export function writeDestroyBody(body: Uint8Array, reason: CloseReason): void {
  body.fill(0)
  body[0] = reason
}

/** Reads the body of DESTROY; what follows the reason is not read. */
export function readDestroyBody(body: Uint8Array): CloseReason {
  return parseCloseReason(body[0] ?? 0)
}

function isCloseReason(byte: number): byte is CloseReason {
  return byte >= CLOSE_REASON.PROTOCOL && byte <= CLOSE_REASON.UNPAID
}

function isResetReason(byte: number): byte is ResetReason {
  return byte >= RESET_REASON.MISC && byte <= RESET_REASON.INTERNAL
}

const CLOSE_NAMES = Object.keys(CLOSE_REASON) as CloseReasonName[]
const RESET_NAMES = Object.keys(RESET_REASON) as ResetReasonName[]
