/** A block's header in RLP, as its hash covers it: what shows a contract an earlier block's randomness (SPEC §17.5). */
import { keccak256, toRlp } from 'viem/utils'
import type { Hex } from '@byway/protocol/payment'
import { field } from '../rpc/parse.ts'

/** In the order in which they are hashed; the last ones came with later forks, and are there or not. */
const FIELDS = [
  'parentHash',
  'sha3Uncles',
  'miner',
  'stateRoot',
  'transactionsRoot',
  'receiptsRoot',
  'logsBloom',
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'extraData',
  'mixHash',
  'nonce',
] as const
const LATER_FIELDS = [
  'baseFeePerGas',
  'withdrawalsRoot',
  'blobGasUsed',
  'excessBlobGas',
  'parentBeaconBlockRoot',
  'requestsHash',
] as const

/** Numbers, which have no zeros in front; all others are bytes. */
const NUMBERS: ReadonlySet<string> = new Set([
  'difficulty',
  'number',
  'gasLimit',
  'gasUsed',
  'timestamp',
  'baseFeePerGas',
  'blobGasUsed',
  'excessBlobGas',
])

/** The header of a block as an endpoint tells it; undefined when it has not the hash that it says. */
export function encodeHeader(block: unknown): Hex | undefined {
  const later = LATER_FIELDS.filter((name) => typeof field(block, name) === 'string')
  const values = [...FIELDS, ...later].map((name) => valueOf(name, field(block, name)))
  if (!values.every((value) => value !== undefined)) return undefined
  const header = toRlp(values)
  return keccak256(header) === field(block, 'hash') ? header : undefined
}

function valueOf(name: string, value: unknown): Hex | undefined {
  if (typeof value !== 'string' || !/^0x[0-9a-f]*$/.test(value)) return undefined
  if (!NUMBERS.has(name)) return value.length % 2 === 0 ? (value as Hex) : undefined
  const digits = value.slice(2).replace(/^0+/, '')
  return `0x${digits.length % 2 === 1 ? '0' : ''}${digits}`
}
