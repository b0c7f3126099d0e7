/** What a registry client must know of the contracts' constants, and what it makes of their events by them. */
import { decodeFunctionResult, encodeFunctionData } from 'viem/utils'
import type { PaymentParameters, ProvenChange, StakeChange } from '@byway/protocol/directory'
import type { ChainReader } from '../chain-reader.ts'
import type { ChainEvent } from '../chain-view.ts'
import { POOL_ABI, REGISTRY_ABI } from '../contracts/abi.ts'
import { hexOf } from '../contracts/bytes.ts'
import { chainError } from '../errors.ts'

/** Constants of the contracts. */
export type RegistryTerms = {
  readonly minStake: bigint
  /** Of a win: what is burned, hundredths of a percent; 0 in a network without service proofs. */
  readonly feeBps: number
  /** Of a win: what is held back until its epoch is proven; the same. */
  readonly holdBps: number
}

/** Asks the contracts. @throws what the reader throws, CHAIN_CONTRACT */
export async function readRegistryTerms(
  reader: ChainReader,
  payment: Pick<PaymentParameters, 'registry' | 'pool' | 'proofs'>,
  signal: AbortSignal,
): Promise<RegistryTerms> {
  const at = await reader.head(signal)
  const ofStake = encodeFunctionData({ abi: REGISTRY_ABI, functionName: 'minStake' })
  const answer = await reader.call(hexOf(payment.registry), ofStake, at, signal)
  const minStake = BigInt(answer === '0x' ? 0 : answer)
  if (minStake === 0n) throw chainError('CHAIN_CONTRACT', { what: 'registry' })
  if (!payment.proofs?.contract) return { minStake, feeBps: 0, holdBps: 0 }
  const functionName = 'parameters'
  const ofPool = encodeFunctionData({ abi: POOL_ABI, functionName })
  const data = await reader.call(hexOf(payment.pool), ofPool, at, signal)
  if (data === '0x') throw chainError('CHAIN_CONTRACT', { what: 'pool' })
  const { feeBps, holdBps } = decodeFunctionResult({ abi: POOL_ABI, functionName, data })
  return { minStake, feeBps, holdBps }
}

/** What an event changes of a provider's stake or of what it has proven; undefined for any other. */
export function changeOf(
  event: ChainEvent,
  { feeBps, holdBps }: RegistryTerms,
): { readonly provider: Uint8Array; readonly change: StakeChange | ProvenChange } | undefined {
  if (event.name === 'registry') {
    return event.change && { provider: event.provider, change: event.change }
  }
  if (event.name !== 'held-released') return undefined
  // What was held back and what was burned are parts of the same wins: one tells the other.
  const fees = holdBps > 0 ? (event.held * BigInt(feeBps)) / BigInt(holdBps) : 0n
  const { provider, epoch } = event
  return { provider, change: { type: 'proven', epoch, fees } }
}
