/**
 * The rests of the client's leaves (SPEC §14.6): units at the end that make no slot. A leaf that came back after wins and a relayer's fee is all rest. None of them pays anybody; joined
 * they make slots again.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'
import { joinX, proofPath, restNullifier, restUnits, u256Bytes } from '@byway/protocol/ticket'
import type { JoinTerms, Pool } from '@byway/protocol/ticket'
import { MAX_JOINED_LEAVES } from '@byway/protocol/wire'
import { moneyError } from './errors.ts'
import type { LeafBook } from './leaf-book.ts'
import type { JoinProof, LeafRest } from './ports.ts'

/** What is to be proved of a joining, as the program wants it. */
export type JoinWitness = {
  readonly leaves: readonly {
    readonly secret: bigint
    readonly limit: number
    /** From the leaf upwards. */
    readonly path: readonly { readonly sibling: bigint; readonly isLeft: boolean }[]
  }[]
  readonly root: bigint
  readonly x: bigint
  readonly tag: bigint
  readonly unitsPerSlot: bigint
}

/** Makes join proofs, off the event loop and behind all that is awaited. */
export interface JoinProver {
  /** 256 bytes. @throws when the statement is false or proving fails, or the signal's reason */
  proveJoin(witness: JoinWitness, signal: AbortSignal): Promise<Uint8Array>
}

/** A leaf of ours. */
export type OwnLeaf = { readonly secret: bigint; readonly limit: number; readonly leaf: bigint }

export type LeafRestsDeps = {
  readonly crypto: TicketCrypto
  readonly pool: Pool
  readonly leaves: Pick<LeafBook, 'pathUnder'>
  readonly prover: JoinProver
}

/** The leaves with a rest that are known. */
export interface LeafRests {
  /** Leaves without a rest are passed over. */
  add(leaf: OwnLeaf): void
  /** Those that this root holds. @throws as `LeafBook.pathUnder` does */
  under(root: bigint, signal: AbortSignal): Promise<readonly LeafRest[]>
  /** @throws DEPOSIT_TOO_NEW when one of them is not ours, or not under the root; what the prover throws, or the signal's reason */
  join(
    rests: readonly Uint8Array[],
    terms: JoinTerms,
    root: bigint,
    signal: AbortSignal,
  ): Promise<JoinProof>
}

/** Creates it without leaves. */
export function createLeafRests({ crypto, pool, leaves, prover }: LeafRestsDeps): LeafRests {
  const own = new Map<string, OwnLeaf & { readonly rest: Uint8Array }>()
  const named = new Set<bigint>()

  async function witnessOf(rest: Uint8Array, root: bigint, signal: AbortSignal) {
    const known = own.get(toHex(rest))
    const path = known && (await leaves.pathUnder(root, known.leaf, signal))
    if (!path) throw moneyError('DEPOSIT_TOO_NEW', {})
    return { secret: known.secret, limit: known.limit, path: proofPath(path) }
  }

  return {
    add(leaf) {
      if (named.has(leaf.leaf) || restUnits(pool, leaf.limit) === 0) return
      named.add(leaf.leaf)
      const rest = u256Bytes(restNullifier(crypto, leaf.secret))
      own.set(toHex(rest), { ...leaf, rest })
    },
    async under(root, signal) {
      const found: LeafRest[] = []
      for (const { rest, limit, leaf } of own.values())
        if (await leaves.pathUnder(root, leaf, signal))
          found.push({ rest, units: restUnits(pool, limit) })
      return found
    },
    async join(rests, terms, root, signal) {
      const joined: JoinWitness['leaves'][number][] = []
      for (const rest of rests) joined.push(await witnessOf(rest, root, signal))
      const x = joinX(crypto, pool, terms)
      const profile = { tag: pool.tag, unitsPerSlot: BigInt(pool.unitsPerSlot) }
      const proof = await prover.proveJoin({ leaves: joined, root, x, ...profile }, signal)
      const places = Array.from({ length: MAX_JOINED_LEAVES }, (_, at) => rests[at] ?? NO_REST)
      const units = joined.reduce((sum, { limit }) => sum + restUnits(pool, limit), 0)
      return { root: u256Bytes(root), rests: places, units, proof }
    },
  }
}

const NO_REST = new Uint8Array(32)
