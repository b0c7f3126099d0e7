/**
 * Takes finished keys of a ceremony into the project (docs/CEREMONY.md): the artefacts and their pins, and the contracts with the keys in them. A key is installed only after it was traced back
 * to the program as it stands here, to the powers of tau, to people's contributions and to a beacon; all that is asked for goes in, or nothing.
 */
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  createReadStream,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bn254 } from '@noble/curves/bn254.js'
import { zKey } from 'snarkjs'
import { renderWithManifest } from '../../contracts/tools/artifacts.ts'
import { compileAll, readSource } from '../../contracts/tools/solc.ts'
import { compile, entryOf, keepOnDemand, PROGRAMS } from './build.ts'
import { developmentSecret } from './development-secrets.ts'
import { readContributions } from './key-history.ts'
import {
  ARTEFACTS,
  type Ceremony,
  CONTRACT_KEYS,
  contractKey,
  type Manifest,
  manifestText,
  SOURCES,
  sourcesHash,
} from './pins.ts'
import { replaceFiles, type Replaced } from './replace-files.ts'
import type { VerificationKey } from './solidity-key.ts'

/** A key that is to be installed. */
export type Candidate = {
  readonly program: string
  readonly powersOfTau: string
  readonly key: string
}

export type Installed = {
  readonly ceremonies: Readonly<Record<string, Ceremony>>
  readonly replaced: readonly Replaced[]
  /** Programs whose keys are still those that anybody can forge under. */
  readonly development: readonly string[]
}

/** A key whose origin was shown, and what was compiled beside it. */
type Sound = {
  readonly program: (typeof PROGRAMS)[number]
  readonly ceremony: Ceremony
  readonly verifier: VerificationKey
  /** Name in the artefacts → where it is. */
  readonly files: ReadonlyMap<string, string>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Installs keys together. @throws what is wrong with one of them, or with the project's files: nothing has changed then */
export async function install(candidates: readonly Candidate[]): Promise<Installed> {
  const names = candidates.map(({ program }) => program)
  if (names.length === 0 || new Set(names).size < names.length)
    throw new Error('each program once, with its powers of tau and its key')
  const folder = mkdtempSync(join(tmpdir(), 'byway-install-'))
  try {
    const sound: Sound[] = []
    for (const candidate of candidates) sound.push(await trace(candidate, folder))
    return write(sound)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Puts a key that the manifest pins, and is too large for the repository, where provers look for it. Gives where. @throws when it is another, or not the program's */
export function keepPinned(name: string, key: string): readonly string[] {
  const { files } = manifestNow()
  const folder = mkdtempSync(join(tmpdir(), 'byway-install-'))
  try {
    compile(programOf(name).name, folder)
    const found = [
      [`${name}.wasm`, join(folder, `${name}_js/${name}.wasm`)],
      [`${name}.zkey`, key],
    ] as const
    for (const [file, path] of found)
      if (entryOf(file, path).sha256 !== files[file]?.sha256)
        throw new Error(`${path} is not the ${file} that the manifest pins`)
    return found.flatMap(([file, path]) => {
      const entry = files[file]
      return entry?.isOnDemand ? [keepOnDemand(file, path, entry)] : []
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Shows where a key comes from. @throws when it does not come of this program, these powers, people and a beacon */
async function trace(
  { program: name, powersOfTau, key }: Candidate,
  folder: string,
): Promise<Sound> {
  const program = programOf(name)
  // What is verified is what is installed, whoever else may write to the file.
  const copy = join(folder, `${name}.zkey`)
  copyFileSync(key, copy)
  const contributions = await readContributions(copy)
  const beacon = contributions.at(-1)?.beacon
  const people = contributions.slice(0, -1)
  if (!beacon || people.some((one) => one.beacon))
    throw new Error(`${key} was not finalised: a beacon ends a ceremony, and nothing else`)
  if (people.length === 0) throw new Error(`nobody contributed to ${key}`)
  const verifier = (await zKey.exportVerificationKey(copy)) as VerificationKey
  if (isOfKnownSecrets(verifier))
    throw new Error(`${key} comes of the development powers: everybody knows their secrets`)
  compile(name, folder)
  const isSound = await zKey
    .verifyFromR1cs(join(folder, `${name}.r1cs`), powersOfTau, copy)
    .catch(() => false)
  if (!isSound)
    throw new Error(`${key} does not come of ${name}, as it is here, and ${powersOfTau}`)
  const text = join(folder, `${name}.vk.json`)
  writeFileSync(text, `${JSON.stringify(verifier, null, 2)}\n`)
  const files = new Map([
    [`${name}.wasm`, join(folder, `${name}_js/${name}.wasm`)],
    [`${name}.zkey`, copy],
    [`${name}.vk.json`, text],
  ])
  const contributors = people.map((one) => one.name)
  const ceremony = { powersOfTau: await blake2bOf(powersOfTau), contributors, beacon }
  return { program, ceremony, verifier, files }
}

/** Works out every file that changes, and only then replaces them. */
function write(sound: readonly Sound[]): Installed {
  const manifest = manifestNow()
  const made = sound.flatMap(({ files }) => [...files])
  const pins = made.map(([file, path]) => [file, path, entryOf(file, path)] as const)
  const files = {
    ...manifest.files,
    ...Object.fromEntries(pins.map(([file, , pin]) => [file, pin])),
  }
  const ceremonies = Object.fromEntries(
    sound.map(({ program, ceremony }) => [program.name, ceremony]),
  )
  const all = { ...manifest.ceremonies, ...ceremonies }
  const next = new Map<string, Uint8Array>()
  const put = (path: string, text: string): void => void next.set(path, Buffer.from(text))
  for (const [file, path, { isOnDemand }] of pins)
    if (!isOnDemand) next.set(`${ARTEFACTS}/${file}`, readFileSync(path))
  put(`${ARTEFACTS}/manifest.json`, manifestText(PROGRAMS, { files, ceremonies: all }))
  put(SOURCES, sourcesText(sound))
  for (const { program, verifier } of sound)
    put(`${CONTRACT_KEYS}/${program.library}.sol`, contractKey(program, verifier, false))
  for (const [path, text] of contractsWith(next)) put(path, text)
  // Under its own hash in the cache: nothing names it before the manifest does.
  for (const [file, path, pin] of pins) if (pin.isOnDemand) keepOnDemand(file, path, pin)
  const development = PROGRAMS.filter(({ name }) => !all[name]).map(({ name }) => name)
  return { ceremonies, replaced: replaceFiles(root, next), development }
}

/** The contracts' artefacts, compiled with these keys in place of those on the disk. */
function contractsWith(next: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, string> {
  const read = (path: string): string => {
    const changed = next.get(path)
    return changed ? Buffer.from(changed).toString() : readSource(path)
  }
  return renderWithManifest(compileAll(read), read)
}

function sourcesText(sound: readonly Sound[]): string {
  const before = JSON.parse(readFileSync(join(root, SOURCES), 'utf8')) as Record<string, string>
  const made = sound.map(({ program: { name } }) => [name, sourcesHash(root, name)] as const)
  return `${JSON.stringify({ ...before, ...Object.fromEntries(made) }, null, 2)}\n`
}

/** Powers of tau whose secrets stand in this repository, whatever was contributed afterwards. */
function isOfKnownSecrets({ vk_alpha_1: [x, y] }: VerificationKey): boolean {
  const known = bn254.G1.Point.BASE.multiply(developmentSecret('alpha')).toAffine()
  return x === String(known.x) && y === String(known.y)
}

function programOf(name: string): (typeof PROGRAMS)[number] {
  const program = PROGRAMS.find((one) => one.name === name)
  if (!program) throw new Error(`one of ${PROGRAMS.map((one) => one.name).join(', ')}`)
  return program
}

function manifestNow(): Manifest {
  return JSON.parse(readFileSync(join(root, ARTEFACTS, 'manifest.json'), 'utf8')) as Manifest
}

/** As the hashes of powers of tau are published. */
async function blake2bOf(path: string): Promise<string> {
  const hash = createHash('blake2b512')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}
