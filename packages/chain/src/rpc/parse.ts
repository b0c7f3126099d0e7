/** Reads the chain's JSON: each function gives undefined for what has not its form. Nothing here trusts an endpoint. */
import type { ChainHead, Hex } from '@byway/protocol/payment'
import type { Parse } from './quorum.ts'

/** What is needed of a block. */
export type BlockHeader = ChainHead & {
  readonly parentHash: Hex
  readonly baseFee: bigint
  /** Of a head, where its hash proves it: in which contracts there can be logs. */
  readonly bloom?: Hex | undefined
}

/** A log of a contract. */
export type RawLog = {
  readonly address: Hex
  readonly topics: readonly Hex[]
  readonly data: Hex
  readonly block: number
  readonly blockHash: Hex
  readonly transaction: Hex
  readonly logIndex: number
}

export const parseBlock: Parse<BlockHeader> = (result) => {
  const number = numberOf(field(result, 'number'))
  const hash = hashOf(field(result, 'hash'))
  const parentHash = hashOf(field(result, 'parentHash'))
  const timeS = numberOf(field(result, 'timestamp'))
  const baseFee = quantityOf(field(result, 'baseFeePerGas') ?? '0x0')
  return number !== undefined && hash && parentHash && timeS !== undefined && baseFee !== undefined
    ? { number, hash, parentHash, timeS, baseFee }
    : undefined
}

export const parseLogs: Parse<readonly RawLog[]> = (result) => {
  if (!Array.isArray(result)) return undefined
  const logs = result.map(parseLog)
  return logs.every((log) => log !== undefined) ? logs : undefined
}

/** Bytes as the chain writes them; lower case. */
export const parseHex: Parse<Hex> = (result) => hexOf(result, /^0x(?:[0-9a-f]{2})*$/)

export const parseQuantity: Parse<bigint> = (result) => quantityOf(result)

export const parseHash: Parse<Hex> = (result) => hashOf(result)

/** A field of an object that came as JSON. */
export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

export function numberOf(value: unknown): number | undefined {
  const quantity = quantityOf(value)
  return quantity !== undefined && quantity <= MAX_NUMBER ? Number(quantity) : undefined
}

export function quantityOf(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(value)
    ? BigInt(value)
    : undefined
}

export function hashOf(value: unknown): Hex | undefined {
  return hexOf(value, /^0x[0-9a-f]{64}$/)
}

export function addressOf(value: unknown): Hex | undefined {
  return hexOf(value, /^0x[0-9a-f]{40}$/)
}

function hexOf(value: unknown, form: RegExp): Hex | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.toLowerCase()
  return form.test(text) ? (text as Hex) : undefined
}

function parseLog(value: unknown): RawLog | undefined {
  const address = addressOf(field(value, 'address'))
  const data = parseHex(field(value, 'data'))
  const block = numberOf(field(value, 'blockNumber'))
  const blockHash = hashOf(field(value, 'blockHash'))
  const transaction = hashOf(field(value, 'transactionHash'))
  const logIndex = numberOf(field(value, 'logIndex'))
  const topics = field(value, 'topics')
  const all = Array.isArray(topics) ? topics.map(hashOf) : [undefined]
  const isWhole = address && data && blockHash && transaction && isAll(all)
  if (!isWhole || block === undefined || logIndex === undefined) return undefined
  return { address, topics: all, data, block, blockHash, transaction, logIndex }
}

function isAll(topics: readonly (Hex | undefined)[]): topics is readonly Hex[] {
  return topics.every((topic) => topic !== undefined)
}

/** Beyond it a number is not exact. */
const MAX_NUMBER = BigInt(Number.MAX_SAFE_INTEGER)
