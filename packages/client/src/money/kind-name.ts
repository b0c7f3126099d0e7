/** Names of token kinds in the ledger. @module */
import type { TokenKindName } from '@byway/protocol/ledger'
import { TOKEN_KIND } from '@byway/protocol/wire'

/** A kind's name. */
export function kindName(kind: number): TokenKindName {
  if (kind === TOKEN_KIND.BULK) return 'bulk'
  return kind === TOKEN_KIND.BANDWIDTH ? 'bandwidth' : 'admission'
}
