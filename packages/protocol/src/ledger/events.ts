/**
 * What a client or a node tells its ledger: the events of money. Whoever moves something emits one event; the ledger turns it into
 * balanced entries (`post-node.ts`, `post-client.ts`). Nothing else writes to the books.
 *
 * Losing tickets and bytes are only counters: emitters add them up and emit one event a minute (and one at shutdown), never
 * one per ticket. Wins, claims, deposits and slots are one event each.
 *
 * A node's events never say who paid. `slot` is there for wins only: the chain shows it anyway once the win is claimed. A
 * client's name the hop, because people want to see what each hop cost; the file stays on their own disk.
 * @module
 */

/** What every event has. */
export type EventHead = {
  /**
   * Makes the event idempotent: one id is posted once, however often it is replayed. 1 to 128 characters of
   * `a–z A–Z 0–9 . : _ -`. Derive it from the thing itself where there is one (`win:<nullifier>:<index>`), with its block for what the chain may take back
   * (`log:<block hash>:<log index>`: when it happens again it is another event), else from a counter that survives restarts (`count:<start time>:<sequence>`).
   */
  readonly id: string
  /** When it happened, milliseconds since 1970. */
  readonly atMs: number
}

/** Which of a node's parts served. */
export type ServingRole = 'entry' | 'relay' | 'exit'
/** What a ticket paid for: a client's link at its entry, or tokens (SPEC §16). */
export type TicketUse = 'link' | 'tokens'
/** A kind of token (SPEC §16). */
export type TokenKindName = 'bandwidth' | 'admission' | 'bulk'
/** Tickets added up. A ticket of amount `a` is worth `a` on average; `V` is what a win pays. */
export type TicketSum = {
  readonly use: TicketUse
  readonly tickets: number
  /** What they pay for, in units of 1 MiB. */
  readonly units: number
  /** Σ a. */
  readonly amount: bigint
  /** Σ a · (V − a): the variance of what they win, from which the luck to be expected is computed. */
  readonly variance: bigint
}

/** Emitted by a node. */
export type NodeMoneyEvent = EventHead &
  (
    | /** Cells were carried: out of what was paid ahead, and out of what is free (SPEC §15.3, §15.4, control circuits). */ {
        readonly type: 'carried'
        readonly role: ServingRole
        readonly paidBytes: bigint
        readonly freeBytes: bigint
      }
    | /** Tickets that verified, won or not. */ ({ readonly type: 'tickets-received' } & TicketSum)
    | /** Blind signatures handed out. `units` is what they cost the slots: 4 each, or 0 for admission within the quota. */ {
        readonly type: 'tokens-sold'
        readonly kind: TokenKindName
        readonly count: number
        readonly units: number
      }
    | /** Tokens taken, verdict OK. `role` is who serves for them. */ {
        readonly type: 'tokens-redeemed'
        readonly kind: TokenKindName
        readonly role: ServingRole
        readonly count: number
      }
    | /** A key is honoured no more: what was sold under it and never spent. */ {
        readonly type: 'tokens-lapsed'
        readonly kind: TokenKindName
        readonly count: number
      }
    | /** A link, circuit or tunnel ended, or a slot's life did, with paid bytes left over. `from` is where they were paid to. */ {
        readonly type: 'paid-lapsed'
        readonly from: ServingRole | 'slot'
        readonly bytes: bigint
      }
    | /** A ticket won. `amount` is `V`. */ {
        readonly type: 'won'
        readonly slot: string
        readonly index: number
        readonly amount: bigint
      }
    | /** Wins were handed to the chain or to a redeemer. */ {
        readonly type: 'claimed'
        readonly wins: number
        readonly amount: bigint
      }
    | /** The chain paid: `amount = burned + redeemerFee + heldBack + received`. */ {
        readonly type: 'claim-paid'
        readonly wins: number
        readonly amount: bigint
        readonly burned: bigint
        readonly redeemerFee: bigint
        readonly heldBack: bigint
        readonly received: bigint
      }
    | /** Wins that will not be paid: another provider bound the slot, the time ran out. */ {
        readonly type: 'claim-lost'
        readonly wins: number
        readonly amount: bigint
        /** True when they had been `claimed`. */
        readonly afterClaim: boolean
      }
    | /** What was held back is free, or burned. */ {
        readonly type: 'held-back-settled'
        readonly received: bigint
        readonly burned: bigint
      }
    | /** A lock of ours, or a step of a service proof, was sent by a redeemer: its fee, out of what the pool owes us or held back, or out of the stake (SPEC §14.5, §17.5). */ {
        readonly type: 'lock-fee-paid'
        readonly from: 'purse' | 'stake'
        readonly amount: bigint
      }
    | /** Sending another provider's claims, or showing a slot used twice, brought a fee, to the account that pays the gas. */ {
        readonly type: 'fee-earned'
        readonly amount: bigint
      }
    | /** Such fees went on from that account to the owner's own. */ {
        readonly type: 'fees-moved'
        readonly amount: bigint
      }
    | /** Stake put in (positive) or taken back (negative). */ {
        readonly type: 'staked'
        readonly amount: bigint
      }
    | /** Stake taken by the contract. */ {
        readonly type: 'slashed'
        readonly amount: bigint
      }
    | PurseMoneyEvent
  )

/** Emitted by a client. `hop` is the node id, 64 lower-case hexadecimal digits (`NodeKey`). */
export type ClientMoneyEvent = EventHead &
  (
    | /** Money went into the pool under a commitment (or a voucher was taken over). */ {
        readonly type: 'deposited'
        readonly amount: bigint
      }
    | /** A deposit or a part of it came back unused (`withdrawUnused`); `fee` went to the relayer. */ {
        readonly type: 'withdrawn-unused'
        readonly amount: bigint
        readonly fee: bigint
      }
    | /** A slot was shown to a hop for the first time: `amount` is `S`. */ {
        readonly type: 'slot-shown'
        readonly hop: string
        readonly amount: bigint
      }
    | /** Tickets sent. */ ({ readonly type: 'tickets-sent'; readonly hop: string } & TicketSum)
    | /** Tickets sent that do not count: under way when their slot filled, or refused. They cost nothing and buy nothing. */ ({
        readonly type: 'tickets-void'
        readonly hop: string
      } & TicketSum)
    | /** Cells carried for this client, counted by the client itself: paid ones and free ones. */ {
        readonly type: 'used'
        readonly hop: string
        /** `link`: at an entry, paid by tickets; `tokens`: at another hop. */
        readonly use: TicketUse
        /** Below zero: so much of what was told turned out free, its tickets were void. */
        readonly paidBytes: bigint
        readonly freeBytes: bigint
      }
    | /** Tokens that were finalised and verified, and what was charged for them. */ {
        readonly type: 'tokens-bought'
        readonly hop: string
        readonly kind: TokenKindName
        readonly count: number
        readonly units: number
      }
    | /** Tokens spent, verdict OK. */ {
        readonly type: 'tokens-spent'
        readonly hop: string
        readonly kind: TokenKindName
        readonly count: number
      }
    | /** Tokens that are of no use any more: key lapsed, refused, or a reserved block after a crash. */ {
        readonly type: 'tokens-lost'
        readonly hop: string
        readonly kind: TokenKindName
        readonly count: number
      }
    | /** Paid ahead and not served: the hop stopped, the circuit ended, tickets for which no token came. `from` as in `used`, or the balance at the hop. */ {
        readonly type: 'paid-lost'
        readonly hop: string
        readonly from: TicketUse | 'balance'
        readonly bytes: bigint
      }
    | /** The chain or SLOT_FULL showed that tickets won: `amount` is wins · `V`, out of the slot. */ {
        readonly type: 'slot-won'
        readonly hop: string
        readonly wins: number
        readonly amount: bigint
      }
    | /** A slot came back (`finishRefund`, `finishClose`): `amount` of it, less the relayer's `fee`. */ {
        readonly type: 'slot-returned'
        readonly hop: string
        readonly amount: bigint
        readonly fee: bigint
      }
    | /** What deposits held beyond whole slots became one (`join`): `amount` in all, less the relayer's `fee`. */ {
        readonly type: 'leaves-joined'
        readonly amount: bigint
        readonly fee: bigint
      }
    | /** A bond was burned for conflicting openings. */ {
        readonly type: 'bond-burned'
        readonly hop: string
        readonly amount: bigint
      }
    | PurseMoneyEvent
  )

/** What both sides' purses do. */
export type PurseMoneyEvent =
  | /** Money arrived from outside. */ { readonly type: 'purse-received'; readonly amount: bigint }
  | /** Money left for the owner's own address. */ {
      readonly type: 'purse-sent'
      readonly amount: bigint
    }
  | /** Gas money arrived from outside, in wei. */ {
      readonly type: 'gas-received'
      readonly wei: bigint
    }
  | /** A transaction's gas, in wei, final or not; a replaced one is never counted twice. */ {
      readonly type: 'gas-paid'
      readonly wei: bigint
    }
  | /** Undoes an earlier event (a reorganised chain): every entry of it with the opposite sign, once. */ {
      readonly type: 'reversed'
      readonly of: string
    }

/** Anything a ledger takes. */
export type MoneyEvent = NodeMoneyEvent | ClientMoneyEvent
/** Whose books these are. */
export type LedgerSide = 'node' | 'client'

/** Where emitters put events. The store keeps them in order, durable before it resolves. */
export interface MoneyEventSink {
  /** Never throws for an id that is there already: such an event is dropped. */
  record(event: MoneyEvent): Promise<void>
}
