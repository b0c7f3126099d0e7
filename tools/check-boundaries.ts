/**
 * Fails when an import points up or sideways: between packages, and between folders of `@byway/protocol`; and when files import each other in a circle.
 * The table below is the one in docs/ARCHITECTURE.md ("What may import what"). Tests may import anything.
 */
import { globSync, readFileSync } from 'node:fs'
import { circlesOf, resolveImport } from './import-circles.ts'

/** Layer of each package, and of each folder of the pure core; an import must point to a lower number. */
export const LAYERS: Readonly<Record<string, number>> = {
  '@byway/protocol/base': 0,
  '@byway/protocol/crypto': 1,
  '@byway/protocol/wire': 1,
  '@byway/protocol/policy': 1,
  '@byway/protocol/ticket': 2,
  '@byway/protocol/node-crypto': 3,
  '@byway/protocol/node-blind': 3,
  '@byway/protocol/node-ticket': 3,
  '@byway/protocol/link': 3,
  '@byway/protocol/circuit': 3,
  '@byway/protocol/directory': 3,
  '@byway/protocol/payment': 3,
  '@byway/protocol/ledger': 3,
  '@byway/home': 3,
  '@byway/net': 4,
  '@byway/gossip': 4,
  '@byway/host': 4,
  '@byway/chain': 4,
  '@byway/store': 4,
  '@byway/purse': 4,
  '@byway/zk': 4,
  '@byway/client': 5,
  '@byway/node': 5,
  '@byway/testnet': 6,
  '@byway/cli': 7,
}

/** The only files of the pure core that may see Node: they implement the crypto port. */
const NODE_ALLOWED = /^packages\/protocol\/src\/crypto\/node-[a-z\d-]+\.ts$/

const IMPORT =
  /^\s*(?:import|export)\b[^'"]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/gm

export type Report = {
  readonly imports: number
  readonly files: number
  readonly faults: readonly string[]
}

/** Checks every `src` file below `root`. An empty look is a fault: a check that sees nothing proves nothing. */
export function checkBoundaries(root: string): Report {
  const faults: string[] = []
  const files = globSync('packages/*/src/**/*.ts', { cwd: root })
  const graph = new Map<string, Set<string>>()
  let imports = 0
  for (const file of files) {
    const own = new Set<string>()
    graph.set(file, own)
    for (const [, from, bare] of readFileSync(`${root}/${file}`, 'utf8').matchAll(IMPORT)) {
      imports++
      const spec = from ?? bare ?? ''
      if (spec.startsWith('.')) own.add(resolveImport(file, spec))
      const fault = judge(file, spec, root)
      if (fault) faults.push(`${file}: ${fault}`)
    }
  }
  faults.push(...circlesOf(graph).map((circle) => `a circle: ${circle}`))
  if (imports === 0) faults.push('no imports seen: the check itself is broken')
  return { imports, files: files.length, faults }
}

function judge(file: string, spec: string, root: string): string | undefined {
  const own = unitOf(file)
  const ownLayer = LAYERS[own]
  if (ownLayer === undefined) return `${own} has no layer; add it to tools/check-boundaries.ts`
  if (spec.startsWith('.')) return judgeRelative(file, spec, own)
  if (own.startsWith('@byway/protocol/')) {
    if (!spec.startsWith('@byway/') && !NODE_ALLOWED.test(file))
      return `the pure core must not import ${spec}`
  }
  if (!spec.startsWith('@byway/')) return undefined
  const target = LAYERS[spec]
  if (target === undefined) return `${spec} is not a public entry`
  if (target >= ownLayer) return `layer ${ownLayer} must not import ${spec} (layer ${target})`
  return judgeDeclared(file, spec, root)
}

function judgeRelative(file: string, spec: string, own: string): string | undefined {
  const path = new URL(spec, `file:///${file}`).pathname.slice(1)
  if (!path.startsWith('packages/')) return `${spec} leaves the package`
  return unitOf(path) === own
    ? undefined
    : `${spec} reaches into ${unitOf(path)}; import its public entry`
}

function judgeDeclared(file: string, spec: string, root: string): string | undefined {
  const dir = file.split('/').slice(0, 2).join('/')
  const name = spec.split('/').slice(0, 2).join('/')
  const manifest = JSON.parse(readFileSync(`${root}/${dir}/package.json`, 'utf8')) as {
    name: string
    dependencies?: Record<string, string>
  }
  if (name === manifest.name || manifest.dependencies?.[name]) return undefined
  return `${name} is not declared in ${dir}/package.json`
}

/** `packages/protocol/src/wire/cell.ts` → `@byway/protocol/wire`; `packages/net/src/x.ts` → `@byway/net`. */
function unitOf(file: string): string {
  const [, pkg = '', , folder = ''] = file.split('/')
  return pkg === 'protocol' ? `@byway/protocol/${folder}` : `@byway/${pkg}`
}

if (import.meta.main) {
  const report = checkBoundaries(process.argv[2] ?? '.')
  for (const fault of report.faults) console.error(fault)
  console.error(
    `boundaries: ${report.imports} imports, ${report.files} files, ${report.faults.length} faults`,
  )
  process.exitCode = report.faults.length === 0 ? 0 : 1
}
