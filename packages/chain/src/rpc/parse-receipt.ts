/** Reads a transaction and its receipt. */
import type { Hex } from '@byway/protocol/payment'
import {
  addressOf,
  field,
  hashOf,
  numberOf,
  parseHex,
  parseLogs,
  quantityOf,
  type RawLog,
} from './parse.ts'
import type { Parse } from './quorum.ts'

export type Receipt = {
  readonly hash: Hex
  /** Who sent it: 20 bytes in lower case. */
  readonly from: Hex
  readonly block: number
  readonly blockHash: Hex
  readonly isSuccess: boolean
  readonly gasUsed: bigint
  readonly gasPrice: bigint
  readonly logs: readonly RawLog[]
}

export const parseReceipt: Parse<Receipt> = (result) => {
  const hash = hashOf(field(result, 'transactionHash'))
  const from = addressOf(field(result, 'from'))
  const blockHash = hashOf(field(result, 'blockHash'))
  const block = numberOf(field(result, 'blockNumber'))
  const status = numberOf(field(result, 'status'))
  const gasUsed = quantityOf(field(result, 'gasUsed'))
  const gasPrice = quantityOf(field(result, 'effectiveGasPrice'))
  const logs = parseLogs(field(result, 'logs'))
  const isWhole = hash && from && blockHash && block !== undefined && status !== undefined && logs
  if (!isWhole || gasUsed === undefined || gasPrice === undefined) return undefined
  return { hash, from, block, blockHash, isSuccess: status === 1, gasUsed, gasPrice, logs }
}

/** What a transaction called. */
export type TransactionCall = {
  /** Absent where it made a contract. */
  readonly to: Hex | undefined
  readonly data: Hex
  /** Absent while it is in no block. */
  readonly blockHash: Hex | undefined
}

export const parseCall: Parse<TransactionCall> = (result) => {
  const data = parseHex(field(result, 'input'))
  const to = addressOf(field(result, 'to'))
  const blockHash = hashOf(field(result, 'blockHash'))
  return data && { to, data, blockHash }
}
