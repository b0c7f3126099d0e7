/** The books as JSON for scripts; amounts are decimal digits in strings, for they exceed what JSON numbers hold. */
import {
  accountsOf,
  COMMODITIES,
  judgeLuck,
  type Balances,
  type Line,
  type LedgerSide,
  type MoneyEvent,
  type Reconciliation,
} from '@byway/protocol/ledger'
import type { JsonObject } from '../output.ts'
import type { ReadBooks } from './read-books.ts'

/** One event with what it moved. */
export function entryJson(side: LedgerSide, event: MoneyEvent, lines: readonly Line[]): JsonObject {
  return {
    event: 'entry',
    side,
    time: new Date(event.atMs).toISOString(),
    id: event.id,
    type: event.type,
    lines: lines
      .filter(({ amount }) => amount !== 0n)
      .map(({ commodity, name, hop, amount }) => {
        return { commodity, account: name, hop, amount: amount.toString() }
      }),
  }
}

/** All balances, the period's movements, luck, and what is wrong. The last line of `--json`. */
export function summaryJson(
  { ledger, isLive, unreadable, rejected }: ReadBooks,
  sinceMs: number,
  winAmount: bigint | undefined,
  found: Reconciliation | undefined,
): JsonObject {
  const overdrafts = ledger.overdrafts()
  const sums = ledger.trialBalance().every(({ sum }) => sum === 0n)
  const isSound =
    sums && overdrafts.length === 0 && unreadable === 0 && Object.keys(rejected).length === 0
  return {
    event: 'summary',
    side: ledger.side,
    isLive,
    entries: ledger.events,
    since: new Date(sinceMs).toISOString(),
    balances: balancesJson(ledger.side, ledger.balances),
    period: balancesJson(ledger.side, ledger.period),
    hops: hopsJson(ledger.period),
    luck: luckJson(ledger.luck(), winAmount),
    isSound,
    overdrafts: overdrafts.map(({ commodity, name, hop, amount }) => {
      return { commodity, account: name, hop, amount: amount.toString() }
    }),
    unreadable,
    rejected: { ...rejected },
    chain: found ? chainJson(found) : null,
  }
}

function chainJson({ compared, differences }: Reconciliation): JsonObject {
  return {
    agrees: differences.length === 0,
    compared: compared.map(({ commodity, name, amount, books, difference }) => ({
      commodity,
      account: name,
      chain: amount.toString(),
      books: books.toString(),
      difference: difference.toString(),
    })),
  }
}

function balancesJson(side: LedgerSide, balances: Balances): JsonObject {
  return Object.fromEntries(
    COMMODITIES.map((commodity) => {
      const names = Object.keys(accountsOf(side)[commodity])
      const totals = names.map((name) => [name, balances.total(commodity, name).toString()])
      return [commodity, Object.fromEntries(totals) as JsonObject]
    }),
  )
}

function hopsJson(period: Balances): JsonObject {
  return Object.fromEntries(
    period.hops().map((hop) => {
      const of = (commodity: 'bytes' | 'expected' | 'money', name: string): string =>
        period.of({ commodity, name, hop }).toString()
      const used = { used: of('bytes', 'used'), usedFree: of('bytes', 'used free') }
      return [
        hop,
        { ...used, spent: of('expected', 'spent on tickets'), won: of('money', 'won by hops') },
      ]
    }),
  )
}

function luckJson(
  sums: { readonly expected: bigint; readonly variance: bigint; readonly realised: bigint },
  winAmount: bigint | undefined,
): JsonObject {
  const [expected, realised] = [sums.expected.toString(), sums.realised.toString()]
  if (winAmount === undefined) return { expected, realised }
  const luck = judgeLuck({ ...sums, winAmount })
  return {
    expected,
    realised,
    deviation: luck.deviation.toString(),
    usualFrom: luck.usualFrom.toString(),
    usualTo: luck.usualTo.toString(),
    expectedWins: luck.expectedWins,
    sigmas: luck.sigmas,
    judgement: luck.judgement,
  }
}
