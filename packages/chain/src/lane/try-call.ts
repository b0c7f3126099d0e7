/** Tries a call as an account would send it, without sending it. */
import { isBywayError } from '@byway/protocol/base'
import type { ContractCall, Hex } from '@byway/protocol/payment'
import type { ChainReader } from '../chain-reader.ts'
import { hexOf } from '../contracts/bytes.ts'
import { revertedError } from '../contracts/reverts.ts'
import { parseHex } from '../rpc/parse.ts'
import { estimateGas } from './estimate-gas.ts'

/** What a call would cost now. */
export type TriedCall = {
  /** With some room. */
  readonly gas: bigint
  /** Of a unit of gas in the newest block, wei. */
  readonly baseFee: bigint
  /** How many entries of the batch would be carried out: what the pool's batch calls answer (SPEC §14). */
  readonly done: bigint
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
  const { baseFee, hash } = await reader.freshHead(signal)
  try {
    const gas = await estimateGas(reader.quorum, hexOf(account), call, signal)
    return { gas, baseFee, done: await doneBy(reader, account, call, hash, signal) }
  } catch (error) {
    const code = isBywayError(error) ? error.code : ''
    if (code === 'CHAIN_REVERTED' || code === 'CHAIN_GAS_CAP') return undefined
    throw error
  }
}

/** A skipped entry reverts nothing, so that the estimate says nothing of it. */
async function doneBy(
  { quorum }: ChainReader,
  account: Uint8Array,
  { to, data }: ContractCall,
  blockHash: Hex,
  signal: AbortSignal,
): Promise<bigint> {
  const request = { from: hexOf(account), data: hexOf(data), ...(to ? { to: hexOf(to) } : {}) }
  const params = [request, { blockHash }]
  const answer = await quorum.agree({ method: 'eth_call', params, parse: parseHex }, signal)
  if (answer.type === 'revert') throw revertedError(answer.data)
  const count = answer.value.slice(0, WORD_DIGITS)
  return count.length === WORD_DIGITS ? BigInt(count) : 0n
}

/** `0x` and 32 bytes. */
const WORD_DIGITS = 66
