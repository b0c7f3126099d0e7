/**
 * Receipts (SPEC §17): a client's signature over the units that a provider has carried for a slot, by EdDSA on BabyJubJub with Poseidon, which a program can
 * check cheaply. The curve is @noble/curves'; what is hashed is circomlib's. It costs some milliseconds: sign and check off the event loop.
 * @module
 */
import { babyjubjub } from '@noble/curves/misc.js'
import { blake512 } from '@noble/hashes/blake1.js'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon4 } from 'poseidon-lite/poseidon4'
import { poseidon5 } from 'poseidon-lite/poseidon5'
import { SCALAR_ORDER } from './proof.ts'

const { Point } = babyjubjub
type Point = typeof Point.BASE
/** Of the subgroup in which signatures are. */
const ORDER = Point.Fn.ORDER
const SECRET_BYTES = 32
const COFACTOR = 8n

/** What is acknowledged. `provider` is an address as a number, `epoch` counts weeks, `units` are all of this slot so far. */
export type ReceiptBody = {
  readonly provider: bigint
  readonly nullifier: bigint
  readonly epoch: bigint
  readonly units: bigint
}

/** A point of BabyJubJub. */
export type JubPoint = readonly [x: bigint, y: bigint]

/** A signed receipt. */
export type Receipt = ReceiptBody & {
  readonly publicKey: JubPoint
  readonly signature: { readonly r8: JubPoint; readonly s: bigint }
}

/** The public key of a 32-byte secret. */
export function receiptPublicKey(secret: Uint8Array): JubPoint {
  return coordinates(keyPair(secret).publicKey)
}

/** What an opening carries of it (SPEC §13.2): binds the key to the slot. */
export function receiptKeyOf([x, y]: JubPoint): bigint {
  return poseidon2([x, y])
}

/** Signs. One secret and body have one signature. */
export function signReceipt(secret: Uint8Array, body: ReceiptBody): Receipt {
  const { scalar, prefix, publicKey: key } = keyPair(secret)
  const publicKey = coordinates(key)
  const nonce = littleEndian(blake512(Uint8Array.from([...prefix, ...messageBytes(body)]))) % ORDER
  const r8 = coordinates(Point.BASE.multiply(nonce))
  const s = (nonce + challenge(r8, publicKey, body) * scalar) % ORDER
  return { ...body, publicKey, signature: { r8, s } }
}

/** True for a valid signature of the key that the receipt names; whether that is the slot's key is the caller's to ask. False for anything else. */
export function isSignedReceipt({ publicKey, signature, ...body }: Receipt): boolean {
  const [key, r8] = [pointOf(publicKey), pointOf(signature.r8)]
  if (!key || !r8 || signature.s < 0n || signature.s >= ORDER) return false
  const cleared = key.multiplyUnsafe(COFACTOR)
  // One of the eight points of small order, under which everybody can sign. The program refuses them as well (service-audit.circom).
  if (cleared.is0()) return false
  const hash = challenge(signature.r8, publicKey, body) % ORDER
  return Point.BASE.multiplyUnsafe(signature.s).equals(r8.add(cleared.multiplyUnsafe(hash)))
}

/** As circomlib derives it: the scalar is a multiple of the cofactor, which the key is without. */
function keyPair(secret: Uint8Array) {
  const hash = blake512(secret)
  const pruned = hash.slice(0, SECRET_BYTES)
  pruned[0] = (pruned[0] ?? 0) & 0xf8
  pruned[31] = ((pruned[31] ?? 0) & 0x7f) | 0x40
  const scalar = littleEndian(pruned)
  const publicKey = Point.BASE.multiply((scalar / COFACTOR) % ORDER)
  return { scalar, prefix: hash.subarray(SECRET_BYTES), publicKey }
}

function challenge(r8: JubPoint, publicKey: JubPoint, body: ReceiptBody): bigint {
  return poseidon5([...r8, ...publicKey, messageOf(body)])
}

/** Undefined for what is not on the curve, and for a second form of a number, which the library takes and a program does not know. */
function pointOf([x, y]: JubPoint): Point | undefined {
  if (x >= SCALAR_ORDER || y >= SCALAR_ORDER) return undefined
  try {
    const point = Point.fromAffine({ x, y })
    // The library's check refuses the identity, which is on the curve all the same: as a key it fails as one of small order.
    if (!point.is0()) point.assertValidity()
    return point
  } catch {
    return undefined
  }
}

function coordinates(point: Point): JubPoint {
  const { x, y } = point.toAffine()
  return [x, y]
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

function messageBytes(body: ReceiptBody): Uint8Array {
  const hex = messageOf(body)
    .toString(16)
    .padStart(2 * SECRET_BYTES, '0')
  return Uint8Array.from(Buffer.from(hex, 'hex').reverse())
}

/** A leaf of the audit tree. */
export function receiptLeaf(
  { publicKey: [x, y], nullifier, units }: Pick<Receipt, 'publicKey' | 'nullifier' | 'units'>,
  hash: (elements: bigint[]) => bigint = poseidon4,
): bigint {
  return hash([x, y, nullifier, units])
}

function messageOf({ provider, nullifier, epoch, units }: ReceiptBody): bigint {
  return poseidon4([provider, nullifier, epoch, units])
}
