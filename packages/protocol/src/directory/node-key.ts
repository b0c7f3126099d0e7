/**
 * Node ids as text, for maps, sets and files: 64 lower-case hexadecimal digits.
 * @module
 */
import { type Brand, toHex } from '@byway/protocol/base'

/** A node id as a map key; made by {@link nodeKeyOf} and {@link parseNodeKey} only. */
export type NodeKey = Brand<string, 'NodeKey'>

/** Writes the 32 bytes of a node id as a key. */
export function nodeKeyOf(nodeId: Uint8Array): NodeKey {
  return toHex(nodeId) as NodeKey
}

/** Reads a key from text of a file, or returns undefined. */
export function parseNodeKey(text: unknown): NodeKey | undefined {
  return typeof text === 'string' && /^[0-9a-f]{64}$/.test(text) ? (text as NodeKey) : undefined
}
