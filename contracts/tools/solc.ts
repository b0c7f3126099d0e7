/**
 * Runs solc-js over `contracts/`. Poseidon's libraries go through the legacy pipeline: by way of the IR they would be 29 kB, above the 24 576 bytes
 * that EIP-170 allows. Everything else goes by way of the IR.
 */
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url))

/** The EVM that every chain in question has, anvil included. */
const EVM_VERSION = 'cancun'
/** Calls count for more than the deployment; a thousandfold keeps the pool within EIP-170. */
const OPTIMIZER_RUNS = 1000
/** The hashes of every insertion: with a thousand they would cost half as much again. */
const LIBRARY_RUNS = 100_000

/** A contract as it comes out of the compiler; `links` says where in the code which library's address belongs. */
export type Compiled = {
  readonly name: string
  readonly source: string
  readonly abi: readonly unknown[]
  readonly bytecode: string
  readonly deployedBytes: number
  readonly links: Readonly<Record<string, readonly number[]>>
}

type References = Readonly<Record<string, Readonly<Record<string, readonly { start: number }[]>>>>
type SolcOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[]
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<
        Record<
          string,
          {
            readonly abi: readonly unknown[]
            readonly evm: {
              readonly bytecode: { readonly object: string; readonly linkReferences: References }
              readonly deployedBytecode: { readonly object: string }
            }
          }
        >
      >
    >
  >
}
type Solc = {
  version(): string
  compile(
    input: string,
    callbacks: { import(path: string): { contents: string } | { error: string } },
  ): string
}

/** Loading the compiler takes seconds; only who compiles pays them. */
function loadSolc(): Solc {
  return createRequire(import.meta.url)('solc') as Solc
}

const LIBRARIES = ['PoseidonT2', 'PoseidonT3', 'PoseidonT4'].map(
  (name) => `poseidon-solidity/${name}.sol`,
)

/** Our own sources, relative to the workspace. */
export function ownSources(): readonly string[] {
  return globSync(['contracts/src/**/*.sol', 'contracts/test/sol/*.sol'], { cwd: ROOT }).toSorted()
}

/** Every contract and library of the project, compiled. Throws with the compiler's words on any error or warning. `read` gives a source's text. @default what is on the disk */
export function compileAll(read: ReadSource = readSource): readonly Compiled[] {
  const solc = loadSolc()
  const own = run(solc, ownSources(), { viaIR: true, runs: OPTIMIZER_RUNS, read }).filter(
    ({ source, bytecode }) => source.startsWith('contracts/') && bytecode.length > 0,
  )
  return [...own, ...run(solc, LIBRARIES, { viaIR: false, runs: LIBRARY_RUNS })]
}

/** Some contracts of the project, and what they import, out of sources that were changed before. */
export function compileChanged(
  files: readonly string[],
  change: (source: string) => string,
): readonly Compiled[] {
  const read = (path: string): string => change(readSource(path))
  return run(loadSolc(), files, { viaIR: true, runs: OPTIMIZER_RUNS, read })
}

/** The text of an own source, or of one of an installed package. */
export type ReadSource = (path: string) => string

type RunOptions = {
  readonly viaIR: boolean
  readonly runs: number
  readonly read?: ReadSource
}

function run(
  solc: Solc,
  files: readonly string[],
  { viaIR, runs, read = readSource }: RunOptions,
): readonly Compiled[] {
  const input = {
    language: 'Solidity',
    sources: Object.fromEntries(files.map((file) => [file, { content: read(file) }])),
    settings: {
      viaIR,
      evmVersion: EVM_VERSION,
      optimizer: { enabled: true, runs },
      metadata: { appendCBOR: false, bytecodeHash: 'none' },
      outputSelection: Object.fromEntries(
        files.map((file) => [
          file,
          {
            '*': [
              'abi',
              'evm.bytecode.object',
              'evm.bytecode.linkReferences',
              'evm.deployedBytecode.object',
            ],
          },
        ]),
      ),
    },
  }
  const output = JSON.parse(
    solc.compile(JSON.stringify(input), {
      import: (path) => {
        try {
          return { contents: read(path) }
        } catch (cause) {
          return { error: String(cause) }
        }
      },
    }),
  ) as SolcOutput
  const faults = output.errors ?? []
  if (faults.length > 0) throw new Error(faults.map((f) => f.formattedMessage).join('\n'))
  return Object.entries(output.contracts ?? {}).flatMap(([source, contracts]) =>
    Object.entries(contracts).map(([name, { abi, evm }]) => ({
      name,
      source,
      abi,
      bytecode: evm.bytecode.object,
      deployedBytes: evm.deployedBytecode.object.length / 2,
      links: linksOf(evm.bytecode.linkReferences),
    })),
  )
}

function linksOf(references: References): Readonly<Record<string, readonly number[]>> {
  const entries = Object.values(references).flatMap((libraries) =>
    Object.entries(libraries).map(([name, places]) => [name, places.map(({ start }) => start)]),
  )
  return Object.fromEntries(entries) as Record<string, readonly number[]>
}

/** An own source, or one of an installed package. */
export function readSource(path: string): string {
  const base = path.startsWith('contracts/') ? ROOT : `${ROOT}node_modules/`
  return readFileSync(base + path, 'utf8')
}
