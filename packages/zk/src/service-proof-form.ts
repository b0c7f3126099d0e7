/**
 * A service proof as a file (SPEC §17.4). All fields have fixed places, so that there is one form of each proof and nothing to be read that is not judged.
 *
 * ```text
 * offset size field
 *      0   14 "byway proof v1"
 *     14    8 chain id
 *     22   20 pool
 *     42   20 provider
 *     62    4 epoch
 *     66   32 root
 *     98    8 total, units
 *    106    8 most units of a slot
 *    114   32 beacon
 *    146  256 proof
 *    402  374 opening of sample 0 (§13.2), and so on to sample 11
 * ```
 * @module
 */
import { utf8Bytes } from '@byway/protocol/base'
import { bytesOf, elementOf, numberOf, u256Bytes } from '@byway/protocol/ticket'
import {
  decodeOpening,
  encodeOpening,
  type Opening,
  SERVICE_PROOF_BYTES,
} from '@byway/protocol/wire'
import { AUDIT_SAMPLES } from './audit.ts'
import { PROOF_BYTES } from './proof.ts'

/** What a provider claims of an epoch, and shows for it. */
export type ServiceProof = {
  readonly chainId: number
  /** 20 bytes. */
  readonly pool: Uint8Array
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly epoch: number
  /** The commitment: of the tree, and the units in it. */
  readonly root: bigint
  readonly total: bigint
  /** What one slot can pay for at the provider's price. */
  readonly maxUnits: bigint
  readonly beacon: bigint
  /** 256 bytes. */
  readonly proof: Uint8Array
  /** Of the sampled slots, one for each sample; a slot may be drawn twice. */
  readonly openings: readonly Opening[]
}

/** Encodes. @throws ASSERTION for numbers that do not fit, WIRE_ENCODE */
export function encodeServiceProof(proof: ServiceProof): Uint8Array {
  const parts = [
    MAGIC,
    bytesOf(BigInt(proof.chainId), 8),
    proof.pool,
    proof.provider,
    bytesOf(BigInt(proof.epoch), 4),
    u256Bytes(proof.root),
    bytesOf(proof.total, 8),
    bytesOf(proof.maxUnits, 8),
    u256Bytes(proof.beacon),
    proof.proof,
    ...proof.openings.map(encodeOpening),
  ]
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

/** Decodes; undefined for what is not the one form of a service proof. Whether it holds is `verifyServiceProof`'s to say. */
export function decodeServiceProof(bytes: Uint8Array): ServiceProof | undefined {
  if (bytes.length !== SERVICE_PROOF_BYTES) return undefined
  let at = 0
  const take = (count: number): Uint8Array => bytes.slice(at, (at += count))
  if (!take(MAGIC.length).every((byte, i) => byte === MAGIC[i])) return undefined
  const chainId = numberOf(take(8))
  const [pool, provider] = [take(20), take(20)]
  const epoch = Number(numberOf(take(4)))
  const root = elementOf(take(32))
  const [total, maxUnits] = [numberOf(take(8)), numberOf(take(8))]
  const beacon = elementOf(take(32))
  const proof = take(PROOF_BYTES)
  const openings = Array.from({ length: AUDIT_SAMPLES }, () => openingAt(take(OPENING_BYTES)))
  const isInRange =
    chainId <= BigInt(Number.MAX_SAFE_INTEGER) &&
    [total, maxUnits].every((units) => units > 0n && units < MOST_UNITS)
  if (root === undefined || beacon === undefined || !isInRange) return undefined
  const shown = openings.filter((opening) => opening !== undefined)
  if (shown.length < AUDIT_SAMPLES) return undefined
  const statement = { provider, epoch, root, total, maxUnits, beacon }
  return { chainId: Number(chainId), pool, ...statement, proof, openings: shown }
}

/** Undefined for what has another size, or numbers that are aliases of others. */
function openingAt(bytes: Uint8Array): Opening | undefined {
  try {
    const opening = decodeOpening(bytes)
    const elements = [opening.root, opening.nullifier, opening.receiptKey].map(elementOf)
    return elements.includes(undefined) ? undefined : opening
  } catch {
    return undefined
  }
}

const MAGIC = utf8Bytes('byway proof v1')
const OPENING_BYTES = 118 + PROOF_BYTES
/** Sums have 48 bits. */
const MOST_UNITS = 2n ** 48n
