/** What a lane is told, and what its parts share. */
import type {
  Hex,
  RawTransactionStore,
  SignedForm,
  StoredTransaction,
  TransactionSigner,
} from '@byway/protocol/payment'
import type { ChainReader } from '../chain-reader.ts'
import type { BlockHeader } from '../rpc/parse.ts'
import type { LaneAlert } from '../transaction-lane.ts'
import type { Fees } from './fees.ts'
import type { PendingTransactions } from './pending.ts'

export type LaneOptions = {
  readonly reader: ChainReader
  readonly chainId: number
  readonly signer: TransactionSigner
  readonly store: RawTransactionStore
  /** Blocks, its own included, before a transaction counts as settled. */
  readonly confirmations: number
  /** The most that a unit of gas may cost where a call does not say, wei. */
  readonly feeCap: bigint
  /** Offered to whoever makes the block, wei per unit of gas. @default 0.001 gwei */
  readonly tip?: bigint | undefined
  /** Blocks before a transaction that is not mined is replaced at a higher fee. @default 6 */
  readonly stuckBlocks?: number | undefined
  /** Must not throw. */
  readonly onAlert: (alert: LaneAlert) => void
}

/** What the parts of a lane share. */
export type LaneState = Required<Omit<LaneOptions, 'tip' | 'stuckBlocks'>> & {
  readonly tip: bigint
  readonly stuckBlocks: number
  readonly pending: PendingTransactions
  /** Signs, stores and sends another form of a transaction. The store has it before the network does. @throws CHAIN_UNSIGNED, and what the store throws */
  readonly submit: (
    transaction: Unsigned,
    fees: Fees,
    head: BlockHeader,
    signal: AbortSignal,
  ) => Promise<StoredTransaction>
  /** Forms that no endpoint has taken yet. */
  readonly unsent: ReadonlySet<Hex>
  readonly broadcast: (form: SignedForm, signal: AbortSignal) => Promise<void>
}

/** A transaction with the forms that it has so far. */
export type Unsigned = Omit<StoredTransaction, 'account' | 'state' | 'receipt'>
