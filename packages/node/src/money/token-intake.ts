/** Takes tokens that clients spend on data circuits (SPEC §16). Port of the relay and exit roles; `token-desk.ts` implements it. @module */
import type { ServingRole } from '@byway/protocol/ledger'
import type { KeysMessage, SpendMessage } from '@byway/protocol/wire'

/**
 * What became of a token that verifies. `spent`: it was used before; it buys nothing and costs nothing but itself, for a leg may have died before its client
 * knew. `failed`: the store cannot say.
 */
export type SpendResult = 'fresh' | 'spent' | 'failed'

/** Where tokens are spent. */
export interface TokenIntake {
  /** Bytes that a bandwidth token pays for. */
  readonly tokenBytes: number
  /**
   * Judges a token. False when it is none of ours: the circuit must be destroyed. Else it is used up, and `onResult` is told once the disk has it, in a later
   * turn.
   */
  take(spend: SpendMessage, role: ServingRole, onResult: (result: SpendResult) => void): boolean
  /** The token keys that are honoured, as KEYS names them. */
  keysMessage(): KeysMessage
}
