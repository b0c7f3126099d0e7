/** The packages and the folders of the pure core in ARCHITECTURE: who imports whom, from the manifests and the imports themselves. */
import { readFileSync } from 'node:fs'
import { readSources, type Finding } from './sources.ts'
import { LAYERS } from '../check-boundaries.ts'

type Manifest = { readonly name: string; readonly dependencies?: Readonly<Record<string, string>> }
type Edges = ReadonlyMap<string, readonly string[]>

const SCOPE = '@byway/'
const CORE = 'protocol'

/** The graph: an arrow that follows from others is left out. */
export function renderPackageGraph(root: string): Finding & { readonly text: string } {
  const packages = new Map(
    readManifests(root).map(({ name, dependencies }) => [
      name.slice(SCOPE.length),
      ownOf(dependencies).filter((each) => each !== name.slice(SCOPE.length)),
    ]),
  )
  const folders = coreFolders(root)
  const text = [
    '```mermaid',
    'graph TD',
    ...arrows(packages, (name) => (name === CORE ? CORE : label(name, `${SCOPE}${name}`))),
    `  subgraph ${CORE}["${CORE}: pure, no I/O"]`,
    ...arrows(folders, (name) => label(name, `${SCOPE}${CORE}/${name}`)).map((line) => `  ${line}`),
    '  end',
    '```',
    '',
  ]
  const looked = packages.size + folders.size
  const faults = packages.size === 0 ? ['no package seen: the check itself is broken'] : []
  return { looked, faults, text: text.join('\n') }
}

/** What each package imports, and a fault for each that the table above does not explain. */
export function renderPackageImports(root: string): Finding & { readonly text: string } {
  const manifests = readManifests(root)
  const architecture = readFileSync(`${root}/docs/ARCHITECTURE.md`, 'utf8')
  const rows = manifests.map(({ name, dependencies }) => {
    const libraries = Object.keys(dependencies ?? {}).filter((each) => !each.startsWith(SCOPE))
    const own = ownOf(dependencies).join(', ') || 'nothing'
    const foreign = libraries.map((each) => `\`${each}\``).join(', ') || 'none'
    return `| \`${name}\` | ${LAYERS[name] ?? ''} | ${own} | ${foreign} |`
  })
  const faults = manifests
    .filter(({ name }) => !architecture.includes(`| \`${name}\` | `))
    .map(({ name }) => `docs/ARCHITECTURE.md does not say what ${name} owns`)
  if (rows.length === 0) faults.push('no package seen: the check itself is broken')
  const text = ['| package | layer | imports | libraries |', '|---|---|---|---|', ...rows, '']
  return { looked: rows.length, faults, text: text.join('\n') }
}

function readManifests(root: string): readonly Manifest[] {
  return readSources(root, ['packages/*/package.json']).map(
    ({ text }) => JSON.parse(text) as Manifest,
  )
}

function ownOf(dependencies: Manifest['dependencies']): readonly string[] {
  const own = Object.keys(dependencies ?? {}).filter((each) => each.startsWith(SCOPE))
  return own.map((each) => each.slice(SCOPE.length))
}

/** The folders of the core, without what implements its ports with Node's modules and libraries. */
function coreFolders(root: string): Edges {
  const edges = new Map<string, Set<string>>()
  for (const { file, text } of readSources(root, [`packages/${CORE}/src/*/**/*.ts`])) {
    const folder = file.split('/')[3] ?? ''
    if (/\/node-[^/]*$/.test(file)) continue
    const found = edges.get(folder) ?? new Set<string>()
    edges.set(folder, found)
    for (const [, target = ''] of text.matchAll(/ from '@byway\/protocol\/([a-z]+)'/g))
      if (target !== folder) found.add(target)
  }
  return new Map(Array.from(edges, ([folder, targets]) => [folder, [...targets].toSorted()]))
}

/** One line for each arrow that does not follow from others, and one for whoever has none. */
function arrows(edges: Edges, name: (node: string) => string): readonly string[] {
  const lines: string[] = []
  for (const [from, targets] of edges) {
    const needed = targets.filter(
      (to) => !targets.some((other) => other !== to && reaches(edges, other, to)),
    )
    for (const to of needed) lines.push(`  ${name(from)} --> ${name(to)}`)
  }
  return lines
}

function reaches(edges: Edges, from: string, to: string): boolean {
  return (edges.get(from) ?? []).some((next) => next === to || reaches(edges, next, to))
}

function label(name: string, unit: string): string {
  return `${name}["${name} · ${LAYERS[unit] ?? ''}"]`
}
