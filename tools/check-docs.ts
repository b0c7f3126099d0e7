/**
 * Keeps the documents true: links resolve, cited sections of SPEC exist, ERRORS.md and LIMITS.md equal the sources, and so do the made parts of
 * SPEC.md and ARCHITECTURE.md. `npm run docs` checks; `npm run docs:fix` writes what is made. Each check counts what it looked at and fails on zero.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { renderErrors } from './docs/errors.ts'
import { renderLimits } from './docs/limits.ts'
import { checkLinks } from './docs/links.ts'
import { renderParts, type RenderPart } from './docs/made-parts.ts'
import { renderPackageGraph, renderPackageImports } from './docs/packages.ts'
import { renderPolicyTables } from './docs/policy-tables.ts'
import { checkSpecRefs } from './docs/spec-refs.ts'
import type { Finding } from './docs/sources.ts'

const MADE: Readonly<Record<string, RenderPart>> = {
  'docs/ERRORS.md': renderErrors,
  'docs/LIMITS.md': renderLimits,
  'docs/SPEC.md': (root) =>
    renderParts(root, readIfThere(`${root}/docs/SPEC.md`), { 'policy tables': renderPolicyTables }),
  'docs/ARCHITECTURE.md': (root) =>
    renderParts(root, readIfThere(`${root}/docs/ARCHITECTURE.md`), {
      'package graph': renderPackageGraph,
      'package imports': renderPackageImports,
    }),
}

/** Every check by name. */
export function checkDocs(root: string): Readonly<Record<string, Finding>> {
  const made = Object.entries(MADE).map(
    ([file, render]) => [file, compare(root, file, render(root))] as const,
  )
  return {
    ...Object.fromEntries(made),
    links: checkLinks(root),
    'spec references': checkSpecRefs(root),
  }
}

/** Writes the files that are made from the sources. */
export function writeDocs(root: string): void {
  for (const [file, render] of Object.entries(MADE))
    writeFileSync(`${root}/${file}`, render(root).text)
}

function compare(root: string, file: string, want: Finding & { readonly text: string }): Finding {
  if (readIfThere(`${root}/${file}`) === want.text) return want
  return {
    ...want,
    faults: [...want.faults, `${file} is not what the sources say; run: npm run docs:fix`],
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

if (import.meta.main) {
  if (process.argv.includes('--write')) writeDocs('.')
  for (const [name, { looked, faults }] of Object.entries(checkDocs('.'))) {
    for (const fault of faults) console.error(fault)
    console.error(`docs: ${name}: ${looked} looked at, ${faults.length} faults`)
    if (faults.length > 0) process.exitCode = 1
  }
}
