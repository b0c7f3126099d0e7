/**
 * The keys that sign receipts (SPEC §17.1): one for each slot, made of the purse's session secret, so that they link no two slots and a client that lost its state makes the same
 * again.
 * @module
 */
import { utf8Bytes } from '@byway/protocol/base'
import type { TicketCrypto } from '@byway/protocol/crypto'
import type { ReceiptBody, ReceiptCrypto, SignedReceipt } from '@byway/protocol/payment'

/** Signs for slots by their nullifiers. @throws what signing off the event loop throws */
export interface ReceiptKeys {
  /** What the slot's opening carries, 32 bytes. */
  keyFor(nullifier: Uint8Array): Promise<Uint8Array>
  /** Signs with the key of the body's slot. */
  sign(body: ReceiptBody): Promise<SignedReceipt>
  /** True when that key made the signature. */
  isOwn(body: ReceiptBody, signature: Uint8Array): Promise<boolean>
}

export type ReceiptKeysDeps = {
  readonly receipts: Pick<ReceiptCrypto, 'keyOf' | 'sign' | 'isOwn'>
  readonly crypto: Pick<TicketCrypto, 'hmacSha256'>
  /** 32 bytes: the one that session keys are made of. */
  readonly sessionSecret: Uint8Array
}

const LABEL = utf8Bytes('byway receipt key v1')

/** Creates the keys of a purse. */
export function createReceiptKeys(deps: ReceiptKeysDeps): ReceiptKeys {
  const { receipts, crypto, sessionSecret } = deps
  const secretOf = (nullifier: Uint8Array): Uint8Array =>
    crypto.hmacSha256(sessionSecret, LABEL, nullifier)
  return {
    keyFor: (nullifier) => receipts.keyOf(secretOf(nullifier)),
    sign: (body) => receipts.sign(secretOf(body.nullifier), body),
    isOwn: (body, signature) => receipts.isOwn(secretOf(body.nullifier), body, signature),
  }
}
