/** Keys and signatures in minisign's format (SPEC §18.1): strict, and every change is found. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8Bytes } from '@byway/protocol/base'
import { keyPairOf } from '../../src/minisign/secret-key.ts'
import {
  formatPublicKey,
  isPublicKey,
  keyIdText,
  parsePublicKey,
  parseSignature,
  publicKeyFile,
  type Signature,
  signatureFault,
  signFile,
} from '../../src/minisign/signature.ts'

const PAIR = keyPairOf(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]), new Uint8Array(32).fill(9))
const FILE = utf8Bytes('name = "main"\n')
const TEXT = signFile(PAIR, FILE, 'timestamp:1\tfile:network.toml\thashed')
const KEY = PAIR.publicKey

function read(text: string): Signature {
  const signature = parseSignature(text)
  assert.ok(typeof signature === 'object')
  return signature
}

/** The text with line `number` decoded, changed and encoded again. */
function withBytes(number: 1 | 3, change: (bytes: Buffer) => void): string {
  const lines = TEXT.split('\n')
  const bytes = Buffer.from(lines[number] ?? '', 'base64')
  change(bytes)
  lines[number] = bytes.toString('base64')
  return lines.join('\n')
}

test('holds for the file that was signed, with line ends of either kind, and without the last', () => {
  for (const text of [TEXT, TEXT.replaceAll('\n', '\r\n'), TEXT.trimEnd()])
    assert.equal(signatureFault(read(text), FILE, KEY), undefined)
})

test('a flipped bit anywhere in either signature, or in the file, is found', () => {
  for (const [line, first, bytes, fault] of [
    [1, 10, 64, 'file'],
    [3, 0, 64, 'comment'],
  ] as const) {
    for (let at = first; at < first + bytes; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const text = withBytes(line, (of) => (of[at] = (of[at] ?? 0) ^ (1 << bit)))
        assert.equal(signatureFault(read(text), FILE, KEY), fault, `byte ${at}, bit ${bit}`)
      }
    }
  }
  for (let at = 0; at < FILE.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const file = FILE.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte))
      assert.equal(signatureFault(read(TEXT), file, KEY), 'file')
    }
  }
})

test('names another key by its id, and is not deceived by a borrowed id', () => {
  const other = keyPairOf(KEY.id, new Uint8Array(32).fill(7)).publicKey
  assert.equal(signatureFault(read(TEXT), FILE, other), 'file')
  const renamed = withBytes(1, (of) => (of[2] = 0))
  assert.equal(signatureFault(read(renamed), FILE, KEY), 'key')
  assert.equal(keyIdText(KEY.id), '0807060504030201')
})

test('another comment does not hold', () => {
  const text = TEXT.replace('file:network.toml', 'file:another.toml')
  assert.equal(signatureFault(read(text), FILE, KEY), 'comment')
})

test('another algorithm is named', () => {
  for (const mark of ['Ed', 'ES', '\0\0'])
    assert.equal(parseSignature(withBytes(1, (of) => void of.write(mark, 'latin1'))), 'algorithm')
})

test('a part of a signature is none', () => {
  for (let length = 0; length < TEXT.length - 1; length++)
    assert.equal(parseSignature(TEXT.slice(0, length)), 'form', `${length} characters`)
})

const BAD: readonly (readonly [what: string, text: string])[] = [
  ['a line more', `${TEXT}more\n`],
  ['an empty line', TEXT.replace('\n', '\n\n')],
  ['no comment line', TEXT.replace('untrusted comment: ', 'comment: ')],
  ['no trusted comment', TEXT.replace('trusted comment: t', 'comment: t')],
  ['a space in the base64', TEXT.replace('\nRU', '\n RU')],
  ['a byte more', withBytesMore()],
  ['bits that base64 does not use', TEXT.replace(/(.)=\ntrusted/, looseBits)],
  [
    'a comment that would move a terminal’s cursor',
    signedRaw('x').replace('comment: x', 'comment: \u001B[2J'),
  ],
  [
    'an untrusted comment that would',
    TEXT.replace('untrusted comment: ', 'untrusted comment: \u001B[2J'),
  ],
  ['a comment that turns the text round', signedRaw('x').replace('comment: x', 'comment: \u202E')],
  [
    'a comment of 8193 characters',
    signedRaw('x').replace('comment: x', `comment: ${'x'.repeat(8193)}`),
  ],
]
for (const [what, text] of BAD)
  test(`refuses ${what}`, () => assert.equal(parseSignature(text), 'form'))

function withBytesMore(): string {
  const lines = TEXT.split('\n')
  lines[3] = Buffer.concat([Buffer.from(lines[3] ?? '', 'base64'), Buffer.of(0)]).toString('base64')
  return lines.join('\n')
}

/** The last character before one `=` carries two bits that mean nothing. */
function looseBits(_: string, last: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return `${digits[digits.indexOf(last) + 1]}=\ntrusted`
}

function signedRaw(comment: string): string {
  return signFile(PAIR, FILE, comment)
}

test('signs no comment that would not be one line', () => {
  assert.throws(() => signFile(PAIR, FILE, 'two\nlines'), RangeError)
})

test('no text makes it throw', () => {
  const anything = fc.oneof(fc.string(), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(anything, fc.nat({ max: TEXT.length }), (text, at) => {
      parseSignature(text)
      const spliced = TEXT.slice(0, at) + text + TEXT.slice(at + text.length)
      const found = parseSignature(spliced)
      if (typeof found === 'object') signatureFault(found, FILE, KEY)
    }),
  )
})

test('no key makes it throw: points that are none verify nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
      assert.equal(signatureFault(read(TEXT), FILE, { id: KEY.id, key }), 'file')
    }),
  )
})

test('reads a public key from its line and from its file, and from nothing else', () => {
  const line = formatPublicKey(KEY)
  assert.equal(line.length, 56)
  for (const text of [line, `${line}\n`, publicKeyFile(KEY)])
    assert.deepEqual(parsePublicKey(text), KEY)
  assert.ok(isPublicKey(line))
  for (const text of [
    '',
    line.slice(1),
    `${line}A`,
    `${line}\n${line}`,
    line.replace('RW', 'RU'),
    `comment\n${line}`,
    Buffer.alloc(42).toString('base64'),
  ])
    assert.equal(parsePublicKey(text), undefined, text)
  assert.equal(isPublicKey(`${line}\n`), false)
})
