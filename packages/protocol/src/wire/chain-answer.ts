/**
 * What a node says of the chain (SPEC §15.9), joined from the TOLD messages of one question. Which form it has, its question says.
 *
 * ```text
 * header    u64 number ‖ hash[32] ‖ parent hash[32] ‖ u64 time ‖ u96 base fee
 * logs      u32 total ‖ set[8] ‖ log …
 * log       address[20] ‖ u8 n (0–4) ‖ n × topic[32] ‖ u64 block ‖ block hash[32] ‖ transaction hash[32] ‖ u32 index ‖ u16 n ‖ data[n]
 * receipt   hash[32] ‖ from[20] ‖ u64 block ‖ block hash[32] ‖ u8 success ‖ u64 gas used ‖ u96 gas price ‖ log …
 * quantity  u256
 * ```
 * @module
 */
import { readAmount, writeAmount } from './amount.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { wireError } from './errors.ts'
import { CHAIN_ADDRESS_BYTES, FIELD_BYTES } from './opening.ts'

/** SPEC §15.9: how a question ended. Names are those of the table. */
export const CHAIN_VERDICT = {
  OK: 0,
  NONE: 1,
  REVERTED: 2,
  TRY_LATER: 3,
  TOO_LARGE: 4,
  NOT_ALLOWED: 5,
  CHAIN_AWAY: 6,
} as const
export type ChainVerdict = (typeof CHAIN_VERDICT)[keyof typeof CHAIN_VERDICT]

/** SPEC §15.9: bytes of an answer to one question. */
export const MAX_CHAIN_ANSWER_BYTES = 48_000
/** SPEC §15.9: bytes of it in one TOLD. */
export const MAX_CHAIN_PART_BYTES = 16_000
/** SPEC §15.9: names a set of logs. */
export const LOG_SET_BYTES = 8
const MAX_TOPICS = 4
const LOG_HEADER_BYTES = CHAIN_ADDRESS_BYTES + 1 + 8 + 2 * FIELD_BYTES + 4 + 2
const PAGE_HEADER_BYTES = 4 + LOG_SET_BYTES

export type ChainHeader = {
  readonly number: number
  readonly hash: Uint8Array
  readonly parentHash: Uint8Array
  /** Seconds of the chain's clock. */
  readonly timeS: number
  /** Wei, a u96. */
  readonly baseFee: bigint
}

export type ChainLog = {
  readonly address: Uint8Array
  /** Up to four. */
  readonly topics: readonly Uint8Array[]
  readonly block: number
  readonly blockHash: Uint8Array
  readonly transaction: Uint8Array
  readonly logIndex: number
  readonly data: Uint8Array
}

/** Some of a set of logs. */
export type ChainLogPage = {
  /** Logs of the whole set. */
  readonly total: number
  /** The same for all pages of one set, and of no other. */
  readonly set: Uint8Array
  readonly logs: readonly ChainLog[]
}

export type ChainReceipt = {
  readonly hash: Uint8Array
  readonly from: Uint8Array
  readonly block: number
  readonly blockHash: Uint8Array
  readonly isSuccess: boolean
  readonly gasUsed: number
  /** Wei, a u96. */
  readonly gasPrice: bigint
  readonly logs: readonly ChainLog[]
}

/** @throws WIRE_VALUE */
export function readChainVerdict(reader: ByteReader): ChainVerdict {
  const verdict = reader.u8('chainVerdict')
  const known = Object.values(CHAIN_VERDICT).find((one) => one === verdict)
  if (known === undefined) throw wireError('WIRE_VALUE', { field: 'chainVerdict', value: verdict })
  return known
}

/** @throws WIRE_ENCODE for a base fee above a u96 */
export function encodeChainHeader(header: ChainHeader): Uint8Array {
  const writer = new ByteWriter(new Uint8Array(HEADER_BYTES))
    .u64(header.number, 'number')
    .fixed(header.hash, FIELD_BYTES, 'hash')
    .fixed(header.parentHash, FIELD_BYTES, 'parentHash')
    .u64(header.timeS, 'time')
  return writeAmount(writer, header.baseFee).done()
}

/** @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeChainHeader(body: Uint8Array): ChainHeader {
  const reader = new ByteReader(body)
  const header = {
    number: reader.u64('number'),
    hash: reader.copy(FIELD_BYTES, 'hash'),
    parentHash: reader.copy(FIELD_BYTES, 'parentHash'),
    timeS: reader.u64('time'),
    baseFee: readAmount(reader),
  }
  reader.end('header')
  return header
}

/** Bytes that a log takes in an answer. */
export function chainLogBytes({ topics, data }: ChainLog): number {
  return LOG_HEADER_BYTES + topics.length * FIELD_BYTES + data.length
}

/** How many logs from `skip` on fit into one answer; 0 where the first of them is too large for any. */
export function chainPageLength(logs: readonly ChainLog[], skip: number): number {
  let bytes = PAGE_HEADER_BYTES
  let end = skip
  for (; end < logs.length; end++) {
    const log = logs[end]
    if (log) bytes += chainLogBytes(log)
    if (bytes > MAX_CHAIN_ANSWER_BYTES) break
  }
  return Math.max(0, end - skip)
}

/** @throws WIRE_ENCODE for a log with more than four topics or 65 535 bytes */
export function encodeChainLogs({ total, set, logs }: ChainLogPage): Uint8Array {
  const bytes = logs.reduce((sum, log) => sum + chainLogBytes(log), PAGE_HEADER_BYTES)
  const writer = new ByteWriter(new Uint8Array(bytes))
    .u32(total, 'total')
    .fixed(set, LOG_SET_BYTES, 'set')
  for (const log of logs) writeLog(writer, log)
  return writer.done()
}

/** @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeChainLogs(body: Uint8Array): ChainLogPage {
  const reader = new ByteReader(body)
  const total = reader.u32('total')
  const set = reader.copy(LOG_SET_BYTES, 'set')
  return { total, set, logs: readLogs(reader) }
}

/** @throws WIRE_ENCODE */
export function encodeChainReceipt(receipt: ChainReceipt): Uint8Array {
  const bytes = receipt.logs.reduce((sum, log) => sum + chainLogBytes(log), RECEIPT_HEADER_BYTES)
  const writer = new ByteWriter(new Uint8Array(bytes))
    .fixed(receipt.hash, FIELD_BYTES, 'hash')
    .fixed(receipt.from, CHAIN_ADDRESS_BYTES, 'from')
    .u64(receipt.block, 'block')
    .fixed(receipt.blockHash, FIELD_BYTES, 'blockHash')
    .u8(receipt.isSuccess ? 1 : 0, 'success')
    .u64(receipt.gasUsed, 'gasUsed')
  writeAmount(writer, receipt.gasPrice)
  for (const log of receipt.logs) writeLog(writer, log)
  return writer.done()
}

/** @throws WIRE_LENGTH, WIRE_VALUE */
export function decodeChainReceipt(body: Uint8Array): ChainReceipt {
  const reader = new ByteReader(body)
  return {
    hash: reader.copy(FIELD_BYTES, 'hash'),
    from: reader.copy(CHAIN_ADDRESS_BYTES, 'from'),
    block: reader.u64('block'),
    blockHash: reader.copy(FIELD_BYTES, 'blockHash'),
    isSuccess: readSuccess(reader),
    gasUsed: reader.u64('gasUsed'),
    gasPrice: readAmount(reader),
    logs: readLogs(reader),
  }
}

function readSuccess(reader: ByteReader): boolean {
  const value = reader.u8('success')
  if (value > 1) throw wireError('WIRE_VALUE', { field: 'success', value })
  return value === 1
}

function writeLog(writer: ByteWriter, log: ChainLog): void {
  if (log.topics.length > MAX_TOPICS) throw wireError('WIRE_ENCODE', { field: 'topics' })
  writer.fixed(log.address, CHAIN_ADDRESS_BYTES, 'address').u8(log.topics.length, 'topics')
  for (const topic of log.topics) writer.fixed(topic, FIELD_BYTES, 'topic')
  writer
    .u64(log.block, 'block')
    .fixed(log.blockHash, FIELD_BYTES, 'blockHash')
    .fixed(log.transaction, FIELD_BYTES, 'transaction')
    .u32(log.logIndex, 'logIndex')
    .u16(log.data.length, 'data')
    .raw(log.data, 'data')
}

/** All that is left. */
function readLogs(reader: ByteReader): readonly ChainLog[] {
  const logs: ChainLog[] = []
  while (reader.left > 0) logs.push(readLog(reader))
  return logs
}

function readLog(reader: ByteReader): ChainLog {
  const address = reader.copy(CHAIN_ADDRESS_BYTES, 'address')
  const count = reader.u8('topics')
  if (count > MAX_TOPICS) throw wireError('WIRE_VALUE', { field: 'topics', value: count })
  const topics = Array.from({ length: count }, () => reader.copy(FIELD_BYTES, 'topic'))
  return {
    address,
    topics,
    block: reader.u64('block'),
    blockHash: reader.copy(FIELD_BYTES, 'blockHash'),
    transaction: reader.copy(FIELD_BYTES, 'transaction'),
    logIndex: reader.u32('logIndex'),
    data: reader.copy(reader.u16('data'), 'data'),
  }
}

const HEADER_BYTES = 8 + 2 * FIELD_BYTES + 8 + 12
const RECEIPT_HEADER_BYTES = FIELD_BYTES + CHAIN_ADDRESS_BYTES + 8 + FIELD_BYTES + 1 + 8 + 12
