/** What a key is installed into, somewhere else: the tools, the programs, the artefacts and the contracts that hold keys. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  readdirSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const PARTS = [
  'package.json',
  'zk-programs/sources.json',
  'zk-programs/src',
  'zk-programs/lib',
  'zk-programs/tools',
  'packages/zk/src',
  'packages/zk/artefacts',
  'packages/chain/src',
  'contracts/tools',
  'contracts/src/lib',
  'contracts/artifacts.json',
]
/** Without the pool: to compile it takes longer than all the rest. */
const CONTRACTS = [
  'IAuthoriser',
  'IServiceAuditor',
  'LeafProofs',
  'ServiceAuditor',
  'SlotProofAuthoriser',
]
const LEFT_OUT = 'packages/chain/src/artifacts/{byway-*,service-proofs}.ts'
/** The compiler's quick way, a thirtieth of the time: what it makes here runs nowhere. */
const QUICK = [
  ['viaIR: true', 'viaIR: false'],
  ['optimizer: { enabled: true', 'optimizer: { enabled: false'],
] as const
/** All that an installation may touch. */
const TOUCHED = [
  'zk-programs/sources.json',
  'packages/zk/artefacts/*',
  'packages/chain/src/artifacts/*',
  'contracts/src/lib/*',
  'contracts/artifacts.json',
]

export type Ran = {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export type ProjectCopy = Disposable & {
  /** Of a path in it. */
  at(path: string): string
  /** Runs a script of it. */
  run(script: string, ...args: readonly string[]): Ran
  /** Path → hash of all that an installation may touch. */
  hashes(): Readonly<Record<string, string>>
}

/** @param isQuick - its contracts are compiled the quick way, and run nowhere. @default true */
export function copyProject(isQuick = true): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'byway-project-'))
  const at = (path: string): string => join(folder, path)
  for (const part of [...PARTS, ...CONTRACTS.map((name) => `contracts/src/${name}.sol`)])
    cpSync(join(root, part), at(part), { recursive: true })
  if (isQuick) compileQuickly(at('contracts/tools/solc.ts'))
  for (const file of globSync(LEFT_OUT, { cwd: folder })) rmSync(at(file))
  linkModules(at('node_modules'))
  const env = { ...process.env, XDG_CACHE_HOME: at('cache') }
  return {
    at,
    run(script, ...args) {
      const { status, stdout, stderr } = spawnSync(process.execPath, [at(script), ...args], {
        cwd: folder,
        encoding: 'utf8',
        env,
      })
      return { status, stdout, stderr }
    },
    hashes() {
      const files = globSync(TOUCHED, { cwd: folder }).toSorted()
      const hashOf = (file: string): string =>
        createHash('sha256')
          .update(readFileSync(at(file)))
          .digest('hex')
      return Object.fromEntries(files.map((file) => [file, hashOf(file)]))
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

/** The compiler of programs reads nothing through a link that leads out of the folder. */
function linkModules(folder: string): void {
  mkdirSync(folder)
  const modules = join(root, 'node_modules')
  for (const name of readdirSync(modules).filter((each) => each !== LIBRARY))
    symlinkSync(join(modules, name), join(folder, name))
  cpSync(join(modules, LIBRARY), join(folder, LIBRARY), { recursive: true })
}

const LIBRARY = 'circomlib'

function compileQuickly(compiler: string): void {
  for (const [slow, quick] of QUICK) {
    const text = readFileSync(compiler, 'utf8')
    assert.ok(text.includes(slow), slow)
    writeFileSync(compiler, text.replaceAll(slow, quick))
  }
}
