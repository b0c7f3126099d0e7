/** What goes wrong with books. */
import { errorBuilder, type ErrorBuilder, type ErrorOf } from '@byway/protocol/base'

type LedgerErrors = {
  /** Neither a node nor a client that is paid, or pays, has run with this state folder. */
  LEDGER_NO_BOOKS: Record<string, never>
}

export type LedgerError = ErrorOf<LedgerErrors>

export const ledgerError: ErrorBuilder<LedgerErrors> = errorBuilder<LedgerErrors>({
  LEDGER_NO_BOOKS: ['config', 'there are no books in this state folder'],
})
