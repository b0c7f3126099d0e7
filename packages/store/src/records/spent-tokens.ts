/**
 * Tokens that were spent here (SPEC §16), so that a restart lets none be spent twice.
 * @module
 */
import type { Submit } from '../operation.ts'

export interface SpentTokenRecords {
  /**
   * Stores a token as spent. `spent`: it was already. In a stream of them some go to the disk together, a quarter of a second after the first at most: who serves before it says
   * `fresh` risks what is served until then.
   *
   * @param keyId - 8 bytes
   * @param nonce - the token's, 32 bytes; kept as a keyed hash of 16 bytes, so that the file alone does not say who spent here
   */
  spend(keyId: Uint8Array, nonce: Uint8Array): Promise<'fresh' | 'spent'>
  /** Forgets a key's tokens: when the key is honoured no more. */
  forget(keyId: Uint8Array): Promise<void>
  /** Keys of which some tokens were lost to damage of the disk: honour them no more, make a new key. */
  damagedKeys(): Promise<readonly Uint8Array[]>
}

const TABLE = 'spent'

export function createSpentTokenRecords(submit: Submit, submitSoon: Submit): SpentTokenRecords {
  return {
    async spend(keyId, nonce) {
      const given = await submitSoon({ verb: 'spend', table: TABLE, key: keyId, tag: nonce })
      return given === 'new' ? 'fresh' : 'spent'
    },
    async forget(keyId) {
      await submit({ verb: 'forgetSpent', table: TABLE, key: keyId })
    },
    damagedKeys: () => submit({ verb: 'damagedSpent', table: TABLE }),
  }
}
