/** RFC 9474 appendix A (4096-bit keys), on the steps that the scheme is made of. */
import assert from 'node:assert/strict'
import { constants, createPrivateKey, privateDecrypt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { toHex } from '@byway/protocol/base'
import { encodePss } from '../../src/crypto/node-blind-encode.ts'
import { invert, toNumber } from '../../src/crypto/node-blind-number.ts'
import { blindAll, rsaPublicKey, unblind, verifyPss } from '../../src/crypto/node-blind-rsa.ts'

type Case = Readonly<
  Record<
    | 'name'
    | 'p'
    | 'q'
    | 'n'
    | 'd'
    | 'prepared_msg'
    | 'salt'
    | 'encoded_msg'
    | 'inv'
    | 'blinded_msg'
    | 'blind_sig'
    | 'sig',
    string
  >
>

const file = new URL('../../../../vectors/rsa-blind.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: readonly Case[] }

test('the vectors of RFC 9474 appendix A are there', () => {
  assert.equal(cases.length, 2)
})

for (const vector of cases) {
  const message = hex(vector.prepared_msg)
  const key = rsaPublicKey(hex(vector.n))
  const inverse = toNumber(hex(vector.inv))

  test(`${vector.name}: encodes the message as RFC 9474 appendix A prints it`, () => {
    const encoded = encodePss(message, hex(vector.salt), hex(vector.n).length * 8)
    assert.equal(toHex(encoded), vector.encoded_msg)
  })

  test(`${vector.name}: blinds to the printed element with the printed factor`, () => {
    const r = invert(inverse, key.n)
    assert.ok(r)
    const blinded = blindAll(key, [message], [{ salt: hex(vector.salt), r }])
    assert.equal(toHex(blinded?.[0]?.element ?? message), vector.blinded_msg)
    assert.equal(blinded?.[0]?.inverse, inverse)
  })

  test(`${vector.name}: OpenSSL's private power gives the printed blind signature`, () => {
    const padding = constants.RSA_NO_PADDING
    const signature = privateDecrypt({ key: privateKey(vector), padding }, hex(vector.blinded_msg))
    assert.equal(toHex(signature), vector.blind_sig)
  })

  test(`${vector.name}: finalises to the printed signature, which verifies, and nothing near it does`, () => {
    const token = unblind(key, message, inverse, hex(vector.blind_sig))
    assert.equal(toHex(token ?? message), vector.sig)
    assert.equal(verifyPss(key, message, hex(vector.sig)), true)
    const changed = hex(vector.sig)
    changed[100] = (changed[100] ?? 0) ^ 1
    assert.equal(verifyPss(key, message, changed), false)
    assert.equal(unblind(key, message, inverse + 1n, hex(vector.blind_sig)), undefined)
    assert.equal(unblind(key, hex('00'), inverse, hex(vector.blind_sig)), undefined)
  })
}

function privateKey({ n, d, p, q }: Case): ReturnType<typeof createPrivateKey> {
  const [dn, pn, qn] = [d, p, q].map((text) => toNumber(hex(text))) as [bigint, bigint, bigint]
  const text = (value: bigint): string => {
    const digits = value.toString(16)
    return Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex').toString(
      'base64url',
    )
  }
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'RSA',
      n: Buffer.from(n, 'hex').toString('base64url'),
      e: 'AQAB',
      d: text(dn),
      p: text(pn),
      q: text(qn),
      dp: text(dn % (pn - 1n)),
      dq: text(dn % (qn - 1n)),
      qi: text(invert(qn, pn) ?? 0n),
    },
  })
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
