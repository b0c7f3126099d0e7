/** What a registry client keeps between runs, as text: the stakes at one block. */
import { fromHex, toHex } from '@byway/protocol/base'
import type { StakeRecord } from '@byway/protocol/directory'
import type { Hex } from '@byway/protocol/payment'

export type StoredRegistry = {
  /** Which contract, on which chain. */
  readonly chainId: number
  readonly registry: string
  readonly minStake: bigint
  readonly block: number
  readonly blockHash: Hex
  /** Wall clock, when the chain was last seen to say so. */
  readonly seenAtMs: number
  readonly records: readonly StakeRecord[]
}

/** Of the text's form: another is read anew from the chain. */
const VERSION = 2

export function formatRegistry({ records, minStake, ...rest }: StoredRegistry): string {
  const rows = records.map(({ provider, nodeId, stake, isUnbonding, sinceBlock }) => [
    toHex(provider),
    toHex(nodeId),
    String(stake),
    isUnbonding,
    sinceBlock,
  ])
  return JSON.stringify({ version: VERSION, ...rest, minStake: String(minStake), records: rows })
}

/** Undefined for what is none: then the chain is read from the start. */
export function parseRegistry(text: string): StoredRegistry | undefined {
  try {
    const { version, chainId, registry, minStake, block, blockHash, seenAtMs, records } =
      JSON.parse(text) as Record<string, unknown>
    if (version !== VERSION || typeof chainId !== 'number' || typeof registry !== 'string')
      return undefined
    if (typeof block !== 'number' || typeof seenAtMs !== 'number') return undefined
    if (typeof minStake !== 'string' || !isHash(blockHash) || !Array.isArray(records)) {
      return undefined
    }
    const rows = records.map(parseRow)
    return {
      chainId,
      registry,
      minStake: BigInt(minStake),
      block,
      blockHash,
      seenAtMs,
      records: rows,
    }
  } catch {
    return undefined
  }
}

/** @throws for a row that is none */
function parseRow(row: unknown): StakeRecord {
  const [provider, nodeId, stake, isUnbonding, sinceBlock] = row as readonly unknown[]
  if (!Number.isSafeInteger(sinceBlock)) throw new RangeError('no block number')
  return {
    provider: bytesOf(provider, 20),
    nodeId: bytesOf(nodeId, 32),
    stake: BigInt(String(stake)),
    isUnbonding: isUnbonding === true,
    sinceBlock: Number(sinceBlock),
  }
}

function bytesOf(value: unknown, length: number): Uint8Array {
  const bytes = typeof value === 'string' ? fromHex(value) : undefined
  if (bytes?.length !== length) throw new RangeError('no bytes of that length')
  return bytes
}

function isHash(value: unknown): value is Hex {
  return typeof value === 'string' && /^0x[0-9a-f]{64}$/.test(value)
}
