/**
 * Bytes that nobody pays for (SPEC §15.3, §15.4): enough to begin with, and to go on buying, and no more.
 * @module
 */
import { type ClassWeight, SAME_PRICE, weighedBytes } from './class-weight.ts'

/** A source of free bytes. */
export interface FreeBytes {
  /** Takes at most so many bytes and says how many. */
  draw(bytes: number, nowMs: number): number
  /** When so many could be drawn, if nobody else draws; Infinity when never. */
  readyAtMs(bytes: number, nowMs: number): number
}

/** How a bucket fills. */
export type FreeBucketOptions = {
  readonly capacityBytes: number
  /** 0 for a bucket that is filled once. */
  readonly bytesPerS: number
}

/** Creates a full bucket. With `within`, what is drawn here is drawn there too. */
export function createFreeBucket(
  options: FreeBucketOptions,
  nowMs: number,
  within?: FreeBytes,
): FreeBytes {
  return new Bucket(options, nowMs, within)
}

class Bucket implements FreeBytes {
  readonly #options: FreeBucketOptions
  readonly #within: FreeBytes | undefined
  #level: number
  #atMs: number

  constructor(options: FreeBucketOptions, nowMs: number, within: FreeBytes | undefined) {
    this.#options = options
    this.#within = within
    this.#level = options.capacityBytes
    this.#atMs = nowMs
  }

  draw(bytes: number, nowMs: number): number {
    this.#refill(nowMs)
    const here = Math.min(bytes, Math.floor(this.#level))
    const drawn = this.#within ? this.#within.draw(here, nowMs) : here
    this.#level -= drawn
    return drawn
  }

  readyAtMs(bytes: number, nowMs: number): number {
    this.#refill(nowMs)
    return Math.max(
      this.#ownReadyAtMs(bytes, nowMs),
      this.#within?.readyAtMs(bytes, nowMs) ?? nowMs,
    )
  }

  /** True when it holds all it can: forgetting it changes nothing. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs)
    return this.#level >= this.#options.capacityBytes
  }

  #ownReadyAtMs(bytes: number, nowMs: number): number {
    const { capacityBytes, bytesPerS } = this.#options
    if (this.#level >= bytes) return nowMs
    if (bytes > capacityBytes || bytesPerS === 0) return Number.POSITIVE_INFINITY
    return nowMs + Math.ceil(((bytes - this.#level) * 1000) / bytesPerS)
  }

  /** A clock that runs backwards fills nothing. */
  #refill(nowMs: number): void {
    const { capacityBytes, bytesPerS } = this.#options
    const elapsedMs = Math.max(0, nowMs - this.#atMs)
    this.#level = Math.min(capacityBytes, this.#level + (elapsedMs * bytesPerS) / 1000)
    this.#atMs = Math.max(this.#atMs, nowMs)
  }
}

/** The buckets of the prefixes from which clients come. */
export interface FreePrefixes {
  /** Prefixes that hold less than they can. */
  readonly size: number
  /** The bucket of a link's peer in a prefix, to draw from for as long as the link lives. */
  linkBucket(prefix: string, nowMs: number): FreeBytes
}

/** Creates an entry's table. A prefix is any name for a /24 (v6 /48) that its peers share. */
export function createFreePrefixes(maxPrefixes: number = MAX_PREFIXES): FreePrefixes {
  const buckets = new Map<string, Bucket>()
  let sweptAtMs = Number.NEGATIVE_INFINITY
  const bucketOf = (prefix: string, nowMs: number): FreeBytes => {
    const known = buckets.get(prefix)
    if (known) return known
    if (buckets.size >= maxPrefixes && nowMs - sweptAtMs >= SWEEP_MS) {
      sweptAtMs = nowMs
      forgetFull(buckets, nowMs)
    }
    if (buckets.size >= maxPrefixes) return NOTHING_FREE
    const bucket = new Bucket(PREFIX_FREE, nowMs, undefined)
    buckets.set(prefix, bucket)
    return bucket
  }
  return {
    get size() {
      return buckets.size
    },
    // By name at each draw: a bucket that was forgotten when full must not be drawn from twice.
    linkBucket: (prefix, nowMs) =>
      createFreeBucket(LINK_FREE, nowMs, {
        draw: (bytes, atMs) => bucketOf(prefix, atMs).draw(bytes, atMs),
        readyAtMs: (bytes, atMs) => bucketOf(prefix, atMs).readyAtMs(bytes, atMs),
      }),
  }
}

/** Creates what a hop after the entry gives a circuit, or a tunnel, for nothing (SPEC §15.4): as many bytes of cells whatever they count. */
export function createCircuitFree(nowMs: number, weight: ClassWeight = SAME_PRICE): FreeBytes {
  const capacityBytes = weighedBytes(CIRCUIT_FREE.capacityBytes, weight)
  return createFreeBucket({ ...CIRCUIT_FREE, capacityBytes }, nowMs)
}

function forgetFull(buckets: Map<string, Bucket>, nowMs: number): void {
  for (const [prefix, bucket] of buckets) if (bucket.isFull(nowMs)) buckets.delete(prefix)
}

const NOTHING_FREE: FreeBytes = { draw: () => 0, readyAtMs: () => Number.POSITIVE_INFINITY }

const KIB = 1024

// Protocol constants (change needs a spec change): SPEC §15.3, §15.4.
const LINK_FREE: FreeBucketOptions = { capacityBytes: 1024 * KIB, bytesPerS: 4 * KIB }
const PREFIX_FREE: FreeBucketOptions = { capacityBytes: 8192 * KIB, bytesPerS: 32 * KIB }
const CIRCUIT_FREE: FreeBucketOptions = { capacityBytes: 256 * KIB, bytesPerS: 0 }

/** Local limit (tunable): prefixes whose buckets are not full; a link from one beyond gets nothing free. */
const MAX_PREFIXES = 65_536
/** Local limit (tunable): looking through a full table takes a millisecond, and who fills it asks often. */
const SWEEP_MS = 1000
