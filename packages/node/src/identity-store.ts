/**
 * The node's identity on disk: the 32-byte seed of its Ed25519 key, in a file that only its owner may read (SECURITY §5.1).
 * Onion and link keys live in memory only: a new start makes new ones, and a new edition of the descriptor.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { nodeError } from './errors.ts'

const SEED_BYTES = 32
const FILE_NAME = 'identity.key'

/**
 * Reads the seed below `home`, or makes one on the first start.
 *
 * @throws NODE_IDENTITY_PERMISSIONS when others may read the file, NODE_IDENTITY_DAMAGED when it is no seed
 */
export async function loadIdentity(home: string): Promise<Uint8Array> {
  const path = join(home, FILE_NAME)
  const mode = await modeOf(path)
  if (mode === undefined) return await createIdentity(path)
  if ((mode & 0o077) !== 0) throw nodeError('NODE_IDENTITY_PERMISSIONS', { file: FILE_NAME })
  const seed = await readFile(path)
  if (seed.length !== SEED_BYTES) throw nodeError('NODE_IDENTITY_DAMAGED', { file: FILE_NAME })
  return new Uint8Array(seed)
}

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a fresh seed so that a crash leaves either none or a whole one: temporary file, fsync, rename, fsync of the folder. */
async function createIdentity(path: string): Promise<Uint8Array> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  const seed = randomBytes(SEED_BYTES)
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  await file.writeFile(seed)
  await file.sync()
  await file.close()
  await rename(temporary, path)
  const directory = await open(folder, 'r')
  await directory.sync()
  await directory.close()
  return new Uint8Array(seed)
}
