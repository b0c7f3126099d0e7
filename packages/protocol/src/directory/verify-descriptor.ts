/**
 * Checks one descriptor by itself: its form, its dates and its signature (SPEC §10.1). What it means beside the others
 * that are known is descriptor-set.ts.
 * @module
 */
import { isBywayError } from '@byway/protocol/base'
import { type CryptoProvider, SIGNATURE_TAG, verifyTagged } from '@byway/protocol/crypto'
import {
  decodeDescriptor,
  type Descriptor,
  type SignedDescriptor,
  unsignedPartOf,
} from '@byway/protocol/wire'

/** Why a descriptor is refused by itself. */
export type DescriptorFault = 'MALFORMED' | 'EXPIRED' | 'FUTURE' | 'SIGNATURE'

export type DescriptorVerdict =
  | { readonly result: 'valid'; readonly descriptor: Descriptor }
  | { readonly result: 'refused'; readonly reason: DescriptorFault }

/** How far ahead of this clock a descriptor may be published: the tolerance of SPEC §3.3 for clocks. */
export const CLOCK_TOLERANCE_S = 600

/** Checks everything about one descriptor that can be known from it alone. */
export function verifyDescriptor(
  crypto: CryptoProvider,
  bytes: Uint8Array,
  nowMs: number,
): DescriptorVerdict {
  const signed = readDescriptor(bytes)
  if (!signed) return { result: 'refused', reason: 'MALFORMED' }
  const { descriptor, signature } = signed
  const reason =
    judgeDates(descriptor, nowMs) ??
    (isSignedBy(crypto, descriptor, bytes, signature) ? undefined : 'SIGNATURE')
  return reason ? { result: 'refused', reason } : { result: 'valid', descriptor }
}

/** Decodes; undefined for bytes that are no descriptor. */
export function readDescriptor(bytes: Uint8Array): SignedDescriptor | undefined {
  try {
    return decodeDescriptor(bytes)
  } catch (error) {
    if (isBywayError(error) && error.kind === 'peer') return undefined
    throw error
  }
}

/** Judges publication and expiry against this clock; undefined when they hold. */
export function judgeDates(
  { publishedS, expiresS }: Descriptor,
  nowMs: number,
): 'EXPIRED' | 'FUTURE' | undefined {
  const nowS = nowMs / 1000
  if (nowS >= expiresS) return 'EXPIRED'
  return publishedS > nowS + CLOCK_TOLERANCE_S ? 'FUTURE' : undefined
}

/** True when the node's identity key signed these bytes. */
export function isSignedBy(
  crypto: CryptoProvider,
  { nodeId }: Descriptor,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyTagged(crypto, nodeId, signature, SIGNATURE_TAG.descriptor, unsignedPartOf(bytes))
}
