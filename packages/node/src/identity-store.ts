/**
 * The node's identity on disk: the 32-byte seed of its Ed25519 key, in hexadecimal, in a private file (THREAT-MODEL T31). Onion and link keys live in memory
 * only: a new start makes new ones, and a new edition of the descriptor.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fromHex, toHex } from '@byway/protocol/base'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeError } from './errors.ts'
import { openHome, readPrivateFile, writePrivateFile } from '@byway/home'

const SEED_BYTES = 32
const FILE_NAME = 'identity.key'

/**
 * Reads the seed below `home`, or makes one on the first start.
 *
 * @throws NODE_IDENTITY_DAMAGED when the file holds no seed, HOME_FILE_OPEN when others may read it
 */
export async function loadIdentity(home: string): Promise<Uint8Array> {
  await openHome(home)
  const stored = await readSeed(home)
  if (stored) return stored
  const fresh = new Uint8Array(randomBytes(SEED_BYTES))
  await writePrivateFile(join(home, FILE_NAME), `${toHex(fresh)}\n`)
  return fresh
}

async function readSeed(home: string): Promise<Uint8Array | undefined> {
  const stored = await readPrivateFile(join(home, FILE_NAME))
  if (stored === undefined) return undefined
  const seed = fromHex(stored.trim())
  if (seed?.length !== SEED_BYTES) throw nodeError('NODE_IDENTITY_DAMAGED', { file: FILE_NAME })
  return seed
}

/** The node id that a node with this folder has, if one was ever there. @throws as {@link loadIdentity} */
export async function findNodeId(home: string): Promise<Uint8Array | undefined> {
  const seed = await readSeed(home)
  return seed && nodeCrypto.ed25519KeyPair(seed).publicKey
}

/** The node id that a node with this folder has, made when it has none yet: a stake names it before the node runs. @throws as {@link loadIdentity} */
export async function openIdentity(home: string): Promise<Uint8Array> {
  return nodeCrypto.ed25519KeyPair(await loadIdentity(home)).publicKey
}
