/** Bytes that look random and follow from a seed: SHA-256 in counter mode. */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'

export type Seeded = (bytes: number) => Uint8Array

/** Starts a stream; the same seed gives the same bytes in the same order. */
export function seeded(seed: string): Seeded {
  let block = 0
  return (bytes) => {
    const out = new Uint8Array(bytes)
    for (let at = 0; at < bytes; at += 32) {
      out.set(sha256(utf8ToBytes(`${seed}/${block}`)).subarray(0, bytes - at), at)
      block++
    }
    return out
  }
}

/** A number below `limit` (at most 65536), for choosing sizes and places. */
export function below(random: Seeded, limit: number): number {
  const [high = 0, middle = 0, low = 0] = random(3)
  return ((high << 16) | (middle << 8) | low) % limit
}
