/** Signatures of receipts (SPEC §17.1) that nobody made. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import type * as Eddsa from '@zk-kit/eddsa-poseidon'
import { poseidon4 } from 'poseidon-lite/poseidon4'
import {
  buildAuditTree,
  isSignedReceipt,
  selectForAudit,
  signReceipt,
  type Receipt,
  type ReceiptBody,
} from '@byway/zk'
import { forgedReceipt, smallOrderKeys } from './small-order-keys.ts'

const { verifySignature } = createRequire(import.meta.url)('@zk-kit/eddsa-poseidon') as typeof Eddsa

const BODY: ReceiptBody = { provider: 0xb1aan, nullifier: 77n, epoch: 2969n, units: 40n }

test('refuses the eight keys under which everybody signs, which the bare equation takes', () => {
  const keys = smallOrderKeys()
  assert.equal(new Set(keys.map(String)).size, 8)
  const message = poseidon4([BODY.provider, BODY.nullifier, BODY.epoch, BODY.units])
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

test('a client that chose nullifiers of one place, or too many of them, does not keep a provider from committing', () => {
  const twins = [leaf(5n, 1n), leaf(5n + (1n << 64n), 9n), leaf(6n, 3n)]
  assert.throws(() => buildAuditTree(twins, 3), { code: 'ZK_AUDIT' })
  const kept = selectForAudit(twins, 3)
  assert.deepEqual(new Set(kept.map(({ units }) => units)), new Set([3n, 9n]))
  assert.equal(buildAuditTree(kept, 3).total, 12n)
  const many = Array.from({ length: 10 }, (_, i) => leaf(BigInt(i), BigInt(i + 1)))
  assert.equal(
    buildAuditTree(selectForAudit(many, 3), 3).total,
    10n + 9n + 8n + 7n + 6n + 5n + 4n + 3n,
  )
})
