/**
 * The rule by which endpoints are believed (ADR-0009): an answer counts when at least two endpoints give it and none gives another. Questions name their
 * block by hash, so that honest endpoints cannot differ. One endpoint is enough only where the network is local.
 */
import { chainError, type EndpointFault } from '../errors.ts'
import type { RpcAnswer, RpcEndpoint, RpcError } from './endpoint.ts'

/** What a person may have to act on: an endpoint lies, or is out of reach. `endpoint` counts from 0 in the order of the network file. */
export type EndpointAlert =
  | { readonly type: 'disagree'; readonly method: string }
  | { readonly type: 'down'; readonly endpoint: number; readonly fault: EndpointFault }
  | { readonly type: 'back'; readonly endpoint: number }

export type QuorumOptions = {
  readonly endpoints: readonly RpcEndpoint[]
  readonly chainId: number
  /** True in a local network: one endpoint, which is this machine's own, may stand alone. */
  readonly isLocal: boolean
  readonly onAlert: (alert: EndpointAlert) => void
}

/** Reads an answer; undefined when it has not the form it must have. */
export type Parse<Value> = (result: unknown) => Value | undefined

/** What the chain said: a value, or the contract's refusal with its encoded error. */
export type Agreed<Value> =
  | { readonly type: 'value'; readonly value: Value }
  | { readonly type: 'revert'; readonly data: string | undefined }

export interface Quorum {
  /** Endpoints that must answer the same. */
  readonly needed: number
  /**
   * Asks every endpoint. A revert is an answer as well.
   * @throws CHAIN_UNREACHABLE, CHAIN_DISAGREE, CHAIN_WRONG_CHAIN, or the signal's reason
   */
  agree<Value>(question: Question<Value>, signal: AbortSignal): Promise<Agreed<Value>>
  /** Asks every endpoint and gives what came, unjudged; for heads and for what cannot hurt when it is wrong. @throws the signal's reason, CHAIN_WRONG_CHAIN */
  askAll(
    method: string,
    params: readonly unknown[],
    signal: AbortSignal,
  ): Promise<readonly RpcAnswer[]>
  /** Reports answers that differ. */
  disagree(method: string, answers: number): Error
}

export type Question<Value> = {
  readonly method: string
  readonly params: readonly unknown[]
  readonly parse: Parse<Value>
}

/** Creates the rule over endpoints. @throws CHAIN_ENDPOINTS when there are too few */
export function createQuorum(options: QuorumOptions): Quorum {
  const { endpoints, onAlert } = options
  const needed = options.isLocal && endpoints.length === 1 ? 1 : 2
  if (endpoints.length < needed) {
    throw chainError('CHAIN_ENDPOINTS', { endpoints: endpoints.length, needed })
  }
  const watched = endpoints.map((endpoint, index) => watch(endpoint, index, options))
  const disagree = (method: string, answers: number): Error => {
    onAlert({ type: 'disagree', method })
    return chainError('CHAIN_DISAGREE', { method, answers })
  }
  const askAll: Quorum['askAll'] = (method, params, signal) =>
    Promise.all(watched.map((endpoint) => endpoint.ask(method, params, signal)))
  return {
    needed,
    askAll,
    disagree,
    async agree(question, signal) {
      const { method, params, parse } = question
      const answers = await askAll(method, params, signal)
      const read = answers.map((answer) => readAnswer(answer, parse))
      const usable = read.filter((each) => each.type !== 'fault')
      const different = new Set(usable.map(canonical)).size
      if (different > 1) throw disagree(method, different)
      const [first] = usable
      if (first && usable.length >= needed) return first
      const [fault] = read.filter((each) => each.type === 'fault').toReversed()
      throw unreachable(method, usable.length, needed, fault?.fault ?? 'none')
    },
  }
}

/** The error for too few answers. */
export function unreachable(
  method: string,
  answers: number,
  needed: number,
  fault: EndpointFault,
): Error {
  return chainError('CHAIN_UNREACHABLE', { method, answers, needed, fault })
}

type Read<Value> = Agreed<Value> | { readonly type: 'fault'; readonly fault: EndpointFault }

function readAnswer<Value>(answer: RpcAnswer, parse: Parse<Value>): Read<Value> {
  if (answer.type === 'fault') return answer
  if (answer.type === 'error') {
    return isRevert(answer.error)
      ? { type: 'revert', data: answer.error.data?.toLowerCase() }
      : { type: 'fault', fault: 'rpc' }
  }
  const value = parse(answer.result)
  return value === undefined ? { type: 'fault', fault: 'format' } : { type: 'value', value }
}

/** Code 3 is go-ethereum's for reverts; others say it in words. */
export function isRevert({ code, message }: RpcError): boolean {
  return code === 3 || /revert/i.test(message)
}

/** Watches for outages, and asks an endpoint once which chain it serves. */
function watch(endpoint: RpcEndpoint, index: number, options: QuorumOptions): RpcEndpoint {
  let isKnown = false
  let isDown = false
  const ask: RpcEndpoint['ask'] = async (method, params, signal) => {
    const answer = await endpoint.ask(method, params, signal)
    const fault = answer.type === 'fault' ? answer.fault : undefined
    if (fault !== undefined && !isDown) options.onAlert({ type: 'down', endpoint: index, fault })
    if (fault === undefined && isDown) options.onAlert({ type: 'back', endpoint: index })
    isDown = fault !== undefined
    return answer
  }
  return {
    async ask(method, params, signal) {
      if (!isKnown) {
        const answer = await ask('eth_chainId', [], signal)
        if (answer.type !== 'result') return answer
        const found = Number(answer.result)
        if (found !== options.chainId) {
          throw chainError('CHAIN_WRONG_CHAIN', { expected: options.chainId, found })
        }
        isKnown = true
      }
      return ask(method, params, signal)
    },
  }
}

/** One text for equal values. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return `${each}n`
    return each instanceof Uint8Array ? `bytes ${Buffer.from(each).toString('hex')}` : each
  })
}
