/**
 * Receipts (SPEC §17): a client's signature over the units that a provider has carried for a slot, by EdDSA on BabyJubJub with Poseidon, which a program can
 * check cheaply. In JavaScript it costs 25 to 40 ms: sign and check off the event loop.
 * @module
 */
import { createRequire } from 'node:module'
import type * as BabyJubJub from '@zk-kit/baby-jubjub'
import type * as Eddsa from '@zk-kit/eddsa-poseidon'
import { poseidon2 } from 'poseidon-lite/poseidon2'
import { poseidon4 } from 'poseidon-lite/poseidon4'

/** Their ES modules do not load on Node, so that they are required. */
const load = createRequire(import.meta.url)
const { derivePublicKey, signMessage, verifySignature } = load(
  '@zk-kit/eddsa-poseidon',
) as typeof Eddsa
const { addPoint, inCurve } = load('@zk-kit/baby-jubjub') as typeof BabyJubJub

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
  const [x, y] = derivePublicKey(Buffer.from(secret))
  return [x, y]
}

/** What an opening carries of it (SPEC §13.2): binds the key to the slot. */
export function receiptKeyOf([x, y]: JubPoint): bigint {
  return poseidon2([x, y])
}

/** Signs. */
export function signReceipt(secret: Uint8Array, body: ReceiptBody): Receipt {
  const { R8, S } = signMessage(Buffer.from(secret), messageOf(body))
  const r8: JubPoint = [R8[0], R8[1]]
  return { ...body, publicKey: receiptPublicKey(secret), signature: { r8, s: S } }
}

/** True for a valid signature of the key that the receipt names; whether that is the slot's key is the caller's to ask. False for anything else. */
export function isSignedReceipt(receipt: Receipt): boolean {
  const { publicKey, signature } = receipt
  try {
    if (!isKey(publicKey)) return false
    const shown = { R8: [...signature.r8] as [bigint, bigint], S: signature.s }
    return verifySignature(messageOf(receipt), shown, [...publicKey] as [bigint, bigint])
  } catch {
    return false
  }
}

/** False for the eight points of small order, under which everybody can sign, and for what is no point. The program refuses them as well (service-audit.circom). */
function isKey([x, y]: JubPoint): boolean {
  let point: [bigint, bigint] = [x, y]
  if (!inCurve(point)) return false
  for (let doubling = 0; doubling < 3; doubling++) point = addPoint(point, point)
  return point[0] !== 0n
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
