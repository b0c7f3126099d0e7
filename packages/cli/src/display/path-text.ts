/** Nodes and paths as people read them: a flag, the country, the first letters of the id. */

export type HopText = { readonly nodeId: string; readonly country: string }

/** `🇩🇪 DE 1a2b3c4d → 🇸🇪 SE 5e6f7a8b` */
export function describePath(hops: readonly HopText[]): string {
  return hops.map(describeNode).join(' → ')
}

/** `🇩🇪 DE 1a2b3c4d` */
export function describeNode({ nodeId, country }: HopText): string {
  return `${flagOf(country)} ${country || '??'} ${nodeId.slice(0, SHORT_ID_CHARS)}`
}

/** `12.3 MB`, decimal as line rates are. */
export function describeBytes(bytes: number): string {
  const [unit, size] = UNITS.find(([, least]) => bytes >= least) ?? ['B', 1]
  return size === 1 ? `${bytes} B` : `${(bytes / size).toFixed(1)} ${unit}`
}

/** Two regional indicators make a flag; what is no country code gets a blank of the same width. */
function flagOf(country: string): string {
  if (!/^[A-Z]{2}$/.test(country)) return '  '
  return Array.from(country, (letter) =>
    String.fromCodePoint(0x1_f1e6 + letter.charCodeAt(0) - 65),
  ).join('')
}

/** Enough to tell the nodes of a screen apart. */
const SHORT_ID_CHARS = 8
const UNITS = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const satisfies readonly (readonly [string, number])[]
