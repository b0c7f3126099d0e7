/** A client's money around its engine: its deposits are found on the chain, slots and tokens are on disk, the purse signs. */
import { createPlainAuthoriser, type ClientPayment, type MonthBook } from '@byway/client'
import type { PaymentParameters } from '@byway/protocol/directory'
import { createLeafTree, nodePoseidon, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { createPool } from '@byway/protocol/ticket'
import { findDeposits } from '@byway/purse'
import type { Store } from '@byway/store'
import { ledgerPage } from '../ledger/ledger-page.ts'
import type { JsonObject } from '../output.ts'
import type { EngineSetting } from './engine-options.ts'
import { openMoneyParts } from './money-parts.ts'

export interface ClientMoneyRun extends AsyncDisposable {
  readonly payment: ClientPayment
  /** A page of the books, for `byway ledger`. */
  readonly ledger: (afterSequence: number) => Promise<JsonObject>
}

// Local limit (tunable): docs/LIMITS.md.
/** All leaves are read through two endpoints. */
const DEPOSITS_TIMEOUT_MS = 60_000

/** Opens it. @throws what `openMoneyParts` throws */
export async function openClientMoney(
  setting: EngineSetting,
  payment: PaymentParameters,
): Promise<ClientMoneyRun> {
  await using parts = new AsyncDisposableStack()
  const log = setting.log.child('money')
  const { purse, store, chain } = await openMoneyParts(setting, payment, 'client', parts)
  const authoriser = createPlainAuthoriser({
    crypto: nodeTicketCrypto,
    createTree: createLeafTree,
    pool: createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue }),
    chain: chain.view,
    deposits: async () => {
      const leaves = await chain.view.leaves(0, AbortSignal.timeout(DEPOSITS_TIMEOUT_MS))
      return (await findDeposits(purse, leaves, nodePoseidon)).deposits
    },
    sessionSecret: purse.sessionSecret(),
  })
  const owned = parts.move()
  return {
    payment: {
      authoriser,
      journal: store.slots,
      tokens: store.tokens,
      book: monthBookOf(store),
      record: (event) => store.ledger.record(event),
      onNotice: (notice) => log.warn('payment', { event: notice.type }),
    },
    ledger: (after) => ledgerPage(store.ledger, after),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function monthBookOf({ counters }: Store): MonthBook {
  const nameOf = (month: string): string => `spent:${month}`
  return {
    load: (month) => counters.get(nameOf(month)),
    add: async (month, amount) => {
      await counters.add(nameOf(month), amount)
    },
  }
}
