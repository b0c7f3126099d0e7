/**
 * The purse on disk: `purse.json` in the state folder, 0600. It is a keystore of version 3 with the funds key, which other wallets read, and a member `byway` which they
 * pass over: the public addresses, and the vouchers that were redeemed here, sealed under a key that comes from the funds key. Because it is one file, a copy of it
 * is a whole back-up.
 * @module
 */
import { join } from 'node:path'
import { openHome, readPrivateFile, writePrivateFile } from '@byway/home'
import { fromHex, isBywayError, toHex } from '@byway/protocol/base'
import { purseError } from './errors.ts'
import { parseJsonRecord, recordAt, type JsonRecord } from './keystore-format.ts'
import { ADDRESS_BYTES } from './keys.ts'

export const PURSE_FILE = 'purse.json'

/** What stands in the file, still sealed. */
export type PurseFile = {
  /** The whole object, as it is written back. */
  readonly keystore: JsonRecord
  readonly provider: Uint8Array
  /** Where earnings go by default; undefined when the purse was restored from a keystore, which does not lead to the owner key. */
  readonly owner: Uint8Array | undefined
  readonly vouchers: Uint8Array | undefined
  readonly past: PursePast
  /** Numbers of deposits below this one were given out; undefined before the first. */
  readonly depositsNext: number | undefined
  /** A client keeps records beside this purse: which slots were shown, above all. */
  readonly hasRecords: boolean
}

/**
 * What this purse can vouch for having never shown. After lost state any slot may have been shown by somebody who forgot it, and showing it twice can cost its bond (DESIGN
 * §7.1).
 */
export type PursePast = {
  /** Deposits from this number on were made by this purse; undefined after a restore, until it makes one. */
  readonly depositsFrom: number | undefined
  /** Vouchers from this one on were redeemed by this purse. */
  readonly redeemedFrom: number
}

/** The bracketed part of `purse.json` that is ours. */
const EXTENSION_VERSION = 1

/** Reads the purse of a state folder. @throws PURSE_MISSING, PURSE_DAMAGED, HOME_FILE_OPEN */
export async function readPurseFile(home: string): Promise<PurseFile> {
  const text = await readPrivateFile(join(home, PURSE_FILE))
  if (text === undefined) throw purseError('PURSE_MISSING', {})
  return parsePurseFile(text)
}

/** True when the state folder has a purse, readable or not. */
export async function hasPurse(home: string): Promise<boolean> {
  try {
    return (await readPrivateFile(join(home, PURSE_FILE))) !== undefined
  } catch (error) {
    // One that others may read is one all the same.
    if (isBywayError(error)) return true
    throw error
  }
}

/** Writes the purse of a state folder in place of the one there. */
export async function writePurseFile(home: string, file: PurseFile): Promise<void> {
  await openHome(home)
  await writePrivateFile(join(home, PURSE_FILE), formatPurseFile(file))
}

/** The text of a purse file. */
export function formatPurseFile(file: PurseFile): string {
  const byway = {
    version: EXTENSION_VERSION,
    provider: toHex(file.provider),
    past: file.past,
    ...(file.depositsNext !== undefined && { depositsNext: file.depositsNext }),
    ...(file.hasRecords && { hasRecords: true }),
    ...(file.owner && { owner: toHex(file.owner) }),
    ...(file.vouchers && { vouchers: toHex(file.vouchers) }),
  }
  return `${JSON.stringify({ ...file.keystore, byway }, undefined, 2)}\n`
}

/** Reads the text of a purse file. @throws PURSE_DAMAGED */
export function parsePurseFile(text: string): PurseFile {
  const { byway, ...keystore } = parseJsonRecord(text)
  const extension = recordAt({ byway }, 'byway')
  if (extension['version'] !== EXTENSION_VERSION)
    throw purseError('PURSE_DAMAGED', { field: 'byway' })
  const provider = hexAt(extension, 'provider')
  if (provider?.length !== ADDRESS_BYTES) throw purseError('PURSE_DAMAGED', { field: 'provider' })
  const owner = hexAt(extension, 'owner')
  if (owner && owner.length !== ADDRESS_BYTES) throw purseError('PURSE_DAMAGED', { field: 'owner' })
  const vouchers = hexAt(extension, 'vouchers')
  const past = pastOf(recordAt(extension, 'past'))
  const hasRecords = extension['hasRecords'] === true
  const { depositsNext } = extension
  if (depositsNext !== undefined && !isCount(depositsNext))
    throw purseError('PURSE_DAMAGED', { field: 'depositsNext' })
  return { keystore, provider, owner, vouchers, past, depositsNext, hasRecords }
}

function pastOf(record: JsonRecord): PursePast {
  const { depositsFrom, redeemedFrom } = record
  if (depositsFrom !== undefined && !isCount(depositsFrom)) {
    throw purseError('PURSE_DAMAGED', { field: 'depositsFrom' })
  }
  if (!isCount(redeemedFrom)) throw purseError('PURSE_DAMAGED', { field: 'redeemedFrom' })
  return { depositsFrom, redeemedFrom }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function hexAt(record: JsonRecord, name: string): Uint8Array | undefined {
  const value = record[name]
  if (value === undefined) return undefined
  const bytes = typeof value === 'string' ? fromHex(value) : undefined
  if (!bytes) throw purseError('PURSE_DAMAGED', { field: name })
  return bytes
}
