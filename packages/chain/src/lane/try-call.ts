/** Tries a call as an account would send it, without sending it. */
import { isBywayError } from '@byway/protocol/base'
import type { ContractCall } from '@byway/protocol/payment'
import type { ChainReader } from '../chain-reader.ts'
import { hexOf } from '../contracts/bytes.ts'
import { estimateGas } from './estimate-gas.ts'

/** What a call would cost now. */
export type TriedCall = {
  /** With some room. */
  readonly gas: bigint
  /** Of a unit of gas in the newest block, wei. */
  readonly baseFee: bigint
}

/**
 * Gives what the call would cost; nothing when the contract refuses it, or it takes more gas than its cap.
 * @throws CHAIN_UNREACHABLE, CHAIN_WRONG_CHAIN, or the signal's reason
 */
export async function tryCall(
  reader: ChainReader,
  account: Uint8Array,
  call: ContractCall,
  signal: AbortSignal,
): Promise<TriedCall | undefined> {
  const { baseFee } = await reader.freshHead(signal)
  try {
    return { gas: await estimateGas(reader.quorum, hexOf(account), call, signal), baseFee }
  } catch (error) {
    const code = isBywayError(error) ? error.code : ''
    if (code === 'CHAIN_REVERTED' || code === 'CHAIN_GAS_CAP') return undefined
    throw error
  }
}
