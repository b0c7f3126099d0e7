/**
 * What both ends of one hop's layers share: suite, keys, depth (SPEC §5.4, §6.1).
 * @module
 */
import type { AeadSuite, CircuitKeys } from '@byway/protocol/crypto'
import {
  CELL_HEADER_BYTES,
  innerBytes,
  type Position,
  SUITE,
  SUITE_OFFER,
  type Suite,
} from '@byway/protocol/wire'

/** One hop's keys after its handshake. */
export type HopKeys = {
  readonly suite: AeadSuite
  readonly keys: CircuitKeys
  /** 32 bytes, public: `legHash` of SPEC §9.2 when the hop is the last one. */
  readonly handshakeHash: Uint8Array
}

/** SPEC §6.1: position − 2, or position − 1 with `entryLayer`; −1 for the entry, which then has no layer. */
export function depthOf(position: Position, entryLayer: boolean): number {
  return position - (entryLayer ? 1 : 2)
}

/** Returns the bytes of the list that a hop at this depth reads from a cell of `cellBytes`; −1 has no layer. */
export function listBytesAt(cellBytes: number, depth: number): number {
  const bodyBytes = cellBytes - CELL_HEADER_BYTES
  return depth < 0 ? bodyBytes : innerBytes(bodyBytes, depth)
}

/** Names a suite of the wire. */
export function suiteName(suite: Suite): AeadSuite {
  return suite === SUITE.AES_256_GCM ? 'aes-256-gcm' : 'chacha20-poly1305'
}

/** True for a suite that was offered. */
export function isOffered(suite: Suite, offer: number): boolean {
  const bit = suite === SUITE.AES_256_GCM ? SUITE_OFFER.AES_256_GCM : SUITE_OFFER.CHACHA20_POLY1305
  return (offer & bit) !== 0
}
