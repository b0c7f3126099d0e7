import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  concatBytes,
  equalBytes,
  freeMemory,
  fromBase64url,
  fromHex,
  isAllZero,
  toBase64url,
  toHex,
  utf8Bytes,
  utf8Text,
} from '@byway/protocol/base'

test('memory is freed by a view of most of it, and by no other', () => {
  const whole = new Uint8Array(1000)
  freeMemory(whole.subarray(0, 500))
  assert.equal(whole.length, 1000)
  freeMemory(whole.subarray(499))
  assert.equal(whole.length, 0)
  assert.equal(whole.buffer.byteLength, 0)
})

const anyBytes = fc.uint8Array({ maxLength: 70 })

test('text forms agree with those of Buffer and read back', () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.equal(toHex(bytes), Buffer.from(bytes).toString('hex'))
      assert.equal(toBase64url(bytes), Buffer.from(bytes).toString('base64url'))
      assert.deepEqual(fromHex(toHex(bytes)), bytes)
      assert.deepEqual(fromHex(toHex(bytes).toUpperCase()), bytes)
      assert.deepEqual(fromBase64url(toBase64url(bytes)), bytes)
    }),
  )
})

test('fromHex refuses an odd number of digits and any other character', () => {
  for (const text of ['a', '0g', '0x', ' 0', '٠٠']) assert.equal(fromHex(text), undefined, text)
})

test('fromBase64url accepts exactly one text per value', () => {
  for (const text of ['A', 'AA==', 'AB', 'AAB', '+/', 'A A', 'AAAAA', '\u{1f600}']) {
    assert.equal(fromBase64url(text), undefined, text)
  }
  fc.assert(
    fc.property(
      fc.string({
        maxLength: 12,
        unit: fc.constantFrom('A', 'Q', 'g', 'w', 'B', 'x', '-', '_', '='),
      }),
      (text) => {
        const bytes = fromBase64url(text)
        if (bytes) assert.equal(toBase64url(bytes), text)
      },
    ),
  )
})

test('concatBytes keeps order and copies', () => {
  const first = Uint8Array.of(1, 2)
  const joined = concatBytes(first, new Uint8Array(0), Uint8Array.of(3))
  first[0] = 9
  assert.deepEqual(joined, Uint8Array.of(1, 2, 3))
  assert.deepEqual(concatBytes(), new Uint8Array(0))
})

test('equalBytes is true for equal content only', () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (a, b) => {
      assert.equal(equalBytes(a, a.slice()), true)
      assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0)
    }),
  )
  assert.equal(isAllZero(new Uint8Array(3)), true)
  assert.equal(isAllZero(Uint8Array.of(0, 0, 1)), false)
})

test('utf8Text inverts utf8Bytes and refuses what is not UTF-8', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      assert.equal(utf8Text(utf8Bytes(text)), text)
    }),
  )
  for (const hex of ['ff', 'c080', 'eda080', 'e282']) {
    assert.equal(utf8Text(Buffer.from(hex, 'hex')), undefined, hex)
  }
})
