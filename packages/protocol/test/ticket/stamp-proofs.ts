/**
 * What stands for slot proofs where a test is about something else: a stamp is the hash of what it says, so that it fits nothing else; and anybody can make one.
 * The proofs themselves: packages/zk/test, and every network of real programs.
 */
import { utf8Bytes } from '@byway/protocol/base'
import { nodeTicketCrypto as crypto } from '@byway/protocol/node-ticket'
import {
  depositLeaf,
  identityCommitment,
  type Pool,
  restNullifier,
  type SlotStatement,
  type SlotVerifier,
  slotNullifier,
  u256Bytes,
} from '@byway/protocol/ticket'

/** Of a slot proof, so that messages have their real size. */
const PROOF_BYTES = 256

/** Stamps a statement. */
export function stamp({ root, nullifier, domain, x }: SlotStatement): Uint8Array {
  const fields = [root, nullifier, domain, x].map(u256Bytes)
  const proof = new Uint8Array(PROOF_BYTES)
  proof.set(crypto.sha256(utf8Bytes('stamp'), ...fields))
  return proof
}

/** Judges stamps. */
export const STAMP_VERIFIER: SlotVerifier = {
  verify: (statement, proof) => Promise.resolve(Buffer.compare(stamp(statement), proof) === 0),
}

/** What is to be proved of a slot. */
type Witness = {
  readonly secret: bigint
  readonly limit: number
  readonly j: number
  readonly path: readonly { readonly sibling: bigint; readonly isLeft: boolean }[]
  readonly x: bigint
}

/** What is to be proved of a joining. */
type JoinWitness = {
  readonly leaves: readonly { readonly secret: bigint; readonly limit: number }[]
  readonly root: bigint
  readonly x: bigint
}

/** Makes stamps: at once, whether somebody waits or not. */
export type StampProver = Readonly<
  Record<'prove' | 'proveAhead', (witness: Witness) => Promise<Uint8Array>>
> & { readonly proveJoin: (witness: JoinWitness) => Promise<Uint8Array> }

/** Stamps what a client would prove. */
export function createStampProver(pool: Pool): StampProver {
  const prove = ({ secret, limit, j, path, x }: Witness): Promise<Uint8Array> => {
    let root = depositLeaf(crypto, pool, identityCommitment(crypto, secret), limit)
    for (const { sibling, isLeft } of path)
      root = isLeft ? crypto.poseidon2(sibling, root) : crypto.poseidon2(root, sibling)
    const nullifier = slotNullifier(crypto, pool, secret, j)
    return Promise.resolve(stamp({ root, nullifier, domain: pool.domain, x }))
  }
  const proveJoin = ({ leaves, root, x }: JoinWitness): Promise<Uint8Array> => {
    const rests = leaves.map(({ secret }) => restNullifier(crypto, secret))
    const units = leaves.reduce((sum, { limit }) => sum + limit, 0)
    const fields = [...rests, BigInt(units), root, x].map(u256Bytes)
    const proof = new Uint8Array(PROOF_BYTES)
    proof.set(crypto.sha256(utf8Bytes('join stamp'), ...fields))
    return Promise.resolve(proof)
  }
  return { prove, proveAhead: prove, proveJoin }
}
