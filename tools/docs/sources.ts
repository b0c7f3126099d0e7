/** Reads what the documentation checks compare: source files as text, and the comments above a line. */
import { globSync, readFileSync } from 'node:fs'

export type Source = {
  readonly file: string
  readonly text: string
  readonly lines: readonly string[]
}

/** What a check looked at and what it found wrong. A check that looked at nothing is itself at fault. */
export type Finding = { readonly looked: number; readonly faults: readonly string[] }

/** Every file below `root` that matches, in a stable order, without installed and built ones. */
export function readSources(root: string, patterns: readonly string[]): readonly Source[] {
  const files = globSync([...patterns], { cwd: root, exclude: isForeign })
  return files.toSorted().map((file) => {
    const text = readFileSync(`${root}/${file}`, 'utf8')
    return { file, text, lines: text.split('\n') }
  })
}

function isForeign(path: string): boolean {
  return /(^|\/)(node_modules|dist|\.git)(\/|$)/.test(path)
}

/**
 * The comment that ends on the line before `index`, as one line of plain text; '' when there is none.
 * Tags (`@throws` and on) are left out.
 */
export function commentAbove(lines: readonly string[], index: number): string {
  const block: string[] = []
  for (let at = index - 1; at >= 0; at--) {
    const line = (lines[at] ?? '').trim()
    if (!/^(\/\/|\/\*\*|\*)/.test(line)) break
    block.unshift(line)
    if (line.startsWith('/**')) break
  }
  return plain(block)
}

function plain(block: readonly string[]): string {
  const text = block
    .map((line) =>
      line
        .replace(/^\/\*\*|^\/\/|^\*\/|^\*(?!\/)|\*\/$/g, '')
        .replace(/\*\/$/, '')
        .trim(),
    )
    .join(' ')
  return text
    .replace(/\s*@[a-z]+\b.*$/, '')
    .replace(/\{@link (\w+)\}/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
}

/** A cell of a Markdown table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
