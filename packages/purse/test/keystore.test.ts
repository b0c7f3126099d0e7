import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { ctr } from '@noble/ciphers/aes.js'
import { scrypt } from '@noble/hashes/scrypt.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, toHex, utf8Bytes } from '@byway/protocol/base'
import { parseJsonRecord, type JsonRecord } from '../src/keystore-format.ts'
import { isCheap, sealKeystore, unsealKeystore } from '../src/keystore.ts'
import { addressOfKey } from '../src/keys.ts'

const KEY = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const ID = '3198bc9c-6672-5ab3-d995-4942343ae5b6'

/** The two cases printed in the definition of Web3 Secret Storage. */
const PUBLISHED: Readonly<Record<string, JsonRecord>> = {
  pbkdf2: {
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
      ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
      kdf: 'pbkdf2',
      kdfparams: {
        c: 262_144,
        dklen: 32,
        prf: 'hmac-sha256',
        salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
      },
      mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
    },
    id: ID,
    version: 3,
  },
  scrypt: {
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
      ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
      kdf: 'scrypt',
      kdfparams: {
        dklen: 32,
        n: 262_144,
        r: 1,
        p: 8,
        salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
      },
      mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
    },
    id: ID,
    version: 3,
  },
}

for (const [name, file] of Object.entries(PUBLISHED)) {
  test(`opens the published keystore with ${name}`, async () => {
    assert.equal(toHex(await unsealKeystore(file, 'testpassword')), KEY)
    await assert.rejects(unsealKeystore(file, 'Testpassword'), { code: 'PURSE_PASSPHRASE_WRONG' })
  })
}

/** A file as geth writes it, made with other implementations of all three algorithms. */
function gethFile(secret: Uint8Array, passphrase: string): JsonRecord {
  const [salt, iv] = [randomBytes(32), randomBytes(16)]
  const params = { n: 4096, r: 8, p: 6, dklen: 32 }
  const derived = scrypt(utf8Bytes(passphrase), salt, { N: params.n, ...params, dkLen: 32 })
  const ciphertext = ctr(derived.subarray(0, 16), iv).encrypt(secret)
  const mac = keccak_256(concatBytes(derived.subarray(16, 32), ciphertext))
  const text = JSON.stringify({
    address: toHex(addressOfKey(secret)),
    crypto: {
      cipher: 'aes-128-ctr',
      ciphertext: toHex(ciphertext),
      cipherparams: { iv: toHex(iv) },
      kdf: 'scrypt',
      kdfparams: { dklen: 32, n: params.n, p: params.p, r: params.r, salt: toHex(salt) },
      mac: toHex(mac),
    },
    id: ID,
    version: 3,
  })
  return parseJsonRecord(text)
}

test('opens what another implementation sealed, and the other way round', async () => {
  const secret = Buffer.from(KEY, 'hex')
  const passphrase = 'Straße 一 🗝'
  assert.equal(toHex(await unsealKeystore(gethFile(secret, passphrase), passphrase)), KEY)
  const ours = await sealKeystore(secret, passphrase, {
    cost: 'local',
    address: addressOfKey(secret),
  })
  const { crypto } = ours as { crypto: { [name: string]: never } }
  const { kdfparams, ciphertext, cipherparams, mac } = crypto as unknown as {
    kdfparams: { n: number; r: number; p: number; dklen: number; salt: string }
    ciphertext: string
    cipherparams: { iv: string }
    mac: string
  }
  const { n, r, p, salt } = kdfparams
  const derived = scrypt(utf8Bytes(passphrase), Buffer.from(salt, 'hex'), { N: n, r, p, dkLen: 32 })
  const sealed = Buffer.from(ciphertext, 'hex')
  assert.equal(toHex(keccak_256(concatBytes(derived.subarray(16, 32), sealed))), mac)
  const opened = ctr(derived.subarray(0, 16), Buffer.from(cipherparams.iv, 'hex')).decrypt(sealed)
  assert.equal(toHex(opened), KEY)
})

test('takes N = 2^18 (2^17 on small machines), and calls less than that cheap', async () => {
  const secret = Buffer.from(KEY, 'hex')
  const address = addressOfKey(secret)
  const standard = await sealKeystore(secret, 'x', { cost: 'standard', address })
  const { kdfparams } = standard['crypto'] as { kdfparams: { n: number; r: number } }
  assert.ok(kdfparams.n === 262_144 || kdfparams.n === 131_072)
  assert.equal(kdfparams.r, 8)
  assert.equal(isCheap(standard), false)
  assert.equal(isCheap(await sealKeystore(secret, 'x', { cost: 'local', address })), true)
})

type Change = (file: { [name: string]: unknown; crypto: Record<string, unknown> }) => void
const SPOILED: readonly [string, string, Change][] = [
  ['another version', 'PURSE_DAMAGED', (file) => (file['version'] = 4)],
  ['no crypto', 'PURSE_DAMAGED', (file) => Object.assign(file, { crypto: null })],
  ['another cipher', 'PURSE_DAMAGED', ({ crypto }) => (crypto['cipher'] = 'aes-256-cbc')],
  ['a short nonce', 'PURSE_DAMAGED', ({ crypto }) => (crypto['cipherparams'] = { iv: '00' })],
  ['no ciphertext', 'PURSE_DAMAGED', ({ crypto }) => (crypto['ciphertext'] = '')],
  ['a long ciphertext', 'PURSE_DAMAGED', ({ crypto }) => (crypto['ciphertext'] = '00'.repeat(33))],
  ['a MAC that is no hex', 'PURSE_DAMAGED', ({ crypto }) => (crypto['mac'] = 'zz'.repeat(32))],
  ['another derivation', 'PURSE_DAMAGED', ({ crypto }) => (crypto['kdf'] = 'argon2id')],
  ['N that is no power of 2', 'PURSE_DAMAGED', kdf({ n: 1000 })],
  ['N = 1', 'PURSE_DAMAGED', kdf({ n: 1 })],
  ['r = 0', 'PURSE_DAMAGED', kdf({ r: 0 })],
  ['a short key', 'PURSE_DAMAGED', kdf({ dklen: 16 })],
  ['N that fills the memory', 'PURSE_KEYSTORE_COST', kdf({ n: 2 ** 30 })],
  ['N and r that fill the memory', 'PURSE_KEYSTORE_COST', kdf({ n: 2 ** 20, r: 16 })],
  ['p that never ends', 'PURSE_KEYSTORE_COST', kdf({ p: 2 ** 23 })],
]

function kdf(change: object): Change {
  return ({ crypto }) => Object.assign(crypto['kdfparams'] as object, change)
}

for (const [what, code, change] of SPOILED) {
  test(`refuses a keystore with ${what}`, async () => {
    const file = structuredClone(PUBLISHED['scrypt']) as Parameters<Change>[0]
    change(file)
    await assert.rejects(unsealKeystore(file, 'testpassword'), { code })
  })
}

test('refuses text that is no JSON object, or too long', () => {
  for (const text of ['', 'x', '[]', 'null', '"x"', ' '.repeat(262_145)]) {
    assert.throws(() => parseJsonRecord(text), { code: 'PURSE_DAMAGED' })
  }
})
