/**
 * Citations of docs/SPEC.md: each `SPEC §x.y` in sources, tests and documents is a numbered heading of it, and each section
 * that says MUST is cited by a source and by a test. Whether the cited line does what the section says is the reader's to judge.
 */
import { readSources, type Finding, type Source } from './sources.ts'

/** `SPEC §4.2`, and further sections after a comma: `SPEC §4.4, §7.1`. */
const CITATION = /SPEC((?:,?\s*(?:and\s+)?§\d+(?:\.\d+)*(?:[–-]\d+(?:\.\d+)*)?)+)/g
const HEADING = /^#+\s+(\d+(?:\.\d+)*)\s/gm

export function checkSpecRefs(root: string): Finding {
  const [spec] = readSources(root, ['docs/SPEC.md'])
  if (!spec) return { looked: 0, faults: ['docs/SPEC.md is missing'] }
  const headings = new Set([...spec.text.matchAll(HEADING)].map(([, number = '']) => number))
  const sources = readSources(root, ['packages/*/src/**/*.ts'])
  const tests = readSources(root, ['packages/*/test/**/*.ts'])
  const faults: string[] = []
  let looked = 0
  for (const source of [...sources, ...tests, ...readSources(root, ['docs/*.md'])]) {
    for (const number of citationsIn(source)) {
      looked++
      if (!headings.has(number)) faults.push(`${source.file}: SPEC §${number} does not exist`)
    }
  }
  if (looked === 0) faults.push('no citation of SPEC seen: the check itself is broken')
  for (const [kind, files] of Object.entries({ source: sources, test: tests })) {
    const cited = new Set(files.flatMap(citationsIn))
    for (const number of sectionsWithMust(spec.text)) {
      if (!cited.has(number)) faults.push(`SPEC §${number} says MUST, and no ${kind} cites it`)
    }
  }
  return { looked, faults }
}

function citationsIn({ text }: Source): string[] {
  return [...text.matchAll(CITATION)].flatMap(([, list = '']) =>
    [...list.matchAll(/§(\d+(?:\.\d+)*)/g)].map(([, number = '']) => number),
  )
}

/** The section that lists the key words says all of them, and demands nothing. */
function sectionsWithMust(spec: string): string[] {
  const [, ...parts] = spec.split(/^#+\s+(?=\d)/m)
  return parts
    .filter((part) => /\bMUST\b(?!, SHOULD)/.test(part))
    .map((part) => /^[\d.]+/.exec(part)?.[0] ?? '')
}
