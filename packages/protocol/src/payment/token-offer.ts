/**
 * A client's view of one hop's token keys (SPEC §16). A hop that gave each client a key of its own could tell its tokens apart, so keys count only when their hash is
 * the one in the hop's signed descriptor, which everybody has, and a day has one key of a kind for good.
 * @module
 */
import { equalBytes, toHex } from '@byway/protocol/base'
import type { BlindTokenPublicKey, BlindTokenScheme } from '@byway/protocol/crypto'
import type { KeysMessage, TokenKey, TokenKind } from '@byway/protocol/wire'
import {
  DAY_MS,
  dayOf,
  isDayKey,
  ISSUE_GRACE_MS,
  keyDayOf,
  keyDayStartS,
  tokenKeyId,
  tokenKeysHash,
  type TokenHash,
} from './token-terms.ts'

/** A key that a client may buy under. */
export type OfferedKey = {
  readonly kind: TokenKind
  readonly keyId: Uint8Array
  readonly publicKey: BlindTokenPublicKey
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/**
 * What is thought of a KEYS message. `hash`: not the one of the descriptor; the descriptor may be old, or the hop singles somebody out. `second`: another key was announced
 * for that day before: buy nothing there. `dates`: not those of a current day key. `malformed`: two of a kind, or a key that cannot be used.
 */
export type KeysVerdict = 'ok' | 'hash' | 'second' | 'dates' | 'malformed'

export type TokenOfferDeps = {
  readonly scheme: Pick<BlindTokenScheme, 'publicKey'>
  readonly hash: TokenHash
}

/** The keys of one hop. */
export class TokenOffer {
  readonly #deps: TokenOfferDeps
  /** Key id by kind and day, for the days that matter still. */
  readonly #seen = new Map<string, string>()
  #keys: readonly OfferedKey[] = []
  readonly #startS: number

  /** @param nodeId - of the hop */
  constructor(deps: TokenOfferDeps, nodeId: Uint8Array) {
    this.#deps = deps
    this.#startS = keyDayStartS(deps.hash, nodeId)
  }

  /** Judges KEYS; with `ok` its keys are in use. @param descriptorHash - from the newest descriptor of the hop */
  accept({ keys }: KeysMessage, descriptorHash: Uint8Array, nowMs: number): KeysVerdict {
    if (!equalBytes(tokenKeysHash(this.#deps.hash, keys), descriptorHash)) return 'hash'
    if (keys.some((key) => !isDayKey(key, this.#startS) || !isCurrent(key, nowMs))) return 'dates'
    const kinds = new Set(keys.map(({ tokenKind }) => tokenKind))
    const offered = keys.flatMap((key) => this.#offered(key))
    if (kinds.size !== keys.length || offered.length !== keys.length) return 'malformed'
    if (offered.some((key) => !this.#isFirstOfDay(key))) return 'second'
    for (const key of offered) this.#seen.set(nameOf(key), toHex(key.keyId))
    this.#forgetBefore(keyDayOf(nowMs, this.#startS) - 1)
    this.#keys = offered
    return 'ok'
  }

  /** The key under which to buy now; undefined when KEYS must be asked for first. */
  current(kind: TokenKind, nowMs: number): OfferedKey | undefined {
    return this.#keys.find(
      (key) => key.kind === kind && nowMs < key.notBeforeMs + DAY_MS + ISSUE_GRACE_MS - MARGIN_MS,
    )
  }

  #offered(key: TokenKey): OfferedKey[] {
    const publicKey = this.#deps.scheme.publicKey(key.publicKey)
    if (!publicKey) return []
    const keyId = tokenKeyId(this.#deps.hash, key.tokenKind, key.publicKey)
    const [notBeforeMs, notAfterMs] = [key.notBeforeS * 1000, key.notAfterS * 1000]
    return [{ kind: key.tokenKind, keyId, publicKey, notBeforeMs, notAfterMs }]
  }

  #isFirstOfDay(key: OfferedKey): boolean {
    return (this.#seen.get(nameOf(key)) ?? toHex(key.keyId)) === toHex(key.keyId)
  }

  #forgetBefore(day: number): void {
    for (const name of this.#seen.keys())
      if (Number(name.split(':')[1]) < day) this.#seen.delete(name)
  }
}

function nameOf({ kind, notBeforeMs }: OfferedKey): string {
  return `${kind}:${dayOf(notBeforeMs)}`
}

function isCurrent({ notBeforeS }: TokenKey, nowMs: number): boolean {
  const ageMs = nowMs - notBeforeS * 1000
  return ageMs >= -CLOCK_TOLERANCE_MS && ageMs < DAY_MS + ISSUE_GRACE_MS
}

/** SPEC §3.3: ten minutes for clocks that differ. */
const CLOCK_TOLERANCE_MS = 10 * 60 * 1000
/** A purchase under yesterday's key must reach the hop before it stops signing. */
const MARGIN_MS = 5 * 60 * 1000
