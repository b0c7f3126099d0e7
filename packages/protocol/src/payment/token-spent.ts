/**
 * The tokens spent under one key since the process started, exactly enough and in little memory: an open-addressed table of 64-bit fingerprints
 * under a random secret. What was spent before is known to the store alone, which is asked about every token as well.
 *
 * A fresh token is taken for a spent one once in 2^64 / entries: with a million entries, once in 10^13.
 * @module
 */
import type { TokenHash } from './token-terms.ts'

/** The tokens spent under one key. */
export interface SpentSet {
  readonly size: number
  /** Adds a nonce; false when it is there. */
  add(nonce: Uint8Array): boolean
  /** Takes a nonce out that was added last: it could not be stored. */
  remove(nonce: Uint8Array): void
}

/** Creates an empty set. @param secret - 32 random bytes, so that nobody can aim at another's token */
export function createSpentSet(hash: TokenHash, secret: Uint8Array): SpentSet {
  return new FingerprintTable(hash, secret.slice())
}

class FingerprintTable implements SpentSet {
  readonly #hash: TokenHash
  readonly #secret: Uint8Array
  /** Two words an entry; 0, 0 is free and 0, 1 was taken out. */
  #words = new Uint32Array(2 * FIRST_ENTRIES)
  #used = 0
  size = 0

  constructor(hash: TokenHash, secret: Uint8Array) {
    this.#hash = hash
    this.#secret = secret
  }

  add(nonce: Uint8Array): boolean {
    const [high, low] = this.#fingerprint(nonce)
    if (this.#placeOf(high, low) !== undefined) return false
    if ((this.#used + 1) * 4 > (this.#words.length / 2) * 3) this.#grow()
    this.#put(high, low)
    this.size++
    return true
  }

  remove(nonce: Uint8Array): void {
    const place = this.#placeOf(...this.#fingerprint(nonce))
    if (place === undefined) return
    this.#words[place] = 0
    this.#words[place + 1] = TAKEN_OUT
    this.size--
  }

  #fingerprint(nonce: Uint8Array): readonly [high: number, low: number] {
    const digest = this.#hash.sha256(this.#secret, nonce)
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
    // The high word of an entry is never 0.
    return [view.getUint32(0) || 1, view.getUint32(4)]
  }

  #placeOf(high: number, low: number): number | undefined {
    const mask = this.#words.length - 1
    for (let at = (low * 2) & mask; ; at = (at + 2) & mask) {
      const [one, two] = [this.#words[at], this.#words[at + 1]]
      if (one === high && two === low) return at
      if (one === 0 && two === 0) return undefined
    }
  }

  #put(high: number, low: number): void {
    const mask = this.#words.length - 1
    let at = (low * 2) & mask
    while (this.#words[at] !== 0 || this.#words[at + 1] !== 0) at = (at + 2) & mask
    this.#words[at] = high
    this.#words[at + 1] = low
    this.#used++
  }

  #grow(): void {
    const old = this.#words
    this.#words = new Uint32Array(old.length * 2)
    this.#used = 0
    for (let at = 0; at < old.length; at += 2) {
      const [high = 0, low = 0] = [old[at], old[at + 1]]
      if (high !== 0) this.#put(high, low)
    }
  }
}

const FIRST_ENTRIES = 256
const TAKEN_OUT = 1
