/**
 * A node's onion keys: made every 12 h, accepted for 24 h, each with its replay filter (SPEC §2, §5.2). Times are wall-clock
 * milliseconds. Keys and filters live in memory only (docs/adr/0005).
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import {
  type CryptoProvider,
  KEY_BYTES,
  mac1Key,
  onionKeyId,
  type X25519KeyPair,
} from '@byway/protocol/crypto'
import { createReplayFilter, type ReplayFilter, type ReplayFilterOptions } from './replay-filter.ts'
import type { RandomBytes } from './window.ts'

/** One onion key as the handshake needs it. */
export type OnionKey = {
  readonly pair: X25519KeyPair
  readonly id: Uint8Array
  readonly mac1Key: Uint8Array
  readonly seen: ReplayFilter
  readonly madeAtMs: number
}

/** The keys that a node accepts now. */
export interface OnionKeys {
  /** The newest: the one to publish. */
  current(): OnionKey
  /** The accepted key of this id, or undefined: the client's is stale. Ages are judged by `rotate`. */
  find(id: Uint8Array): OnionKey | undefined
  /**
   * Makes a new key when the newest is 12 h old or its filter full, erases those of 24 h; true when a new one was made,
   * to be published. The driver calls it when `nextRotationAtMs` has come and after each STALE_KEY it gave.
   * With `isPublishing` it is replaced however young: an edition goes out anyway, and the next is due 12 h later, so that there are two a day.
   */
  rotate(wallMs: number, isPublishing?: boolean): boolean
  /** When `rotate` is due next, wall clock; in the past when a filter is full. */
  nextRotationAtMs(): number
}

/** What the set is made from. */
export type OnionKeysOptions = {
  readonly provider: CryptoProvider
  readonly nodeId: Uint8Array
  readonly randomBytes: RandomBytes
  readonly filter?: ReplayFilterOptions | undefined
}

/** Creates a set with one fresh key; a stop of any kind discards the old ones (SPEC §5.2). */
export function createOnionKeys(options: OnionKeysOptions, wallMs: number): OnionKeys {
  return new KeySet(options, makeKey(options, wallMs))
}

class KeySet implements OnionKeys {
  readonly #options: OnionKeysOptions
  #newest: OnionKey
  /** Newest first, without the newest. */
  #older: readonly OnionKey[] = []

  constructor(options: OnionKeysOptions, newest: OnionKey) {
    this.#options = options
    this.#newest = newest
  }

  current(): OnionKey {
    return this.#newest
  }

  find(id: Uint8Array): OnionKey | undefined {
    const isIt = (key: OnionKey): boolean => !key.seen.isFull && equalBytes(key.id, id)
    return isIt(this.#newest) ? this.#newest : this.#older.find(isIt)
  }

  rotate(wallMs: number, isPublishing = false): boolean {
    this.#older = this.#older.filter((key) => isAccepted(key, wallMs))
    const { seen, madeAtMs } = this.#newest
    const isOld = wallMs >= madeAtMs + ROTATE_MS || madeAtMs > wallMs + CLOCK_STEP_MS
    const isDue = isPublishing || seen.isFull || isOld
    if (!isDue) return false
    const kept = isAccepted(this.#newest, wallMs) ? [this.#newest] : []
    this.#older = [...kept, ...this.#older].slice(0, MAX_KEYS - 1)
    this.#newest = makeKey(this.#options, wallMs)
    return true
  }

  nextRotationAtMs(): number {
    const { seen, madeAtMs } = this.#newest
    const oldest = this.#older.at(-1)
    const expiresAtMs = oldest ? oldest.madeAtMs + ACCEPT_MS : Number.POSITIVE_INFINITY
    return Math.min(expiresAtMs, seen.isFull ? madeAtMs : madeAtMs + ROTATE_MS)
  }
}

/** SPEC §5.2: a key whose filter is full is retired early. */
function isAccepted(key: OnionKey, wallMs: number): boolean {
  return !key.seen.isFull && wallMs < key.madeAtMs + ACCEPT_MS
}

function makeKey(options: OnionKeysOptions, wallMs: number): OnionKey {
  const { provider, randomBytes } = options
  const seen = createReplayFilter(provider, randomBytes(KEY_BYTES), options.filter)
  return keyFrom(options, randomBytes(KEY_BYTES), wallMs, seen)
}

function keyFrom(
  { provider, nodeId }: OnionKeysOptions,
  secret: Uint8Array,
  madeAtMs: number,
  seen: ReplayFilter,
): OnionKey {
  const pair = provider.x25519KeyPair(secret)
  const id = onionKeyId(provider, pair.publicKey)
  return { pair, id, mac1Key: mac1Key(provider, nodeId, id), seen, madeAtMs }
}

// Protocol constants (change needs a spec change): SPEC §2.
const ROTATE_MS = 12 * 3_600_000
const ACCEPT_MS = 24 * 3_600_000

// Local limits (tunable).
/** Two by rotation, and one more after an early retirement: 2 MiB of filter each. */
const MAX_KEYS = 3
/** A key from further in the future than this is of a clock that has been set back. */
const CLOCK_STEP_MS = 3_600_000
