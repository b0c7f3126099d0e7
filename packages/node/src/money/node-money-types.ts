/** Payment of one node, as the rest of the node sees it. */
import type { ChainAnswerer, ChainView } from '@byway/chain'
import type { Logger } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { MoneyEventSink } from '@byway/protocol/ledger'
import type { BalanceRecords, ReceiptCrypto, TokenKeyRecords } from '@byway/protocol/payment'
import type { SlotVerifier } from '@byway/protocol/ticket'
import type { Opening } from '@byway/protocol/wire'
import type {
  CommitKeyRecords,
  OpeningRecords,
  ReceiptRecords,
  SlotWordRecords,
  SpentTokenRecords,
  StoreHealth,
  Winner,
  WinnerRecords,
} from '@byway/store'
import type { ExitMoney } from '../exit/exit-service.ts'
import type { LinkMoney } from '../node-links.ts'
import type { ProofShelf } from '../redemption/proof-links.ts'
import type { RedeemerService } from '../redemption/redeemer-service.ts'
import type { Relayer } from '../redemption/relayer.ts'
import type { RelayMoney } from '../relay/ports.ts'
import type { MoneyTotals } from './books.ts'

/** What a paid node's money needs of the store. */
export type MoneyStore = {
  readonly commitKeys: CommitKeyRecords
  readonly openings: OpeningRecords
  readonly slotWords: SlotWordRecords
  readonly winners: WinnerRecords
  readonly spentTokens: SpentTokenRecords
  readonly tokenKeys: TokenKeyRecords
  readonly balances: BalanceRecords
  /** Wanted where {@link NodePaymentOptions.receipts} is. */
  readonly receipts?: ReceiptRecords
  readonly ledger: MoneyEventSink
  /** Asked at each ticket. */
  readonly health: StoreHealth
}

/** How a node is paid. */
export type NodePaymentOptions = {
  readonly chain: Pick<ChainView, 'head' | 'slot' | 'publishedRoot'>
  readonly store: MoneyStore
  /** Judges slot proofs, off the event loop. */
  readonly verifier: SlotVerifier
  /** The address under which the node is registered, 20 bytes (SPEC §13.1). */
  readonly provider: Uint8Array
  /** SPEC §13.1, 0 to 8; 0 is free: then nothing is held and no token asked for. */
  readonly priceStep: number
  /** A winning ticket is on disk: lock its slot. Must not throw. */
  readonly onWin?: ((winner: Winner) => void) | undefined
  /** A slot pays so much that it will win soon: lock it ahead (DESIGN §7.1). Called once for a slot; must not throw. */
  readonly onBulk?: ((slot: Pick<Opening, 'nullifier'>) => void) | undefined
  /** Checks clients' receipts, in a network with service proofs. */
  readonly receipts?: Pick<ReceiptCrypto, 'isOf'> | undefined
  /** Sends others' claims for a fee (SPEC §15.7); absent where the node does not. */
  readonly redeemer?: Pick<RedeemerService, 'take'> | undefined
  /** Sends slots back to their owners for a fee (SPEC §15.8); absent where the node does not. */
  readonly relayer?: Pick<Relayer, 'ask' | 'take'> | undefined
  /** Tells clients what the chain says (SPEC §15.9); absent where the node does not. */
  readonly chainAnswers?: ChainAnswerer | undefined
  /** Service proofs to show (SPEC §17.6); absent in a network without them. */
  readonly proofs?: ProofShelf | undefined
}

/** What the descriptor says of payment (SPEC §10.1). */
export type MoneyFacts = {
  readonly provider: Uint8Array | undefined
  readonly priceStep: number
  readonly tokenKeysHash: Uint8Array | undefined
}

/** Numbers only. */
export type MoneyStatus = MoneyTotals & {
  /** Links, circuits and tunnels at which something waits for pay. */
  readonly held: number
  readonly heldBytes: number
  readonly slots: number
  readonly controlCircuits: number
  /** Of clients about the chain, answered or refused. */
  readonly chainQuestions: number
}

/** Payment of a running node. */
export interface NodeMoney extends AsyncDisposable {
  readonly relay: RelayMoney
  readonly exit: ExitMoney
  readonly links: LinkMoney
  readonly facts: MoneyFacts
  readonly status: MoneyStatus
  /** Tells the ledger what was added up since it was told last. Resolves when it has it. */
  flushBooks(): Promise<void>
}

export type NodeMoneyDeps = NodePaymentOptions & {
  readonly parameters: PaymentParameters
  readonly nodeId: Uint8Array
  /** The token keys have changed: a new edition of the descriptor is due. */
  readonly onKeysChanged: () => void
  readonly log: Logger
}
