/** A contract's own errors as words: their names in the interfaces, never their values. */
import { decodeErrorResult } from 'viem/utils'
import type { Hex } from '@byway/protocol/payment'
import { chainError } from '../errors.ts'
import { POOL_ABI, REGISTRY_ABI, TOKEN_ABI } from './abi.ts'

/** The error for a call that the contract refuses; `data` is what came with the revert. */
export function revertedError(data: string | undefined): Error {
  return chainError('CHAIN_REVERTED', { reason: reasonOf(data) })
}

function reasonOf(data: string | undefined): string {
  if (data === undefined || !/^0x(?:[0-9a-f]{2}){4,}$/.test(data)) return 'unknown'
  try {
    return decodeErrorResult({ abi: KNOWN, data: data as Hex }).errorName
  } catch {
    return 'unknown'
  }
}

const KNOWN = [...POOL_ABI, ...REGISTRY_ABI, ...TOKEN_ABI]
