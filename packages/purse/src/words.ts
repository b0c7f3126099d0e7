/**
 * The words (BIP-39): what a person writes down, and the two keys that come from them. They are shown once and never stored; what is on disk comes from them
 * one way. Lists of 12 to 24 English words are read; 24 are made.
 *
 * Words are strings, and the steps from them to a key are numbers of the language: neither can be overwritten. Only commands read words, and end.
 *
 * | key | path (BIP-32, BIP-44) | where it lives |
 * |---|---|---|
 * | funds | `m/44'/60'/0'/0/0` | the keystore of the state folder; all daily keys come from it (`derive.ts`) |
 * | owner | `m/44'/60'/1'/0/0` | with the words, or in a keystore of its own elsewhere |
 * @module
 */
import { HDKey } from '@scure/bip32'
import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeed } from '@scure/bip39'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { purseError } from './errors.ts'
import { secretCopy } from './secret-bytes.ts'

export const FUNDS_PATH = "m/44'/60'/0'/0/0"
export const OWNER_PATH = "m/44'/60'/1'/0/0"

/** 256 bits: 24 words. */
export const ENTROPY_BYTES = 32

/** Keys of 32 bytes. Whoever holds them fills them with zeros after use. */
export type WordKeys = { readonly funds: Uint8Array; readonly owner: Uint8Array }

const COUNTS: ReadonlySet<number> = new Set([12, 15, 18, 21, 24])
const KNOWN: ReadonlySet<string> = new Set(wordlist)

/** Writes entropy (32 bytes) as 24 words. */
export function wordsFrom(entropy: Uint8Array): readonly string[] {
  return entropyToMnemonic(entropy, wordlist).split(' ')
}

/**
 * Reads words as people write them: any case, any white space, numbered (`1. abandon`) or not.
 * @throws PURSE_WORDS_COUNT, PURSE_WORD_UNKNOWN with the first wrong one's position, PURSE_WORDS_CHECKSUM
 */
export function parseWords(text: string): readonly string[] {
  const words = text
    .normalize('NFKD')
    .toLowerCase()
    .split(/[\s,;]+/)
    .map((word) => word.replace(/^\d{1,2}[.):]?/, ''))
    .filter((word) => word !== '')
  const unknown = words.findIndex((word) => !KNOWN.has(word))
  if (unknown >= 0) throw purseError('PURSE_WORD_UNKNOWN', { position: unknown + 1 })
  if (!COUNTS.has(words.length)) throw purseError('PURSE_WORDS_COUNT', { words: words.length })
  try {
    mnemonicToEntropy(words.join(' '), wordlist).fill(0)
  } catch {
    throw purseError('PURSE_WORDS_CHECKSUM', { words: words.length })
  }
  return words
}

/** The keys of checked words. */
export async function keysOfWords(words: readonly string[]): Promise<WordKeys> {
  const seed = await mnemonicToSeed(words.join(' '))
  const root = HDKey.fromMasterSeed(seed)
  seed.fill(0)
  const [funds, owner] = [childKey(root, FUNDS_PATH), childKey(root, OWNER_PATH)]
  root.wipePrivateData()
  return { funds, owner }
}

function childKey(root: HDKey, path: string): Uint8Array {
  const child = root.derive(path)
  const { privateKey } = child
  if (!privateKey) throw purseError('PURSE_KEY', { key: 'words' })
  // A copy: the original goes when the child is wiped.
  const key = secretCopy(privateKey)
  child.wipePrivateData()
  return key
}
