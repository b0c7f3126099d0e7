/** Writes a message as JSON: bytes as hexadecimal digits, amounts as decimal digits, undefined fields not at all. Reading is strict and by field (`request-codec.ts`). */
import { toHex } from '@byway/protocol/base'

/** One line without its end. */
export function formatMessage(message: object): string {
  return JSON.stringify(plain(message))
}

/** Before `JSON.stringify` sees it: a Buffer would write itself in its own way. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]))
}

// Local limits (tunable): docs/LIMITS.md.
/** A transaction of 128 KiB in hexadecimal digits, and its fields. */
export const MAX_LINE_LETTERS = 300_000

/**
 * Cuts what arrives into lines. `onLine` gets each; `onTooLong` once, after which nothing is read any more.
 */
export function createLineReader(
  onLine: (line: string) => void,
  onTooLong: () => void,
): (part: string) => void {
  let held = ''
  let isOver = false
  return (part) => {
    if (isOver) return
    const lines = (held + part).split('\n')
    held = lines.pop() ?? ''
    if (held.length > MAX_LINE_LETTERS || lines.some((line) => line.length > MAX_LINE_LETTERS)) {
      isOver = true
      held = ''
      onTooLong()
      return
    }
    for (const line of lines) onLine(line)
  }
}
