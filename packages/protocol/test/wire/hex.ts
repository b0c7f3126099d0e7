/** Hand-written layouts: hex with spaces, and runs as `xx*n`. */
import assert from 'node:assert/strict'

/** `hex('0102 ff*3')` is 01 02 ff ff ff. */
export function hex(text: string): Uint8Array {
  const parts = text.split(/\s+/).filter((part) => part !== '')
  return Uint8Array.from(
    parts.flatMap((part) => {
      const [digits = '', times = '1'] = part.split('*')
      assert.match(digits, /^(?:[0-9a-f]{2})+$/)
      const bytes = digits.match(/../g)!.map((pair) => Number.parseInt(pair, 16))
      return Array.from({ length: Number(times) }, () => bytes).flat()
    }),
  )
}

/** Matches an error by code, and by field when one is given. */
export function code(expected: string, field?: string): (error: unknown) => boolean {
  return (error) => {
    const { code: actual, context } = error as { code?: string; context?: { field?: string } }
    assert.equal(actual, expected)
    if (field !== undefined) assert.equal(context?.field, field)
    return true
  }
}
