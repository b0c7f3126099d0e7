/**
 * The plain proof, made and judged: the owner signs with the key that deposited. For tests of openings and contracts only: it shows the payer to everyone who sees an opening.
 * @module
 */
import { assert, BywayError, utf8Bytes } from '@byway/protocol/base'
import type { TicketCrypto, TreePath } from '@byway/protocol/crypto'
import {
  depositLeaf,
  elementOf,
  identityCommitment,
  numberOf,
  type Pool,
  rootOf,
  slotNullifier,
  type SlotStatement,
  type SlotVerifier,
  u256Bytes,
} from '@byway/protocol/ticket'
import { decodePlainProof, encodePlainProof, type PlainProof } from './plain-proof.ts'

/** Creates the verifier. It says no to everything on any chain but {@link PLAIN_CHAIN_ID}. */
export function createPlainVerifier(crypto: TicketCrypto, pool: Pool): SlotVerifier {
  return {
    verify(statement, bytes) {
      if (pool.chainId !== PLAIN_CHAIN_ID) return Promise.resolve(false)
      const proof = decodeOrNothing(bytes)
      return Promise.resolve(proof !== undefined && holds(crypto, pool, statement, proof))
    },
  }
}

/** What the owner signs to make a plain proof; 32 bytes. */
export function plainDigest(
  crypto: TicketCrypto,
  { root, nullifier, domain, x }: SlotStatement,
): Uint8Array {
  const parts = [root, nullifier, domain, x].map(u256Bytes)
  return crypto.sha256(utf8Bytes('byway plain v1'), ...parts)
}

/** What is needed to make a plain proof. */
export type PlainProofOptions = {
  readonly statement: SlotStatement
  /** Bond units of the deposit. */
  readonly limit: number
  /** Which of its slots. */
  readonly slot: number
  readonly path: TreePath
  /** Signs {@link plainDigest} with the key that deposited; 65 bytes. */
  readonly sign: (digest: Uint8Array) => Uint8Array
}

/** Makes a plain proof. It holds if the statement is true and `sign` is the owner's. */
export function provePlain(crypto: TicketCrypto, options: PlainProofOptions): Uint8Array {
  const { statement, limit, slot, path, sign } = options
  const signature = sign(plainDigest(crypto, statement))
  const siblings = path.siblings.map(u256Bytes)
  return encodePlainProof({ signature, limit, slot, pathBits: path.pathBits, siblings })
}

/** The secret of a deposit in the plain way: its owner's address as a number. */
export function plainSecret(owner: Uint8Array): bigint {
  assert(owner.length === 20, 'an address has 20 bytes')
  return numberOf(owner)
}

function holds(
  crypto: TicketCrypto,
  pool: Pool,
  statement: SlotStatement,
  proof: PlainProof,
): boolean {
  const { limit, slot, pathBits } = proof
  if ((slot + 1) * pool.unitsPerSlot > limit) return false
  const siblings = proof.siblings.map(elementOf)
  if (!siblings.every((sibling) => sibling !== undefined)) return false
  const publicKey = crypto.recover(plainDigest(crypto, statement), proof.signature)
  if (!publicKey) return false
  const secret = plainSecret(crypto.addressOf(publicKey))
  if (slotNullifier(crypto, pool, secret, slot) !== statement.nullifier) return false
  const leaf = depositLeaf(crypto, pool, identityCommitment(crypto, secret), limit)
  return rootOf(crypto, leaf, { pathBits, siblings }) === statement.root
}

function decodeOrNothing(bytes: Uint8Array): PlainProof | undefined {
  try {
    return decodePlainProof(bytes)
  } catch (error) {
    if (error instanceof BywayError && error.kind === 'peer') return undefined
    throw error
  }
}

/** Nowhere else. */
const PLAIN_CHAIN_ID = 31_337
