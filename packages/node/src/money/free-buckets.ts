/**
 * What an entry carries for nothing (SPEC §15.3), so that a client can buy its first tokens: a bucket for each client link within one for its prefix. Prefixes
 * are known while they have links or an unfilled bucket, in memory only.
 * @module
 */
import type { FreeBytes } from './toll.ts'

// Protocol constants (change needs a spec change): SPEC §15.3.
const LINK_BYTES = 1024 * 1024
const LINK_BYTES_PER_MS = (4 * 1024) / 1000
const PREFIX_BYTES = 8 * 1024 * 1024
const PREFIX_BYTES_PER_MS = (32 * 1024) / 1000
// Local limit (tunable): docs/LIMITS.md. Prefixes remembered; beyond it those that came first start anew.
const MAX_PREFIXES = 65_536

/** The free bytes of a node's clients. */
export interface FreeBuckets {
  /** The bucket of a new link. @param prefix - of the client's address, as {@link prefixOf} names it */
  open(prefix: string, nowMs: number): FreeBytes
}

/** Creates buckets that are full. */
export function createFreeBuckets(): FreeBuckets {
  const prefixes = new Map<string, Bucket>()

  function prefixBucket(prefix: string, nowMs: number): Bucket {
    const known = prefixes.get(prefix)
    if (known) return known
    if (prefixes.size >= MAX_PREFIXES) forgetSome(prefixes, nowMs)
    const bucket = new Bucket(PREFIX_BYTES, PREFIX_BYTES_PER_MS, nowMs)
    prefixes.set(prefix, bucket)
    return bucket
  }

  return {
    open(prefix, nowMs) {
      const own = new Bucket(LINK_BYTES, LINK_BYTES_PER_MS, nowMs)
      return {
        draw(bytes, atMs) {
          const shared = prefixBucket(prefix, atMs)
          const drawn = Math.floor(Math.min(bytes, own.fill(atMs), shared.fill(atMs)))
          own.take(drawn)
          shared.take(drawn)
          return drawn
        },
      }
    },
  }
}

/** Names the /24 or /48 of an address: four or sixteen bytes. */
export function prefixOf(address: Uint8Array): string {
  return address.subarray(0, address.length === 4 ? 3 : 6).join('.')
}

/** The oldest go first; a bucket that is full is as good as forgotten. */
function forgetSome(prefixes: Map<string, Bucket>, nowMs: number): void {
  for (const [prefix, bucket] of prefixes) if (bucket.isFull(nowMs)) prefixes.delete(prefix)
  const [oldest] = prefixes.keys()
  if (prefixes.size >= MAX_PREFIXES && oldest !== undefined) prefixes.delete(oldest)
}

class Bucket {
  readonly #capacity: number
  readonly #perMs: number
  #bytes: number
  #atMs: number

  constructor(capacity: number, perMs: number, nowMs: number) {
    this.#capacity = capacity
    this.#perMs = perMs
    this.#bytes = capacity
    this.#atMs = nowMs
  }

  fill(nowMs: number): number {
    const earned = Math.max(0, nowMs - this.#atMs) * this.#perMs
    this.#bytes = Math.min(this.#capacity, this.#bytes + earned)
    this.#atMs = nowMs
    return this.#bytes
  }

  isFull(nowMs: number): boolean {
    return this.fill(nowMs) >= this.#capacity
  }

  take(bytes: number): void {
    this.#bytes -= bytes
  }
}
