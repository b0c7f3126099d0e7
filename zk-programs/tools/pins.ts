/**
 * Ties the artefacts to the sources they were made of, without making them again (that takes minutes): fingerprints of each program's sources and of each file, the verification key against the
 * proving key, and the contracts' key against the verification key.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { buildBn128 } from 'ffjavascript'
import { zKey } from 'snarkjs'
import type { ManifestEntry } from '../../packages/zk/src/on-demand.ts'
import { isHalfReplaced } from './replace-files.ts'
import { solidityConstants, solidityKey, type VerificationKey } from './solidity-key.ts'

/** A program, and the library that holds its key in Solidity. */
export type Program = { readonly name: string; readonly library: string }

/** What a key that was installed comes of (docs/CEREMONY.md). */
export type Ceremony = {
  /** BLAKE2b-512 of the file with the powers of tau, hexadecimal digits, as they are published. */
  readonly powersOfTau: string
  /** What the contributors called themselves, in their order. */
  readonly contributors: readonly string[]
  /** Hexadecimal digits. */
  readonly beacon: string
}

/** What stands in `manifest.json`. */
export type Manifest = {
  /** `development` while one program's key is. */
  readonly setUp: 'development' | 'ceremony'
  /** By program: of those whose key is a ceremony's. */
  readonly ceremonies?: Readonly<Record<string, Ceremony>>
  readonly files: Readonly<Record<string, ManifestEntry>>
}

export const ARTEFACTS = 'packages/zk/artefacts'
export const CONTRACT_KEYS = 'contracts/src/lib'
/** Program → fingerprint of its sources when its artefacts were made. */
export const SOURCES = 'zk-programs/sources.json'

/** What decides the bytes besides the programs; the packages' versions are pinned in the lock file. */
const PACKAGES = ['circom2', 'snarkjs', 'ffjavascript']
const SECRETS = 'zk-programs/tools/development-secrets.ts'

/** Of all that a program's artefacts come of: its text and all it includes, the compiler, the secrets. */
export function sourcesHash(root: string, program: string): string {
  const hash = createHash('sha256')
  const files = includedBy(root, `zk-programs/src/${program}.circom`)
  for (const file of [...[...files].toSorted(), SECRETS])
    hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  for (const name of PACKAGES) {
    const text = readFileSync(join(root, `node_modules/${name}/package.json`), 'utf8')
    hash.update(`${name} ${(JSON.parse(text) as { readonly version: string }).version}\n`)
  }
  return hash.digest('hex')
}

function includedBy(root: string, file: string, known = new Set<string>()): ReadonlySet<string> {
  if (known.has(file)) return known
  known.add(file)
  const text = readFileSync(join(root, file), 'utf8')
  for (const [, name = ''] of text.matchAll(/^include "([^"]+)";/gm)) {
    const beside = normalize(join(dirname(file), name))
    includedBy(root, existsSync(join(root, beside)) ? beside : `node_modules/${name}`, known)
  }
  return known
}

/** The manifest's text; what the set-up is follows from the programs that had a ceremony. */
export function manifestText(
  programs: readonly Pick<Program, 'name'>[],
  { files, ceremonies = {} }: Omit<Manifest, 'setUp'>,
): string {
  const manifest: Manifest = {
    setUp: programs.every(({ name }) => ceremonies[name]) ? 'ceremony' : 'development',
    ...(Object.keys(ceremonies).length > 0 && { ceremonies }),
    files,
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** The library that the contracts hold a program's key in. `isDevelopment`: anybody can forge under it. */
export function contractKey(
  { name, library }: Program,
  key: VerificationKey,
  isDevelopment: boolean,
): string {
  const write = name === 'slot' ? solidityConstants : solidityKey
  return write({ program: name, library, isDevelopment }, key)
}

/** What does not fit together below `root`, in words. Proving keys that are made on demand are not looked at. */
export async function findStaleArtefacts(
  root: string,
  programs: readonly Program[],
): Promise<readonly string[]> {
  const read = (file: string): Buffer => readFileSync(join(root, file))
  const manifest = JSON.parse(read(`${ARTEFACTS}/manifest.json`).toString()) as Manifest
  const sources = JSON.parse(read(SOURCES).toString()) as Readonly<Record<string, string>>
  const faults: string[] = []
  await useOneThread()
  if (isHalfReplaced(root)) faults.push('an installation was cut short: npm run ceremony -- resume')
  for (const [file, { sha256, isOnDemand }] of Object.entries(manifest.files))
    if (!isOnDemand && hashOf(read(`${ARTEFACTS}/${file}`)) !== sha256)
      faults.push(`${file} is not the one that the manifest pins`)
  for (const program of programs) {
    const { name, library } = program
    if (sources[name] !== sourcesHash(root, name))
      faults.push(`${name}: its sources have changed since its key was made`)
    const text = read(`${ARTEFACTS}/${name}.vk.json`).toString()
    if (!manifest.files[`${name}.zkey`]?.isOnDemand) {
      const exported = await zKey.exportVerificationKey(join(root, `${ARTEFACTS}/${name}.zkey`))
      if (`${JSON.stringify(exported, null, 2)}\n` !== text)
        faults.push(`${name}: the verification key is not the proving key's`)
    }
    const solidity = read(`${CONTRACT_KEYS}/${library}.sol`).toString()
    const isDevelopment = !manifest.ceremonies?.[name]
    if (solidity !== contractKey(program, JSON.parse(text) as VerificationKey, isDevelopment))
      faults.push(`${library}.sol is not the verification key of ${name}`)
  }
  return faults
}

/** To read a key takes no other threads, and those that snarkjs starts never end. */
async function useOneThread(): Promise<void> {
  const shared = globalThis as { curve_bn128?: unknown }
  shared.curve_bn128 ??= await buildBn128(true)
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
