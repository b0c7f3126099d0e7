/**
 * One purchase under way: nonces, what blinds them, and what is asked of the hop (SPEC §16).
 * @module
 */
import type { BlindTokenScheme, BlindingSecret, RandomBytes } from '@byway/protocol/crypto'
import { PAY, TOKEN_NONCE_BYTES, type BuyMessage, type SoldMessage } from '@byway/protocol/wire'
import type { OfferedKey } from './token-offer.ts'
import { tokenMessage } from './token-terms.ts'

/** A token in a client's hands. */
export type HeldToken = {
  /** The hop that takes it, 32 bytes. */
  readonly node: Uint8Array
  /** SPEC §16. */
  readonly kind: number
  readonly keyId: Uint8Array
  readonly nonce: Uint8Array
  /** The unblinded signature. */
  readonly token: Uint8Array
  /** Worthless afterwards. */
  readonly notAfterMs: number
}

/** A purchase whose answer has not come. */
export type TokenPurchase = {
  readonly key: OfferedKey
  readonly message: BuyMessage
  readonly nonces: readonly Uint8Array[]
  readonly secret: BlindingSecret
}

export type PurchaseDeps = {
  readonly scheme: Pick<BlindTokenScheme, 'blind' | 'finalise'>
  readonly random: RandomBytes
}

/** Prepares a purchase; undefined when the key shows itself to be malformed. */
export function preparePurchase(
  { scheme, random }: PurchaseDeps,
  key: OfferedKey,
  request: number,
  count: number,
): TokenPurchase | undefined {
  const nonces = Array.from({ length: count }, () => random(TOKEN_NONCE_BYTES))
  const messages = nonces.map((nonce) => tokenMessage(key.kind, key.keyId, nonce))
  const blinded = scheme.blind(key.publicKey, messages, random)
  if (!blinded) return undefined
  const { elements, secret } = blinded
  const { kind: tokenKind, keyId } = key
  return { key, message: { kind: PAY.BUY, request, tokenKind, keyId, elements }, nonces, secret }
}

/** Takes the blinding off and checks each; gives those that hold. */
export function finishPurchase(
  { scheme }: PurchaseDeps,
  { key, nonces, secret }: TokenPurchase,
  { signatures }: SoldMessage,
  node: Uint8Array,
): readonly HeldToken[] {
  const tokens = scheme.finalise(secret, signatures) ?? []
  const { kind, keyId, notAfterMs } = key
  return nonces.flatMap((nonce, i) => {
    const token = tokens[i]
    return token ? [{ node, kind, keyId, nonce, token, notAfterMs }] : []
  })
}
