/**
 * A node's onion keys: made every 12 h, accepted for 24 h, each with its replay filter (SPEC §2, §5.2). Times are wall-clock
 * milliseconds, as keys outlive a process. Keeping them on disk is the driver's; `serialise` gives it the bytes.
 * @module
 */
import { concatBytes, equalBytes } from '@byway/protocol/base'
import {
  type CryptoProvider,
  KEY_BYTES,
  mac1Key,
  onionKeyId,
  type X25519KeyPair,
} from '@byway/protocol/crypto'
import {
  createReplayFilter,
  type ReplayFilter,
  type ReplayFilterOptions,
  restoreReplayFilter,
} from './replay-filter.ts'
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
   */
  rotate(wallMs: number): boolean
  /** When `rotate` is due next, wall clock; in the past when a filter is full. */
  nextRotationAtMs(): number
  /** Returns keys and filters as secret bytes, for a clean stop. */
  serialise(): Uint8Array
}

/** What the set is made from. */
export type OnionKeysOptions = {
  readonly provider: CryptoProvider
  readonly nodeId: Uint8Array
  readonly randomBytes: RandomBytes
  readonly filter?: ReplayFilterOptions | undefined
}

/** Creates a set with one fresh key. Also the start after an unclean stop: SPEC §5.2 discards the old keys then. */
export function createOnionKeys(options: OnionKeysOptions, wallMs: number): OnionKeys {
  return new KeySet(options, makeKey(options, wallMs), [])
}

/**
 * Reads what `serialise` gave at a clean stop. The driver must erase the stored bytes before it serves a circuit: read
 * twice, they would forget the ephemerals seen in between. Undefined for bytes that are no such set.
 */
export function restoreOnionKeys(
  options: OnionKeysOptions,
  bytes: Uint8Array,
  wallMs: number,
): OnionKeys | undefined {
  const keys: StoredKey[] = []
  let at = 0
  while (at < bytes.length) {
    if (bytes.length - at < STORED_HEADER_BYTES || keys.length === MAX_KEYS) return undefined
    const view = new DataView(bytes.buffer, bytes.byteOffset + at)
    const secret = bytes.slice(at, at + KEY_BYTES)
    const madeAtMs = Number(view.getBigUint64(KEY_BYTES))
    const end = at + STORED_HEADER_BYTES + view.getUint32(KEY_BYTES + 8)
    const filter = bytes.subarray(at + STORED_HEADER_BYTES, end)
    const seen = restoreReplayFilter(options.provider, filter)
    if (!seen || end > bytes.length) return undefined
    keys.push(keyFrom(options, secret, madeAtMs, seen))
    at = end
  }
  const [newest, ...older] = keys
  if (!newest) return undefined
  const set = new KeySet(options, newest, older)
  set.rotate(wallMs)
  return set
}

type StoredKey = OnionKey & { readonly secret: Uint8Array }

class KeySet implements OnionKeys {
  readonly #options: OnionKeysOptions
  #newest: StoredKey
  /** Newest first, without the newest. */
  #older: readonly StoredKey[]

  constructor(options: OnionKeysOptions, newest: StoredKey, older: readonly StoredKey[]) {
    this.#options = options
    this.#newest = newest
    this.#older = older
  }

  current(): OnionKey {
    return this.#newest
  }

  find(id: Uint8Array): OnionKey | undefined {
    const isIt = (key: StoredKey): boolean => !key.seen.isFull && equalBytes(key.id, id)
    return isIt(this.#newest) ? this.#newest : this.#older.find(isIt)
  }

  rotate(wallMs: number): boolean {
    this.#older = this.#older.filter((key) => isAccepted(key, wallMs))
    const { seen, madeAtMs } = this.#newest
    const isOld = wallMs >= madeAtMs + ROTATE_MS || madeAtMs > wallMs + CLOCK_STEP_MS
    const isDue = seen.isFull || isOld
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

  serialise(): Uint8Array {
    return concatBytes(...[this.#newest, ...this.#older].map(storedBytes))
  }
}

/** SPEC §5.2: a key whose filter is full is retired early. */
function isAccepted(key: OnionKey, wallMs: number): boolean {
  return !key.seen.isFull && wallMs < key.madeAtMs + ACCEPT_MS
}

function makeKey(options: OnionKeysOptions, wallMs: number): StoredKey {
  const { provider, randomBytes } = options
  const seen = createReplayFilter(provider, randomBytes(KEY_BYTES), options.filter)
  return keyFrom(options, randomBytes(KEY_BYTES), wallMs, seen)
}

function keyFrom(
  { provider, nodeId }: OnionKeysOptions,
  secret: Uint8Array,
  madeAtMs: number,
  seen: ReplayFilter,
): StoredKey {
  const pair = provider.x25519KeyPair(secret)
  const id = onionKeyId(provider, pair.publicKey)
  return { secret, pair, id, mac1Key: mac1Key(provider, nodeId, id), seen, madeAtMs }
}

/** Layout: secret 32 ‖ u64 madeAtMs ‖ u32 n ‖ filter n; one such entry a key, newest first. Local, not on the wire. */
function storedBytes({ secret, madeAtMs, seen }: StoredKey): Uint8Array {
  const filter = seen.serialise()
  const header = new Uint8Array(STORED_HEADER_BYTES)
  const view = new DataView(header.buffer)
  header.set(secret)
  view.setBigUint64(KEY_BYTES, BigInt(Math.trunc(madeAtMs)))
  view.setUint32(KEY_BYTES + 8, filter.length)
  return concatBytes(header, filter)
}

// Protocol constants (change needs a spec change): SPEC §2.
const ROTATE_MS = 12 * 3_600_000
const ACCEPT_MS = 24 * 3_600_000

// Local limits (tunable).
/** Two by rotation, and one more after an early retirement: 2 MiB of filter each. */
const MAX_KEYS = 3
/** A key from further in the future than this is of a clock that has been set back. */
const CLOCK_STEP_MS = 3_600_000
const STORED_HEADER_BYTES = KEY_BYTES + 8 + 4
