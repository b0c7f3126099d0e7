/** Secret keys in minisign's format (SPEC §18.2). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyPairOf, parseSecretKey, sealKey, unsealKey } from '../../src/minisign/secret-key.ts'

const ID = Uint8Array.from([8, 7, 6, 5, 4, 3, 2, 1])
const SEED = new Uint8Array(32).fill(5)
const PUBLIC = keyPairOf(ID, SEED).publicKey
/** N = 2^10: what a test need not wait for. */
const LOCK = {
  passphrase: 'four words for tests',
  salt: new Uint8Array(32).fill(3),
  cost: { operations: 2 ** 15, memoryBytes: 2 ** 20 },
}

/** The text with its bytes changed. */
function changed(text: string, change: (bytes: Buffer) => void): string {
  const [comment = '', line = ''] = text.split('\n')
  const bytes = Buffer.from(line, 'base64')
  change(bytes)
  return `${comment}\n${bytes.toString('base64')}\n`
}

async function unseal(text: string, passphrase = LOCK.passphrase) {
  const sealed = parseSecretKey(text)
  assert.ok(typeof sealed === 'object')
  return await unsealKey(sealed, passphrase)
}

test('opens with its passphrase, and with no other', async () => {
  const text = await sealKey(ID, SEED, LOCK)
  assert.deepEqual((await unseal(text))?.publicKey, PUBLIC)
  for (const other of ['', 'four words for test', `${LOCK.passphrase} `])
    assert.equal(await unseal(text, other), undefined)
  assert.ok(!text.includes(Buffer.from(SEED).toString('base64').slice(0, 40)))
})

test('an open key takes any passphrase', async () => {
  const text = await sealKey(ID, SEED, undefined)
  assert.match(text, /^untrusted comment: minisign unencrypted secret key\n/)
  assert.deepEqual((await unseal(text, ''))?.publicKey, PUBLIC)
})

test('damage is found, encrypted or not', async () => {
  const open = await sealKey(ID, SEED, undefined)
  const sealed = await sealKey(ID, SEED, LOCK)
  // Seed, public key, checksum; of an encrypted key the id and the salt too.
  for (const at of [62, 93, 94, 125, 126, 157])
    assert.equal(await unseal(changed(open, (of) => (of[at] = (of[at] ?? 0) ^ 1))), undefined)
  for (const at of [6, 37, 54, 61, 62, 125, 126, 157])
    assert.equal(await unseal(changed(sealed, (of) => (of[at] = (of[at] ?? 0) ^ 1))), undefined)
})

test('refuses what is no key file, another algorithm, and work without end', async () => {
  const text = await sealKey(ID, SEED, LOCK)
  const [comment = '', line = ''] = text.split('\n')
  for (const bad of ['', line, `${comment}\n`, `${comment}\n${line.slice(4)}`, `${text}more\n`])
    assert.equal(parseSecretKey(bad), 'form')
  for (const at of [0, 2, 4])
    assert.equal(parseSecretKey(changed(text, (of) => (of[at] = 1))), 'algorithm')
  for (const at of [38 + 7, 46 + 4])
    assert.equal(parseSecretKey(changed(text, (of) => (of[at] = 1))), 'cost')
})

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseSecretKey(text)))
})
