/**
 * Takes tokens back (SPEC §16.4): is the key honoured, does the token hold, was it spent before. The verdict comes at once, so that the first streams
 * need not wait for a disk; whether the store knew the token from before a restart comes a moment later, and costs the spender the circuit.
 * @module
 */
import type { BlindTokenScheme, RandomBytes } from '@byway/protocol/crypto'
import { toHex } from '@byway/protocol/base'
import { VERDICT, type SpendMessage } from '@byway/protocol/wire'
import { createSpentSet, type SpentSet } from './token-spent.ts'
import type { TokenKeyring } from './token-keyring.ts'
import { tokenMessage, type TokenHash } from './token-terms.ts'

/** What the store keeps of spent tokens. A promise that resolves means that the disk has it. */
export interface SpentTokens {
  spend(keyId: Uint8Array, nonce: Uint8Array): Promise<'fresh' | 'spent'>
}

/**
 * What became of a token. `kept` never rejects: `fresh` when it is on the disk, `spent` when the store knew it, `lost` when the store failed. Anything but
 * `fresh` means: take back what was given for it and end the circuit.
 */
export type Redemption =
  | {
      readonly verdict: typeof VERDICT.OK
      readonly kept: Promise<'fresh' | 'spent' | 'lost'>
    }
  | {
      readonly verdict:
        | typeof VERDICT.UNKNOWN_KEY
        | typeof VERDICT.BAD_TOKEN
        | typeof VERDICT.SPENT
        | typeof VERDICT.TRY_LATER
    }

/** The taker of a node's tokens. */
export interface TokenRedeemer {
  /** Tokens whose store has not answered yet. */
  readonly pending: number
  /** Judges a token and, with verdict OK, uses it up. One check costs about 50 µs. */
  spend(message: SpendMessage, nowMs: number): Redemption
  /** Forgets what was spent under keys that are gone. */
  forget(keys: readonly { readonly keyId: Uint8Array }[]): void
}

export type TokenRedeemerDeps = {
  readonly scheme: Pick<BlindTokenScheme, 'verify'>
  readonly hash: TokenHash
  readonly keyring: Pick<TokenKeyring, 'honoured'>
  readonly spent: SpentTokens
  readonly random: RandomBytes
}

/** Creates a redeemer that has seen no token. */
export function createTokenRedeemer(deps: TokenRedeemerDeps): TokenRedeemer {
  return new Redeemer(deps)
}

class Redeemer implements TokenRedeemer {
  readonly #deps: TokenRedeemerDeps
  readonly #sets = new Map<string, SpentSet>()
  pending = 0

  constructor(deps: TokenRedeemerDeps) {
    this.#deps = deps
  }

  spend({ tokenKind, keyId, nonce, token }: SpendMessage, nowMs: number): Redemption {
    const key = this.#deps.keyring.honoured(tokenKind, keyId, nowMs)
    if (!key) return { verdict: VERDICT.UNKNOWN_KEY }
    const message = tokenMessage(tokenKind, keyId, nonce)
    if (!this.#deps.scheme.verify(key.publicKey, message, token)) {
      return { verdict: VERDICT.BAD_TOKEN }
    }
    if (this.pending >= MAX_PENDING_SPENDS) return { verdict: VERDICT.TRY_LATER }
    const set = this.#setOf(keyId)
    if (!set.add(nonce)) return { verdict: VERDICT.SPENT }
    return { verdict: VERDICT.OK, kept: this.#keep(set, keyId, nonce) }
  }

  forget(keys: readonly { readonly keyId: Uint8Array }[]): void {
    for (const { keyId } of keys) this.#sets.delete(toHex(keyId))
  }

  async #keep(
    set: SpentSet,
    keyId: Uint8Array,
    nonce: Uint8Array,
  ): Promise<'fresh' | 'spent' | 'lost'> {
    this.pending++
    try {
      return await this.#deps.spent.spend(keyId, nonce)
    } catch {
      set.remove(nonce)
      return 'lost'
    } finally {
      this.pending--
    }
  }

  #setOf(keyId: Uint8Array): SpentSet {
    const name = toHex(keyId)
    const known = this.#sets.get(name)
    if (known) return known
    const set = createSpentSet(this.#deps.hash, this.#deps.random(32))
    this.#sets.set(name, set)
    return set
  }
}

// Local limits (tunable): docs/LIMITS.md.
/** Tokens that wait for the disk; beyond it a token is told to try later. */
const MAX_PENDING_SPENDS = 1024
