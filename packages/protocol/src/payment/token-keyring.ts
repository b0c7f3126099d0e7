/**
 * A node's token keys (SPEC §16): one of each kind for each day, which begins at a time drawn from the node's id, on disk before it is announced, honoured for the day after, then
 * erased. The driver calls {@link TokenKeyring.rotate} at the start and whenever `rotatesAtMs` has come.
 * @module
 */
import { equalBytes } from '@byway/protocol/base'
import type {
  BlindTokenPrivateKey,
  BlindTokenPublicKey,
  BlindTokenScheme,
} from '@byway/protocol/crypto'
import type { KeysMessage, TokenKey, TokenKind } from '@byway/protocol/wire'
import { PAY } from '@byway/protocol/wire'
import {
  ISSUE_GRACE_MS,
  keyDates,
  keyDayOf,
  keyDayStartS,
  TOKEN_KINDS,
  tokenKeyId,
  tokenKeysHash,
  type TokenHash,
} from './token-terms.ts'

/** A token key on disk. Secret. */
export type StoredTokenKey = {
  readonly kind: TokenKind
  /** Its {@link keyDayOf}. */
  readonly day: number
  /** 8 bytes. */
  readonly keyId: Uint8Array
  /** In the scheme's own form. */
  readonly privateKey: Uint8Array
}

/** Where keys are kept. A promise that resolves means that the disk has it. */
export interface TokenKeyRecords {
  list(): Promise<readonly StoredTokenKey[]>
  add(key: StoredTokenKey): Promise<void>
  /** Forgets a key and the tokens spent under it; says how many were sold and how many spent. */
  remove(keyId: Uint8Array): Promise<{ readonly sold: number; readonly spent: number }>
}

/** A key that is gone. */
export type LapsedKey = {
  readonly kind: TokenKind
  readonly keyId: Uint8Array
  /** Tokens that were sold under it and never came back. */
  readonly unspent: number
}

/** A key in use. */
export type HonouredKey = {
  readonly kind: TokenKind
  readonly day: number
  readonly keyId: Uint8Array
  readonly publicKey: BlindTokenPublicKey
  readonly privateKey: BlindTokenPrivateKey
  readonly announced: TokenKey
}

/** A node's token keys. */
export interface TokenKeyring {
  /** True when the keys of another day are to be announced than at the last rotation. */
  isDue(nowMs: number): boolean
  /**
   * Makes what is missing for the day, erases what is honoured no more.
   *
   * @returns the keys that went; what was sold under them and never spent has lapsed
   * @throws what the records reject with; a key that is not on disk is not announced
   */
  rotate(nowMs: number): Promise<readonly LapsedKey[]>
  /** The answer to KEYS_GET: the current keys. Empty before the first rotation. */
  keysMessage(): KeysMessage
  /** What the descriptor says of them: 32 bytes, zeros before the first rotation. */
  hash(): Uint8Array
  /** A key whose tokens are taken at that time. */
  honoured(kind: TokenKind, keyId: Uint8Array, nowMs: number): HonouredKey | undefined
  /** A key under which is signed at that time: the current one, and for an hour the one before. */
  issuing(kind: TokenKind, keyId: Uint8Array, nowMs: number): HonouredKey | undefined
}

export type TokenKeyringDeps = {
  readonly scheme: BlindTokenScheme
  readonly hash: TokenHash
  readonly records: TokenKeyRecords
  /** Keys whose list of spent tokens is damaged: taken out of use at the first rotation (SPEC §16). */
  readonly damaged?: readonly Uint8Array[] | undefined
  /** Whose keys they are: its id says when their days begin. */
  readonly nodeId: Uint8Array
}

/** Creates an empty ring; {@link TokenKeyring.rotate} fills it. */
export function createTokenKeyring(deps: TokenKeyringDeps): TokenKeyring {
  return new DailyKeys(deps)
}

type GoneKey = Pick<StoredTokenKey, 'kind' | 'keyId'>

class DailyKeys implements TokenKeyring {
  readonly #deps: TokenKeyringDeps
  #keys: readonly HonouredKey[] = []
  #isLoaded = false
  /** Of the last rotation. */
  #day = Number.NaN
  readonly #startS: number

  constructor(deps: TokenKeyringDeps) {
    this.#deps = deps
    this.#startS = keyDayStartS(deps.hash, deps.nodeId)
  }

  isDue(nowMs: number): boolean {
    return this.#dayAt(nowMs) !== this.#day
  }

  async rotate(nowMs: number): Promise<readonly LapsedKey[]> {
    const day = this.#dayAt(nowMs)
    const gone: GoneKey[] = []
    const kept = await this.#keep(day, gone)
    for (const kind of TOKEN_KINDS) {
      if (!kept.some((key) => key.kind === kind && key.day === day)) {
        kept.push(await this.#make(kind, day))
      }
    }
    this.#keys = kept
    this.#isLoaded = true
    this.#day = day
    const lapsed: LapsedKey[] = []
    for (const { kind, keyId } of gone) {
      const { sold, spent } = await this.#deps.records.remove(keyId)
      lapsed.push({ kind, keyId, unspent: Math.max(0, sold - spent) })
    }
    return lapsed
  }

  keysMessage(): KeysMessage {
    return { kind: PAY.KEYS, keys: this.#current().map(({ announced }) => announced) }
  }

  hash(): Uint8Array {
    const keys = this.#current()
    if (keys.length === 0) return new Uint8Array(32)
    return tokenKeysHash(
      this.#deps.hash,
      keys.map(({ announced }) => announced),
    )
  }

  honoured(kind: TokenKind, keyId: Uint8Array, nowMs: number): HonouredKey | undefined {
    const today = this.#dayAt(nowMs)
    return this.#find(kind, keyId, (day) => day === today || day === today - 1)
  }

  issuing(kind: TokenKind, keyId: Uint8Array, nowMs: number): HonouredKey | undefined {
    const [today, graceDay] = [this.#dayAt(nowMs), this.#dayAt(nowMs - ISSUE_GRACE_MS)]
    return this.#find(kind, keyId, (day) => day === today || day === graceDay)
  }

  #find(
    kind: TokenKind,
    keyId: Uint8Array,
    isGood: (day: number) => boolean,
  ): HonouredKey | undefined {
    return this.#keys.find(
      (key) => key.kind === kind && isGood(key.day) && equalBytes(key.keyId, keyId),
    )
  }

  #dayAt(nowMs: number): number {
    return keyDayOf(nowMs, this.#startS)
  }

  /** Of the day of the last rotation, not the latest: a clock that went wrong for a while leaves keys of days to come. */
  #current(): readonly HonouredKey[] {
    return TOKEN_KINDS.flatMap((kind) =>
      this.#keys.filter((key) => key.kind === kind && key.day === this.#day),
    )
  }

  /** The keys of the day and of the day before; the others go to `gone`. */
  async #keep(day: number, gone: GoneKey[]): Promise<HonouredKey[]> {
    const kept: HonouredKey[] = []
    const had = this.#isLoaded ? this.#keys : await this.#load(gone)
    for (const key of had) {
      if (key.day >= day - 1) kept.push(key)
      else gone.push(key)
    }
    return kept
  }

  async #load(gone: GoneKey[]): Promise<readonly HonouredKey[]> {
    const { scheme, hash, records, damaged = [] } = this.#deps
    const keys: HonouredKey[] = []
    for (const { kind, day, keyId, privateKey } of await records.list()) {
      const pair = scheme.importPrivateKey(privateKey)
      const isWhole =
        pair !== undefined && equalBytes(tokenKeyId(hash, kind, pair.publicKey), keyId)
      const key = isWhole ? this.#inUse(kind, day, pair.publicKey, pair.privateKey) : undefined
      if (key && !damaged.some((id) => equalBytes(id, keyId))) keys.push(key)
      else gone.push({ kind, keyId })
    }
    return keys
  }

  async #make(kind: TokenKind, day: number): Promise<HonouredKey> {
    const { scheme, records } = this.#deps
    const pair = await scheme.generateKeyPair()
    const key = this.#inUse(kind, day, pair.publicKey, pair.privateKey)
    if (!key) return this.#make(kind, day)
    const privateKey = scheme.exportPrivateKey(pair.privateKey)
    await records.add({ kind, day, keyId: key.keyId, privateKey })
    return key
  }

  #inUse(
    kind: TokenKind,
    day: number,
    modulus: Uint8Array,
    privateKey: BlindTokenPrivateKey,
  ): HonouredKey | undefined {
    const publicKey = this.#deps.scheme.publicKey(modulus)
    if (!publicKey) return undefined
    const keyId = tokenKeyId(this.#deps.hash, kind, modulus)
    const announced = { tokenKind: kind, ...keyDates(day, this.#startS), publicKey: modulus }
    return { kind, day, keyId, publicKey, privateKey, announced }
  }
}
