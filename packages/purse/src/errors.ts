/**
 * What goes wrong with keys. Contexts hold numbers and small words of our own: never a word of the twelve or twenty-four, a passphrase, a key or an address.
 * @module
 */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

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
  /** A passphrase is needed and nobody can be asked: name a file with it, or a credential. */
  PURSE_PASSPHRASE_MISSING: { hint: string }
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
  /** Not an address: 40 hexadecimal digits after `0x`, in the mixed case that carries the checksum of EIP-55. */
  PURSE_ADDRESS: { problem: 'format' | 'checksum' | 'zero' }
  /** The text is no voucher, or a letter of it is wrong. */
  PURSE_VOUCHER: { problem: 'format' | 'checksum' | 'network' | 'used' | 'full' }
}

/** Every error this package throws. Narrow on `code` to read `context`. */
export type PurseError = ErrorOf<PurseErrors>

/** Builds, does not throw: `throw purseError('PURSE_MISSING', {})` keeps the stack at the call site. */
export const purseError: ErrorBuilder<PurseErrors> = errorBuilder<PurseErrors>({
  PURSE_MISSING: ['config', 'there is no purse in this state folder'],
  PURSE_EXISTS: ['config', 'there is a purse in this state folder already'],
  PURSE_DAMAGED: ['local', 'the keystore is damaged'],
  PURSE_KEYSTORE_COST: ['config', 'the keystore asks for too much work'],
  PURSE_PASSPHRASE_WRONG: ['config', 'the passphrase is wrong'],
  PURSE_PASSPHRASE_WEAK: ['config', 'the passphrase is too short'],
  PURSE_PASSPHRASE_MISSING: ['config', 'a passphrase is needed'],
  PURSE_KEYSTORE_WEAK: ['config', 'the keystore is made for a local network only'],
  PURSE_WORDS_COUNT: ['config', 'there must be 12, 15, 18, 21 or 24 words'],
  PURSE_WORD_UNKNOWN: ['config', 'a word is not in the list'],
  PURSE_WORDS_CHECKSUM: ['config', 'the words do not belong together'],
  PURSE_KEY: ['local', 'not a key of the curve'],
  PURSE_ADDRESS: ['config', 'not a usable address'],
  PURSE_VOUCHER: ['config', 'not a usable voucher'],
})
