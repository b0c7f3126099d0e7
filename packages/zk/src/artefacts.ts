/**
 * The files that provers and verifiers of each program need, pinned by hash. Today they come of a development set-up only.
 * @module
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { zkError } from './errors.ts'
import { onDemandPath, type ManifestEntry } from './on-demand.ts'

/** The programs of `zk-programs/`. */
export type ProgramName = 'slot' | 'withdraw-unused' | 'join' | 'service-audit'

/** Everything needed to prove and to verify one program's statement. */
export type Artefacts = {
  /** Computes the witness. */
  readonly wasm: Uint8Array
  /** The proving key. */
  readonly zkey: Uint8Array
  /** snarkjs' verification key. */
  readonly verificationKey: object
}

type Manifest = {
  readonly setUp: string
  readonly files: Readonly<Record<string, ManifestEntry | undefined>>
}

const FOLDER = new URL('../artefacts/', import.meta.url)
/** Anvil's and hardhat's: the network that dies with its process. */
const LOCAL_CHAIN_ID = 31_337

/** Reads a program's files and checks their hashes. @throws ZK_ARTEFACT */
export async function readArtefacts(program: ProgramName): Promise<Artefacts> {
  const manifest = await readManifest(program)
  const read = async (kind: string): Promise<Uint8Array> => {
    const name = `${program}.${kind}`
    const entry = manifest.files[name]
    const bytes = entry && (await readFile(placeOf(name, entry)).catch(() => undefined))
    const sha256 = bytes && createHash('sha256').update(bytes).digest('hex')
    if (!bytes || sha256 !== entry.sha256) throw zkError('ZK_ARTEFACT', { program })
    return bytes
  }
  const [wasm, zkey, key] = await Promise.all([read('wasm'), read('zkey'), read('vk.json')])
  return { wasm, zkey, verificationKey: JSON.parse(Buffer.from(key).toString()) as object }
}

/**
 * Refuses a network whose money the set-up could not guard: whoever made a development set-up can prove anything.
 *
 * @throws ZK_DEVELOPMENT_SET_UP, ZK_ARTEFACT
 */
export async function assertSetUpServes(chainId: number): Promise<void> {
  const { setUp } = await readManifest('slot')
  if (setUp === 'development' && chainId !== LOCAL_CHAIN_ID)
    throw zkError('ZK_DEVELOPMENT_SET_UP', { chainId })
}

function placeOf(name: string, { sha256, isOnDemand }: ManifestEntry): string | URL {
  return isOnDemand ? onDemandPath(name, sha256) : new URL(name, FOLDER)
}

async function readManifest(program: ProgramName): Promise<Manifest> {
  const text = await readFile(new URL('manifest.json', FOLDER), 'utf8').catch(() => undefined)
  if (text === undefined) throw zkError('ZK_ARTEFACT', { program })
  return JSON.parse(text) as Manifest
}
