/** Makes a purse, from words or from a keystore. Nothing here overwrites one. */
import { randomBytes } from 'node:crypto'
import { equalBytes } from '@byway/protocol/base'
import { deriveProviderKey, deriveSecret } from './derive.ts'
import { purseError } from './errors.ts'
import { parseJsonRecord, parseKeystore } from './keystore-format.ts'
import { sealKeystore, unsealKeystore, type KeystoreCost } from './keystore.ts'
import { addressOfKey, isKey } from './keys.ts'
import { hasPurse, parsePurseFile, writePurseFile, type PurseFile } from './purse-file.ts'
import type { PurseAccounts } from './purse-types.ts'
import { openVouchers } from './sealed-vouchers.ts'
import { LOCAL_PASSPHRASE } from './unlock.ts'
import { ENTROPY_BYTES, keysOfWords, wordsFrom } from './words.ts'

/** Shorter ones are found by trying, whatever a try costs. */
export const LEAST_PASSPHRASE_LETTERS = 10

/** What a purse is made with. */
export type CreateOptions = {
  readonly passphrase: string
  /** @default 'standard' */
  readonly cost?: KeystoreCost | undefined
  /** True for words that were used before: what was done with them is not known here. @default false */
  readonly isRestored?: boolean | undefined
}

/** Twenty-four new words from the system's randomness. Show them once; do not keep them. */
export function newWords(): readonly string[] {
  const entropy = randomBytes(ENTROPY_BYTES)
  const words = wordsFrom(entropy)
  entropy.fill(0)
  return words
}

/**
 * Makes the purse of a state folder from checked words (`newWords`, `parseWords`).
 * @throws PURSE_EXISTS, PURSE_PASSPHRASE_WEAK
 */
export async function createPurse(
  home: string,
  words: readonly string[],
  options: CreateOptions,
): Promise<PurseAccounts> {
  const { funds, owner } = await keysOfWords(words)
  try {
    const depositsFrom = options.isRestored ? undefined : 0
    const past = { depositsFrom, redeemedFrom: 0 }
    return await writeNew(home, funds, { owner: addressOfKey(owner), past }, options)
  } finally {
    funds.fill(0)
    owner.fill(0)
  }
}

/**
 * Makes the purse of a state folder from the text of a keystore: a copy of a purse, or a file of another wallet whose account becomes the funds account. A
 * purse's redeemed vouchers come with it. The passphrase stays the same; a file of lower cost than ours is sealed anew.
 * @throws PURSE_EXISTS, PURSE_DAMAGED, PURSE_KEYSTORE_COST, PURSE_PASSPHRASE_WRONG, PURSE_PASSPHRASE_WEAK
 */
export async function restoreKeystore(
  home: string,
  text: string,
  options: CreateOptions,
): Promise<PurseAccounts> {
  const file = parseJsonRecord(text)
  const stated = parseKeystore(file).address
  const funds = await unsealKeystore(file, options.passphrase)
  try {
    if (!isKey(funds)) throw purseError('PURSE_DAMAGED', { field: 'ciphertext' })
    if (stated && !equalBytes(stated, addressOfKey(funds))) {
      throw purseError('PURSE_DAMAGED', { field: 'address' })
    }
    const copied = file['byway'] === undefined ? undefined : parsePurseFile(text)
    const redeemedFrom = copied?.vouchers ? countVouchers(copied.vouchers, funds) : 0
    const past = { depositsFrom: undefined, redeemedFrom }
    return await writeNew(home, funds, { ...copied, past }, options)
  } finally {
    funds.fill(0)
  }
}

/** Makes a purse with new words that nobody sees, for a network on one machine: opened without a passphrase, within some milliseconds. It must not hold money. */
export async function createLocalPurse(home: string): Promise<PurseAccounts> {
  return await createPurse(home, newWords(), { passphrase: LOCAL_PASSPHRASE, cost: 'local' })
}

/** A keystore of the owner key, for a place that is not the node's. Other wallets read it. @throws PURSE_PASSPHRASE_WEAK */
export async function sealOwner(
  words: readonly string[],
  { passphrase, cost = 'standard' }: CreateOptions,
): Promise<string> {
  checkPassphrase(passphrase, cost)
  const { funds, owner } = await keysOfWords(words)
  try {
    const file = await sealKeystore(owner, passphrase, { cost, address: addressOfKey(owner) })
    return `${JSON.stringify(file, undefined, 2)}\n`
  } finally {
    funds.fill(0)
    owner.fill(0)
  }
}

/** The owner's key, 32 bytes; the caller's to overwrite. @throws what opening a keystore throws */
export async function openOwner(
  source:
    | { readonly words: readonly string[] }
    | { readonly keystore: string; readonly passphrase: string },
): Promise<Uint8Array> {
  if ('keystore' in source) {
    const key = await unsealKeystore(parseJsonRecord(source.keystore), source.passphrase)
    if (!isKey(key)) throw purseError('PURSE_DAMAGED', { field: 'ciphertext' })
    return key
  }
  const { funds, owner } = await keysOfWords(source.words)
  funds.fill(0)
  return owner
}

/** Refuses what guessing finds. @throws PURSE_PASSPHRASE_WEAK */
export function checkPassphrase(passphrase: string, cost: KeystoreCost): void {
  if (cost === 'standard' && passphrase.length < LEAST_PASSPHRASE_LETTERS) {
    throw purseError('PURSE_PASSPHRASE_WEAK', { least: LEAST_PASSPHRASE_LETTERS })
  }
}

function countVouchers(sealed: Uint8Array, fundsKey: Uint8Array): number {
  const fileKey = deriveSecret(fundsKey, 'files')
  try {
    const keys = openVouchers(sealed, fileKey)
    for (const key of keys) key.fill(0)
    return keys.length
  } finally {
    fileKey.fill(0)
  }
}

async function writeNew(
  home: string,
  funds: Uint8Array,
  { owner, vouchers, past }: Pick<PurseFile, 'past'> & Partial<PurseFile>,
  { passphrase, cost = 'standard' }: CreateOptions,
): Promise<PurseAccounts> {
  checkPassphrase(passphrase, cost)
  if (await hasPurse(home)) throw purseError('PURSE_EXISTS', {})
  const address = addressOfKey(funds)
  const providerKey = deriveProviderKey(funds)
  const provider = addressOfKey(providerKey)
  providerKey.fill(0)
  const keystore = await sealKeystore(funds, passphrase, { cost, address })
  const fresh = { depositsNext: undefined, hasRecords: false }
  await writePurseFile(home, { keystore, provider, owner, vouchers, past, ...fresh })
  return { funds: address, provider, owner }
}
