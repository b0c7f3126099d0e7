import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FIELD_ORDER } from '@byway/protocol/crypto'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import {
  bytesOf,
  createPool,
  elementOf,
  numberOf,
  openingHolds,
  slotCount,
  u256Bytes,
} from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { decodePlainProof, encodePlainProof } from './plain-proof.ts'
import fc from 'fast-check'
import { openSlot, POOL, TERMS } from './ticket-world.ts'
import { createPlainVerifier } from './plain-authorisation.ts'

const verifier = createPlainVerifier(crypto, POOL)
const { opening } = openSlot(1, 3)
const holds = (changed: Partial<Opening>): Promise<boolean> =>
  openingHolds(crypto, verifier, POOL.domain, { ...opening, ...changed })

describe('a plain proof, which stands for a slot proof', () => {
  it('holds for its opening', async () => assert.equal(await holds({}), true))

  it('holds for the last slot of a deposit and not for one beyond', async () => {
    const limit = 1000
    assert.equal(slotCount(POOL, limit), 200)
    assert.equal(await openingHolds(crypto, verifier, POOL.domain, openSlot(2, 199).opening), true)
    assert.equal(await openingHolds(crypto, verifier, POOL.domain, openSlot(2, 200).opening), false)
  })

  it('does not hold on another chain, where it would show a payer for nothing', async () => {
    const pool = createPool(crypto, { ...TERMS, chainId: 10 })
    const elsewhere = createPlainVerifier(crypto, { ...POOL, chainId: 10 })
    assert.equal(await openingHolds(crypto, elsewhere, POOL.domain, opening), false)
    assert.notEqual(pool.domain, POOL.domain)
  })

  it('does not hold for another pool’s domain or another profile’s leaves', async () => {
    assert.equal(await openingHolds(crypto, verifier, POOL.domain + 1n, opening), false)
    const bulk = createPlainVerifier(crypto, createPool(crypto, { ...TERMS, winsPerSlot: 8 }))
    assert.equal(await openingHolds(crypto, bulk, POOL.domain, opening), false)
  })

  it('does not hold with a second name of the nullifier or the root', async () => {
    const alias = (bytes: Uint8Array): Uint8Array => u256Bytes(numberOf(bytes) + FIELD_ORDER)
    assert.equal(await holds({ nullifier: alias(opening.nullifier) }), false)
    assert.equal(await holds({ root: alias(opening.root) }), false)
    const proof = decodePlainProof(opening.proof)
    const siblings = proof.siblings.map((sibling, i) => (i === 0 ? alias(sibling) : sibling))
    assert.equal(await holds({ proof: encodePlainProof({ ...proof, siblings }) }), false)
  })

  it('does not hold with another receipt key than it was made for', async () => {
    assert.equal(await holds({ receiptKey: u256Bytes(1n) }), false)
  })

  it('does not hold with any bit of the opening changed', async () => {
    const fields = ['root', 'nullifier', 'sessionKey', 'receiptKey', 'proof'] as const
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...fields), fc.nat(), async (field, place) => {
        const changed = Uint8Array.from(opening[field])
        const bit = place % (changed.length * 8)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        assert.equal(await holds({ [field]: changed }), false)
      }),
      { numRuns: process.env['SLOW'] === '1' ? 5000 : 60 },
    )
  })

  it('does not hold when it is no proof at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (proof) => {
        assert.equal(await holds({ proof }), false)
      }),
      { numRuns: 100 },
    )
  })
})

describe('field elements and numbers', () => {
  it('go to bytes and back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 256n) - 1n }), (value) => {
        assert.equal(numberOf(u256Bytes(value)), value)
        assert.equal(elementOf(u256Bytes(value)) !== undefined, value < FIELD_ORDER)
      }),
    )
    assert.equal(numberOf(new Uint8Array(0)), 0n)
    assert.deepEqual(bytesOf(0x1_02n, 4), Uint8Array.of(0, 0, 1, 2))
  })

  it('that do not fit are a bug of ours', () => {
    for (const value of [-1n, 256n]) {
      assert.throws(() => bytesOf(value, 1), { code: 'ASSERTION' })
    }
  })
})
