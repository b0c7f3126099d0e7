/**
 * What a node's ledger is told of the money that goes by (docs of the events: `@byway/protocol/ledger`). Bytes, tickets and tokens are added up in memory and told once a
 * minute and at the end, never one by one; wins are told at once. Says nothing of who paid.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type {
  MoneyEvent,
  MoneyEventSink,
  NodeMoneyEvent,
  ServingRole,
  TicketUse,
  TokenKindName,
} from '@byway/protocol/ledger'
import type { Meter } from '@byway/protocol/payment'

/** One good ticket. */
export type TicketEntry = {
  readonly use: TicketUse
  readonly units: number
  readonly amount: bigint
}

/** Numbers since the start, for the operator. */
export type MoneyTotals = {
  readonly unitsPaid: number
  readonly tickets: number
  readonly wins: number
  readonly tokensTaken: number
  readonly tokensSold: number
  /** Tokens that were spent before, and tickets that were refused. */
  readonly repeatedTokens: number
  readonly refusedTickets: number
}

/** The node's side of the ledger. */
export interface Books {
  readonly totals: MoneyTotals
  ticket(entry: TicketEntry): void
  refusedTicket(): void
  /** Resolves when the ledger has it. */
  won(win: {
    readonly nullifier: Uint8Array
    readonly index: number
    readonly atMs: number
  }): Promise<void>
  tokensSold(kind: TokenKindName, count: number, units: number): void
  tokenTaken(kind: TokenKindName, role: ServingRole): void
  repeatedToken(): void
  /** Units of a slot whose time is over. */
  unitsLapsed(units: number): void
  tokensLapsed(kind: TokenKindName, count: number): void
  /** Follows a place that is paid for. */
  openToll(role: ServingRole, toll: TollCounts): TollBook
  /** Tells what has been added up. Resolves when the ledger has it. */
  flush(): Promise<void>
  /** Every place is gone: waits for tokens that the disk does not have yet, then tells the rest. Resolves when the ledger has it. */
  close(): Promise<void>
}

/** The books' side of one place. */
export interface TollBook {
  /** A token counts at this place already: for the books its bytes are paid once the disk has it, or never. */
  taken(token: { readonly bytes: number; readonly kept: Promise<boolean> }): void
  /** The place is gone. */
  close(): void
}

/** What a place has carried and was paid for. */
export type TollCounts = Pick<Meter, 'countedBytes' | 'paidBytes'>

export type BooksDeps = {
  readonly sink: MoneyEventSink
  /** Wall clock. */
  readonly nowMs: () => number
  /** What a win pays: `V`. */
  readonly winValue: bigint
  readonly unitBytes: number
  /** The ledger could not be told: the store says why by its health. */
  readonly onFailed: () => void
}

/** Creates empty books. */
export function createBooks(deps: BooksDeps): Books {
  return new NodeBooks(deps)
}

type Carried = { paidBytes: number; freeBytes: number; lapsedBytes: number }
type Tickets = { tickets: number; units: number; amount: bigint; variance: bigint }
type Sales = { count: number; units: number }

/** What is told once a minute. */
class Sums {
  readonly carried = new Map<ServingRole, Carried>()
  readonly tickets = new Map<TicketUse, Tickets>()
  readonly sold = new Map<TokenKindName, Sales>()
  readonly redeemed = new Map<string, number>()
  readonly lapsedTokens = new Map<TokenKindName, number>()
  lapsedUnits = 0
}

class NodeBooks implements Books {
  readonly totals = {
    unitsPaid: 0,
    tickets: 0,
    wins: 0,
    tokensTaken: 0,
    tokensSold: 0,
    repeatedTokens: 0,
    refusedTickets: 0,
  }
  readonly #deps: BooksDeps
  readonly #startedAtMs: number
  readonly #tolls = new Set<TollAccount>()
  /** Of tokens that the disk does not have yet. */
  readonly #unsure = new Set<Promise<void>>()
  #sums = new Sums()
  #sequence = 0

  constructor(deps: BooksDeps) {
    this.#deps = deps
    this.#startedAtMs = deps.nowMs()
  }

  ticket({ use, units, amount }: TicketEntry): void {
    const sum = of(this.#sums.tickets, use, { tickets: 0, units: 0, amount: 0n, variance: 0n })
    sum.tickets++
    sum.units += units
    sum.amount += amount
    sum.variance += amount * (this.#deps.winValue - amount)
    this.totals.tickets++
    this.totals.unitsPaid += units
  }

  refusedTicket(): void {
    this.totals.refusedTickets++
  }

  async won({ nullifier, index, atMs }: Parameters<Books['won']>[0]): Promise<void> {
    this.totals.wins++
    const slot = toHex(nullifier)
    const id = `win:${slot}:${index}`
    await this.#record([{ type: 'won', id, atMs, slot, index, amount: this.#deps.winValue }])
  }

  tokensSold(kind: TokenKindName, count: number, units: number): void {
    const sum = of(this.#sums.sold, kind, { count: 0, units: 0 })
    sum.count += count
    sum.units += units
    this.totals.tokensSold += count
  }

  tokenTaken(kind: TokenKindName, role: ServingRole): void {
    const { redeemed } = this.#sums
    redeemed.set(`${kind} ${role}`, (redeemed.get(`${kind} ${role}`) ?? 0) + 1)
    this.totals.tokensTaken++
  }

  repeatedToken(): void {
    this.totals.repeatedTokens++
  }

  unitsLapsed(units: number): void {
    this.#sums.lapsedUnits += units
  }

  tokensLapsed(kind: TokenKindName, count: number): void {
    const { lapsedTokens } = this.#sums
    lapsedTokens.set(kind, (lapsedTokens.get(kind) ?? 0) + count)
  }

  openToll(role: ServingRole, toll: TollCounts): TollBook {
    const account = new TollAccount(role, toll)
    this.#tolls.add(account)
    let isGone = false
    const closeIfSure = (): void => {
      if (isGone && account.isSure && this.#tolls.delete(account)) {
        account.close(this.#carriedOf(role))
      }
    }
    const settle = async ({ bytes, kept }: Parameters<TollBook['taken']>[0]): Promise<void> => {
      account.expect(bytes)
      account.settle(bytes, await kept)
      closeIfSure()
    }
    return {
      taken: (token) => {
        const settled = settle(token)
        this.#unsure.add(settled)
        void settled.then(() => this.#unsure.delete(settled))
      },
      close: () => {
        isGone = true
        closeIfSure()
      },
    }
  }

  async flush(): Promise<void> {
    for (const account of this.#tolls) account.report(this.#carriedOf(account.role))
    const sums = this.#sums
    this.#sums = new Sums()
    await this.#record(this.#eventsOf(sums))
  }

  async close(): Promise<void> {
    await Promise.all(this.#unsure)
    await this.flush()
  }

  #carriedOf(role: ServingRole): Carried {
    return of(this.#sums.carried, role, { paidBytes: 0, freeBytes: 0, lapsedBytes: 0 })
  }

  async #record(events: readonly MoneyEvent[]): Promise<void> {
    const { sink, onFailed } = this.#deps
    const results = await Promise.allSettled(events.map((event) => sink.record(event)))
    if (results.some(({ status }) => status === 'rejected')) onFailed()
  }

  #eventsOf(sums: Sums): readonly NodeMoneyEvent[] {
    // Whoever reads between two of them finds more paid than carried, never less.
    return [...this.#ticketEvents(sums), ...this.#tokenEvents(sums), ...this.#carriedEvents(sums)]
  }

  #carriedEvents({ carried, lapsedUnits }: Sums): readonly NodeMoneyEvent[] {
    const events: NodeMoneyEvent[] = []
    for (const [role, { paidBytes, freeBytes, lapsedBytes }] of carried) {
      if (paidBytes + freeBytes > 0) {
        const bytes = { paidBytes: BigInt(paidBytes), freeBytes: BigInt(freeBytes) }
        events.push({ type: 'carried', ...this.#head(), role, ...bytes })
      }
      if (lapsedBytes > 0) {
        const bytes = BigInt(lapsedBytes)
        events.push({ type: 'paid-lapsed', ...this.#head(), from: role, bytes })
      }
    }
    if (lapsedUnits > 0) {
      const bytes = BigInt(lapsedUnits * this.#deps.unitBytes)
      events.push({ type: 'paid-lapsed', ...this.#head(), from: 'slot', bytes })
    }
    return events
  }

  #ticketEvents({ tickets }: Sums): readonly NodeMoneyEvent[] {
    return Array.from(tickets, ([use, sum]) => ({
      type: 'tickets-received',
      ...this.#head(),
      use,
      ...sum,
    }))
  }

  #tokenEvents({ sold, redeemed, lapsedTokens }: Sums): readonly NodeMoneyEvent[] {
    const events: NodeMoneyEvent[] = []
    for (const [kind, sale] of sold) {
      events.push({ type: 'tokens-sold', ...this.#head(), kind, ...sale })
    }
    for (const [name, count] of redeemed) {
      const [kind, role] = name.split(' ') as [TokenKindName, ServingRole]
      events.push({ type: 'tokens-redeemed', ...this.#head(), kind, role, count })
    }
    for (const [kind, count] of lapsedTokens) {
      events.push({ type: 'tokens-lapsed', ...this.#head(), kind, count })
    }
    return events
  }

  #head(): { readonly id: string; readonly atMs: number } {
    this.#sequence++
    return { id: `count:${this.#startedAtMs}:${this.#sequence}`, atMs: this.#deps.nowMs() }
  }
}

/**
 * What of one place was told. Paid bytes are used up before free ones; what is free for good is known only at the end, when no pay comes any more.
 * Bytes of a token count when the disk has it, as the token itself does: else the books would say that more was carried for pay than was paid for.
 */
class TollAccount {
  readonly role: ServingRole
  readonly #toll: TollCounts
  #toldPaidBytes = 0
  #unsureTokens = 0
  #unkeptBytes = 0

  constructor(role: ServingRole, toll: TollCounts) {
    this.role = role
    this.#toll = toll
  }

  /** The disk has answered for every token. */
  get isSure(): boolean {
    return this.#unsureTokens === 0
  }

  expect(bytes: number): void {
    this.#unsureTokens++
    this.#unkeptBytes += bytes
  }

  settle(bytes: number, isKept: boolean): void {
    this.#unsureTokens--
    if (isKept) this.#unkeptBytes -= bytes
  }

  report(sum: Carried): void {
    // A count may have been taken back since: what was told stays told.
    const used = Math.max(this.#toldPaidBytes, Math.min(this.#toll.countedBytes, this.#paidBytes))
    sum.paidBytes += used - this.#toldPaidBytes
    this.#toldPaidBytes = used
  }

  close(sum: Carried): void {
    this.report(sum)
    sum.freeBytes += Math.max(0, this.#toll.countedBytes - this.#toldPaidBytes)
    sum.lapsedBytes += this.#paidBytes - this.#toldPaidBytes
  }

  get #paidBytes(): number {
    return this.#toll.paidBytes - this.#unkeptBytes
  }
}

function of<K, V>(map: Map<K, V>, key: K, fresh: V): V {
  const known = map.get(key)
  if (known) return known
  map.set(key, fresh)
  return fresh
}
