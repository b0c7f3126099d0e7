/** A pool, owners with deposits in its tree, and slots to show: what tests of tickets and payment need. */
import assert from 'node:assert/strict'
import { fromHex, utf8Bytes } from '@byway/protocol/base'
import { createLeafTree, nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import {
  createPool,
  depositLeaf,
  identityCommitment,
  openingX,
  type Pool,
  type PoolTerms,
  slotNullifier,
  u256Bytes,
} from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import { plainSecret, provePlain } from './plain-authorisation.ts'

export function bytes(hex: string): Uint8Array {
  const read = fromHex(hex)
  assert.ok(read)
  return read
}

/** 32 bytes that follow from a name: a private key, a reveal key. */
export function named(name: string): Uint8Array {
  return crypto.sha256(utf8Bytes(name))
}

export const TERMS: PoolTerms = {
  chainId: 31_337,
  pool: bytes('11'.repeat(20)),
  faceValue: 100_000n,
  winsPerSlot: 2,
  bond: 50_000n,
  unit: 50_000n,
}

export const POOL: Pool = createPool(crypto, TERMS)

/** A slot of a client, with the key that signs its tickets. */
export type TestSlot = { readonly opening: Opening; readonly sessionSecret: Uint8Array }

const OWNERS = ['ann', 'ben', 'cleo'].map(named)
const LIMIT = 1000
const LEAVES = OWNERS.map((owner) => {
  const secret = plainSecret(crypto.addressOfSecret(owner))
  return depositLeaf(crypto, POOL, identityCommitment(crypto, secret), LIMIT)
})
const TREE = createLeafTree(LEAVES)

/** Opens slot `slot` of an owner's deposit. */
export function openSlot(ownerIndex: number, slot: number, session = 'session'): TestSlot {
  const owner = OWNERS[ownerIndex]
  const path = TREE.pathOf(ownerIndex)
  assert.ok(owner && path)
  const sessionSecret = named(`${session} ${ownerIndex} ${slot}`)
  const sessionKey = crypto.addressOfSecret(sessionSecret)
  const receiptKey = new Uint8Array(32)
  const secret = plainSecret(crypto.addressOfSecret(owner))
  const nullifier = slotNullifier(crypto, POOL, secret, slot)
  const x = openingX(crypto, { sessionKey, receiptKey })
  const statement = { root: TREE.root, nullifier, domain: POOL.domain, x }
  const sign = (digest: Uint8Array): Uint8Array => crypto.signDigest(owner, digest)
  const proof = provePlain(crypto, { statement, limit: LIMIT, slot, path, sign })
  const [root, nullifierBytes] = [u256Bytes(TREE.root), u256Bytes(nullifier)]
  return {
    sessionSecret,
    opening: { root, nullifier: nullifierBytes, sessionKey, receiptKey, proof },
  }
}
