/**
 * The bodies that the origin serves: any number of bytes, made from a seed, with a SHA-256 known to both ends.
 * One pseudo-random block of 1 MiB is repeated; the first 16 bytes of each repetition hold its number, so that
 * a lost, repeated or moved block changes the hash. Serving one costs no more CPU than writing to the socket.
 */
import { createCipheriv, createHash } from 'node:crypto'

/** Bytes in one block of a body. */
export const BLOCK_BYTES: number = 1 << 20

/** Bytes at the head of each block that hold its number. */
export const HEADER_BYTES = 16

/** The seed used by every bench; a different one gives different bytes and a different hash. */
export const DEFAULT_SEED = 'byway bench body 1'

/** Makes the repeated block of `seed`: an AES-256-CTR key stream under SHA-256(seed). */
export function makeBlock(seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(BLOCK_BYTES))
}

/** Encodes the head of block number `index`: 8 fixed bytes, then the number as u64, big endian. */
export function encodeHeader(index: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write('bywaybdy', 'latin1')
  header.writeBigUInt64BE(BigInt(index), 8)
  return header
}

/** Yields the pieces of a body in order; the pieces after each header are views of `block`, not copies. */
export function* bodyPieces(block: Buffer, bodyBytes: number): Generator<Buffer> {
  for (let offset = 0, index = 0; offset < bodyBytes; offset += BLOCK_BYTES, index++) {
    const left = Math.min(BLOCK_BYTES, bodyBytes - offset)
    yield encodeHeader(index).subarray(0, left)
    if (left > HEADER_BYTES) yield block.subarray(HEADER_BYTES, left)
  }
}

/** Computes the SHA-256, in hex, of the body of `bodyBytes` bytes made from `seed`. */
export function bodySha256(bodyBytes: number, seed: string = DEFAULT_SEED): string {
  const hash = createHash('sha256')
  for (const piece of bodyPieces(makeBlock(seed), bodyBytes)) hash.update(piece)
  return hash.digest('hex')
}
