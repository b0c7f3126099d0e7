/**
 * What the payment code says about the chain (SPEC §14), as plain data without a chain library. Addresses (20 bytes), nullifiers, roots and node ids (32)
 * are bytes, as on the wire; hashes of blocks and transactions and signed transactions are hexadecimal text with `0x`, for they are only compared and
 * kept. Amounts are bigint counts of the token's smallest part, or of wei for gas. Times are seconds of the chain's clock.
 * @module
 */

/** Lower-case hexadecimal digits after `0x`. */
export type Hex = `0x${string}`

/** A block that enough endpoints agree on. */
export type ChainHead = { readonly number: number; readonly hash: Hex; readonly timeS: number }

/**
 * Where a slot is in its life (SPEC §14). `none`: the contract has not seen it. `locked`: held for one provider. `lapsed`: it was not bound in time, others may have it.
 * `bound`: a win was paid, later ones go to the same provider and session key. `closing`, `refunding`, `withdrawing`: asked back, the delay runs and a provider may still
 * bind. `closed`, `refunded`, `withdrawn`: nothing is left in it.
 */
export type SlotState = (typeof SLOT_STATES)[number]

/** By the contract's number of each. */
export const SLOT_STATES = [
  'none',
  'locked',
  'lapsed',
  'bound',
  'closing',
  'closed',
  'refunding',
  'refunded',
  'withdrawing',
  'withdrawn',
] as const

/** A slot's one word (SPEC §14), decoded. All zero for a slot that the contract has not seen. */
export type SlotWord = {
  /** 20 bytes: of a locked slot the provider, of a bound one the first 20 bytes of `H(provider ‖ session key)`; zeros when nobody holds it. */
  readonly holder: Uint8Array
  readonly lastIndex: number
  readonly wins: number
  readonly state: SlotState
  /** The bond is gone: two conflicting openings were shown. */
  readonly isBurned: boolean
  /** When the state began. */
  readonly timeS: number
}

/** A published root of the deposit tree. */
export type PublishedRoot = {
  readonly root: Uint8Array
  readonly publishedAtS: number
  /** When a newer one was published; absent for the newest. */
  readonly supersededAtS?: number | undefined
}

/** A leaf of the deposit tree, in the order of the contract. */
export type DepositLeaf = {
  readonly index: number
  readonly leaf: bigint
  /** Under what name it stands: the same in every deposit of one secret. */
  readonly idc: bigint
  /** Bond units. */
  readonly limit: number
}

/** A node as the registry has it. */
export type Registration = {
  /** The address under which it is registered: `provider` of SPEC §13. */
  readonly provider: Uint8Array
  readonly nodeId: Uint8Array
  /** Where its money goes. */
  readonly payout: Uint8Array
  /** Where it goes later, and from when on, seconds since 1970; undefined while no change waits. */
  readonly nextPayout: { readonly to: Uint8Array; readonly fromS: number } | undefined
  readonly stake: bigint
  /** When its owner may have the stake back, seconds since 1970; undefined while it stays. */
  readonly stakeFreeS: number | undefined
  /** Staked and not leaving. */
  readonly isActive: boolean
}

/** Where an event stands in the chain. Block and log index together name it for good, unless its block is removed. */
export type EventPlace = {
  readonly block: number
  readonly blockHash: Hex
  readonly transaction: Hex
  readonly logIndex: number
}

/** A transaction to be made: what to call and how much gas it may take at most. */
export type ContractCall = {
  /** Undefined makes a contract of `data`. */
  readonly to: Uint8Array | undefined
  readonly data: Uint8Array
  /** Native coin that goes with it, wei. */
  readonly value: bigint
  /** More than this the call never takes; a higher estimate is an error, not a bill. */
  readonly gasCap: bigint
}

/** A type-2 transaction (EIP-1559) before it is signed. */
export type UnsignedTransaction = {
  readonly chainId: number
  readonly nonce: number
  readonly to: Uint8Array | undefined
  readonly data: Uint8Array
  readonly value: bigint
  readonly gas: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
}

/** Signs for one account. The key stays behind it, in another process where it is worth something. */
export interface TransactionSigner {
  /** 20 bytes. */
  readonly address: Uint8Array
  /** The signed transaction, ready to be sent. Rejects with what the signer's own rules refuse. */
  signTransaction(transaction: UnsignedTransaction): Promise<Hex>
}

/** One signed form of a transaction. A replacement at a higher fee is another form of the same. */
export type SignedForm = {
  readonly hash: Hex
  readonly raw: Hex
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  /** The chain's head when it was first sent. */
  readonly sentAtBlock: number
}

/**
 * A transaction as it is kept on disk. `pending`: may still be mined, or unmined by a reorg. `done`: deep enough in the chain. `lost`: its nonce was used by
 * a transaction that is none of its forms.
 */
export type StoredTransaction = {
  readonly account: Uint8Array
  readonly nonce: number
  /** What it is for, such as `lock:<nullifier>`; at most one of an account has it. Never a secret. */
  readonly key: string
  readonly call: ContractCall
  /** The most that a unit of gas may cost, wei. Replacements stay within it. */
  readonly feeCap: bigint
  readonly gas: bigint
  /** Never empty; the newest last. Any of them may be the one that is mined. */
  readonly forms: readonly SignedForm[]
  readonly state: 'pending' | 'done' | 'lost'
  /** Present once it is `done`. */
  readonly receipt: TransactionReceipt | undefined
}

/** How a mined transaction went. */
export type TransactionReceipt = {
  readonly hash: Hex
  readonly block: number
  readonly blockHash: Hex
  /** False: it was mined and changed nothing. */
  readonly isSuccess: boolean
  readonly gasUsed: bigint
  /** Wei a unit of gas. */
  readonly gasPrice: bigint
}

/**
 * Keeps the transactions of a machine's accounts. **`put` resolves only when the disk has it**: a transaction is sent after that and never before, so whatever was
 * sent is known after any restart.
 */
export interface RawTransactionStore {
  /** Writes a transaction in place of the one with the same account and nonce. Rejects when its key belongs to another nonce that is not `lost`. */
  put(transaction: StoredTransaction): Promise<void>
  /** The pending ones of an account, by rising nonce. */
  pending(account: Uint8Array): Promise<readonly StoredTransaction[]>
  /** The newest transaction with a key, whatever its state. */
  byKey(account: Uint8Array, key: string): Promise<StoredTransaction | undefined>
}
