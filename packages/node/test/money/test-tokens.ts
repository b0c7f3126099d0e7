/** Tokens that need no cryptography: good ones begin with a 1, and each nonce is taken once. Answers come a turn later, as from a disk. */
import { randomBytes } from 'node:crypto'
import { PAY, TOKEN_KIND } from '@byway/protocol/wire'
import type { SpendMessage, TokenKind } from '@byway/protocol/wire'
import type { TokenIntake } from '../../src/money/token-intake.ts'

export function createTestTokens(tokenBytes: number): TokenIntake {
  const spent = new Set<string>()
  return {
    tokenBytes,
    take({ token, nonce }, _role, onResult) {
      if (token[0] !== 1) return false
      const name = Buffer.from(nonce).toString('hex')
      const result = spent.has(name) ? 'spent' : 'fresh'
      spent.add(name)
      setImmediate(() => onResult(result))
      return true
    },
    keysMessage: () => ({ kind: PAY.KEYS, keys: [] }),
  }
}

export function spendOf(
  tokenKind: TokenKind,
  { nonce = randomBytes(32), isGood = true }: { nonce?: Uint8Array; isGood?: boolean } = {},
): SpendMessage {
  const token = new Uint8Array(256).fill(isGood ? 1 : 2)
  return { kind: PAY.SPEND, tokenKind, keyId: new Uint8Array(8), nonce, token }
}

export const ADMISSION: TokenKind = TOKEN_KIND.ADMISSION
export const BANDWIDTH: TokenKind = TOKEN_KIND.BANDWIDTH
