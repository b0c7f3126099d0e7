/**
 * docs/ERRORS.md, made from the error tables of the packages. A code is found where its kind stands:
 * `CODE: 'peer'`, `CODE: ['peer', 'message']` or `new BywayError('CODE', 'peer', …)`. What it means is the comment
 * above its row in the table of contexts (`CODE: { … }`), above the row with its kind, or of the function that throws it; else its message.
 * Two packages may share a code (what an exit reports, a client sees), but not with two kinds.
 */
import { cell, commentAbove, readSources, type Finding, type Source } from './sources.ts'

const KIND = 'bug|config|local|network|peer|exit|payment|chain'
const TABLED = new RegExp(
  `^\\s*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+):\\s*\\[?\\s*'(${KIND})'(?:,\\s*'([^']+)')?`,
  'gm',
)
const BUILT = new RegExp(`new BywayError\\(\\s*'([A-Z][A-Z0-9_]*)',\\s*'(${KIND})'`, 'g')

type ErrorRow = {
  readonly code: string
  readonly kind: string
  readonly meaning: string
  readonly file: string
}

const HEADER = `# Errors

Made from the sources by \`npm run docs:fix\`; a check keeps it equal to them. Callers branch on **kind** (who can act), logs and tests on
**code**. Texts may change; codes and kinds are public API. No error holds a destination, an address of a user, a key or payload.

| kind | who can act |
|---|---|
| \`bug\` | we: please report it |
| \`config\` | you: a setting, a flag or a file |
| \`local\` | you: this machine (disk, port, permission) |
| \`network\` | the network between here and the next node; trying again may help |
| \`peer\` | the other side broke the protocol; its link is closed |
| \`exit\` | the exit or what lies beyond it |
| \`payment\` | the payer's purse |
| \`chain\` | the chain or its endpoint |

| code | kind | means |
|---|---|---|
`

/** The text docs/ERRORS.md must have, and what is missing in the sources. */
export function renderErrors(root: string): Finding & { readonly text: string } {
  const rows = readSources(root, ['packages/*/src/**/*.ts']).flatMap(errorsOf)
  const faults: string[] = []
  const byCode = new Map<string, ErrorRow>()
  for (const row of rows) {
    const known = byCode.get(row.code)
    if (known && known.kind !== row.kind) faults.push(`${row.file}: ${row.code} has two kinds`)
    if (!known?.meaning) byCode.set(row.code, row)
  }
  for (const { code, file, meaning } of byCode.values()) {
    if (meaning === '') faults.push(`${file}: ${code} has no comment that says what it means`)
  }
  if (rows.length === 0) faults.push('no error code seen: the check itself is broken')
  const lines = [...byCode.values()]
    .toSorted((a, b) => (a.code < b.code ? -1 : 1))
    .map((row) => `| \`${row.code}\` | ${row.kind} | ${cell(row.meaning)} |\n`)
  return { looked: byCode.size, faults, text: HEADER + lines.join('') }
}

function errorsOf(source: Source): readonly ErrorRow[] {
  const tabled = [...source.text.matchAll(TABLED)].map(
    ([, code = '', kind = '', message = '']) => ({
      file: source.file,
      code,
      kind,
      meaning: meaningOf(source, code) || message,
    }),
  )
  const built = [...source.text.matchAll(BUILT)].map((match) => ({
    file: source.file,
    code: match[1] ?? '',
    kind: match[2] ?? '',
    meaning: functionComment(source, match.index),
  }))
  return [...tabled, ...built]
}

function meaningOf(source: Source, code: string): string {
  const rows = source.lines.flatMap((line, index) =>
    line.trim().startsWith(`${code}:`) ? [index] : [],
  )
  return rows.map((index) => commentAbove(source.lines, index)).find((text) => text !== '') ?? ''
}

function functionComment(source: Source, offset: number): string {
  const before = source.text.slice(0, offset).split('\n')
  const at = before.findLastIndex((line) => /^(export )?(async )?function /.test(line))
  return at < 0 ? '' : commentAbove(source.lines, at)
}
