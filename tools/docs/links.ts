/** Relative links of Markdown files must lead to a file, their anchors to a heading, and named npm scripts must exist. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { readSources, type Finding, type Source } from './sources.ts'

const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g
const SCRIPT = /\bnpm (?:run ([a-z][a-z:-]*)|(start|test)\b)/g

export function checkLinks(root: string): Finding {
  const faults: string[] = []
  const documents = readSources(root, ['**/*.md', '.github/**/*.md'])
  const scripts = scriptsOf(root)
  let looked = 0
  for (const document of documents) {
    for (const [, target = ''] of withoutCode(document.text).matchAll(LINK)) {
      if (/^[a-z]+:/.test(target)) continue
      looked++
      const fault = judgeLink(root, document, target)
      if (fault) faults.push(`${document.file}: ${fault}`)
    }
    for (const [, run, short] of document.text.matchAll(SCRIPT)) {
      const script = run ?? short ?? ''
      if (!scripts.has(script)) faults.push(`${document.file}: there is no npm script "${script}"`)
    }
  }
  if (looked === 0) faults.push('no relative link seen: the check itself is broken')
  return { looked, faults }
}

function judgeLink(root: string, from: Source, target: string): string | undefined {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? from.file : normalize(join(dirname(from.file), path))
  if (!existsSync(join(root, file))) return `${target} leads nowhere`
  if (anchor === undefined || !file.endsWith('.md')) return undefined
  return anchorsOf(readFileSync(join(root, file), 'utf8')).has(anchor)
    ? undefined
    : `${target} names a heading that is not there`
}

/** Anchors as GitHub makes them from headings. */
function anchorsOf(markdown: string): ReadonlySet<string> {
  const headings = withoutCode(markdown).matchAll(/^#+\s+(.*)$/gm)
  return new Set([...headings].map(([, heading = '']) => slug(heading)))
}

function slug(heading: string): string {
  const letters = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '')
  return letters.trim().replaceAll(' ', '-')
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '')
}

function scriptsOf(root: string): ReadonlySet<string> {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts?: Record<string, string>
  }
  return new Set(Object.keys(manifest.scripts ?? {}))
}
