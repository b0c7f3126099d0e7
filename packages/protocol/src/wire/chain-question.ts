/**
 * What a client asks a node about the network's own contracts (SPEC §15.9). No contract's address travels: it is the network file's, and a question about anything else
 * cannot be written down.
 *
 * ```text
 * head      nothing: the newest block
 * block     u64 number
 * logs      u8 contracts ‖ u64 from ‖ u64 to ‖ u32 skip
 * logs of   u8 contracts ‖ block hash[32] ‖ u32 skip
 * call      u8 contract ‖ block hash[32] ‖ u16 n ‖ data[n]
 * receipt   transaction hash[32]
 * balance   account[20] ‖ block hash[32]
 * nonce     account[20] ‖ block hash[32]
 * gas       account[20] ‖ u8 contract ‖ u16 n ‖ data[n]
 * send      u16 n ‖ transaction[n]
 * ```
 * @module
 */
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import { CHAIN_ADDRESS_BYTES, FIELD_BYTES } from './opening.ts'

/** SPEC §15.9. */
export const CHAIN_QUESTION = {
  HEAD: 0,
  BLOCK: 1,
  LOGS: 2,
  LOGS_OF: 3,
  CALL: 4,
  RECEIPT: 5,
  BALANCE: 6,
  NONCE: 7,
  GAS: 8,
  SEND: 9,
} as const
export type ChainQuestionKind = (typeof CHAIN_QUESTION)[keyof typeof CHAIN_QUESTION]

/** SPEC §15.9: the contracts of a network. In `contracts` of a question for logs, bit `1 << contract`. */
export const CHAIN_CONTRACT = { POOL: 0, REGISTRY: 1, PROOFS: 2, TOKEN: 3 } as const
export type ChainContract = (typeof CHAIN_CONTRACT)[keyof typeof CHAIN_CONTRACT]

/** SPEC §15.9: blocks of one question for logs. */
export const MAX_CHAIN_LOG_BLOCKS = 5000
/** SPEC §15.9: bytes of a call. */
export const MAX_CHAIN_CALL_BYTES = 2048
/** SPEC §15.9: bytes of a signed transaction. */
export const MAX_CHAIN_TRANSACTION_BYTES = 4096
/** SPEC §15.9: what `contracts` may name: the pool, the registry, the contract of service proofs. */
const ALL_LOGGED = 0b111

type Kinds = typeof CHAIN_QUESTION

/** Logs of whole contracts: no question names a topic. `skip`: so many of them have come already. */
export type ChainLogsQuestion = {
  readonly kind: Kinds['LOGS']
  /** Which of the contracts, by bits. */
  readonly contracts: number
  /** Both included. */
  readonly from: number
  readonly to: number
  readonly skip: number
}

export type ChainLogsOfQuestion = {
  readonly kind: Kinds['LOGS_OF']
  readonly contracts: number
  readonly blockHash: Uint8Array
  readonly skip: number
}

/** Narrow on `kind`. Every byte field is a copy; hashes have 32 bytes, accounts 20. */
export type ChainQuestion =
  | { readonly kind: Kinds['HEAD'] }
  | { readonly kind: Kinds['BLOCK']; readonly number: number }
  | ChainLogsQuestion
  | ChainLogsOfQuestion
  | {
      readonly kind: Kinds['CALL']
      readonly contract: ChainContract
      readonly blockHash: Uint8Array
      readonly data: Uint8Array
    }
  | { readonly kind: Kinds['RECEIPT']; readonly transaction: Uint8Array }
  | {
      readonly kind: Kinds['BALANCE' | 'NONCE']
      readonly account: Uint8Array
      readonly blockHash: Uint8Array
    }
  | {
      readonly kind: Kinds['GAS']
      readonly account: Uint8Array
      readonly contract: ChainContract
      readonly data: Uint8Array
    }
  | { readonly kind: Kinds['SEND']; readonly transaction: Uint8Array }

/** Bytes of a question, its kind included. */
export function chainQuestionBytes(question: ChainQuestion): number {
  switch (question.kind) {
    case CHAIN_QUESTION.HEAD:
      return 1
    case CHAIN_QUESTION.BLOCK:
      return 1 + 8
    case CHAIN_QUESTION.LOGS:
      return 1 + 1 + 8 + 8 + 4
    case CHAIN_QUESTION.LOGS_OF:
      return 1 + 1 + FIELD_BYTES + 4
    case CHAIN_QUESTION.CALL:
      return 1 + 1 + FIELD_BYTES + 2 + question.data.length
    case CHAIN_QUESTION.RECEIPT:
      return 1 + FIELD_BYTES
    case CHAIN_QUESTION.BALANCE:
    case CHAIN_QUESTION.NONCE:
      return 1 + CHAIN_ADDRESS_BYTES + FIELD_BYTES
    case CHAIN_QUESTION.GAS:
      return 1 + CHAIN_ADDRESS_BYTES + 1 + 2 + question.data.length
    case CHAIN_QUESTION.SEND:
      return 1 + 2 + question.transaction.length
  }
}

/** Reads a question in the midst of something longer. @throws WIRE_LENGTH, WIRE_VALUE */
export function readChainQuestion(reader: ByteReader): ChainQuestion {
  const kind = reader.u8('chainQuestion')
  switch (kind) {
    case CHAIN_QUESTION.HEAD:
      return { kind }
    case CHAIN_QUESTION.BLOCK:
      return { kind, number: reader.u64('number') }
    case CHAIN_QUESTION.LOGS:
      return readLogs(reader)
    case CHAIN_QUESTION.LOGS_OF:
      return {
        kind,
        contracts: readContracts(reader),
        blockHash: reader.copy(FIELD_BYTES, 'blockHash'),
        skip: reader.u32('skip'),
      }
    case CHAIN_QUESTION.CALL:
      return {
        kind,
        contract: readContract(reader),
        blockHash: reader.copy(FIELD_BYTES, 'blockHash'),
        data: readSized(reader, MAX_CHAIN_CALL_BYTES, 'data'),
      }
    case CHAIN_QUESTION.RECEIPT:
      return { kind, transaction: reader.copy(FIELD_BYTES, 'transaction') }
    case CHAIN_QUESTION.BALANCE:
    case CHAIN_QUESTION.NONCE:
      return {
        kind,
        account: reader.copy(CHAIN_ADDRESS_BYTES, 'account'),
        blockHash: reader.copy(FIELD_BYTES, 'blockHash'),
      }
    case CHAIN_QUESTION.GAS:
      return {
        kind,
        account: reader.copy(CHAIN_ADDRESS_BYTES, 'account'),
        contract: readContract(reader),
        data: readSized(reader, MAX_CHAIN_CALL_BYTES, 'data'),
      }
    case CHAIN_QUESTION.SEND:
      return { kind, transaction: readSized(reader, MAX_CHAIN_TRANSACTION_BYTES, 'transaction') }
    default:
      throw wireError('WIRE_VALUE', { field: 'chainQuestion', value: kind })
  }
}

/** Writes a question. @throws WIRE_ENCODE */
export function writeChainQuestion(writer: ByteWriter, question: ChainQuestion): void {
  writer.u8(question.kind, 'chainQuestion')
  switch (question.kind) {
    case CHAIN_QUESTION.HEAD:
      break
    case CHAIN_QUESTION.BLOCK:
      writer.u64(question.number, 'number')
      break
    case CHAIN_QUESTION.LOGS:
      requireLogs(question)
      writer.u8(question.contracts, 'contracts').u64(question.from, 'from')
      writer.u64(question.to, 'to').u32(question.skip, 'skip')
      break
    case CHAIN_QUESTION.LOGS_OF:
      if (!isLogged(question.contracts)) throw wireError('WIRE_ENCODE', { field: 'contracts' })
      writer
        .u8(question.contracts, 'contracts')
        .fixed(question.blockHash, FIELD_BYTES, 'blockHash')
        .u32(question.skip, 'skip')
      break
    case CHAIN_QUESTION.CALL:
      writer.u8(question.contract, 'contract').fixed(question.blockHash, FIELD_BYTES, 'blockHash')
      writeSized(writer, question.data, MAX_CHAIN_CALL_BYTES, 'data')
      break
    case CHAIN_QUESTION.RECEIPT:
      writer.fixed(question.transaction, FIELD_BYTES, 'transaction')
      break
    case CHAIN_QUESTION.BALANCE:
    case CHAIN_QUESTION.NONCE:
      writer
        .fixed(question.account, CHAIN_ADDRESS_BYTES, 'account')
        .fixed(question.blockHash, FIELD_BYTES, 'blockHash')
      break
    case CHAIN_QUESTION.GAS:
      writer.fixed(question.account, CHAIN_ADDRESS_BYTES, 'account')
      writer.u8(question.contract, 'contract')
      writeSized(writer, question.data, MAX_CHAIN_CALL_BYTES, 'data')
      break
    case CHAIN_QUESTION.SEND:
      writeSized(writer, question.transaction, MAX_CHAIN_TRANSACTION_BYTES, 'transaction')
      break
  }
}

function readLogs(reader: ByteReader): ChainLogsQuestion {
  const contracts = readContracts(reader)
  const [from, to] = [reader.u64('from'), reader.u64('to')]
  if (!isRange(from, to)) throw wireError('WIRE_VALUE', { field: 'to', value: to - from })
  return { kind: CHAIN_QUESTION.LOGS, contracts, from, to, skip: reader.u32('skip') }
}

function requireLogs({ contracts, from, to }: ChainLogsQuestion): void {
  if (!isLogged(contracts)) throw wireError('WIRE_ENCODE', { field: 'contracts' })
  if (!isRange(from, to)) throw wireError('WIRE_ENCODE', { field: 'to' })
}

function isRange(from: number, to: number): boolean {
  return to >= from && to - from < MAX_CHAIN_LOG_BLOCKS
}

function readContracts(reader: ByteReader): number {
  const contracts = reader.u8('contracts')
  if (isLogged(contracts)) return contracts
  throw wireError('WIRE_VALUE', { field: 'contracts', value: contracts })
}

function isLogged(contracts: number): boolean {
  return contracts > 0 && contracts <= ALL_LOGGED
}

function readContract(reader: ByteReader): ChainContract {
  const contract = reader.u8('contract')
  const known = Object.values(CHAIN_CONTRACT).find((one) => one === contract)
  if (known === undefined) throw wireError('WIRE_VALUE', { field: 'contract', value: contract })
  return known
}

/** `u16 n ‖ bytes[n]`, never empty. */
function readSized(reader: ByteReader, max: number, field: string): Uint8Array {
  const bytes = reader.u16(field)
  if (bytes === 0 || bytes > max) throw wireError('WIRE_LENGTH', { field, want: max, have: bytes })
  return reader.copy(bytes, field)
}

function writeSized(writer: ByteWriter, bytes: Uint8Array, max: number, field: string): void {
  if (bytes.length === 0 || bytes.length > max) throw wireError('WIRE_ENCODE', { field })
  writer.u16(bytes.length, field).raw(bytes, field)
}
