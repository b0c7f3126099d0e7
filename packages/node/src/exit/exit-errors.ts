/**
 * Errors of the exit role and what a client is told of them (SPEC §12.2).
 * No context holds a destination: names, addresses and ports stay out of errors, since errors end in logs.
 */
import {
  type BywayError,
  errorBuilder,
  type ErrorBuilder,
  type ErrorOf,
  isBywayError,
} from '@byway/protocol/base'
import { RESET_REASON, type ResetReason, type ResetReasonName } from '@byway/protocol/wire'

type ExitErrors = {
  /** The policy refuses the literal or the port; `reason` is a policy reason and is never sent to a client. */
  NODE_EXIT_POLICY: { reason: string }
  /** The name has no answer that may be used: it does not exist, or it leads where nobody may go. */
  NODE_EXIT_RESOLVE: { why: 'nxdomain' | 'no-data' | 'chain' | 'answer' | 'policy' }
  /** No DNS server gave a usable reply in time. */
  NODE_EXIT_DNS_UNAVAILABLE: { attempts: number }
  /** A DNS server sent what is no reply to the question, over a connection where that cannot be ignored. */
  NODE_EXIT_DNS_REPLY: { what: 'length' | 'mismatch' | 'closed' | 'flood' | 'rcode' }
  /** The destination refused the connection. */
  NODE_EXIT_CONNECT_REFUSED: Record<string, never>
  /** The destination did not answer in time. */
  NODE_EXIT_CONNECT_TIMEOUT: { timeoutMs: number }
  /** There is no route to the destination, or this host could not open a socket. */
  NODE_EXIT_CONNECT_UNREACHABLE: { errno: string }
  /** The destination reset the connection while it was being made. */
  NODE_EXIT_CONNECT_RESET: Record<string, never>
  /** The socket's peer is not the address that was judged. */
  NODE_EXIT_PEER_MISMATCH: Record<string, never>
  /** One of the exit's own limits refused the connection. */
  NODE_EXIT_LIMIT: { limit: string; retryAfterMs: number }
  /** A policy check was asked with an argument or a file that is not understood. */
  NODE_EXIT_CHECK_INPUT: { field: string; hint: string }
}

/** Any error of the exit role. Narrow on `code` to read `context`. */
export type ExitError = ErrorOf<ExitErrors>

/** Builds an error of the exit role. */
export const exitError: ErrorBuilder<ExitErrors> = errorBuilder<ExitErrors>({
  NODE_EXIT_POLICY: ['exit', 'the exit policy refuses this destination'],
  NODE_EXIT_RESOLVE: ['exit', 'the name has no usable answer'],
  NODE_EXIT_DNS_UNAVAILABLE: ['network', 'no DNS server gave a usable reply'],
  NODE_EXIT_DNS_REPLY: ['network', 'a DNS server sent an unusable reply'],
  NODE_EXIT_CONNECT_REFUSED: ['exit', 'the destination refused the connection'],
  NODE_EXIT_CONNECT_TIMEOUT: ['exit', 'the destination did not answer in time'],
  NODE_EXIT_CONNECT_UNREACHABLE: ['exit', 'the destination cannot be reached'],
  NODE_EXIT_CONNECT_RESET: ['exit', 'the destination reset the connection'],
  NODE_EXIT_PEER_MISMATCH: ['bug', 'a socket is connected to another address than the one judged'],
  NODE_EXIT_LIMIT: ['exit', 'a limit of this exit refused the connection'],
  NODE_EXIT_CHECK_INPUT: ['config', 'the policy check was given something it does not understand'],
})

/** What a client is told. A private answer reads like a name that does not exist, so the home cannot be mapped (SPEC §7.2). */
export function resetReasonOf(error: unknown): ResetReason {
  const name = isBywayError(error) ? RESET_REASONS.get(error.code) : undefined
  return RESET_REASON[name ?? 'INTERNAL']
}

/** True for an {@link ExitError} of the given code. */
export function isExitError<Code extends ExitError['code']>(
  error: unknown,
  code: Code,
): error is Extract<ExitError, BywayError<Code>> {
  return isBywayError(error) && error.code === code
}

const RESET_REASONS: ReadonlyMap<string, ResetReasonName> = new Map<
  ExitError['code'],
  ResetReasonName
>([
  ['NODE_EXIT_POLICY', 'EXIT_POLICY'],
  ['NODE_EXIT_RESOLVE', 'RESOLVE_FAILED'],
  ['NODE_EXIT_DNS_UNAVAILABLE', 'RESOLVE_FAILED'],
  ['NODE_EXIT_DNS_REPLY', 'RESOLVE_FAILED'],
  ['NODE_EXIT_CONNECT_REFUSED', 'CONNECT_REFUSED'],
  ['NODE_EXIT_CONNECT_TIMEOUT', 'TIMEOUT'],
  ['NODE_EXIT_CONNECT_UNREACHABLE', 'UNREACHABLE'],
  ['NODE_EXIT_CONNECT_RESET', 'CONNECTION_RESET'],
  ['NODE_EXIT_LIMIT', 'RESOURCE_LIMIT'],
])
