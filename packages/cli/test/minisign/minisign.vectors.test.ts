/** `vectors/minisign.json`, made by the tool of that name: what it wrote we read, and what we write from the same keys is the same to the byte, so that it reads us too. */
import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { utf8Bytes } from '@byway/protocol/base'
import { parseSecretKey, sealKey, unsealKey } from '../../src/minisign/secret-key.ts'
import {
  formatPublicKey,
  isSameKey,
  type KeyPair,
  parsePublicKey,
  parseSignature,
  publicKeyFile,
  signatureFault,
  signFile,
} from '../../src/minisign/signature.ts'

type Made = { readonly publicKey: string; readonly secretKey: string; readonly signature: string }
type Vectors = {
  readonly file: string
  readonly passphrase: string
  readonly open: Made
  readonly encrypted: Made
  readonly old: { readonly signature: string; readonly fault: string }
}

const path = new URL('../../../../vectors/minisign.json', import.meta.url)
const vectors = JSON.parse(await readFile(path, 'utf8')) as Vectors
const file = utf8Bytes(vectors.file)

/** The seed, which the program itself never takes out of its key. */
function seedOf({ signingKey }: KeyPair): Uint8Array {
  const { d = '' } = (signingKey as unknown as KeyObject).export({ format: 'jwk' })
  return Uint8Array.from(Buffer.from(d, 'base64url'))
}

for (const name of ['open', 'encrypted'] as const) {
  const made = vectors[name]
  test(`reads what the tool wrote, and writes the same: a key that is ${name}`, async () => {
    const sealed = parseSecretKey(made.secretKey)
    assert.ok(typeof sealed === 'object')
    assert.equal(sealed.isEncrypted, name === 'encrypted')
    const pair = await unsealKey(sealed, vectors.passphrase)
    const publicKey = parsePublicKey(made.publicKey)
    assert.ok(pair && publicKey)
    assert.ok(isSameKey(pair.publicKey, publicKey))
    assert.equal(publicKeyFile(pair.publicKey), made.publicKey)
    assert.ok(made.publicKey.endsWith(`${formatPublicKey(publicKey)}\n`))

    const signature = parseSignature(made.signature)
    assert.ok(typeof signature === 'object')
    assert.equal(signatureFault(signature, file, publicKey), undefined)
    assert.equal(signFile(pair, file, signature.trustedComment), made.signature)

    const { salt, cost } = sealed
    const lock = sealed.isEncrypted ? { passphrase: vectors.passphrase, salt, cost } : undefined
    const again = await sealKey(pair.publicKey.id, seedOf(pair), lock)
    assert.equal(again.split('\n')[1], made.secretKey.split('\n')[1])
  })
}

test('refuses the old form of a signature, which is over the file and not over its hash', () => {
  assert.equal(parseSignature(vectors.old.signature), vectors.old.fault)
})
