/**
 * The node's tokens (SPEC §16): takes those that are spent on circuits, announces the keys. Selling is the control circuits'.
 * @module
 */
import type { ServingRole, TokenKindName } from '@byway/protocol/ledger'
import { bytesOfToken } from '@byway/protocol/payment'
import type { TokenKeyring, TokenRedeemer } from '@byway/protocol/payment'
import { PAY, TOKEN_KIND, VERDICT } from '@byway/protocol/wire'
import type { KeysMessage, SpendMessage, TokenKind } from '@byway/protocol/wire'
import type { Books } from './books.ts'
import type { SpendResult, TokenIntake } from './token-intake.ts'

export type TokenDeskDeps = {
  readonly redeemer: Pick<TokenRedeemer, 'spend'>
  readonly keyring: Pick<TokenKeyring, 'keysMessage'>
  readonly books: Pick<Books, 'tokenTaken' | 'repeatedToken'>
  /** Wall clock. */
  readonly nowMs: () => number
}

/** Creates the intake. */
export function createTokenDesk(deps: TokenDeskDeps): TokenIntake {
  return {
    take: (spend, role) => take(deps, spend, role),
    keysMessage: (): KeysMessage => deps.keyring.keysMessage(),
  }
}

/** How the ledger names a kind of token. */
export function tokenKindName(kind: TokenKind): TokenKindName {
  if (kind === TOKEN_KIND.BULK) return 'bulk'
  return kind === TOKEN_KIND.BANDWIDTH ? 'bandwidth' : 'admission'
}

function take(
  { redeemer, books, nowMs }: TokenDeskDeps,
  spend: SpendMessage,
  role: ServingRole,
): SpendResult {
  const redeemed = redeemer.spend(spend, nowMs())
  switch (redeemed.verdict) {
    case VERDICT.OK: {
      const onFresh = (): void => books.tokenTaken(tokenKindName(spend.tokenKind), role)
      const kept = keep(redeemed.kept, onFresh, () => books.repeatedToken())
      return { type: 'taken', bytes: bytesOfToken(spend.tokenKind), kept }
    }
    case VERDICT.SPENT:
      books.repeatedToken()
      return { type: 'repeated' }
    // A key may have lapsed while its token was under way.
    case VERDICT.UNKNOWN_KEY:
    case VERDICT.TRY_LATER: {
      const { verdict } = redeemed
      return { type: 'refused', answer: { kind: PAY.REFUSED, verdict, index: spend.tokenKind } }
    }
    case VERDICT.BAD_TOKEN:
      return { type: 'bad' }
  }
}

async function keep(
  kept: Promise<'fresh' | 'spent' | 'lost'>,
  onFresh: () => void,
  onSpent: () => void,
): Promise<boolean> {
  const result = await kept
  if (result === 'fresh') onFresh()
  else if (result === 'spent') onSpent()
  return result === 'fresh'
}
