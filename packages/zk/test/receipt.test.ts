/** Signatures of receipts (SPEC §17.1) that nobody made. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import type * as Eddsa from '@zk-kit/eddsa-poseidon'
import fc from 'fast-check'
import { poseidon4 } from 'poseidon-lite/poseidon4'
import {
  buildAuditTree,
  createAuditSelection,
  isSignedReceipt,
  signReceipt,
  type Receipt,
  type ReceiptBody,
} from '@byway/zk'
import { SCALAR_ORDER } from '../src/proof.ts'
import { forgedReceipt, smallOrderKeys } from './small-order-keys.ts'

const { signMessage, verifySignature } = createRequire(import.meta.url)(
  '@zk-kit/eddsa-poseidon',
) as typeof Eddsa

/** Of the subgroup of BabyJubJub in which keys are. */
const JUB_ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041n
const BODY: ReceiptBody = { provider: 0xb1aan, nullifier: 77n, epoch: 2969n, units: 40n }

const messageOf = ({ provider, nullifier, epoch, units }: ReceiptBody): bigint =>
  poseidon4([provider, nullifier, epoch, units])

test("signs as circomlib's signers do, and judges as they do", () => {
  const secrets = fc.uint8Array({ minLength: 32, maxLength: 32 })
  const changes = fc.constantFrom<Partial<ReceiptBody>>({}, { units: 41n }, { nullifier: 78n })
  const shifts = fc.constantFrom(0n, 1n)
  fc.assert(
    fc.property(secrets, changes, shifts, (secret, change, shift) => {
      const made = signReceipt(secret, BODY)
      const { R8, S } = signMessage(Buffer.from(secret), messageOf(BODY))
      assert.deepEqual(made.signature, { r8: [...R8], s: S })
      const shown = { R8, S: S + shift }
      const body = { ...BODY, ...change }
      const receipt = { ...made, ...body, signature: { r8: made.signature.r8, s: S + shift } }
      const key = [...made.publicKey] as [bigint, bigint]
      assert.equal(isSignedReceipt(receipt), verifySignature(messageOf(body), shown, key))
    }),
    { numRuns: process.env['SLOW'] === '1' ? 200 : 5 },
  )
})

test('takes no second form of a number, and no point off the curve', () => {
  const receipt = signReceipt(new Uint8Array(32).fill(7), BODY)
  const { r8, s } = receipt.signature
  assert.equal(isSignedReceipt(receipt), true)
  for (const signature of [
    { r8, s: s + JUB_ORDER },
    { r8, s: -s },
    { r8: [r8[1], r8[0]] as const, s },
    { r8: [r8[0] + SCALAR_ORDER, r8[1]] as const, s },
    { r8: [0n, 1n] as const, s },
  ])
    assert.equal(isSignedReceipt({ ...receipt, signature }), false)
})

test('refuses the eight keys under which everybody signs, which the bare equation takes', () => {
  const keys = smallOrderKeys()
  assert.equal(new Set(keys.map(String)).size, 8)
  const message = messageOf(BODY)
  for (const key of keys) {
    const forged = forgedReceipt(BODY, key)
    const shown = { R8: [...forged.signature.r8] as [bigint, bigint], S: forged.signature.s }
    assert.equal(verifySignature(message, shown, [...key] as [bigint, bigint]), true)
    assert.equal(isSignedReceipt(forged), false)
  }
  assert.equal(isSignedReceipt(signReceipt(new Uint8Array(32).fill(7), BODY)), true)
})

test('refuses keys that are no points', () => {
  const receipt = signReceipt(new Uint8Array(32).fill(7), BODY)
  for (const key of [
    [0n, 0n],
    [1n, 1n],
    [receipt.publicKey[1], receipt.publicKey[0]],
  ] as const) {
    assert.equal(isSignedReceipt({ ...receipt, publicKey: key }), false)
  }
})

const leaf = (nullifier: bigint, units: bigint): Receipt =>
  ({ ...BODY, nullifier, units, publicKey: [1n, 2n], signature: { r8: [0n, 1n], s: 1n } }) as const

function selected(receipts: readonly Receipt[]): readonly Receipt[] {
  const selection = createAuditSelection(3)
  for (const receipt of receipts) selection.add(receipt)
  return selection.chosen()
}

test('a client that chose nullifiers of one place, or too many of them, does not keep a provider from committing', () => {
  const twins = [leaf(5n, 1n), leaf(5n + (1n << 64n), 9n), leaf(6n, 3n)]
  assert.throws(() => buildAuditTree(twins, 3), { code: 'ZK_AUDIT' })
  const kept = selected(twins)
  assert.deepEqual(new Set(kept.map(({ units }) => units)), new Set([3n, 9n]))
  assert.equal(buildAuditTree(kept, 3).total, 12n)
  const many = Array.from({ length: 10 }, (_, i) => leaf(BigInt(i), BigInt(i + 1)))
  assert.equal(buildAuditTree(selected(many), 3).total, 10n + 9n + 8n + 7n + 6n + 5n + 4n + 3n)
})
