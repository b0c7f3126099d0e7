/** How much gas a call takes. An endpoint that exaggerates gains nothing: the call's own cap holds, and what is not used is not paid. */
import type { ContractCall, Hex } from '@byway/protocol/payment'
import { hexOf } from '../contracts/bytes.ts'
import { revertedError } from '../contracts/reverts.ts'
import { chainError } from '../errors.ts'
import { parseQuantity } from '../rpc/parse.ts'
import { isRevert, unreachable, type Agreed, type Quorum } from '../rpc/quorum.ts'

/** The state may change between the estimate and the block. */
const MARGIN_PERCENT = 25n

/** @throws CHAIN_REVERTED, CHAIN_GAS_CAP, CHAIN_UNREACHABLE, CHAIN_WRONG_CHAIN, or the signal's reason */
export async function estimateGas(
  quorum: Quorum,
  account: Hex,
  call: ContractCall,
  signal: AbortSignal,
): Promise<bigint> {
  const { to, data, value, gasCap } = call
  const request = {
    from: account,
    data: hexOf(data),
    value: `0x${value.toString(16)}`,
    ...(to ? { to: hexOf(to) } : {}),
  }
  const asked = await askGas(quorum, request, signal)
  if (asked.type === 'revert') throw revertedError(asked.data)
  const { value: gas } = asked
  if (gas > gasCap) throw chainError('CHAIN_GAS_CAP', { gas: Number(gas), gasCap: Number(gasCap) })
  const wanted = gas + (gas * MARGIN_PERCENT) / 100n
  return wanted < gasCap ? wanted : gasCap
}

/**
 * What the endpoints say that a call takes: the largest that one says.
 * @throws CHAIN_UNREACHABLE, CHAIN_WRONG_CHAIN, or the signal's reason
 */
export async function askGas(
  quorum: Quorum,
  request: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Agreed<bigint>> {
  const answers = await quorum.askAll(METHOD, [request, 'pending'], signal)
  const estimates: bigint[] = []
  const refusals: (string | undefined)[] = []
  for (const answer of answers) {
    const gas = answer.type === 'result' ? parseQuantity(answer.result) : undefined
    if (gas !== undefined) estimates.push(gas)
    if (answer.type === 'error' && isRevert(answer.error)) refusals.push(answer.error.data)
  }
  if (estimates.length + refusals.length < quorum.needed) {
    throw unreachable(METHOD, estimates.length + refusals.length, quorum.needed, 'rpc')
  }
  if (estimates.length === 0) return { type: 'revert', data: refusals[0]?.toLowerCase() }
  return { type: 'value', value: estimates.reduce((most, each) => (each > most ? each : most)) }
}

const METHOD = 'eth_estimateGas'
