/**
 * Collects the few bytes of a handshake until a step has enough, and keeps what comes after them.
 * @module
 */
import { concatBytes } from '@byway/protocol/base'

/** Collects up to a limit. */
export interface ByteCollector {
  readonly bytes: Uint8Array
  /** Returns false when the limit is passed. */
  add(chunk: Uint8Array): boolean
  /** Drops the first bytes, which have been read. */
  skip(count: number): void
}

/** Creates a collector. `limitBytes` bounds what a peer can make us keep. */
export function createByteCollector(limitBytes: number): ByteCollector {
  let bytes = new Uint8Array(0)
  return {
    get bytes() {
      return bytes
    },
    add(chunk) {
      if (bytes.length + chunk.length > limitBytes) return false
      bytes = concatBytes(bytes, chunk) as Uint8Array<ArrayBuffer>
      return true
    },
    skip(count) {
      bytes = bytes.slice(count)
    },
  }
}
