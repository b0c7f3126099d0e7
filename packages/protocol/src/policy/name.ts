/**
 * Which host names an exit may look up (SPEC §11). Everything is decided on the bytes of the name, before any lookup.
 * Not here: what the name resolves to (`judge.ts`) and the operator's own list of names (`context.ts`).
 */
import type { NameReason } from './reason.ts'

/** A name that may be looked up, lower case and without the trailing dot; or why it may not. */
export type NameVerdict = { readonly name: string } | { readonly reason: NameReason }

/**
 * Judges a host name. Form comes first (`non-ascii`, `bad-name`), then `numeric-name` (a resolver would read it as an address),
 * `special-name`, `single-label`. One trailing dot is stripped; clients send A-labels, so non-ASCII is refused.
 */
export function judgeName(text: string): NameVerdict {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  if (NON_ASCII.test(name)) return { reason: 'non-ascii' }
  if (name.length === 0 || name.length > MAX_NAME_BYTES) return { reason: 'bad-name' }
  const labels = name.toLowerCase().split('.')
  if (!labels.every((label) => LABEL.test(label))) return { reason: 'bad-name' }
  const last = labels.at(-1) ?? ''
  if (ENDS_IN_NUMBER.test(last)) return { reason: 'numeric-name' }
  if (SPECIAL_LAST_LABELS.has(last)) return { reason: 'special-name' }
  if (labels.length === 1) return { reason: 'single-label' }
  return { name: labels.join('.') }
}

// Protocol constants (RFC 1035 §2.3.4).
const MAX_NAME_BYTES = 253

/** 1 to 63 of letters, digits, hyphen and underscore, with no hyphen at either end (RFC 1123 §2.1; `_` as real zones use it). */
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/

/** The WHATWG URL standard's "ends in a number", wider: no top-level domain starts with `0x`. */
const ENDS_IN_NUMBER = /^(?:[0-9]+|0x.*)$/

const NON_ASCII = /\P{ASCII}/u

/** Names that belong to this machine, to a local network, to another naming system or to nobody (SPEC §11). */
const SPECIAL_LAST_LABELS: ReadonlySet<string> = new Set([
  'localhost',
  'local',
  'lan',
  'home',
  'corp',
  'internal',
  'intranet',
  'private',
  'onion',
  'alt',
  'test',
  'invalid',
  'arpa',
])
