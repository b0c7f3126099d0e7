/** What a registry client keeps between runs, as text: the stakes at one block. */
import { fromHex, toHex } from '@byway/protocol/base'
import type { ProvenEpoch, StakeRecord } from '@byway/protocol/directory'
import type { ChainHead, Hex } from '@byway/protocol/payment'
import type { RegistryTerms } from './registry-terms.ts'

export type StoredRegistry = RegistryTerms & {
  /** Which contract, on which chain. */
  readonly chainId: number
  readonly registry: string
  readonly block: number
  readonly blockHash: Hex
  /** Wall clock, when the chain was last seen to say so. */
  readonly seenAtMs: number
  /** The contract's first block and the newest seen, by which the ages of stakes are reckoned; null before both are known. */
  readonly span: BlockSpan | null
  readonly records: readonly StakeRecord[]
}

/** Two blocks and their times. */
export type BlockSpan = { readonly first: BlockTime; readonly head: BlockTime }
export type BlockTime = Pick<ChainHead, 'number' | 'timeS'>

/** Of the text's form: another is read anew from the chain. */
const VERSION = 5

export function formatRegistry({ records, minStake, ...rest }: StoredRegistry): string {
  const rows = records.map(
    ({ provider, nodeId, owner, stake, isUnbonding, sinceBlock, proven }) => [
      toHex(provider),
      toHex(nodeId),
      toHex(owner),
      String(stake),
      isUnbonding,
      sinceBlock,
      proven.map(({ epoch, fees }) => [epoch, String(fees)]),
    ],
  )
  return JSON.stringify({ version: VERSION, ...rest, minStake: String(minStake), records: rows })
}

/** Undefined for what is none: then the chain is read from the start. */
export function parseRegistry(text: string): StoredRegistry | undefined {
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>
    const { version, chainId, registry, minStake, block, blockHash, seenAtMs, records } = parsed
    const { feeBps, holdBps, span } = parsed
    if (version !== VERSION || typeof chainId !== 'number' || typeof registry !== 'string')
      return undefined
    if (typeof block !== 'number' || typeof seenAtMs !== 'number') return undefined
    if (typeof minStake !== 'string' || !isHash(blockHash) || !Array.isArray(records)) {
      return undefined
    }
    if (typeof feeBps !== 'number' || typeof holdBps !== 'number') return undefined
    const rows = records.map(parseRow)
    return {
      chainId,
      registry,
      minStake: BigInt(minStake),
      feeBps,
      holdBps,
      block,
      blockHash,
      seenAtMs,
      span: parseSpan(span),
      records: rows,
    }
  } catch {
    return undefined
  }
}

/** @throws for a value that is none */
function parseSpan(value: unknown): BlockSpan | null {
  if (value === null) return null
  const { first, head } = value as Record<string, unknown>
  return { first: parseTime(first), head: parseTime(head) }
}

/** @throws for a value that is none */
function parseTime(value: unknown): BlockTime {
  const { number, timeS } = value as Record<string, unknown>
  if (!Number.isSafeInteger(number) || typeof timeS !== 'number') throw new RangeError('no block')
  return { number: Number(number), timeS }
}

/** @throws for a row that is none */
function parseRow(row: unknown): StakeRecord {
  const [provider, nodeId, owner, stake, isUnbonding, sinceBlock, proven] =
    row as readonly unknown[]
  if (!Number.isSafeInteger(sinceBlock)) throw new RangeError('no block number')
  if (!Array.isArray(proven)) throw new RangeError('no epochs')
  return {
    provider: bytesOf(provider, 20),
    nodeId: bytesOf(nodeId, 32),
    owner: bytesOf(owner, 20),
    stake: BigInt(String(stake)),
    isUnbonding: isUnbonding === true,
    sinceBlock: Number(sinceBlock),
    proven: proven.map(parseEpoch),
  }
}

/** @throws for a pair that is none */
function parseEpoch(pair: unknown): ProvenEpoch {
  const [epoch, fees] = pair as readonly unknown[]
  if (!Number.isSafeInteger(epoch)) throw new RangeError('no epoch')
  return { epoch: Number(epoch), fees: BigInt(String(fees)) }
}

function bytesOf(value: unknown, length: number): Uint8Array {
  const bytes = typeof value === 'string' ? fromHex(value) : undefined
  if (bytes?.length !== length) throw new RangeError('no bytes of that length')
  return bytes
}

function isHash(value: unknown): value is Hex {
  return typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value)
}
