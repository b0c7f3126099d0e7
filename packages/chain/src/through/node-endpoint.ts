/**
 * A node of the network as an endpoint of the chain (SPEC §15.9): what the reader asks in the chain's own words becomes a question that a node takes, and its answer the words again.
 * Whether it is true is judged where endpoints are (see rpc/quorum.ts).
 */
import { equalBytes, isBywayError } from '@byway/protocol/base'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  type ChainLog,
  type ChainLogsOfQuestion,
  type ChainLogsQuestion,
  type ChainQuestion,
  chainLogBytes,
  decodeChainHeader,
  decodeChainLogs,
  decodeChainReceipt,
} from '@byway/protocol/wire'
import { hexOf, numberOf } from '../contracts/bytes.ts'
import type { EndpointFault } from '../errors.ts'
import type { RpcAnswer, RpcEndpoint } from '../rpc/endpoint.ts'
import type { ToldChain } from './chain-answerer.ts'
import { headerJson, logJson, quantity, receiptJson } from './convert.ts'
import type { NetworkContracts } from './network-contracts.ts'
import { questionOf } from './question-of.ts'

/** Asks a node. Rejects when it cannot be asked, or with the signal's reason. */
export type AskNode = (question: ChainQuestion, signal: AbortSignal) => Promise<ToldChain>

export type NodeEndpointOptions = {
  readonly ask: AskNode
  readonly contracts: NetworkContracts
  readonly chainId: number
}

// Local limits (tunable): docs/LIMITS.md.
/** Of one question for logs, from a node that sends without end. A node tells no more than 1 MiB. */
const MAX_SET_BYTES = 2 * 1024 * 1024
/** How often the pages of one set are begun anew because it changed meanwhile. */
const MAX_BEGINNINGS = 3

/** Creates it. */
export function createNodeEndpoint(options: NodeEndpointOptions): RpcEndpoint {
  const { ask, contracts, chainId } = options
  return {
    async ask(method, params, signal) {
      // A node of the network is of its chain; one that lies about it lies about every block.
      if (method === 'eth_chainId') return { type: 'result', result: quantity(chainId) }
      const question = questionOf(method, params, contracts)
      if (!question) return faultOf('rpc')
      try {
        return 'skip' in question
          ? await askLogs(ask, question, signal)
          : readAnswer(question, await ask(question, signal))
      } catch (error) {
        signal.throwIfAborted()
        return faultOf(isBywayError(error) && error.kind === 'peer' ? 'format' : 'connect')
      }
    },
  }
}

function readAnswer(question: ChainQuestion, { verdict, body }: ToldChain): RpcAnswer {
  switch (verdict) {
    case CHAIN_VERDICT.OK:
      return { type: 'result', result: resultOf(question, body) }
    case CHAIN_VERDICT.NONE:
      return { type: 'result', result: null }
    case CHAIN_VERDICT.REVERTED:
      return {
        type: 'error',
        error: { ...REVERTED, data: body.length > 0 ? hexOf(body) : undefined },
      }
    case CHAIN_VERDICT.TRY_LATER:
      return faultOf('rate-limit')
    case CHAIN_VERDICT.TOO_LARGE:
      return faultOf('too-large')
    case CHAIN_VERDICT.NOT_ALLOWED:
      return faultOf('rpc')
    case CHAIN_VERDICT.CHAIN_AWAY:
      return faultOf('connect')
  }
}

/** Code 3 is that of a revert (rpc/quorum.ts). */
const REVERTED = { code: 3, message: 'reverted' }

/** @throws WIRE_LENGTH, WIRE_VALUE */
function resultOf(question: ChainQuestion, body: Uint8Array): unknown {
  switch (question.kind) {
    case CHAIN_QUESTION.HEAD:
    case CHAIN_QUESTION.BLOCK:
      return headerJson(decodeChainHeader(body))
    case CHAIN_QUESTION.LOGS:
    case CHAIN_QUESTION.LOGS_OF:
      return decodeChainLogs(body).logs.map(logJson)
    case CHAIN_QUESTION.CALL:
      return hexOf(body)
    case CHAIN_QUESTION.RECEIPT:
      return receiptJson(decodeChainReceipt(body))
    case CHAIN_QUESTION.BALANCE:
    case CHAIN_QUESTION.NONCE:
    case CHAIN_QUESTION.GAS:
      return quantity(numberOf(body))
    case CHAIN_QUESTION.SEND:
      // What the reader would take a hash for; the chain says what became of the transaction.
      return '0x'
  }
}

type LogsQuestion = ChainLogsQuestion | ChainLogsOfQuestion

/** All pages; of a range that is too large for the node its two halves. */
async function askLogs(
  ask: AskNode,
  question: LogsQuestion,
  signal: AbortSignal,
): Promise<RpcAnswer> {
  const whole = await askSet(ask, question, signal)
  const isTooLarge = whole.type === 'fault' && whole.fault === 'too-large'
  if (!isTooLarge || question.kind !== CHAIN_QUESTION.LOGS || question.from === question.to) {
    return whole
  }
  const middle = Math.floor((question.from + question.to) / 2)
  const first = await askLogs(ask, { ...question, to: middle }, signal)
  if (first.type !== 'result') return first
  const second = await askLogs(ask, { ...question, from: middle + 1 }, signal)
  if (second.type !== 'result') return second
  return { type: 'result', result: [first.result, second.result].flat() }
}

async function askSet(
  ask: AskNode,
  question: LogsQuestion,
  signal: AbortSignal,
): Promise<RpcAnswer> {
  let logs: ChainLog[] = []
  let set: Uint8Array | undefined
  let bytes = 0
  for (let beginnings = 1; beginnings <= MAX_BEGINNINGS;) {
    const told = await ask({ ...question, skip: logs.length }, signal)
    if (told.verdict !== CHAIN_VERDICT.OK) return readAnswer(question, told)
    const page = decodeChainLogs(told.body)
    if (set && !equalBytes(set, page.set)) {
      // A block was added or taken back while the pages came.
      beginnings++
      set = undefined
      logs = []
      continue
    }
    set = page.set
    logs = [...logs, ...page.logs]
    bytes += page.logs.reduce((sum, log) => sum + chainLogBytes(log), 0)
    if (bytes > MAX_SET_BYTES) return faultOf('too-large')
    if (logs.length === page.total) return { type: 'result', result: logs.map(logJson) }
    if (logs.length > page.total || page.logs.length === 0) return faultOf('format')
  }
  return faultOf('format')
}

function faultOf(fault: EndpointFault): RpcAnswer {
  return { type: 'fault', fault }
}
