/**
 * `npm run zk`: compiles each program, makes the development set-up and writes what provers need to `packages/zk/artefacts`, with a manifest of
 * hashes. Everything is derived from the sources and from texts in this folder, so a second run gives the same bytes.
 * `npm run zk -- --check` compares hashes instead of writing.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { zKey } from 'snarkjs'
import { writeDevelopmentTau } from './development-tau.ts'
import { soliditySlotKey } from './solidity-key.ts'
import type { VerificationKey } from './solidity-key.ts'

/** A program and the size of its set-up: the least power of two above its constraints. */
const PROGRAMS = [{ name: 'slot', logSize: 13 }] as const
/** Of the one "contribution", which moves delta away from gamma. Public, like all of a development set-up. */
const BEACON = createHash('sha256').update('byway development set-up').digest('hex')
const BEACON_ITERATIONS = 10

const root = fileURLToPath(new URL('../..', import.meta.url))
const artefacts = join(root, 'packages/zk/artefacts')
const contractKey = join(root, 'contracts/src/lib/SlotKey.sol')

type Entry = { readonly sha256: string; readonly bytes: number }
/** What stands in `manifest.json`. */
type Manifest = { readonly setUp: 'development'; readonly files: Readonly<Record<string, Entry>> }

/** Compiles one program; returns the folder with `NAME.r1cs` and `NAME_js/NAME.wasm`. */
export function compile(name: string, folder: string, place = 'zk-programs/src'): void {
  const circom = join(root, 'node_modules/circom2/cli.js')
  const args = [circom, `${place}/${name}.circom`, '--r1cs', '--wasm', '--O2']
  const run = spawnSync(process.execPath, [...args, '-o', folder, '-l', 'node_modules'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (run.status !== 0) throw new Error(`circom refuses ${name}: ${run.stderr || run.stdout}`)
}

async function build(name: string, logSize: number, folder: string): Promise<Map<string, string>> {
  say(`${name}: compiling`)
  compile(name, folder)
  say(`${name}: set-up of 2^${logSize}, about a minute`)
  const tau = join(folder, `${logSize}.ptau`)
  const first = join(folder, `${name}.0.zkey`)
  const key = join(folder, `${name}.zkey`)
  await writeDevelopmentTau(tau, logSize)
  await zKey.newZKey(join(folder, `${name}.r1cs`), tau, first)
  await zKey.beacon(first, key, 'development', BEACON, BEACON_ITERATIONS)
  const verifier = join(folder, `${name}.vk.json`)
  writeFileSync(verifier, `${JSON.stringify(await zKey.exportVerificationKey(key), null, 2)}\n`)
  return new Map([
    [`${name}.wasm`, join(folder, `${name}_js/${name}.wasm`)],
    [`${name}.zkey`, key],
    [`${name}.vk.json`, verifier],
  ])
}

async function main(isCheck: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'byway-zk-'))
  try {
    const made = new Map<string, string>()
    for (const { name, logSize } of PROGRAMS) {
      for (const [file, path] of await build(name, logSize, folder)) made.set(file, path)
    }
    const files = Object.fromEntries([...made].map(([file, path]) => [file, entryOf(path)]))
    const manifest: Manifest = { setUp: 'development', files }
    const text = `${JSON.stringify(manifest, null, 2)}\n`
    const path = join(artefacts, 'manifest.json')
    if (isCheck) {
      if (readFileSync(path, 'utf8') !== text)
        throw new Error('the artefacts are not those of the sources: npm run zk')
      say('the artefacts are those of the sources')
      return
    }
    mkdirSync(artefacts, { recursive: true })
    for (const [file, from] of made) copyFileSync(from, join(artefacts, file))
    writeFileSync(path, text)
    const key = JSON.parse(readFileSync(join(artefacts, 'slot.vk.json'), 'utf8')) as VerificationKey
    writeFileSync(contractKey, soliditySlotKey(key, manifest.setUp === 'development'))
    say(`wrote ${made.size + 1} files`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function entryOf(path: string): Entry {
  const bytes = readFileSync(path)
  return { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }
}

function say(text: string): void {
  process.stderr.write(`zk: ${text}\n`)
}

if (import.meta.main) {
  await main(process.argv.includes('--check'))
  // snarkjs leaves worker threads behind.
  process.exit(0)
}
