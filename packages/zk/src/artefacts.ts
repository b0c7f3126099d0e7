/**
 * The files that provers and verifiers of each program need, pinned by hash. Today they come of a development set-up only.
 * @module
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { zkError } from './errors.ts'
import type { VerificationKey } from './groth16-verify.ts'
import { onDemandPath, type ManifestEntry } from './on-demand.ts'
import type { ProgramName } from './programs.ts'

/** What it takes to prove one program's statement. */
export type ProvingFiles = {
  /** Computes the witness. */
  readonly wasm: Uint8Array
  /** The proving key. */
  readonly zkey: Uint8Array
}

type Manifest = {
  readonly setUp: string
  readonly files: Readonly<Record<string, ManifestEntry | undefined>>
}

const FOLDER = new URL('../artefacts/', import.meta.url)
/** Anvil's and hardhat's: the network that dies with its process. */
const LOCAL_CHAIN_ID = 31_337

/** Reads what it takes to prove, and checks the hashes. @throws ZK_ARTEFACT */
export async function readProvingFiles(program: ProgramName): Promise<ProvingFiles> {
  const manifest = await readManifest(program)
  const [wasm, zkey] = await Promise.all([
    readPinned(manifest, program, 'wasm'),
    readPinned(manifest, program, 'zkey'),
  ])
  return { wasm, zkey }
}

/** Reads what computes a witness, finds the proving key's file, and checks the hashes of both: for a key that is read by pieces. @throws ZK_ARTEFACT */
export async function findProvingFiles(
  program: ProgramName,
): Promise<Pick<ProvingFiles, 'wasm'> & { readonly keyPath: string }> {
  const manifest = await readManifest(program)
  const name = `${program}.zkey`
  const entry = manifest.files[name]
  if (!entry) throw zkError('ZK_ARTEFACT', { program })
  const place = placeOf(name, entry)
  const sha256 = createHash('sha256')
  try {
    await pipeline(createReadStream(place), sha256)
  } catch {
    throw zkError('ZK_ARTEFACT', { program })
  }
  if (sha256.digest('hex') !== entry.sha256) throw zkError('ZK_ARTEFACT', { program })
  const keyPath = place instanceof URL ? fileURLToPath(place) : place
  return { wasm: await readPinned(manifest, program, 'wasm'), keyPath }
}

/** Reads what it takes to verify: snarkjs' verification key. @throws ZK_ARTEFACT */
export async function readVerificationKey(program: ProgramName): Promise<VerificationKey> {
  const bytes = await readPinned(await readManifest(program), program, 'vk.json')
  return JSON.parse(Buffer.from(bytes).toString()) as VerificationKey
}

/** Finds out whether large files of a program are still to be made. @throws ZK_ARTEFACT, ZK_NOT_MADE */
export async function assertMade(program: ProgramName): Promise<void> {
  const { files } = await readManifest(program)
  for (const [name, entry] of Object.entries(files)) {
    if (!entry?.isOnDemand || !name.startsWith(`${program}.`)) continue
    const found = await stat(placeOf(name, entry)).catch(() => undefined)
    if (found?.size !== entry.bytes) throw zkError('ZK_NOT_MADE', { program })
  }
}

async function readPinned(
  manifest: Manifest,
  program: ProgramName,
  kind: string,
): Promise<Uint8Array> {
  const name = `${program}.${kind}`
  const entry = manifest.files[name]
  const bytes = entry && (await readFile(placeOf(name, entry)).catch(() => undefined))
  const sha256 = bytes && createHash('sha256').update(bytes).digest('hex')
  if (!bytes || sha256 !== entry.sha256) throw zkError('ZK_ARTEFACT', { program })
  return bytes
}

/**
 * Refuses a network whose money the set-up could not guard: whoever made a development set-up can prove anything.
 *
 * @throws ZK_DEVELOPMENT_SET_UP, ZK_ARTEFACT
 */
export async function assertSetUpServes(chainId: number): Promise<void> {
  const { setUp } = await readManifest('slot')
  if (setUp !== 'ceremony' && chainId !== LOCAL_CHAIN_ID)
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
