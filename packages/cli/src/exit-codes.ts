/** The exit codes of `byway`, after sysexits(3), and which errors lead to which (docs/CLI.md lists them). */
import { isBywayError, type ErrorKind } from '@byway/protocol/base'

export const EXIT_CODE = {
  OK: 0,
  /** The command line is wrong. */
  USAGE: 64,
  /** Not available: the network, an exit or a node. */
  UNAVAILABLE: 69,
  /** A bug of Byway. */
  BUG: 70,
  /** This machine: disk, port, permission. */
  LOCAL: 74,
  /** The other side broke the protocol. */
  PEER: 76,
  /** Not allowed: consent, payment. */
  REFUSED: 77,
  /** A setting or a file is wrong. */
  CONFIG: 78,
  /** Interrupted for the second time, while still stopping. */
  INTERRUPTED: 130,
} as const
export type ExitCode = (typeof EXIT_CODE)[keyof typeof EXIT_CODE]

const OF_KIND: Readonly<Record<ErrorKind, ExitCode>> = {
  bug: EXIT_CODE.BUG,
  config: EXIT_CODE.CONFIG,
  local: EXIT_CODE.LOCAL,
  network: EXIT_CODE.UNAVAILABLE,
  peer: EXIT_CODE.PEER,
  exit: EXIT_CODE.UNAVAILABLE,
  payment: EXIT_CODE.REFUSED,
  chain: EXIT_CODE.UNAVAILABLE,
}

/** Codes whose kind says who can act, while the command was refused on purpose. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CONSENT_MISSING',
  'CONSENT_NOT_INTERACTIVE',
  'CONSENT_PHRASE',
  'WALLET_NOT_CONFIRMED',
  'WALLET_WORDS_UNCONFIRMED',
  'WALLET_WORDS_UNSEEN',
])

/** The exit code for anything thrown. What is no `BywayError` and not the system's is a bug. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!isBywayError(error)) return isSystemError(error) ? EXIT_CODE.LOCAL : EXIT_CODE.BUG
  if (error.code === 'CLI_USAGE') return EXIT_CODE.USAGE
  return REFUSALS.has(error.code) ? EXIT_CODE.REFUSED : OF_KIND[error.kind]
}

/** True for an error of the operating system, such as ENOSPC or EADDRINUSE. */
export function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    'syscall' in error &&
    'code' in error &&
    typeof error.code === 'string'
  )
}
