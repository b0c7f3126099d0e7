/** Takes tokens that clients spend on data circuits (SPEC §16). Port of the relay and exit roles; `token-desk.ts` implements it. @module */
import type { ServingRole } from '@byway/protocol/ledger'
import type { KeysMessage, RefusedMessage, SpendMessage } from '@byway/protocol/wire'

/**
 * What became of a token. `taken`: it counts at once; when `kept` says false the store knew it from before, or has failed, and the circuit must be destroyed
 * with UNPAID. `repeated`: it was spent before; it buys nothing and costs nothing but itself, for a leg may have died before its client knew. `refused`: it cannot
 * be taken (any more, or now), and the client must be told. `bad`: it is none of ours, and the circuit must be destroyed.
 */
export type SpendResult =
  | TakenToken
  | { readonly type: 'repeated' }
  | { readonly type: 'refused'; readonly answer: RefusedMessage }
  | { readonly type: 'bad' }

/** A token that counts from now on. */
export type TakenToken = {
  readonly type: 'taken'
  /** What it pays for; 0 for admission. */
  readonly bytes: number
  readonly kept: Promise<boolean>
}

/** Where tokens are spent. */
export interface TokenIntake {
  /** Judges a token and uses it up. */
  take(spend: SpendMessage, role: ServingRole): SpendResult
  /** The token keys of the day, as KEYS names them. */
  keysMessage(): KeysMessage
}
