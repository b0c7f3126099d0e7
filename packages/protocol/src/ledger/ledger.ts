/**
 * The books: events in, balanced entries out. Every event is posted once; one that would unbalance the books, that belongs to the other side or that is not whole
 * is rejected and changes nothing.
 * @module
 */
import { accountsOf, type Line } from './accounts.ts'
import { Balances, isBalanced, type CommodityBalances } from './balances.ts'
import { isMoneyEvent } from './event-fields.ts'
import type {
  ClientMoneyEvent,
  LedgerSide,
  MoneyEvent,
  NodeMoneyEvent,
  TicketSum,
} from './events.ts'
import { postClientEvent } from './post-client.ts'
import { postNodeEvent } from './post-node.ts'

/**
 * Why an event was not posted. `malformed`: a field is not of its kind. `side`: it belongs to the other side's books. `unbalanced`: its parts do not add up, as in a claim that paid
 * more than it was. `unknown`: it reverses an event that was not posted, or not any more. `final`: it reverses what cannot be undone, another reversal or what the chain does not decide.
 */
export type Rejection = 'malformed' | 'side' | 'unbalanced' | 'unknown' | 'final'

/** What became of an event. `known`: its id was posted before. */
export type Posting =
  | { readonly type: 'posted'; readonly lines: readonly Line[] }
  | { readonly type: 'known' }
  | { readonly type: 'rejected'; readonly reason: Rejection }

/** Tickets and wins compared: what luck did (`luck.ts`). */
export type LuckSums = {
  readonly expected: bigint
  readonly variance: bigint
  readonly realised: bigint
}

/** An account that is below zero though it holds things: an event is missing or wrong. */
export type Overdraft = Line & { readonly nature: 'stock' | 'sink' }

/** One side's books. */
export interface Ledger {
  readonly side: LedgerSide
  /** Events posted. */
  readonly events: number
  /** Balances since the beginning. */
  readonly balances: Balances
  /** Movements since {@link LedgerOptions.sinceMs}; the same as the balances without it. */
  readonly period: Balances
  /** Posts an event, once. */
  post(event: MoneyEvent): Posting
  /** Every account with its balance; the sum of each commodity is 0. */
  trialBalance(): readonly CommodityBalances[]
  /** Accounts below zero that should not be. Empty in sound books. */
  overdrafts(): readonly Overdraft[]
  /** Expected and realised in the period: wins of a node's tickets, or what a client's tickets cost it. */
  luck(): LuckSums
}

export type LedgerOptions = {
  /** Where the period begins, milliseconds since 1970. @default 0 */
  readonly sinceMs?: number | undefined
}

/** Creates empty books. */
export function createLedger(side: LedgerSide, options: LedgerOptions = {}): Ledger {
  return new Books(side, options.sinceMs ?? 0)
}

class Books implements Ledger {
  readonly side: LedgerSide
  readonly balances: Balances = new Balances()
  readonly period: Balances = new Balances()
  readonly #sinceMs: number
  readonly #ids = new Set<string>()
  /** What the chain may still undo. */
  readonly #reversible = new Map<string, readonly Line[]>()
  #variance = 0n

  constructor(side: LedgerSide, sinceMs: number) {
    this.side = side
    this.#sinceMs = sinceMs
  }

  get events(): number {
    return this.#ids.size
  }

  post(event: MoneyEvent): Posting {
    if (!isMoneyEvent(event)) return rejected('malformed')
    if (this.#ids.has(event.id)) return { type: 'known' }
    if (event.type === 'reversed') return this.#reverse(event.id, event.of, event.atMs)
    const lines = this.#linesOf(event)
    if (!lines) return rejected('side')
    if (!isBalanced(lines)) return rejected('unbalanced')
    if (REVERSIBLE.has(event.type)) this.#reversible.set(event.id, lines)
    return this.#enter(event, lines)
  }

  trialBalance(): readonly CommodityBalances[] {
    return this.balances.trial()
  }

  overdrafts(): readonly Overdraft[] {
    const natures = accountsOf(this.side)
    return this.trialBalance().flatMap(({ accounts }) =>
      accounts.flatMap((line) => {
        const nature = natures[line.commodity][line.name] ?? 'sink'
        return nature === 'source' || line.amount >= 0n ? [] : [{ ...line, nature }]
      }),
    )
  }

  luck(): LuckSums {
    const isNode = this.side === 'node'
    const expected = this.period.total('expected', isNode ? 'from tickets' : 'spent on tickets')
    const realised = isNode
      ? -this.period.total('money', 'client slots')
      : this.period.total('money', 'won by hops')
    return { expected, variance: this.#variance, realised }
  }

  #enter(event: MoneyEvent, lines: readonly Line[]): Posting {
    this.#ids.add(event.id)
    this.balances.add(lines)
    if (event.atMs >= this.#sinceMs) {
      this.period.add(lines)
      if ('variance' in event) this.#variance += varianceOf(event)
    }
    return { type: 'posted', lines }
  }

  #reverse(id: string, of: string, atMs: number): Posting {
    const posted = this.#reversible.get(of)
    if (!posted) return rejected(this.#ids.has(of) ? 'final' : 'unknown')
    this.#reversible.delete(of)
    const lines = posted.map((line) => ({ ...line, amount: -line.amount }))
    return this.#enter({ id, atMs, type: 'reversed', of }, lines)
  }

  #linesOf(event: MoneyEvent): readonly Line[] | undefined {
    if (this.side === 'node') return isNodeEvent(event) ? postNodeEvent(event) : undefined
    return isClientEvent(event) ? postClientEvent(event) : undefined
  }
}

function varianceOf(event: MoneyEvent & TicketSum): bigint {
  return event.type === 'tickets-void' ? -event.variance : event.variance
}

function rejected(reason: Rejection): Posting {
  return { type: 'rejected', reason }
}

function isNodeEvent(event: MoneyEvent): event is NodeMoneyEvent {
  return !CLIENT_ONLY.has(event.type)
}

function isClientEvent(event: MoneyEvent): event is ClientMoneyEvent {
  return !NODE_ONLY.has(event.type)
}

type OnlyOf<A extends MoneyEvent, B extends MoneyEvent> = Exclude<A['type'], B['type']>

const NODE_ONLY: ReadonlySet<string> = new Set<OnlyOf<NodeMoneyEvent, ClientMoneyEvent>>([
  'carried',
  'tickets-received',
  'tokens-sold',
  'tokens-redeemed',
  'tokens-lapsed',
  'paid-lapsed',
  'won',
  'claimed',
  'claim-paid',
  'claim-lost',
  'held-back-settled',
  'lock-fee-paid',
  'fee-earned',
  'fees-moved',
  'staked',
  'slashed',
])

const CLIENT_ONLY: ReadonlySet<string> = new Set<OnlyOf<ClientMoneyEvent, NodeMoneyEvent>>([
  'deposited',
  'withdrawn-unused',
  'leaves-joined',
  'slot-shown',
  'tickets-sent',
  'tickets-void',
  'used',
  'tokens-bought',
  'tokens-spent',
  'tokens-lost',
  'paid-lost',
  'slot-won',
  'slot-returned',
  'bond-burned',
])

/** What the chain says it may take back (a reorganisation); what was carried and signed stays. */
const REVERSIBLE: ReadonlySet<string> = new Set<MoneyEvent['type']>([
  'claimed',
  'claim-paid',
  'claim-lost',
  'held-back-settled',
  'lock-fee-paid',
  'fee-earned',
  'fees-moved',
  'staked',
  'slashed',
  'deposited',
  'withdrawn-unused',
  'leaves-joined',
  'slot-won',
  'slot-returned',
  'bond-burned',
  'purse-received',
  'purse-sent',
  'gas-received',
  'gas-paid',
])
