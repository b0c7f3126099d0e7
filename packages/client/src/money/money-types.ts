/**
 * What the client's money is to its engine: what it needs, what it tells, what it can be asked. How it is put together is money.ts's.
 * @module
 */
import type { BlindTokenScheme, CryptoProvider, TicketCrypto } from '@byway/protocol/crypto'
import type { NodeKey, PathNode, PaymentParameters } from '@byway/protocol/directory'
import type { ClientMoneyEvent } from '@byway/protocol/ledger'
import type { Link } from '@byway/protocol/link'
import type { HeldTokenRecords } from '@byway/protocol/payment'
import type { TunnelTerms } from '@byway/protocol/wire'
import type { CircuitSource } from '../engine/circuit-source.ts'
import type { Timers } from '../proxy/timers.ts'
import type { RestStatus } from '../returns/joiner.ts'
import type { ReturnCounts, ReturnPorts } from '../returns/return-queue.ts'
import type { HopBook } from './hop-book.ts'
import type { MonthBook, SlotAuthoriser, SlotJournal } from './ports.ts'
import type { ReceiptKeys } from './receipt-keys.ts'
import type { SlotCounts } from './slot-keeper-types.ts'
import type { SpendingStatus } from './spending.ts'
import type { TunnelPayer } from './tunnel-payer.ts'

/** What the user is told besides the sums. */
export type MoneyNotice =
  /** Few slots are left: so many. */
  | { readonly type: 'depositLow'; readonly unshown: number }
  /** So many slots of the first so many are proved: nobody can be paid before. */
  | { readonly type: 'proving'; readonly proved: number; readonly wanted: number }
  /** So many slots may have been shown before the state was lost: none of them is used. */
  | { readonly type: 'slotsUnknown'; readonly slots: number }
  /** The budget of this month is used up: nothing more is paid until the next, or until it is raised. */
  | { readonly type: 'budgetSpent' }
  /** The records of which slots were shown are gone, not whole, or older than the chain: every slot of what was deposited until now counts as shown. */
  | { readonly type: 'recordsLost' }
  /** A hop cannot be paid now; `code` is the error's. */
  | { readonly type: 'unpayable'; readonly code: string }
  /** What is to come back could not be looked for or asked for now: it is tried again later, and nothing waits for it; `code` is the error's. At most once an hour. */
  | { readonly type: 'returnsDelayed'; readonly code: string }
  /** A hop took pay and broke its side of it; it is left alone. */
  | { readonly type: 'cheated'; readonly hop: NodeKey }

/** What a paying client needs of the program around it. */
export type ClientPayment = {
  readonly authoriser: SlotAuthoriser
  readonly journal: SlotJournal
  readonly tokens: HeldTokenRecords
  /** Signs receipts, with the keys that the authoriser put into openings. */
  readonly receipts?: ReceiptKeys | undefined
  readonly book: MonthBook
  /** Has the purse vouch for no deposit of until now, from its next start on: the records are older than the chain. */
  readonly forgetPast?: (() => Promise<void>) | undefined
  /** Takes the ledger's events. */
  readonly record: (event: ClientMoneyEvent) => Promise<void>
  /** The most to spend in a calendar month, the token's smallest part; undefined: no limit. */
  readonly budget?: bigint | undefined
  /** The dearest price step to pay (SPEC §13.1). @default 8, any */
  readonly maxPriceStep?: number | undefined
  readonly onNotice?: ((notice: MoneyNotice) => void) | undefined
  /** Asks slots back that the client is done with; absent where nothing comes back by itself. */
  readonly returns?: ReturnPorts | undefined
}

/** Where the client stands. */
export type MoneyStatus = SpendingStatus & {
  readonly slots: SlotCounts
  /** What the slots not shown yet are worth, the token's smallest part. */
  readonly unshownValue: bigint
  /** True when a tunnel that opens now finds a path on which it waits for no proof and no purchase. */
  readonly canBegin: boolean
  /** True when no tunnel that opens over a circuit in stock, or moves to its spare path, waits for a slot or for tokens. */
  readonly isProvided: boolean
  /** Slots on their way back. */
  readonly returns: ReturnCounts
  /** What deposits hold beyond whole slots; undefined where nothing comes back by itself. */
  readonly small?: RestStatus | undefined
}

export type MoneyDeps = ClientPayment & {
  readonly parameters: PaymentParameters
  readonly provider: CryptoProvider
  readonly ticketCrypto: TicketCrypto
  readonly blindTokens: Pick<BlindTokenScheme, 'publicKey' | 'blind' | 'finalise'>
  readonly randomBytes: (count: number) => Uint8Array
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly source: CircuitSource
  readonly nodeOf: (key: NodeKey) => PathNode | undefined
  /** True for the guards that tunnels move to when theirs dies. */
  readonly isGuard: (key: NodeKey) => boolean
  /** All nodes of the directory. */
  readonly nodes: () => readonly PathNode[]
  /** Paths of warm circuits and tunnels, entry first. */
  readonly paths: () => readonly (readonly PathNode[])[]
  /** Nothing may be spent any more: what runs is ended with this error. */
  readonly onStopped: (error: Error) => void
  /** A hop failed a payment: it counts against it like a circuit. */
  readonly onHopFailed: (key: NodeKey) => void
  /** Wall clock. */
  readonly nowMs: () => number
  readonly monotonicMs: () => number
  /** @default the system's */
  readonly timers?: Timers | undefined
}

/** The client's money. */
export interface Money {
  readonly status: MoneyStatus
  /** Reads what the disk has, looks at the chain if it answers, begins to buy. */
  start(signal: AbortSignal): Promise<void>
  /** Counts and pays for a guard's link. */
  meter(link: Link, guard: NodeKey): Link
  /** Which nodes are preferred, and which are not to be had. */
  readonly hops: Pick<HopBook, 'preferenceOf' | 'isTooDear' | 'standingOf'>
  /** True when a tunnel over this path can begin, and go on, with what is in stock. */
  isProvided(path: readonly PathNode[]): boolean
  /** @throws BUDGET_SPENT when nothing more may be spent, DEPOSIT_SPENT when no slot was left for an entry just now */
  requireFunds(): void
  /** @throws DEPOSIT_SPENT when there is no slot to show to another hop */
  requireSlots(): void
  /**
   * Gets what a tunnel over this path needs to begin.
   * @throws PAYMENT_REFUSED when the exit does not sell it, DEPOSIT_SPENT, BUDGET_SPENT, or the signal's reason
   */
  openTunnel(
    path: readonly PathNode[],
    terms: TunnelTerms,
    signal: AbortSignal,
  ): Promise<TunnelPayer>
  /** Asks slots back, each at its own time: those that their hops take no more, or all that were shown, which are used no more then; besides, those of which nobody knows (DESIGN §7.1). Gives how many were not asked for before. */
  giveBack(isAll: boolean): Promise<number>
  /** Tells the ledger what was added up. Resolves when it has it. */
  flushBooks(): Promise<void>
  /** Ends purchases and signs last receipts, before the links are closed; {@link Money.stop} comes after that. Never rejects; takes seconds only where a hop does not answer. */
  signOff(): Promise<void>
  stop(): Promise<void>
}
