/**
 * docs/LIMITS.md, made from the sources: constants named `MAX_…`, `…_LIMIT` or `…_TIMEOUT_MS`, every number below a heading that names that file, and the fields of objects
 * named `…_LIMITS`. The reason is the comment above the constant; for a field also the comment in its type, else the one above the object.
 */
import { cell, commentAbove, readSources, type Finding, type Source } from './sources.ts'

const CONSTANT =
  /^(?:export )?const ((?:[A-Z0-9]+_)*MAX_[A-Z0-9_]+|[A-Z0-9_]+_(?:LIMIT|TIMEOUT_MS))(?::[^=]+)? = (.+)$/
/** Whatever its name, below a heading that sends readers to the list. */
const NUMBER =
  /^(?:export )?const ([A-Z][A-Z0-9_]*)(?::[^=]+)? = ([\d(-].*|[A-Z][A-Z0-9_]* [-+*/].*)$/
const HEADING = /^\/\/ Local limits? \(tunable\): docs\/LIMITS\.md/
const OBJECT = /^(?:export )?const ((?:[A-Z0-9]+_)*LIMITS)(?::[^=]+)? = .*\{$/
const FIELD = /^ {2}(\w+): (.+?),?$/

type Limit = {
  readonly name: string
  readonly value: string
  readonly reason: string
  readonly file: string
}

const HEADER = `# Limits

Everything has a limit. Made from the sources by \`npm run docs:fix\`; a check keeps it equal to them. Protocol constants are those of
[SPEC](SPEC.md) and change only with it; the others are local and may be tuned.

| limit | value | where | why |
|---|---|---|---|
`

/** The text docs/LIMITS.md must have, and what is missing in the sources. */
export function renderLimits(root: string): Finding & { readonly text: string } {
  const limits = readSources(root, ['packages/*/src/**/*.ts']).flatMap(limitsOf)
  const faults = limits
    .filter((limit) => limit.reason === '')
    .map((limit) => `${limit.file}: ${limit.name} has no comment that says why`)
  if (limits.length === 0) faults.push('no limit seen: the check itself is broken')
  const lines = limits.map(
    ({ name, value, file, reason }) =>
      `| \`${name}\` | ${cell(value)} | [${shortPath(file)}](../${file}) | ${cell(reason)} |\n`,
  )
  return { looked: limits.length, faults, text: HEADER + lines.join('') }
}

function shortPath(file: string): string {
  return file.replace(/^packages\//, '').replace('/src/', '/')
}

function limitsOf(source: Source): readonly Limit[] {
  let isHeaded = false
  return source.lines.flatMap((line, index) => {
    // A group ends with a blank line.
    if (line === '') isHeaded = false
    else if (HEADING.test(line)) isHeaded = true
    const constant = CONSTANT.exec(line) ?? (isHeaded ? NUMBER.exec(line) : null)
    if (constant) return [constantLimit(source, constant, index)]
    const object = OBJECT.exec(line)
    return object ? fieldLimits(source, object[1] ?? '', index) : []
  })
}

function constantLimit(
  source: Source,
  [, name = '', value = '']: RegExpExecArray,
  index: number,
): Limit {
  return { name, value, file: source.file, reason: reasonAbove(source.lines, index) }
}

/** Who may change a limit is no reason for its value. */
const GROUP_HEADING =
  /^(Local limits?|Protocol constants?) \((tunable|change needs a spec change)\)[:.]?\s*(docs\/LIMITS\.md\.?)?/

/** One comment may stand over a group of constants, with a blank line below it. */
function reasonAbove(lines: readonly string[], index: number): string {
  let first = index
  while (commentAbove(lines, first) === '' && /^(export )?const /.test(lines[first - 1] ?? ''))
    first--
  const isBelowBlank = lines[first - 1] === ''
  const comment = commentAbove(lines, first) || (isBelowBlank ? commentAbove(lines, first - 1) : '')
  const reason = comment.replace(GROUP_HEADING, '').trim()
  return reason.charAt(0).toUpperCase() + reason.slice(1)
}

function fieldLimits(source: Source, object: string, start: number): readonly Limit[] {
  const limits: Limit[] = []
  for (let at = start + 1; at < source.lines.length && source.lines[at] !== '}'; at++) {
    const [, field, value = ''] = FIELD.exec(source.lines[at] ?? '') ?? []
    if (!field) continue
    const reasons = [typeComment(source, field), commentAbove(source.lines, at)]
    const own = reasons.filter((text) => text !== '').join(' ')
    const reason = own || reasonAbove(source.lines, start)
    limits.push({ name: `${object}.${field}`, value, file: source.file, reason })
  }
  return limits
}

function typeComment(source: Source, field: string): string {
  const at = source.lines.findIndex((line) => new RegExp(`^ {2}readonly ${field}\\??:`).test(line))
  return at < 0 ? '' : commentAbove(source.lines, at)
}
