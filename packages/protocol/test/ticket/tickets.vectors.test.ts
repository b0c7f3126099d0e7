/** vectors/tickets.json on our own code, and on the oracle that made it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { createLeafTree, nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import {
  commitOf,
  createPool,
  depositLeaf,
  identityCommitment,
  isWin,
  numberOf,
  openingHolds,
  openingX,
  revealOf,
  slotNullifier,
  ticketDigest,
  u256Bytes,
} from '@byway/protocol/ticket'
import { decodeOpening } from '@byway/protocol/wire'
import { bytes, POOL } from './ticket-world.ts'
import { makeTicketVectors } from './oracle/make-ticket-vectors.ts'
import { createPlainVerifier, plainDigest, plainSecret } from './plain-authorisation.ts'

type OpeningCase = {
  why?: string
  owner: string
  slot: number
  nullifier: string
  sessionKey: string
  x: string
  plainDigest: string
  proof: string
  opening: string
}
type Vectors = {
  pool: { domain: string; ticketDomain: string; tag: string; unitsPerSlot: number }
  deposits: { owner: string; limit: number; idc: string; leaf: string }[]
  root: string
  openings: { good: OpeningCase[]; bad: OpeningCase[] }
  tickets: {
    provider: string
    nullifier: string
    sessionSecret: string
    sessionKey: string
    index: number
    amount: string
    revealKey: string
    reveal: string
    commit: string
    nonce: string
    digest: string
    signature: string
    wins: boolean
  }[]
}

const text = readFileSync(new URL('../../../../vectors/tickets.json', import.meta.url), 'utf8')
const vectors = JSON.parse(text) as Vectors
const u256 = (value: bigint): string => Buffer.from(u256Bytes(value)).toString('hex')
const verifier = createPlainVerifier(crypto, POOL)

describe('vectors/tickets.json', () => {
  it('is what its oracle makes', () => assert.equal(text, makeTicketVectors()))

  it('has the names of the pool (SPEC §13.1, §13.2)', () => {
    assert.equal(u256(POOL.domain), vectors.pool.domain)
    assert.deepEqual(POOL.ticketDomain, bytes(vectors.pool.ticketDomain))
    assert.equal(u256(POOL.tag), vectors.pool.tag)
    assert.equal(POOL.unitsPerSlot, vectors.pool.unitsPerSlot)
    const elsewhere = createPool(crypto, { ...POOL, chainId: 1 })
    assert.notEqual(elsewhere.domain, POOL.domain)
    assert.notDeepEqual(elsewhere.ticketDomain, POOL.ticketDomain)
  })

  it('has the leaves and the root of its deposits (SPEC §13.2)', () => {
    const leaves = vectors.deposits.map(({ owner, limit, idc, leaf }) => {
      const commitment = identityCommitment(crypto, plainSecret(bytes(owner)))
      assert.equal(u256(commitment), idc)
      const made = depositLeaf(crypto, POOL, commitment, limit)
      assert.equal(u256(made), leaf)
      return made
    })
    assert.equal(u256(createLeafTree(leaves).root), vectors.root)
  })

  for (const one of [...vectors.openings.good, ...vectors.openings.bad]) {
    it(`has an opening ${one.why ?? `of slot ${one.slot}`} (SPEC §13.2)`, async () => {
      const opening = decodeOpening(bytes(one.opening))
      assert.equal(u256(openingX(crypto, opening)), one.x)
      const secret = plainSecret(bytes(one.owner))
      assert.equal(u256(slotNullifier(crypto, POOL, secret, one.slot)), one.nullifier)
      assert.equal(
        await openingHolds(crypto, verifier, POOL.domain, opening),
        one.why === undefined,
      )
      const [root, nullifier] = [numberOf(opening.root), numberOf(opening.nullifier)]
      const statement = { root, nullifier, domain: POOL.domain, x: numberOf(bytes(one.x)) }
      const isSigned = one.why !== 'shown with another session key'
      const digest = Buffer.from(plainDigest(crypto, statement)).toString('hex')
      assert.equal(digest === one.plainDigest, isSigned)
    })
  }

  for (const one of vectors.tickets) {
    it(`has ticket ${one.index}, which ${one.wins ? 'wins' : 'does not win'} (SPEC §13.4)`, () => {
      const nullifier = bytes(one.nullifier)
      const reveal = revealOf(crypto, crypto.hmacKey(bytes(one.revealKey)), nullifier, one.index)
      assert.deepEqual(reveal, bytes(one.reveal))
      assert.deepEqual(commitOf(crypto, reveal), bytes(one.commit))
      const amount = BigInt(one.amount)
      const digest = ticketDigest(
        crypto,
        { pool: POOL, provider: bytes(one.provider), nullifier },
        { index: one.index, amount, commit: bytes(one.commit), nonce: bytes(one.nonce) },
      )
      assert.deepEqual(digest, bytes(one.digest))
      const secret = bytes(one.sessionSecret)
      assert.deepEqual(crypto.signDigest(secret, digest), bytes(one.signature))
      assert.deepEqual(crypto.addressOfSecret(secret), bytes(one.sessionKey))
      assert.equal(isWin(crypto, POOL.faceValue, amount, reveal, digest), one.wins)
    })
  }
})
