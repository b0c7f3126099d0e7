/** The files of a publisher's key: the secret one, which only its owner may read, and the public one. */
import { randomBytes } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { readPrivateFile } from '@byway/home'
import { configError } from '../config/config-errors.ts'
import { readTextFile } from '../config/toml-file.ts'
import {
  KEY_ID_BYTES,
  parsePublicKey,
  publicKeyFile,
  type KeyPair,
  type PublicKey,
} from '../minisign/signature.ts'
import { keyPairOf, parseSecretKey, sealKey, unsealKey, usualCost } from '../minisign/secret-key.ts'
import { networkError } from './network-errors.ts'

const SEED_BYTES = 32
const SALT_BYTES = 32

/** `publisher.key` → `publisher.pub`; any other name gets `.pub` behind it. */
export function publicPath(path: string): string {
  return `${path.replace(/\.key$/, '')}.pub`
}

/**
 * Makes a key and writes both files; overwrites none.
 *
 * @param passphrase - undefined leaves the key open to whoever reads the file
 * @throws EEXIST when one of the files is there
 */
export async function makeKeyFiles(
  path: string,
  passphrase: string | undefined,
): Promise<PublicKey> {
  const [id, seed] = [Uint8Array.from(randomBytes(KEY_ID_BYTES)), randomBytes(SEED_BYTES)]
  try {
    const salt = Uint8Array.from(randomBytes(SALT_BYTES))
    const lock = passphrase === undefined ? undefined : { passphrase, salt, cost: usualCost() }
    const { publicKey } = keyPairOf(id, seed)
    await writeNew(publicPath(path), publicKeyFile(publicKey), 0o644)
    try {
      await writeNew(path, await sealKey(id, seed, lock), 0o600)
    } catch (error) {
      await rm(publicPath(path))
      throw error
    }
    return publicKey
  } finally {
    seed.fill(0)
  }
}

/**
 * Opens a secret key; the passphrase is asked for where it is encrypted.
 * @throws CONFIG_UNREADABLE, HOME_FILE_OPEN when others may read it, NETWORK_KEY, NETWORK_KEY_PASSPHRASE, and what `passphrase` throws
 */
export async function readKeyPair(
  path: string,
  passphrase: () => Promise<string>,
): Promise<KeyPair> {
  const text = await readPrivateFile(path)
  if (text === undefined)
    throw configError('CONFIG_UNREADABLE', { source: 'secret key', system: 'ENOENT' })
  const sealed = parseSecretKey(text)
  if (typeof sealed === 'string') throw networkError('NETWORK_KEY', { fault: sealed })
  const pair = await unsealKey(sealed, sealed.isEncrypted ? await passphrase() : '')
  if (!pair) throw networkError('NETWORK_KEY_PASSPHRASE', {})
  return pair
}

/** Reads a public key: its 56 characters, or the path of the file that holds it. @throws CONFIG_UNREADABLE, CONFIG_VALUE */
export async function readPublicKey(textOrPath: string): Promise<PublicKey> {
  const key = parsePublicKey(textOrPath)
  if (key) return key
  const source = 'public key'
  const text = await readTextFile(textOrPath, source)
  if (text === undefined) throw configError('CONFIG_UNREADABLE', { source, system: 'ENOENT' })
  const read = parsePublicKey(text)
  if (read) return read
  const problem = 'must be a minisign public key, 56 characters, or a file that holds one'
  throw configError('CONFIG_VALUE', { source, key: 'publisher', problem })
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}
