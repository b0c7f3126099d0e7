/** What the texts of minisign's files share: a comment line, then base64 of fixed length (SPEC §18.1). Strict: one way to write each thing. */

/** The tool's own limit for a comment line; longer ones it refuses too. */
export const MAX_COMMENT_CHARS = 1024
/** The tool's own limit for the line that is signed. */
export const MAX_TRUSTED_COMMENT_CHARS = 8192
export const COMMENT_PREFIX = 'untrusted comment: '

/** The lines of a file, with or without a line end after the last; undefined when there are others than `count`. */
export function linesOf(text: string, count: number): readonly string[] | undefined {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines.length === count ? lines : undefined
}

/** Whether a line is a comment that nobody signed. */
export function isComment(line: string): boolean {
  return line.startsWith(COMMENT_PREFIX) && isShown(line) && line.length <= MAX_COMMENT_CHARS
}

/** Whether a text can be shown at a terminal: no control, format or lone surrogate but the tabs between the tool's fields. */
export function isShown(text: string): boolean {
  return !/[^\P{C}\t]/u.test(text)
}

/** Reads padded base64 of so many bytes; undefined for any other text, other ways to write the same bytes too. */
export function fromBase64(text: string, length: number): Uint8Array | undefined {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'))
  return bytes.length === length && toBase64(bytes) === text ? bytes : undefined
}

/** Writes padded base64 (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
