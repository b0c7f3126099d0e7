/**
 * The committed artefacts: one TypeScript file a contract, so that viem infers the types of its calls, and a manifest that ties them to their sources without
 * compiling.
 */
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { type Compiled, ownSources, type ReadSource, readSource, ROOT } from './solc.ts'

/** Where artefacts live: those that are shipped, and those of contracts that only tests use. */
const SHIPPED = 'packages/chain/src/artifacts'
const FOR_TESTS = 'contracts/test/artifacts'
const MANIFEST = `contracts/artifacts.json`
/** Beside the contracts: what their keys come of. */
const SET_UP = 'set-up.ts'
const KEYS = 'contracts/src/lib/'

/** What else decides the output: the compiler's and the libraries' versions are pinned in the lock file. */
const TOOLS = ['contracts/tools/solc.ts', 'contracts/tools/artifacts.ts']
const PACKAGES = ['solc', 'poseidon-solidity', '@openzeppelin/contracts']

/** Fingerprints of all that goes in, and of each file that came out. */
type Manifest = { readonly inputs: string; readonly outputs: Readonly<Record<string, string>> }

/** Writes every artefact and the manifest; removes artefacts of contracts that are gone. */
export function writeArtifacts(contracts: readonly Compiled[]): void {
  const files = renderWithManifest(contracts)
  for (const folder of [SHIPPED, FOR_TESTS]) {
    rmSync(ROOT + folder, { recursive: true, force: true })
    mkdirSync(ROOT + folder, { recursive: true })
  }
  for (const [path, text] of files) writeFileSync(ROOT + path, text)
}

/** Path → text of every artefact and of the manifest that ties them to the sources. */
export function renderWithManifest(
  contracts: readonly Compiled[],
  read: ReadSource = readSource,
): ReadonlyMap<string, string> {
  const files = renderAll(contracts, read)
  const outputs = Object.fromEntries([...files].map(([path, text]) => [path, sha256(text)]))
  const manifest: Manifest = { inputs: inputsHash(read), outputs }
  return new Map([...files, [MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`]])
}

/** What differs between the artefacts on disk and their sources, by fingerprints alone: takes milliseconds. */
export function findStale(): readonly string[] {
  if (!existsSync(ROOT + MANIFEST)) return [`${MANIFEST} is missing`]
  const manifest = JSON.parse(readFileSync(ROOT + MANIFEST, 'utf8')) as Manifest
  const faults: string[] = []
  if (manifest.inputs !== inputsHash()) faults.push('the sources have changed since')
  const present = globSync([`${SHIPPED}/*`, `${FOR_TESTS}/*`], { cwd: ROOT })
  for (const path of new Set([...present, ...Object.keys(manifest.outputs)])) {
    const file = ROOT + path
    const hash = existsSync(file) ? sha256(readFileSync(file, 'utf8')) : undefined
    if (hash !== manifest.outputs[path]) faults.push(`${path} is not what the compiler made`)
  }
  return faults
}

/** Path → text of every artefact. */
export function renderAll(
  contracts: readonly Compiled[],
  read: ReadSource = readSource,
): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  const folderOf = ({ source }: Compiled) =>
    source.startsWith('contracts/test/') ? FOR_TESTS : SHIPPED
  const wanted = contracts.filter(({ source }) => !source.startsWith('contracts/src/lib/'))
  for (const contract of wanted)
    files.set(`${folderOf(contract)}/${fileName(contract.name)}`, render(contract))
  const shipped = wanted.filter((contract) => folderOf(contract) === SHIPPED)
  files.set(`${SHIPPED}/${SET_UP}`, renderSetUp(read))
  files.set(`${SHIPPED}/index.ts`, renderIndex(shipped))
  return files
}

/** What the keys in the code say of themselves (docs/CEREMONY.md). */
function renderSetUp(read: ReadSource): string {
  const keys = ownSources().filter((path) => path.startsWith(KEYS))
  const isDevelopment = keys.some((path) => read(path).includes('IS_DEVELOPMENT = true'))
  return `// Made by \`npm run contracts\`. Do not edit.
/** Where the keys in these contracts come from: \`development\` while one of them is of a set-up under which anybody can forge. */
export const keySetUp: 'development' | 'ceremony' = '${isDevelopment ? 'development' : 'ceremony'}'
`
}

function render({ name, source, abi, bytecode, links }: Compiled): string {
  const code = bytecode.replaceAll(/__\$[0-9a-f]{34}\$__/g, '0'.repeat(40))
  const rows = abi.map((entry) => `    ${JSON.stringify(entry, withoutInternalType)},\n`)
  return `// Made from ${source} by \`npm run contracts\`. Do not edit.
/** ABI, creation code, and where in it (byte offsets) the addresses of linked libraries belong. */
export const ${constName(name)} = {
  name: '${name}',
  abi: [
${rows.join('')}  ],
  links: ${JSON.stringify(links)},
  bytecode:
    '0x${code}',
} as const
`
}

/** Solidity's own type names are of no use outside. */
function withoutInternalType(key: string, value: unknown): unknown {
  return key === 'internalType' ? undefined : value
}

function renderIndex(contracts: readonly Compiled[]): string {
  const lines = contracts.map(
    ({ name }) => `export { ${constName(name)} } from './${fileName(name)}'`,
  )
  lines.push(`export { keySetUp } from './${SET_UP}'`)
  return `// Made by \`npm run contracts\`. Do not edit.\n${lines.toSorted().join('\n')}\n`
}

/** `BywayPool` → `bywayPoolArtifact`. */
function constName(name: string): string {
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}Artifact`
}

/** `BywayPool` → `byway-pool.ts`, `PoseidonT3` → `poseidon-t3.ts`. */
function fileName(name: string): string {
  return `${basename(name)
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-')
    .toLowerCase()}.ts`
}

function inputsHash(read: ReadSource = readSource): string {
  const sources = [...ownSources(), ...TOOLS].map((path) => `${path}\0${read(path)}`)
  const versions = PACKAGES.map(
    (name) =>
      `${name} ${(JSON.parse(readSource(`${name}/package.json`)) as { version: string }).version}`,
  )
  return sha256([...sources, ...versions].join('\0'))
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
