/**
 * Keeps the documents true: links resolve, cited sections of SPEC exist, ERRORS.md and LIMITS.md equal the sources.
 * `npm run docs` checks; `npm run docs:fix` writes the two made files. Each check counts what it looked at and fails on zero.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { renderErrors } from './docs/errors.ts'
import { renderLimits } from './docs/limits.ts'
import { checkLinks } from './docs/links.ts'
import { checkSpecRefs } from './docs/spec-refs.ts'
import type { Finding } from './docs/sources.ts'

const MADE = { 'docs/ERRORS.md': renderErrors, 'docs/LIMITS.md': renderLimits } as const

/** Every check by name. */
export function checkDocs(root: string): Readonly<Record<string, Finding>> {
  const made = Object.entries(MADE).map(([file, render]) => [
    file,
    compare(root, file, render(root)),
  ])
  return {
    ...(Object.fromEntries(made) as Record<string, Finding>),
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
