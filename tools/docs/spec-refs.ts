/** Every `SPEC §x.y` in sources and tests must be a numbered heading of docs/SPEC.md. */
import { readSources, type Finding } from './sources.ts'

/** `SPEC §4.2`, and further sections after a comma: `SPEC §4.4, §7.1`. */
const CITATION = /SPEC((?:,?\s*(?:and\s+)?§\d+(?:\.\d+)*(?:[–-]\d+(?:\.\d+)*)?)+)/g
const HEADING = /^#+\s+(\d+(?:\.\d+)*)\s/gm

export function checkSpecRefs(root: string): Finding {
  const [spec] = readSources(root, ['docs/SPEC.md'])
  if (!spec) return { looked: 0, faults: ['docs/SPEC.md is missing'] }
  const headings = new Set([...spec.text.matchAll(HEADING)].map(([, number = '']) => number))
  const sources = readSources(root, [
    'packages/*/src/**/*.ts',
    'packages/*/test/**/*.ts',
    'docs/*.md',
  ])
  const faults: string[] = []
  let looked = 0
  for (const source of sources) {
    for (const [, list = ''] of source.text.matchAll(CITATION)) {
      for (const [, number = ''] of list.matchAll(/§(\d+(?:\.\d+)*)/g)) {
        looked++
        if (!headings.has(number)) faults.push(`${source.file}: SPEC §${number} does not exist`)
      }
    }
  }
  if (looked === 0) faults.push('no citation of SPEC seen: the check itself is broken')
  return { looked, faults }
}
