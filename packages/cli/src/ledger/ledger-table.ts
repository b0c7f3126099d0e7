/** The books as a table for people. */
import { unreachable } from '@byway/protocol/base'
import {
  accountsOf,
  COMMODITIES,
  judgeLuck,
  type Commodity,
  type Ledger,
  type Luck,
  type Reconciliation,
} from '@byway/protocol/ledger'
import { bytesText, gasText, moneyText, roundedText, type MoneyUnit } from './money-text.ts'
import type { ReadBooks } from './read-books.ts'

/** What the table needs to know beside the books. */
export type TableOptions = {
  /** The period's beginning in words; undefined for all of it. */
  readonly since: string | undefined
  /** The network's money and `V`, where they are known. */
  readonly unit: MoneyUnit | undefined
  readonly winAmount: bigint | undefined
  /** What the chain says; undefined when it was not asked. */
  readonly found?: Reconciliation | undefined
}

/** Every account that holds something or moved in the period, luck in words, and whether the books are sound. */
export function ledgerTable(books: ReadBooks, options: TableOptions): string {
  const { ledger } = books
  const period = options.since === undefined ? 'since the beginning' : `since ${options.since}`
  const source = books.isLive ? 'running' : 'not running'
  const head = `books of this ${ledger.side} (${source}), ${ledger.events} entries, ${period}`
  return [
    head,
    ...COMMODITIES.flatMap((commodity) => sectionOf(ledger, commodity, options)),
    ...hopLines(ledger, options),
    '',
    ...luckLines(ledger, options),
    ...soundLines(books),
    ...chainLines(options),
  ].join('\n')
}

const TITLES: Readonly<Record<Commodity, string>> = {
  bytes: 'bytes (a unit is 1 MiB)',
  tickets: 'tickets',
  'bandwidth tokens': 'bandwidth tokens (4 MiB each)',
  'bulk tokens': 'bulk tokens (32 MiB each)',
  'admission tokens': 'admission tokens',
  expected: 'worth of tickets, on average',
  wins: 'wins',
  money: 'money',
  gas: 'gas',
}

function sectionOf(
  ledger: Ledger,
  commodity: Commodity,
  { unit, since }: TableOptions,
): readonly string[] {
  const rows = Object.entries(accountsOf(ledger.side)[commodity]).flatMap(([name, nature]) => {
    const [now, moved] = [
      ledger.balances.total(commodity, name),
      ledger.period.total(commodity, name),
    ]
    if (nature === 'source' || (now === 0n && moved === 0n)) return []
    const cells = [amountText(commodity, now, unit)]
    if (since !== undefined) cells.push(signed(commodity, moved, unit))
    return [`  ${name.padEnd(22)}${cells.map((text) => text.padStart(28)).join('')}`]
  })
  return rows.length === 0 ? [] : ['', TITLES[commodity], ...rows]
}

/** What each hop carried and cost in the period; a client's books only. */
function hopLines(ledger: Ledger, { unit }: TableOptions): readonly string[] {
  const rows = ledger.period.hops().map((hop) => {
    const used = ledger.period.of({ commodity: 'bytes', name: 'used', hop })
    const cost = ledger.period.of({ commodity: 'expected', name: 'spent on tickets', hop })
    const won = ledger.period.of({ commodity: 'money', name: 'won by hops', hop })
    return { hop, used, cost, won }
  })
  if (rows.length === 0) return []
  const lines = rows
    .toSorted((a, b) => Number(b.cost - a.cost))
    .map(({ hop, used, cost, won }) => {
      const perGib = used > 0n ? roundedText((cost << 30n) / used, unit) : '–'
      const cells = [bytesText(used), moneyText(cost, unit), perGib, moneyText(won, unit)]
      return `  ${hop.slice(0, 16)}…   ${cells.map((text) => ` ${text}`.padStart(24)).join('')}`
    })
  const names = ['carried', 'tickets', 'a GiB', 'won'].map((text) => text.padStart(24)).join('')
  return ['', `hops${' '.repeat(18)}${names}`, ...lines]
}

function luckLines(ledger: Ledger, { unit, winAmount }: TableOptions): readonly string[] {
  if (winAmount === undefined) {
    return ['name the network file with --network to see how far luck goes']
  }
  const luck = judgeLuck({ ...ledger.luck(), winAmount })
  if (luck.judgement === 'none') return ['no tickets yet, so nothing to win']
  const text = (amount: bigint): string => moneyText(amount, unit)
  const rounded = (amount: bigint): string => roundedText(amount, unit)
  const isNode = ledger.side === 'node'
  return [
    `${isNode ? 'expected' : 'tickets were worth'} ${text(luck.expected)} (${luck.expectedWins.toFixed(2)} wins), ${isNode ? 'won' : 'hops have won'} ${text(luck.realised)}`,
    `luck: ± ${rounded(luck.deviation)} is one standard deviation, ± ${rounded(2n * luck.deviation)} two; 95 of 100 such periods end between ${rounded(luck.usualFrom)} and ${rounded(luck.usualTo)}`,
    JUDGEMENTS[ledger.side][luck.judgement],
  ]
}

type Words = Readonly<Record<Exclude<Luck['judgement'], 'none'>, string>>

/** A client hears of a win only when the chain shows it, so little is no news there. */
const JUDGEMENTS: Readonly<Record<'node' | 'client', Words>> = {
  node: {
    usual: 'that is within what luck does',
    low: 'less than in 95 of 100 such periods: bad luck does that to one period in forty',
    high: 'more than in 95 of 100 such periods: good luck does that to one period in forty',
    strange: 'luck alone does that to fewer than one period in 100 000: something is wrong',
  },
  client: {
    usual: 'that is within what luck does',
    low: 'hops have won less than usual so far; wins are seen only once a hop claims them',
    high: 'hops have won more than in 95 of 100 such periods: luck does that to one period in forty',
    strange:
      'luck alone does that to fewer than one period in 100 000: a hop may cheat, or not have claimed yet',
  },
}

function soundLines({ ledger, unreadable, rejected }: ReadBooks): readonly string[] {
  const problems = [
    ...ledger
      .trialBalance()
      .filter(({ sum }) => sum !== 0n)
      .map(({ commodity }) => `${commodity} do not add up to zero`),
    ...ledger.overdrafts().map(({ commodity, name, hop }) => {
      const at = hop === undefined ? '' : ` at ${hop.slice(0, 16)}…`
      return `${commodity}, ${name}${at}: below zero, an event is missing (a crash loses up to a minute of counts)`
    }),
    ...Object.entries(rejected).map(([reason, count]) => `${count} events did not fit: ${reason}`),
    ...(unreadable > 0 ? [`${unreadable} events are of a later version, or damaged`] : []),
  ]
  if (problems.length === 0) return ['the books balance: every commodity adds up to zero']
  return ['THE BOOKS DO NOT BALANCE:', ...problems.map((text) => `  ${text}`)]
}

/** The chain's side, and where it differs. */
function chainLines({ found, unit }: TableOptions): readonly string[] {
  if (!found) return []
  const rows = found.compared.map(({ commodity, name, amount, books, difference }) => {
    const [there, here] = [amount, books].map((each) => amountText(commodity, each, unit))
    const verdict =
      difference === 0n ? 'agrees' : `DIFFERS by ${signed(commodity, difference, unit)}`
    return `  ${commodity}, ${name}: chain ${there}, books ${here}: ${verdict}`
  })
  const isAgreed = found.differences.length === 0
  return [isAgreed ? 'the chain agrees:' : 'THE CHAIN DOES NOT AGREE:', ...rows]
}

function amountText(commodity: Commodity, amount: bigint, unit: MoneyUnit | undefined): string {
  switch (commodity) {
    case 'bytes':
      return bytesText(amount)
    case 'money':
    case 'expected':
      return moneyText(amount, unit)
    case 'gas':
      return gasText(amount)
    case 'tickets':
    case 'bandwidth tokens':
    case 'bulk tokens':
    case 'admission tokens':
    case 'wins':
      return amount.toString()
    default:
      return unreachable(commodity, 'every commodity has a form')
  }
}

function signed(commodity: Commodity, amount: bigint, unit: MoneyUnit | undefined): string {
  return `${amount > 0n ? '+' : ''}${amountText(commodity, amount, unit)}`
}
