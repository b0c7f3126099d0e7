/**
 * What goes wrong with keys. Contexts hold numbers and small words of our own: never a word of the twelve or twenty-four, a passphrase, a key or an address.
 * @module
 */
import { errorBuilder, type ErrorBuilder, type ErrorKind, type ErrorOf } from '@byway/protocol/base'

type PurseErrors = {
  /** There is no purse in this state folder: `byway wallet create` or `byway wallet restore`. */
  PURSE_MISSING: Record<string, never>
  /** There is a purse already, and nothing overwrites one: move the file away, or choose another state folder. */
  PURSE_EXISTS: Record<string, never>
  /** The file is no keystore of version 3, or damaged. `field` says where. */
  PURSE_DAMAGED: { field: string }
  /** The keystore asks for more memory or work than any honest one. */
  PURSE_KEYSTORE_COST: { field: string }
  /** The passphrase does not open the keystore. */
  PURSE_PASSPHRASE_WRONG: Record<string, never>
  /** The passphrase is too short to protect anything. */
  PURSE_PASSPHRASE_WEAK: { least: number }
  /** The keystore was made cheap for a network on one machine, and this network is not one. */
  PURSE_KEYSTORE_WEAK: Record<string, never>
  /** The words are not 12, 15, 18, 21 or 24. */
  PURSE_WORDS_COUNT: { words: number }
  /** One word is not in the list; `position` counts from 1. */
  PURSE_WORD_UNKNOWN: { position: number }
  /** All words are known, but they do not belong together: one is wrong or two are swapped. */
  PURSE_WORDS_CHECKSUM: { words: number }
  /** The key is none of the curve: the source is damaged. */
  PURSE_KEY: { key: string }
  /** The signer refuses; `rule` says which of its rules forbids it. Nothing was signed. */
  PURSE_REFUSED: { rule: RefusalRule }
  /** The purse was opened without the rules of a network, so that it signs no transaction. */
  PURSE_NO_RULES: Record<string, never>
  /** The purse was locked, or the signer's process has ended: open it again. */
  PURSE_LOCKED: Record<string, never>
  /** The signer did not understand a request, or its answer was not understood. */
  PURSE_SIGNER: { problem: SignerProblem }
  /** Not an address: 40 hexadecimal digits after `0x`, in the mixed case that carries the checksum of EIP-55. */
  PURSE_ADDRESS: { problem: 'format' | 'checksum' | 'zero' }
  /** The text is no voucher, or a letter of it is wrong. */
  PURSE_VOUCHER: { problem: 'format' | 'checksum' | 'network' | 'used' | 'full' }
}

/** Which rule of the signer forbids a request. */
export type RefusalRule =
  | 'chain'
  | 'contract'
  | 'call'
  | 'account'
  | 'recipient'
  | 'value'
  | 'size'
  | 'gas'
  | 'gas-of-day'
  | 'fee'
  | 'deadline'

/** What is wrong with a message to or from the signer. */
export type SignerProblem = 'size' | 'json' | 'verb' | 'field' | 'start' | 'answer'

/** Every error this package throws. Narrow on `code` to read `context`. */
export type PurseError = ErrorOf<PurseErrors>

/** Any code of this package. */
export type PurseCode = keyof PurseErrors

const ROWS: { readonly [Code in PurseCode]: readonly [kind: ErrorKind, message: string] } = {
  PURSE_MISSING: ['config', 'there is no purse in this state folder'],
  PURSE_EXISTS: ['config', 'there is a purse in this state folder already'],
  PURSE_DAMAGED: ['local', 'the keystore is damaged'],
  PURSE_KEYSTORE_COST: ['config', 'the keystore asks for too much work'],
  PURSE_PASSPHRASE_WRONG: ['config', 'the passphrase is wrong'],
  PURSE_PASSPHRASE_WEAK: ['config', 'the passphrase is too short'],
  PURSE_KEYSTORE_WEAK: ['config', 'the keystore is made for a local network only'],
  PURSE_WORDS_COUNT: ['config', 'there must be 12, 15, 18, 21 or 24 words'],
  PURSE_WORD_UNKNOWN: ['config', 'a word is not in the list'],
  PURSE_WORDS_CHECKSUM: ['config', 'the words do not belong together'],
  PURSE_KEY: ['local', 'not a key of the curve'],
  PURSE_REFUSED: ['payment', 'the signer refuses'],
  PURSE_NO_RULES: ['bug', 'the purse was opened without the rules of a network'],
  PURSE_LOCKED: ['local', 'the purse is locked'],
  PURSE_SIGNER: ['bug', 'the signer and its program do not understand each other'],
  PURSE_ADDRESS: ['config', 'not a usable address'],
  PURSE_VOUCHER: ['config', 'not a usable voucher'],
}

/** Builds, does not throw: `throw purseError('PURSE_MISSING', {})` keeps the stack at the call site. */
export const purseError: ErrorBuilder<PurseErrors> = errorBuilder<PurseErrors>(ROWS)

/** True for a code of this package, as it comes from another process. */
export function isPurseCode(code: unknown): code is PurseCode {
  return typeof code === 'string' && Object.hasOwn(ROWS, code)
}
