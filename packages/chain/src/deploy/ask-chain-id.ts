/** Which chain endpoints serve, before anything else is asked of them. */
import { chainError } from '../errors.ts'
import { numberOf } from '../rpc/parse.ts'
import { createRpcEndpoint } from '../rpc/endpoint.ts'

/**
 * The chain id on which all endpoints agree.
 * @throws CHAIN_UNREACHABLE when one does not answer, CHAIN_DISAGREE when they serve different chains, or the signal's reason
 */
export async function askChainId(rpcUrls: readonly string[], signal: AbortSignal): Promise<number> {
  const nowMs = (): number => performance.now()
  const answers = await Promise.all(
    rpcUrls.map((url) => createRpcEndpoint({ url, nowMs }).ask(METHOD, [], signal)),
  )
  const ids = answers.flatMap((answer) => {
    const id = answer.type === 'result' ? numberOf(answer.result) : undefined
    return id === undefined ? [] : [id]
  })
  const [first] = ids
  const [answered, needed] = [ids.length, rpcUrls.length]
  if (first === undefined || answered < needed) {
    throw chainError('CHAIN_UNREACHABLE', {
      method: METHOD,
      answers: answered,
      needed,
      fault: 'connect',
    })
  }
  if (ids.some((id) => id !== first)) {
    throw chainError('CHAIN_DISAGREE', { method: METHOD, answers: new Set(ids).size })
  }
  return first
}

const METHOD = 'eth_chainId'
