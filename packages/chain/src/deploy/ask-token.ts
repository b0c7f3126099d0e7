/** What a token says of itself, before anybody pays in it. */
import { decodeFunctionResult, encodeFunctionData, parseAbi } from 'viem/utils'
import type { Hex } from '@byway/protocol/payment'
import type { ChainReader } from '../chain-reader.ts'
import { hexOf } from '../contracts/bytes.ts'
import { chainError } from '../errors.ts'

export type TokenFacts = {
  readonly symbol: string
  readonly decimals: number
}

/**
 * Symbol and decimals (EIP-20) of the token at an address of 20 bytes.
 * @throws CHAIN_CONTRACT when what is there says neither in the usual form, and what the reader throws
 */
export async function askToken(
  reader: ChainReader,
  token: Uint8Array,
  signal: AbortSignal,
): Promise<TokenFacts> {
  const head = await reader.head(signal)
  const call = (data: Hex): Promise<Hex> => reader.call(hexOf(token), data, head, signal)
  const [symbolData, decimalsData] = await Promise.all([
    call(encodeFunctionData({ abi: TOKEN_ABI, functionName: 'symbol' })),
    call(encodeFunctionData({ abi: TOKEN_ABI, functionName: 'decimals' })),
  ])
  const facts = factsIn(symbolData, decimalsData)
  if (!facts) throw chainError('CHAIN_CONTRACT', { what: 'token' })
  return facts
}

function factsIn(symbolData: Hex, decimalsData: Hex): TokenFacts | undefined {
  try {
    const abi = TOKEN_ABI
    const symbol = decodeFunctionResult({ abi, functionName: 'symbol', data: symbolData })
    const decimals = decodeFunctionResult({ abi, functionName: 'decimals', data: decimalsData })
    return SYMBOL.test(symbol) && decimals <= MAX_DECIMALS ? { symbol, decimals } : undefined
  } catch {
    // No contract is there, or one that is no token.
    return undefined
  }
}

const TOKEN_ABI = parseAbi([
  'function symbol() view returns (string)',
  'function decimals() view returns (uint8)',
])
/** It is shown to people and stands in a file. */
const SYMBOL = /^[A-Za-z0-9.$-]{1,12}$/
/** What a network file takes. */
const MAX_DECIMALS = 18
