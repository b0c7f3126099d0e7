/**
 * `npm run zk`: compiles each program, makes the development set-up and writes what provers need to `packages/zk/artefacts`, with a manifest of
 * hashes; what is too large for a repository goes to the user's cache. Everything is derived from the sources and from texts in this folder, so a second run gives the same bytes.
 * `npm run zk -- NAME …` makes only these programs anew, and nothing of a program whose large files are there. `npm run zk -- --check` holds what is there against its sources in a second, by
 * fingerprints; `npm run zk -- --check NAME …` makes these programs anew and compares, instead of writing; with `--compiled` it compares what the compiler makes and no keys. Keys of a ceremony (docs/CEREMONY.md) are left alone unless `--development` asks
 * for others in their place.
 */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { zKey } from 'snarkjs'
import { onDemandPath, type ManifestEntry } from '../../packages/zk/src/on-demand.ts'
import { BEACON, BEACON_ITERATIONS } from './development-beacon.ts'
import { writeDevelopmentKey } from './development-key.ts'
import { writeDevelopmentTau } from './development-tau.ts'
import {
  ARTEFACTS,
  CONTRACT_KEYS,
  contractKey,
  findStaleArtefacts,
  hashOf,
  type Manifest,
  manifestText,
  SOURCES,
  sourcesHash,
} from './pins.ts'
import type { VerificationKey } from './solidity-key.ts'

/**
 * The programs, and the libraries that hold their keys in Solidity. The keys of `logSize` (the least power of two above their constraints) are made by snarkjs, from powers of tau and one
 * "contribution"; the others straight of the secrets.
 */
export const PROGRAMS = [
  { name: 'slot', logSize: 13, library: 'SlotKey' },
  { name: 'withdraw-unused', logSize: 14, library: 'WithdrawUnusedKey' },
  { name: 'join', logSize: 15, library: 'JoinKey' },
  { name: 'service-audit', logSize: undefined, library: 'ServiceAuditKey' },
] as const
type Program = (typeof PROGRAMS)[number]

const root = fileURLToPath(new URL('../..', import.meta.url))
const artefacts = join(root, ARTEFACTS)

/** Compiles one program into the folder: `NAME.r1cs` and `NAME_js/NAME.wasm`, from `place` below the repository's root. */
export function compile(name: string, folder: string, place = 'zk-programs/src'): void {
  runCircom([`${place}/${name}.circom`, '--r1cs', '--wasm', '--O2', '-o', folder])
}

/** Runs the compiler at the repository's root. `libraries` holds circomlib. @throws with what it says, where it refuses */
export function runCircom(args: readonly string[], libraries = 'node_modules'): void {
  const circom = join(root, 'node_modules/circom2/cli.js')
  const run = spawnSync(process.execPath, [circom, ...args, '-l', libraries], {
    cwd: root,
    encoding: 'utf8',
  })
  if (run.status !== 0)
    throw new Error(`circom refuses ${args[0] ?? 'nothing'}: ${run.stderr || run.stdout}`)
}

type Made = readonly [file: string, path: string]

async function build({ name, logSize }: Program, folder: string): Promise<readonly Made[]> {
  say(`${name}: compiling`)
  compile(name, folder)
  const r1cs = join(folder, `${name}.r1cs`)
  const key = join(folder, `${name}.zkey`)
  if (logSize === undefined) await writeDevelopmentKey(r1cs, key, (step) => say(`${name}: ${step}`))
  else {
    say(`${name}: set-up of 2^${logSize}, a minute or some`)
    const tau = join(folder, `${logSize}.ptau`)
    const first = join(folder, `${name}.0.zkey`)
    await writeDevelopmentTau(tau, logSize)
    await zKey.newZKey(r1cs, tau, first)
    await zKey.beacon(first, key, 'development', BEACON, BEACON_ITERATIONS)
  }
  const verifier = join(folder, `${name}.vk.json`)
  writeFileSync(verifier, `${JSON.stringify(await zKey.exportVerificationKey(key), null, 2)}\n`)
  return [
    [`${name}.wasm`, join(folder, `${name}_js/${name}.wasm`)],
    [`${name}.zkey`, key],
    [`${name}.vk.json`, verifier],
  ]
}

async function main(args: readonly string[]): Promise<void> {
  const isCheck = args.includes('--check')
  const names = args.filter((arg) => !arg.startsWith('--'))
  if (isCheck && names.length === 0) return checkPins()
  const programs = PROGRAMS.filter(({ name }) => names.length === 0 || names.includes(name))
  const path = join(artefacts, 'manifest.json')
  const before = readFileSync(path, 'utf8')
  const { files: old, ceremonies } = JSON.parse(before) as Manifest
  if (args.includes('--compiled')) return checkCompiled(programs, old)
  if (!args.includes('--development')) refuseOver(ceremonies, programs)
  const folder = mkdtempSync(join(tmpdir(), 'byway-zk-'))
  try {
    const made: Made[] = []
    for (const program of programs) made.push(...(await build(program, folder)))
    const files = { ...old }
    for (const [file, from] of made) files[file] = entryOf(file, from)
    const left = Object.entries(ceremonies ?? {}).filter(
      ([name]) => !programs.some((program) => program.name === name),
    )
    const text = manifestText(PROGRAMS, { files, ceremonies: Object.fromEntries(left) })
    if (isCheck && before !== text)
      throw new Error('the artefacts are not those of the sources: npm run zk')
    // Large files are not in the repository: a check that made them leaves them where provers look.
    for (const [file, from] of made)
      if (files[file]?.isOnDemand || !isCheck) keep(file, from, files)
    if (isCheck) {
      say('the artefacts are those of the sources')
      return
    }
    writeFileSync(path, text)
    for (const program of programs) writeContractKey(program)
    writeSources(programs)
    say(`wrote ${made.length + 1} files`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Compiles and compares the bytes: a key says nothing of what computes its witnesses. @throws where they are others */
function checkCompiled(programs: readonly Program[], files: Manifest['files']): void {
  const folder = mkdtempSync(join(tmpdir(), 'byway-zk-'))
  try {
    for (const { name } of programs) {
      say(`${name}: compiling`)
      compile(name, folder)
      const { sha256 } = entryOf(`${name}.wasm`, join(folder, `${name}_js/${name}.wasm`))
      if (sha256 !== files[`${name}.wasm`]?.sha256)
        throw new Error(`${name}.wasm is not what its sources compile to: npm run zk`)
    }
    say('the programs are those of the sources')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Keys that many people made are not lost by a word typed too soon. */
function refuseOver(ceremonies: Manifest['ceremonies'], programs: readonly Program[]): void {
  const name = programs.find((program) => ceremonies?.[program.name])?.name
  if (name === undefined) return
  throw new Error(
    `the key of ${name} is a ceremony's. \`npm run ceremony -- keep ${name} KEY.zkey\` brings what is too large for the repository; --development makes a development key in its place`,
  )
}

async function checkPins(): Promise<void> {
  const faults = await findStaleArtefacts(root, PROGRAMS)
  if (faults.length > 0) throw new Error(`${faults.join('; ')}: npm run zk`)
  say('the artefacts fit their sources')
}

function writeContractKey(program: Program): void {
  const text = readFileSync(join(artefacts, `${program.name}.vk.json`), 'utf8')
  const solidity = contractKey(program, JSON.parse(text) as VerificationKey, true)
  writeFileSync(join(root, CONTRACT_KEYS, `${program.library}.sol`), solidity)
}

function writeSources(programs: readonly Program[]): void {
  const path = join(root, SOURCES)
  const made = programs.map(({ name }) => [name, sourcesHash(root, name)] as const)
  const before = JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>
  const all = { ...before, ...Object.fromEntries(made) }
  writeFileSync(path, `${JSON.stringify(all, null, 2)}\n`)
}

/** How a file is pinned. */
export function entryOf(file: string, path: string): ManifestEntry {
  const bytes = readFileSync(path)
  const sha256 = hashOf(bytes)
  const isOnDemand = file.startsWith('service-audit') && !file.endsWith('.json')
  return { sha256, bytes: bytes.length, ...(isOnDemand && { isOnDemand }) }
}

/** Puts a file where provers look for it. */
function keep(file: string, from: string, files: Manifest['files']): void {
  const entry = files[file]
  if (!entry?.isOnDemand) {
    copyFileSync(from, join(artefacts, file))
    return
  }
  say(keepOnDemand(file, from, entry))
}

/** Puts a large file into the user's cache. Gives where it is. */
export function keepOnDemand(file: string, from: string, { sha256 }: ManifestEntry): string {
  const to = onDemandPath(file, sha256)
  mkdirSync(dirname(to), { recursive: true })
  // Nobody reads half of it.
  copyFileSync(from, `${to}.part`)
  renameSync(`${to}.part`, to)
  return to
}

function say(text: string): void {
  process.stderr.write(`zk: ${text}\n`)
}

if (import.meta.main) {
  await main(process.argv.slice(2))
  // snarkjs leaves worker threads behind.
  process.exit(0)
}
