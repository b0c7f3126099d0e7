/** Bytes that look random and are the same in every run: SHA-256 of a seed and a counter. */
import { createHash } from 'node:crypto'
import type { RandomBytes } from '@byway/protocol/crypto'

export function seededBytes(seed: string): RandomBytes {
  let counter = 0
  return (bytes) => {
    const blocks: Buffer[] = []
    for (let have = 0; have < bytes; have += 32) {
      blocks.push(createHash('sha256').update(`${seed} ${counter++}`).digest())
    }
    return new Uint8Array(Buffer.concat(blocks).subarray(0, bytes))
  }
}
