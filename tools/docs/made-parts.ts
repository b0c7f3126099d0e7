/**
 * Parts of a document that are made from the sources: what stands between `<!-- made: NAME -->` and `<!-- made: end -->`. The rest is written by hand.
 */
import type { Finding } from './sources.ts'

/** Makes a part of a document, without the marks. */
export type RenderPart = (root: string) => Finding & { readonly text: string }

/** The document as it must be. A part that it does not have is a fault. */
export function renderParts(
  root: string,
  document: string,
  parts: Readonly<Record<string, RenderPart>>,
): Finding & { readonly text: string } {
  const faults: string[] = []
  let looked = 0
  let text = document
  for (const [name, render] of Object.entries(parts)) {
    const start = `<!-- made: ${name} -->\n`
    const from = text.indexOf(start)
    const to = text.indexOf(END, from)
    if (from < 0 || to < 0) {
      faults.push(`no part "${name}" seen: the check itself is broken`)
      continue
    }
    const part = render(root)
    looked += part.looked
    faults.push(...part.faults)
    text = `${text.slice(0, from + start.length)}\n${part.text}\n${text.slice(to)}`
  }
  return { looked, faults, text }
}

const END = '<!-- made: end -->'
