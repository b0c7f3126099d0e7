/**
 * What the client spends, on whom, and whether it may go on (DESIGN §9): sums by hop for the user's eyes, a budget for the calendar month, and the ledger's
 * events, added up for a minute each. Who pays what for which reason is the payers'.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { NodeKey } from '@byway/protocol/directory'
import type { ClientMoneyEvent, TicketUse, TokenKindName } from '@byway/protocol/ledger'
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import { moneyError } from './errors.ts'
import { createEventTally } from './event-tally.ts'
import { UseAccount } from './use-account.ts'
import type { UseCounts } from './use-account.ts'
import type { MonthBook } from './ports.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Tickets, tokens and bytes are added up for so long before the disk has them; a crash loses no more. */
const FLUSH_MS = 60_000
/** Hops that are shown one by one; the sums hold all. */
const MAX_HOPS_SHOWN = 64

/** What one hop cost and carried since the client started. Amounts are the token's smallest parts. */
export type HopCost = {
  readonly hop: NodeKey
  readonly tickets: number
  readonly units: number
  readonly amount: bigint
  readonly bytes: number
}

/** Where the money goes. Amounts are expected cost: what tickets are worth on average, whatever the draws say. */
export type SpendingStatus = {
  readonly session: bigint
  readonly month: bigint
  readonly budget: bigint | undefined
  /** False: something was wanted that the budget does not allow, so nothing more is paid this month. */
  readonly isBudgetLeft: boolean
  /** Of this session, for each GiB of cells at the entries; undefined before any. */
  readonly perGib: bigint | undefined
  /** Dearest first. */
  readonly hops: readonly HopCost[]
}

export type SpendingDeps = {
  /** What a win pays. */
  readonly winValue: bigint
  /** What a slot holds. */
  readonly slotValue: bigint
  /** The most that may be spent in a calendar month (UTC); undefined: no limit. */
  readonly budget: bigint | undefined
  readonly book: MonthBook
  /** Takes the ledger's events. What it rejects with is the ledger's own to report. */
  readonly record: (event: ClientMoneyEvent) => Promise<void>
  /** Makes the ids of this run's events its own: 1 to 40 letters and digits. */
  readonly run: string
  /** Wall clock. */
  readonly nowMs: () => number
  /** No more may be spent from now on. Told once a month, with BUDGET_SPENT. */
  readonly onBudgetSpent: (error: Error) => void
  /** @default the system's */
  readonly timers?: Timers | undefined
}

/** Keeps the sums. */
export interface Spending {
  readonly status: SpendingStatus
  /** Reads what this month has cost so far. */
  load(): Promise<void>
  /** @throws BUDGET_SPENT when not so much more may be spent, and from then on for any amount */
  requireLeft(amount: bigint): void
  /** True when so much more may be spent. */
  isLeft(amount: bigint): boolean
  onSlotShown(hop: NodeKey, nullifier: Uint8Array): void
  onTicket(hop: NodeKey, use: TicketUse, units: number, amount: bigint): void
  /** A ticket that was sent does not count: it costs nothing. */
  onVoid(hop: NodeKey, use: TicketUse, units: number, amount: bigint): void
  /** Tokens came; `units` is what they cost. */
  onTokensBought(hop: NodeKey, kind: TokenKindName, count: number, units: number): void
  onTokens(
    what: 'tokens-spent' | 'tokens-lost',
    hop: NodeKey,
    kind: TokenKindName,
    count: number,
  ): void
  /** Follows what a place carries and was paid for; `close` when it is gone: what was paid and not used is lost then. */
  follow(hop: NodeKey, use: TicketUse, counts: UseCounts): { close(): void }
  /** Paid ahead and not served. */
  onPaidLost(hop: NodeKey, from: TicketUse | 'balance', bytes: number): void
  /** Tells the ledger what was added up. Resolves when it has it. */
  flush(): Promise<void>
  /** Writes what was added up and stops the clock. */
  stop(): Promise<void>
}

/** Creates empty sums. */
export function createSpending(deps: SpendingDeps): Spending {
  return new Sums(deps)
}

type Sum = { tickets: number; units: number; amount: bigint; bytes: number }

class Sums implements Spending {
  readonly #deps: SpendingDeps
  readonly #hops = new Map<NodeKey, Sum>()
  readonly #tally = createEventTally()
  readonly #accounts = new Set<UseAccount>()
  #session = 0n
  #month = 0n
  #monthName: string
  /** Spent and not in the month's book yet. */
  #unbooked = 0n
  #entryBytes = 0
  #sequence = 0
  #wasSpent = false
  #cancelFlush: () => void
  #writing: Promise<void> = Promise.resolve()

  constructor(deps: SpendingDeps) {
    this.#deps = deps
    this.#monthName = monthOf(deps.nowMs())
    this.#cancelFlush = this.#flushLater()
  }

  get status(): SpendingStatus {
    this.#report()
    const hops = Array.from(this.#hops, ([hop, sum]) => ({ hop, ...sum }))
    const dearest = hops.toSorted((a, b) => Number(b.amount - a.amount))
    const bytes = BigInt(this.#entryBytes)
    const month = this.#monthSum()
    return {
      session: this.#session,
      month,
      budget: this.#deps.budget,
      isBudgetLeft: !this.#wasSpent,
      perGib: bytes > 0n ? (this.#session * GIB) / bytes : undefined,
      hops: dearest.slice(0, MAX_HOPS_SHOWN),
    }
  }

  async load(): Promise<void> {
    this.#month += await this.#deps.book.load(this.#monthName)
  }

  requireLeft(amount: bigint): void {
    if (this.isLeft(amount)) return
    const error = moneyError('BUDGET_SPENT', { limit: String(this.#deps.budget) })
    const isNews = !this.#wasSpent
    this.#wasSpent = true
    if (isNews) this.#deps.onBudgetSpent(error)
    throw error
  }

  isLeft(amount: bigint): boolean {
    const { budget } = this.#deps
    const month = this.#monthSum()
    return budget === undefined || (!this.#wasSpent && month + amount <= budget)
  }

  onSlotShown(hop: NodeKey, nullifier: Uint8Array): void {
    const head = { id: `slot:${toHex(nullifier)}`, atMs: this.#deps.nowMs() }
    this.#write({ ...head, type: 'slot-shown', hop, amount: this.#deps.slotValue })
  }

  onTicket(hop: NodeKey, use: TicketUse, units: number, amount: bigint): void {
    this.#addCost(hop, { tickets: 1, units, amount })
    const variance = amount * (this.#deps.winValue - amount)
    this.#tally.add({ type: 'tickets-sent', hop, use, tickets: 1, units, amount, variance })
  }

  onVoid(hop: NodeKey, use: TicketUse, units: number, amount: bigint): void {
    this.#addCost(hop, { tickets: -1, units: -units, amount: -amount })
    const variance = amount * (this.#deps.winValue - amount)
    this.#tally.add({ type: 'tickets-void', hop, use, tickets: 1, units, amount, variance })
  }

  onTokensBought(hop: NodeKey, kind: TokenKindName, count: number, units: number): void {
    this.#tally.add({ type: 'tokens-bought', hop, kind, count, units })
  }

  onTokens(
    what: 'tokens-spent' | 'tokens-lost',
    hop: NodeKey,
    kind: TokenKindName,
    count: number,
  ): void {
    if (count > 0) this.#tally.add({ type: what, hop, kind, count })
  }

  follow(hop: NodeKey, use: TicketUse, counts: UseCounts): { close(): void } {
    const account = new UseAccount(hop, use, counts)
    this.#accounts.add(account)
    return {
      close: () => {
        if (!this.#accounts.delete(account)) return
        this.#reportOne(account)
        const { freeBytes, lostBytes } = account.rest()
        this.#tally.add({ type: 'used', hop, use, paidBytes: 0n, freeBytes })
        this.onPaidLost(hop, use, Number(lostBytes))
      },
    }
  }

  onPaidLost(hop: NodeKey, from: TicketUse | 'balance', bytes: number): void {
    if (bytes > 0) this.#tally.add({ type: 'paid-lost', hop, from, bytes: BigInt(bytes) })
  }

  async flush(): Promise<void> {
    this.#flush()
    await this.#writing
  }

  async stop(): Promise<void> {
    this.#cancelFlush()
    await this.flush()
  }

  #report(): void {
    for (const account of this.#accounts) this.#reportOne(account)
  }

  #reportOne(account: UseAccount): void {
    const { hop, use } = account
    const { paidBytes, bytes } = account.news()
    this.#sumOf(hop).bytes += bytes
    if (use === 'link') this.#entryBytes += bytes
    if (paidBytes !== 0n) this.#tally.add({ type: 'used', hop, use, paidBytes, freeBytes: 0n })
  }

  #addCost(hop: NodeKey, { tickets, units, amount }: Omit<Sum, 'bytes'>): void {
    this.#session += amount
    this.#month = this.#monthSum() + amount
    this.#unbooked += amount
    const sum = this.#sumOf(hop)
    sum.tickets += tickets
    sum.units += units
    sum.amount += amount
  }

  #sumOf(hop: NodeKey): Sum {
    const known = this.#hops.get(hop)
    if (known) return known
    const sum = { tickets: 0, units: 0, amount: 0n, bytes: 0 }
    this.#hops.set(hop, sum)
    return sum
  }

  /** What this month has cost; a new month begins at nothing. */
  #monthSum(): bigint {
    const name = monthOf(this.#deps.nowMs())
    if (name === this.#monthName) return this.#month
    this.#flushBook()
    this.#monthName = name
    this.#month = 0n
    this.#wasSpent = false
    return 0n
  }

  #flushLater(): () => void {
    const { timers = systemTimers } = this.#deps
    return timers.after(FLUSH_MS, () => {
      this.#flush()
      this.#cancelFlush = this.#flushLater()
    })
  }

  #flush(): void {
    this.#report()
    for (const event of this.#tally.take()) {
      const id = `count:${this.#deps.run}:${this.#sequence++}`
      this.#write({ id, atMs: this.#deps.nowMs(), ...event })
    }
    this.#flushBook()
  }

  #flushBook(): void {
    const [month, amount] = [this.#monthName, this.#unbooked]
    this.#unbooked = 0n
    if (amount !== 0n) this.#then(() => this.#deps.book.add(month, amount))
  }

  #write(event: ClientMoneyEvent): void {
    this.#then(() => this.#deps.record(event))
  }

  #then(write: () => Promise<void>): void {
    this.#writing = this.#writing.then(write).catch(reportedByStore)
  }
}

/** A store that fails says so itself, and money is not spent without it: slots and tokens come from the same disk. */
function reportedByStore(): void {}

/** `2026-11`. */
function monthOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 7)
}

const GIB = 1n << 30n
