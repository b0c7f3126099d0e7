/**
 * The accounts of the books. A ledger moves quantities of a commodity from one account to another; what comes in from outside comes from a *source*,
 * whose balance falls below zero, everything else stays at zero or above (gas money is counted as a source: it comes to an account from outside without telling us). So the balances of a commodity sum to zero, always.
 * @module
 */
import type { LedgerSide } from './events.ts'

/**
 * What is counted. `bytes`: cell bytes paid for, a unit is 2^20 of them. `expected`: what tickets are worth on average, in the token's smallest parts; never mixed with `money`, which
 * is what moved. `wins`, `tickets`, tokens: pieces. `gas`: wei.
 */
export type Commodity =
  | 'bytes'
  | 'tickets'
  | 'bandwidth tokens'
  | 'bulk tokens'
  | 'admission tokens'
  | 'expected'
  | 'wins'
  | 'money'
  | 'gas'

/** What an account is. A source may fall below zero, a stock is what is there now, a sink is where things end. */
export type AccountNature = 'source' | 'stock' | 'sink'

/** Every account of a node's books by its commodity, in the order in which people read them. */
export const NODE_ACCOUNTS = {
  bytes: {
    sold: 'source',
    free: 'source',
    'owed on links': 'stock',
    'owed to slots': 'stock',
    'owed on tokens': 'stock',
    'owed by relaying': 'stock',
    'owed by exiting': 'stock',
    'carried for pay': 'sink',
    'carried free': 'sink',
    admissions: 'sink',
    lapsed: 'sink',
  },
  tickets: { clients: 'source', received: 'sink' },
  'bandwidth tokens': { issued: 'source', outstanding: 'stock', redeemed: 'sink', lapsed: 'sink' },
  'bulk tokens': { issued: 'source', outstanding: 'stock', redeemed: 'sink', lapsed: 'sink' },
  'admission tokens': { issued: 'source', outstanding: 'stock', redeemed: 'sink', lapsed: 'sink' },
  expected: { clients: 'source', 'from tickets': 'sink' },
  wins: { drawn: 'source', unredeemed: 'stock', claimed: 'stock', paid: 'sink', lost: 'sink' },
  money: {
    'client slots': 'source',
    'wins of others': 'source',
    outside: 'source',
    'wins unredeemed': 'stock',
    claims: 'stock',
    'held back': 'stock',
    purse: 'stock',
    stake: 'stock',
    'fees earned': 'stock',
    'fees burned': 'sink',
    'redeemer fees': 'sink',
    'wins lost': 'sink',
    slashed: 'sink',
  },
  gas: { outside: 'source', 'gas money': 'source', spent: 'sink' },
} as const

/** Every account of a client's books. */
export const CLIENT_ACCOUNTS = {
  bytes: {
    bought: 'source',
    free: 'source',
    'ahead on links': 'stock',
    'ahead at hops': 'stock',
    'ahead in tokens': 'stock',
    'ahead on circuits': 'stock',
    used: 'sink',
    'used free': 'sink',
    admissions: 'sink',
    lost: 'sink',
  },
  tickets: { made: 'source', sent: 'sink' },
  'bandwidth tokens': { bought: 'source', held: 'stock', spent: 'sink', lost: 'sink' },
  'bulk tokens': { bought: 'source', held: 'stock', spent: 'sink', lost: 'sink' },
  'admission tokens': { bought: 'source', held: 'stock', spent: 'sink', lost: 'sink' },
  expected: { own: 'source', 'spent on tickets': 'sink' },
  wins: { drawn: 'source', paid: 'sink' },
  money: {
    outside: 'source',
    purse: 'stock',
    deposit: 'stock',
    slots: 'stock',
    'won by hops': 'sink',
    'relayer fees': 'sink',
    'bonds burned': 'sink',
  },
  gas: { outside: 'source', 'gas money': 'source', spent: 'sink' },
} as const

/** The accounts of one side. */
export type Accounts = Readonly<Record<Commodity, Readonly<Record<string, AccountNature>>>>

/** A name of an account of either side, of one commodity. */
export type NodeAccount<C extends Commodity> = keyof (typeof NODE_ACCOUNTS)[C] & string
export type ClientAccount<C extends Commodity> = keyof (typeof CLIENT_ACCOUNTS)[C] & string

/** Says what each account of a side is. */
export function accountsOf(side: LedgerSide): Accounts {
  return side === 'node' ? NODE_ACCOUNTS : CLIENT_ACCOUNTS
}

/** An account: what it counts, its name, and the hop where the client keeps one for each. */
export type Account = {
  readonly commodity: Commodity
  readonly name: string
  /** A node id, for accounts that are kept by hop. */
  readonly hop?: string | undefined
}

/** One line of an entry: so much more (or less) in an account. */
export type Line = Account & { readonly amount: bigint }

/** The commodities in the order in which people read them. */
export const COMMODITIES: readonly Commodity[] = [
  'bytes',
  'tickets',
  'bandwidth tokens',
  'bulk tokens',
  'admission tokens',
  'expected',
  'wins',
  'money',
  'gas',
]
