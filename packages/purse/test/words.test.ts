import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '@byway/protocol/base'
import { formatAddress } from '../src/addresses.ts'
import { addressOfKey } from '../src/keys.ts'
import { keysOfWords, parseWords, wordsFrom } from '../src/words.ts'

/** Printed in BIP-39's reference vectors: entropy and its words. */
const PUBLISHED = [
  ['00'.repeat(32), `${'abandon '.repeat(23)}art`],
  [
    '7f'.repeat(32),
    `${'legal winner thank year wave sausage worth useful '.repeat(2)}legal winner thank year wave sausage worth title`,
  ],
  ['ff'.repeat(32), `${'zoo '.repeat(23)}vote`],
] as const

for (const [entropy, words] of PUBLISHED) {
  test(`writes the published words of ${entropy.slice(0, 2)}…`, () => {
    assert.equal(wordsFrom(Buffer.from(entropy, 'hex')).join(' '), words)
  })
}

test('leads to the accounts that every wallet shows for the well-known test words', async () => {
  const words = parseWords(`${'test '.repeat(11)}junk`)
  const { funds, owner } = await keysOfWords(words)
  assert.equal(toHex(funds), 'ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80')
  assert.equal(formatAddress(addressOfKey(funds)), '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266')
  assert.notDeepEqual(owner, funds)
})

test('reads words in any case, numbered, over several lines', () => {
  const plain = parseWords(`${'abandon '.repeat(11)}about`)
  const numbered = plain.map((word, index) => `${index + 1}. ${word.toUpperCase()}`).join('\n')
  assert.deepEqual(parseWords(`\n ${numbered}\n`), plain)
})

test('names the position of the first word that is not in the list, and not the word', () => {
  assert.throws(
    () => parseWords(`${'abandon '.repeat(6)}abandn ${'abandon '.repeat(4)}about`),
    (error: Error & { code: string; context: unknown }) => {
      assert.equal(error.code, 'PURSE_WORD_UNKNOWN')
      assert.deepEqual(error.context, { position: 7 })
      assert.doesNotMatch(error.message, /aband/)
      return true
    },
  )
})

test('refuses swapped words and a wrong number of words', () => {
  const swapped = `about ${'abandon '.repeat(11)}`
  assert.throws(() => parseWords(swapped), { code: 'PURSE_WORDS_CHECKSUM' })
  for (const count of [0, 1, 11, 13, 23, 25]) {
    assert.throws(() => parseWords('abandon '.repeat(count)), {
      code: 'PURSE_WORDS_COUNT',
      context: { words: count },
    })
  }
})
