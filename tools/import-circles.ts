/** Circles of files that import each other, types included: none of them can be read, moved or tested without the others. */
import { join } from 'node:path/posix'

/** What each file imports of the others, paths of one root. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>

/** The file that a relative import names. */
export function resolveImport(file: string, spec: string): string {
  return join(file, '..', spec)
}

/** One circle for each group of files that reach each other, as a round trip through some of them: `a.ts → b.ts → a.ts`. */
export function circlesOf(graph: ImportGraph): readonly string[] {
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file)
    if (at !== -1) circles.push([...trail.slice(at), file].join(' → '))
    if (at !== -1 || done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return circles
}
