/** Receipts in their thread (SPEC §17.1): signed and checked there, whatever the bytes. */
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { SignedReceipt } from '@byway/protocol/payment'
import { numberOf, u256Bytes } from '@byway/protocol/ticket'
import { createReceiptCrypto, isSignedReceipt, receiptOf } from '@byway/zk'
import { SCALAR_ORDER } from '../src/proof.ts'

const secret = new Uint8Array(32).fill(7)
const body = {
  provider: new Uint8Array(20).fill(1),
  nullifier: u256Bytes(123n),
  epoch: 2969,
  units: 512,
}
const crypto = createReceiptCrypto()
after(() => crypto[Symbol.asyncDispose]())

describe('receipts in a thread', () => {
  it('signs for the key that the opening names, and knows its own signature', async () => {
    const [key, receipt] = await Promise.all([crypto.keyOf(secret), crypto.sign(secret, body)])
    assert.equal(await crypto.isOf(key, receipt), true)
    assert.equal(await crypto.isOwn(secret, body, receipt.signature), true)
    assert.equal(isSignedReceipt(receiptOf(receipt)), true)
    const later = { ...body, units: 513 }
    assert.equal(await crypto.isOf(key, { ...receipt, units: 513 }), false)
    assert.equal(await crypto.isOwn(secret, later, receipt.signature), false)
    assert.equal(await crypto.isOwn(new Uint8Array(32).fill(8), body, receipt.signature), false)
  })

  it('refuses a good signature of another key than the slot’s', async () => {
    const other = new Uint8Array(32).fill(9)
    const receipt = await crypto.sign(other, body)
    assert.equal(await crypto.isOf(await crypto.keyOf(secret), receipt), false)
  })

  it('says false to any bytes, and to aliases of good numbers', async () => {
    const key = await crypto.keyOf(secret)
    const receipt = await crypto.sign(secret, body)
    const bad: readonly Partial<SignedReceipt>[] = [
      { publicKey: new Uint8Array(64) },
      { publicKey: new Uint8Array(64).fill(0xff) },
      { signature: new Uint8Array(96).fill(0xff) },
      { signature: new Uint8Array(96) },
      { nullifier: new Uint8Array(32).fill(0xff) },
      { publicKey: withAlias(receipt.publicKey) },
    ]
    for (const change of bad) assert.equal(await crypto.isOf(key, { ...receipt, ...change }), false)
  })

  it('tells those who wait when it is stopped', async () => {
    const stopped = createReceiptCrypto()
    const key = stopped.keyOf(secret)
    const ended = assert.rejects(key, { code: 'ZK_STOPPED' })
    await stopped[Symbol.asyncDispose]()
    await ended
    await assert.rejects(stopped.keyOf(secret), { code: 'ZK_STOPPED' })
  })
})

/** The same point, its first coordinate plus the order. */
function withAlias(point: Uint8Array): Uint8Array {
  const alias = numberOf(point.subarray(0, 32)) + SCALAR_ORDER
  return alias < 2n ** 256n
    ? Uint8Array.from([...u256Bytes(alias), ...point.subarray(32)])
    : new Uint8Array(64)
}
