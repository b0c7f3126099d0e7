/**
 * Where a passphrase comes from: a file that a variable names, a credential of systemd, a person at a terminal; in this order. Never an argument or a variable, which
 * other programs of the machine can read.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readPrivateFile } from '@byway/home'
import type { CliIo } from '../io.ts'
import { walletError } from './wallet-errors.ts'

/** What a passphrase opens. */
export type PassphraseOf = 'purse' | 'owner' | 'publisher'

const SOURCES = {
  purse: {
    variable: 'BYWAY_PASSPHRASE_FILE',
    credential: 'byway-passphrase',
    what: 'passphrase of the purse',
  },
  owner: {
    variable: 'BYWAY_OWNER_PASSPHRASE_FILE',
    credential: 'byway-owner-passphrase',
    what: "passphrase of the owner's keystore",
  },
  publisher: {
    variable: 'BYWAY_PUBLISHER_PASSPHRASE_FILE',
    credential: 'byway-publisher-passphrase',
    what: "passphrase of the publisher's key",
  },
} as const

/**
 * The passphrase of something that exists.
 * @throws WALLET_PASSPHRASE_MISSING, HOME_FILE_OPEN when others may read the file
 */
export async function readPassphrase(io: CliIo, of: PassphraseOf): Promise<string> {
  return (await storedPassphrase(io, of)) ?? (await askPassphrase(io, SOURCES[of].what, of))
}

/** A passphrase to be; a person types it twice. @throws WALLET_PASSPHRASE_MISSING, WALLET_PASSPHRASE_UNEQUAL */
export async function newPassphrase(
  io: CliIo,
  of: PassphraseOf,
  options: { readonly isAsked?: boolean } = {},
): Promise<string> {
  const stored = options.isAsked ? undefined : await storedPassphrase(io, of)
  if (stored !== undefined) return stored
  const typed = await askPassphrase(io, `new ${SOURCES[of].what}`, of)
  const again = await askPassphrase(io, 'the same again', of)
  if (typed !== again) throw walletError('WALLET_PASSPHRASE_UNEQUAL', {})
  return typed
}

/** A passphrase from a file (its first line), for what only a file can say twice. @throws HOME_FILE_OPEN, CONFIG-like system errors */
export async function passphraseFrom(path: string): Promise<string> {
  const text = await readPrivateFile(path)
  if (text === undefined) throw walletError('WALLET_PASSPHRASE_MISSING', { variable: 'file' })
  return firstLine(text)
}

async function storedPassphrase(io: CliIo, of: PassphraseOf): Promise<string | undefined> {
  const { variable, credential } = SOURCES[of]
  const path = io.env[variable]
  if (path) return await passphraseFrom(path)
  const folder = io.env['CREDENTIALS_DIRECTORY']
  if (!folder) return undefined
  try {
    // The service manager guards its folder; the files in it may be its own.
    return firstLine(await readFile(join(folder, credential), 'utf8'))
  } catch {
    return undefined
  }
}

async function askPassphrase(io: CliIo, what: string, of: PassphraseOf): Promise<string> {
  if (!io.isInteractive) {
    throw walletError('WALLET_PASSPHRASE_MISSING', { variable: SOURCES[of].variable })
  }
  return await io.askHidden(`${what}: `)
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? ''
}
