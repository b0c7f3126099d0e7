/**
 * The program of the thread that signs and checks receipts, one at a time. What comes from a peer may be any bytes: they end in a `false`.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import type { ReceiptBody, SignedReceipt } from '@byway/protocol/payment'
import { numberOf, u256Bytes } from '@byway/protocol/ticket'
import { receiptBodyOf, receiptOf, signedReceiptOf } from './receipt-form.ts'
import { isSignedReceipt, receiptKeyOf, receiptPublicKey, signReceipt } from './receipt.ts'
import { SCALAR_ORDER } from './proof.ts'

/** What the thread is asked. */
export type ReceiptTask =
  | { readonly do: 'key'; readonly secret: Uint8Array }
  | { readonly do: 'sign'; readonly secret: Uint8Array; readonly body: ReceiptBody }
  | { readonly do: 'isOf'; readonly receiptKey: Uint8Array; readonly receipt: SignedReceipt }
  | {
      readonly do: 'isOwn'
      readonly secret: Uint8Array
      readonly body: ReceiptBody
      readonly signature: Uint8Array
    }

/** What it answers. */
export type ReceiptAnswer = Uint8Array | SignedReceipt | boolean

function answer(task: ReceiptTask): ReceiptAnswer {
  switch (task.do) {
    case 'key':
      return u256Bytes(receiptKeyOf(receiptPublicKey(task.secret)))
    case 'sign':
      return signedReceiptOf(task.body, signReceipt(task.secret, receiptBodyOf(task.body)))
    case 'isOf':
      return isOf(task.receiptKey, task.receipt)
    case 'isOwn':
      return isOwn(task.secret, task.body, task.signature)
  }
}

function isOf(receiptKey: Uint8Array, signed: SignedReceipt): boolean {
  const receipt = receiptOf(signed)
  const all = [...receipt.publicKey, ...receipt.signature.r8, receipt.signature.s]
  // A program knows no alias of a number.
  if (all.some((value) => value >= SCALAR_ORDER)) return false
  return numberOf(receiptKey) === receiptKeyOf(receipt.publicKey) && isSignedReceipt(receipt)
}

function isOwn(secret: Uint8Array, body: ReceiptBody, signature: Uint8Array): boolean {
  const publicKey = receiptPublicKey(secret)
  const bytes = Uint8Array.from([...u256Bytes(publicKey[0]), ...u256Bytes(publicKey[1])])
  return isSignedReceipt(receiptOf({ ...body, publicKey: bytes, signature }))
}

parentPort?.on('message', ({ id, task }: { readonly id: number; readonly task: ReceiptTask }) => {
  parentPort?.postMessage({ id, answer: answer(task) })
})
