/** Tokens that need no cryptography: good ones begin with a 1, and each nonce is taken once. Answers come a turn later, as from a disk. */
import { randomBytes } from 'node:crypto'
import { PAY, TOKEN_KIND } from '@byway/protocol/wire'
import type { SpendMessage, TokenKind } from '@byway/protocol/wire'
import type { TokenIntake } from '../../src/money/token-intake.ts'

/** @param tokenBytes - what any but admission pays for @param isForgotten - spent before a restart: only the disk knows */
export function createTestTokens(
  tokenBytes: number,
  isForgotten: (nonce: Uint8Array) => boolean = () => false,
): TokenIntake {
  const spent = new Set<string>()
  return {
    take({ token, nonce, tokenKind }) {
      if (token[0] !== 1) return { type: 'bad' }
      const name = Buffer.from(nonce).toString('hex')
      if (spent.has(name)) return { type: 'repeated' }
      spent.add(name)
      const kept = new Promise<boolean>((resolve) => {
        setImmediate(() => resolve(!isForgotten(nonce)))
      })
      const bytes = tokenKind === TOKEN_KIND.ADMISSION ? 0 : tokenBytes
      return { type: 'taken', bytes, kept }
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
