/**
 * Remembers every ephemeral key seen under one onion key, in fixed memory and without ever forgetting (SPEC §5.2).
 * A Bloom filter: it may refuse a fresh key (once in four million when full), it never takes a repeated one. When it is
 * full its onion key must be retired. Positions are keyed, so that nobody can aim at another client's key.
 * @module
 */
import type { CryptoProvider } from '@byway/protocol/crypto'

/** What the filter needs of cryptography. */
export type KeyedHash = Pick<CryptoProvider, 'hmacSha256'>

/** The ephemerals of one onion key. */
export interface ReplayFilter {
  /** True when as many keys were added as the filter holds at its error rate. */
  readonly isFull: boolean
  readonly count: number
  /** True when the key was added before, or seems so. */
  has(ephemeralKey: Uint8Array): boolean
  /** Adds a key; false when it was there already (or seems so), or when the filter is full. */
  add(ephemeralKey: Uint8Array): boolean
}

/** Size of a filter. */
export type ReplayFilterOptions = {
  /** Keys held at the error rate. @default 524 288: six circuits a second for a day */
  readonly capacity?: number | undefined
}

/** Creates an empty filter. `key` is 32 random bytes of its own. */
export function createReplayFilter(
  hash: KeyedHash,
  key: Uint8Array,
  options: ReplayFilterOptions = {},
): ReplayFilter {
  const capacity = options.capacity ?? DEFAULT_CAPACITY
  return new Bloom(hash, key.slice(), capacity)
}

class Bloom implements ReplayFilter {
  readonly #hash: KeyedHash
  readonly #key: Uint8Array
  readonly #capacity: number
  readonly #bits: Uint8Array
  #count = 0

  constructor(hash: KeyedHash, key: Uint8Array, capacity: number) {
    this.#hash = hash
    this.#key = key
    this.#capacity = capacity
    this.#bits = new Uint8Array(bytesFor(capacity))
  }

  get isFull(): boolean {
    return this.#count >= this.#capacity
  }

  get count(): number {
    return this.#count
  }

  has(ephemeralKey: Uint8Array): boolean {
    return !this.#visit(ephemeralKey, 0)
  }

  add(ephemeralKey: Uint8Array): boolean {
    if (this.isFull) return false
    const fresh = this.#visit(ephemeralKey, 0xff)
    if (fresh) this.#count++
    return fresh
  }

  /** Goes over the key's bits and sets those in `setMask`; true when one of them was not set. */
  #visit(ephemeralKey: Uint8Array, setMask: number): boolean {
    const digest = this.#hash.hmacSha256(this.#key, ephemeralKey)
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
    const first = view.getUint32(0)
    // Odd, so that the steps go round all positions of a power of two.
    const step = view.getUint32(4) | 1
    const mask = this.#bits.length * 8 - 1
    let fresh = false
    for (let i = 0; i < PROBES; i++) {
      const position = (first + Math.imul(i, step)) & mask
      const bit = 1 << (position & 7)
      const byte = this.#bits[position >>> 3] ?? 0
      if ((byte & bit) === 0) fresh = true
      this.#bits[position >>> 3] = byte | (bit & setMask)
    }
    return fresh
  }
}

/** The power of two that gives at least 32 bits a key. */
function bytesFor(capacity: number): number {
  return Math.max(8, 2 ** Math.ceil(Math.log2(capacity * (BITS_PER_KEY / 8))))
}

// Local limits (tunable).
/** 2 MiB a key, for two keys at a time. */
const DEFAULT_CAPACITY = 524_288
const BITS_PER_KEY = 32
/** ln 2 × bits per key: the best number of probes, for an error of 2^−22 when full. */
const PROBES = 22
