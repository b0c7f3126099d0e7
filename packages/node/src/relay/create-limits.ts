/**
 * How many circuits may be opened (THREAT-MODEL T15): a cap for each link, a token bucket for each client's address, however many links it has and however often
 * it comes back, and one for each node link, which carries the circuits of many. Tor's numbers. Time is an argument.
 * @module
 */
import { addressScopes } from '@byway/net'
import type { AddressScope } from '@byway/net'

// Local limits (tunable): docs/LIMITS.md.
/** Circuits a second that one client address may open once its burst is used up. */
const CLIENT_CREATES_PER_S = 3
const CLIENT_CREATE_BURST = 90
const CLIENT_OPEN_CIRCUITS = 128
/** Refusals beyond what the bucket earns, after which an address is out: no client asks so often in vain. */
const MAX_CLIENT_REFUSALS = 1000
/** How long such an address opens nothing; times 1 to 1.5. */
const PENALTY_MS = 3_600_000
/** Addresses remembered; the one that was quiet longest is forgotten first. */
const MAX_ADDRESSES = 65_536
/** A neighbour carries the circuits of many clients. */
const NODE_CREATES_PER_S = 200
const NODE_CREATE_BURST = 2000
const NODE_OPEN_CIRCUITS = 20_000

/** The limits of one link. */
export interface CreateLimits {
  /** True when one more circuit may be opened now; takes it from the bucket. */
  tryCreate(openCircuits: number, nowMs: number): boolean
}

/** What one node knows of all that open circuits. */
export interface CreateBook {
  /** The limits of a new link from this address; what is no address counts for its link alone. */
  open(role: 'client' | 'node', address: string, nowMs: number): CreateLimits
}

/** Creates an empty book. @param random - uniform in [0, 1): spreads penalties */
export function createCreateBook(random: () => number): CreateBook {
  const addresses = new Map<string, Bucket>()

  function bucketOf({ key, factor }: AddressScope, nowMs: number): Bucket {
    const bucket = addresses.get(key) ?? new Bucket({ ...CLIENT_RATE, factor }, nowMs)
    // Deleting and setting moves it to the end: a Map iterates oldest first.
    addresses.delete(key)
    addresses.set(key, bucket)
    if (addresses.size > MAX_ADDRESSES) {
      const [quietest] = addresses.keys()
      if (quietest !== undefined) addresses.delete(quietest)
    }
    return bucket
  }

  return {
    open(role, address, nowMs) {
      const scopes = role === 'client' ? addressScopes(address) : []
      const maxOpen = role === 'client' ? CLIENT_OPEN_CIRCUITS : NODE_OPEN_CIRCUITS
      const own = new Bucket(role === 'client' ? CLIENT_RATE : NODE_RATE, nowMs)
      return {
        tryCreate(openCircuits, atMs) {
          if (openCircuits >= maxOpen) return false
          const buckets = scopes.length > 0 ? scopes.map((scope) => bucketOf(scope, atMs)) : [own]
          if (!buckets.every((bucket) => bucket.hasOne(atMs, random))) return false
          for (const bucket of buckets) bucket.take()
          return true
        },
      }
    },
  }
}

type Rate = {
  readonly perS: number
  readonly burst: number
  readonly maxRefusals: number
  /** How many times as wide. */
  readonly factor: number
}

const CLIENT_RATE: Rate = {
  perS: CLIENT_CREATES_PER_S,
  burst: CLIENT_CREATE_BURST,
  maxRefusals: MAX_CLIENT_REFUSALS,
  factor: 1,
}
/** A neighbour's refusals are its clients' doing: they put nobody out. */
const NODE_RATE: Rate = {
  perS: NODE_CREATES_PER_S,
  burst: NODE_CREATE_BURST,
  maxRefusals: Number.POSITIVE_INFINITY,
  factor: 1,
}

/** A token bucket that remembers who goes on after it is empty. */
class Bucket {
  readonly #rate: Rate
  #tokens: number
  #refusals = 0
  #filledAtMs: number
  #outUntilMs = Number.NEGATIVE_INFINITY

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate
    this.#tokens = rate.burst * rate.factor
    this.#filledAtMs = nowMs
  }

  /** True when it holds one; an empty one counts the refusal. */
  hasOne(nowMs: number, random: () => number): boolean {
    const { perS, burst, maxRefusals, factor } = this.#rate
    const earned = (Math.max(0, nowMs - this.#filledAtMs) / 1000) * perS * factor
    this.#filledAtMs = Math.max(this.#filledAtMs, nowMs)
    this.#tokens = Math.min(burst * factor, this.#tokens + earned)
    this.#refusals = Math.max(0, this.#refusals - earned)
    if (nowMs < this.#outUntilMs) return false
    if (this.#tokens >= 1) return true
    if (++this.#refusals >= maxRefusals * factor) {
      this.#outUntilMs = nowMs + PENALTY_MS * (1 + random() / 2)
      this.#refusals = 0
    }
    return false
  }

  take(): void {
    this.#tokens--
  }
}
