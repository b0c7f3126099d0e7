/**
 * Receipts between the bytes that travel (SPEC §17.1) and the numbers that programs take.
 * @module
 */
import type { ReceiptBody as WireBody, SignedReceipt } from '@byway/protocol/payment'
import { numberOf, u256Bytes } from '@byway/protocol/ticket'
import type { JubPoint, Receipt, ReceiptBody } from './receipt.ts'

const WORD_BYTES = 32

/** The statement as numbers. */
export function receiptBodyOf({ provider, nullifier, epoch, units }: WireBody): ReceiptBody {
  return {
    provider: numberOf(provider),
    nullifier: numberOf(nullifier),
    epoch: BigInt(epoch),
    units: BigInt(units),
  }
}

/** A receipt as numbers; nothing is checked. */
export function receiptOf(signed: SignedReceipt): Receipt {
  const { publicKey, signature } = signed
  const s = wordAt(signature, 2)
  return {
    ...receiptBodyOf(signed),
    publicKey: pointAt(publicKey),
    signature: { r8: pointAt(signature), s },
  }
}

/** A receipt as it travels. */
export function signedReceiptOf(body: WireBody, receipt: Receipt): SignedReceipt {
  const { r8, s } = receipt.signature
  return { ...body, publicKey: wordsOf(receipt.publicKey), signature: wordsOf([...r8, s]) }
}

function pointAt(bytes: Uint8Array): JubPoint {
  return [wordAt(bytes, 0), wordAt(bytes, 1)]
}

function wordAt(bytes: Uint8Array, place: number): bigint {
  return numberOf(bytes.subarray(place * WORD_BYTES, (place + 1) * WORD_BYTES))
}

function wordsOf(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(values.length * WORD_BYTES)
  for (const [i, value] of values.entries()) bytes.set(u256Bytes(value), i * WORD_BYTES)
  return bytes
}
