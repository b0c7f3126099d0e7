/**
 * What dialling and listening throw. Contexts hold small words and numbers, never an address, a node id or a key.
 * A link that is up does not throw: it ends with a `LinkCloseReason`.
 * @module
 */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

/** Context carried by each code. One row here is one row of docs/ERRORS.md. */
type NetErrors = {
  /** The connection could not be made or broke before the greetings were done. `errno` is the system's word, or `closed`. */
  NET_CONNECT: { step: DialStep; errno: string }
  /** The dial took longer than it may. */
  NET_TIMEOUT: { step: DialStep; timeoutMs: number }
  /** The other side answered, but not as the node that was asked for (SPEC §3.2). */
  NET_REFUSED: { status: number }
  /** The proof of identity does not hold (SPEC §3.3). */
  NET_PROOF: { fault: ProofFault }
  /** The listener cannot use its address. */
  NET_LISTEN: { errno: string }
}

/** How far a dial had come. */
export type DialStep = 'connect' | 'upgrade' | 'greeting'

/** The system's word for a failure; its own error is not kept as a cause, since that names the address. */
export function errnoOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[A-Z][A-Z0-9_]{1,47}$/.test(code) ? code : 'closed'
}

/** What is wrong with a proof of identity. */
export type ProofFault =
  | 'format'
  | 'node-id'
  | 'not-yet-valid'
  | 'expired'
  | 'certificate'
  | 'proof'

/** Every error this package throws. Narrow on `code` to read `context`. */
export type NetError = ErrorOf<NetErrors>

/** Builds, does not throw: `throw netError('NET_REFUSED', …)` keeps the stack at the call site. */
export const netError: ErrorBuilder<NetErrors> = errorBuilder<NetErrors>({
  NET_CONNECT: ['network', 'the node could not be reached'],
  NET_TIMEOUT: ['network', 'the node did not answer in time'],
  NET_REFUSED: ['peer', 'the other side does not take this link'],
  NET_PROOF: ['peer', 'the other side did not prove its identity'],
  NET_LISTEN: ['local', 'the address to listen on cannot be used'],
})
