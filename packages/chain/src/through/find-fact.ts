/** Answers one question of a client by the node's own view of the chain (SPEC §15.9): what is allowed, and what the reader says. */
import { createHash } from 'node:crypto'
import { parseTransaction } from 'viem/utils'
import { isBywayError } from '@byway/protocol/base'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  type ChainLog,
  chainLogBytes,
  type ChainQuestion,
  type ChainVerdict,
  encodeChainHeader,
  encodeChainLogs,
  encodeChainReceipt,
  LOG_SET_BYTES,
} from '@byway/protocol/wire'
import type { ChainReader } from '../chain-reader.ts'
import { bytesOf, hexOf, wordOf } from '../contracts/bytes.ts'
import { askGas } from '../lane/estimate-gas.ts'
import { parseHex, type RawLog } from '../rpc/parse.ts'
import type { Agreed } from '../rpc/quorum.ts'
import { toHeader, toLog, toReceipt } from './convert.ts'
import type { NetworkContracts } from './network-contracts.ts'

/** What was found. Logs are whole: which of them fit is not judged here. */
export type Fact =
  | { readonly type: 'said'; readonly verdict: ChainVerdict; readonly body: Uint8Array }
  | LogSet

/** All logs that a question is about. */
export type LogSet = {
  readonly type: 'logs'
  readonly logs: readonly ChainLog[]
  /** What they take in answers. */
  readonly bytes: number
  /** SPEC §15.9: their name. */
  readonly set: Uint8Array
}

export type FactDeps = {
  readonly reader: ChainReader
  readonly contracts: NetworkContracts
  readonly chainId: number
}

// Local limit (tunable): docs/LIMITS.md.
/** A set of logs that is larger is not told: it would be fetched anew for each page. */
const MAX_SET_BYTES = 1024 * 1024

/** What says nothing more than its verdict. */
export function verdictOnly(verdict: ChainVerdict): Fact {
  return { type: 'said', verdict, body: new Uint8Array(0) }
}

const NOT_ALLOWED = verdictOnly(CHAIN_VERDICT.NOT_ALLOWED)
const NONE = verdictOnly(CHAIN_VERDICT.NONE)
const TRY_LATER = verdictOnly(CHAIN_VERDICT.TRY_LATER)

/** Asks the chain; an error of it, and the signal's end, are CHAIN_AWAY. @throws what is no error of ours */
export async function findFact(
  deps: FactDeps,
  question: ChainQuestion,
  signal: AbortSignal,
): Promise<Fact> {
  try {
    return await find(deps, question, signal)
  } catch (error) {
    if (!isBywayError(error) && !signal.aborted) throw error
    return verdictOnly(CHAIN_VERDICT.CHAIN_AWAY)
  }
}

async function find(deps: FactDeps, question: ChainQuestion, signal: AbortSignal): Promise<Fact> {
  const { reader } = deps
  switch (question.kind) {
    case CHAIN_QUESTION.HEAD:
      return said(encodeChainHeader(toHeader(await reader.head(signal))))
    case CHAIN_QUESTION.BLOCK: {
      // Beyond the newest one endpoints need not agree.
      if (question.number > (await reader.head(signal)).number) return NONE
      const block = await reader.block(question.number, signal)
      return block ? said(encodeChainHeader(toHeader(block))) : NONE
    }
    case CHAIN_QUESTION.LOGS:
    case CHAIN_QUESTION.LOGS_OF:
      return await findLogs(deps, question, signal)
    case CHAIN_QUESTION.CALL:
      return await findCall(deps, question, signal)
    case CHAIN_QUESTION.RECEIPT: {
      const receipt = await reader.receipt(hexOf(question.transaction), signal)
      return receipt ? said(encodeChainReceipt(toReceipt(receipt))) : NONE
    }
    case CHAIN_QUESTION.BALANCE:
    case CHAIN_QUESTION.NONCE:
      return await findAccount(deps, question, signal)
    case CHAIN_QUESTION.GAS:
      return await findGas(deps, question, signal)
    case CHAIN_QUESTION.SEND:
      return await send(deps, question.transaction, signal)
  }
}

type Of<K extends ChainQuestion['kind']> = Extract<ChainQuestion, { readonly kind: K }>

async function findLogs(
  { reader, contracts }: FactDeps,
  question: Of<2 | 3>,
  signal: AbortSignal,
): Promise<Fact> {
  const addresses = contracts.loggedOf(question.contracts)
  if (!addresses) return NOT_ALLOWED
  const head = await reader.head(signal)
  if (question.kind === CHAIN_QUESTION.LOGS) {
    const { from, to } = question
    // Of blocks that are not here yet there would be a part, which passes for the whole.
    if (to > head.number) return TRY_LATER
    return logSet(await reader.logs(addresses, from, to, signal))
  }
  const block = { ...head, hash: hexOf(question.blockHash) }
  return logSet(await reader.logsOf(addresses, block, signal))
}

function logSet(found: readonly RawLog[]): Fact {
  const logs = found.map(toLog)
  const bytes = logs.reduce((sum, log) => sum + chainLogBytes(log), 0)
  if (bytes > MAX_SET_BYTES) return verdictOnly(CHAIN_VERDICT.TOO_LARGE)
  const whole = encodeChainLogs({ total: 0, set: new Uint8Array(LOG_SET_BYTES), logs })
  const travelling = whole.subarray(whole.length - bytes)
  const set = createHash('sha256').update(travelling).digest().subarray(0, LOG_SET_BYTES)
  return { type: 'logs', logs, bytes, set }
}

async function findCall(
  { reader, contracts }: FactDeps,
  { contract, blockHash, data }: Of<4>,
  signal: AbortSignal,
): Promise<Fact> {
  const to = contracts.addressOf(contract)
  if (!to || !contracts.isView(contract, data)) return NOT_ALLOWED
  const params = [{ to, data: hexOf(data) }, { blockHash: hexOf(blockHash) }]
  const answer = await reader.quorum.agree({ method: 'eth_call', params, parse: parseHex }, signal)
  return saidBy(answer, bytesOf)
}

async function findAccount(
  { reader }: FactDeps,
  { kind, account, blockHash }: Of<6 | 7>,
  signal: AbortSignal,
): Promise<Fact> {
  const at = { ...(await reader.head(signal)), hash: hexOf(blockHash) }
  const isNonce = kind === CHAIN_QUESTION.NONCE
  const value = isNonce
    ? BigInt(await reader.nonce(hexOf(account), at, signal))
    : await reader.balance(hexOf(account), at, signal)
  return said(wordOf(value))
}

async function findGas(
  { reader, contracts }: FactDeps,
  { account, contract, data }: Of<8>,
  signal: AbortSignal,
): Promise<Fact> {
  const to = contracts.addressOf(contract)
  if (!to || !contracts.isFunction(contract, data)) return NOT_ALLOWED
  const request = { from: hexOf(account), to, data: hexOf(data), value: '0x0' }
  return saidBy(await askGas(reader.quorum, request, signal), wordOf)
}

async function send(
  { reader, contracts, chainId }: FactDeps,
  transaction: Uint8Array,
  signal: AbortSignal,
): Promise<Fact> {
  const read = readTransaction(transaction)
  const isOurs = read?.chainId === chainId && read.to && contracts.contractAt(read.to) !== undefined
  if (!isOurs) return NOT_ALLOWED
  const params = [hexOf(transaction)]
  const answers = await reader.quorum.askAll('eth_sendRawTransaction', params, signal)
  // A refusal ("already known", "nonce too low") is no news: the chain says what became of it.
  const isPassedOn = answers.some(({ type }) => type !== 'fault')
  return isPassedOn ? said(new Uint8Array(0)) : verdictOnly(CHAIN_VERDICT.CHAIN_AWAY)
}

function readTransaction(
  bytes: Uint8Array,
): { readonly chainId?: number | undefined; readonly to?: string | null | undefined } | undefined {
  try {
    return parseTransaction(hexOf(bytes))
  } catch {
    return undefined
  }
}

function said(body: Uint8Array): Fact {
  return { type: 'said', verdict: CHAIN_VERDICT.OK, body }
}

function saidBy<Value>(answer: Agreed<Value>, encode: (value: Value) => Uint8Array): Fact {
  if (answer.type === 'value') return said(encode(answer.value))
  const data = answer.data ?? '0x'
  const isHex = /^0x(?:[0-9a-f]{2})*$/.test(data)
  const body = isHex ? bytesOf(data) : new Uint8Array(0)
  return { type: 'said', verdict: CHAIN_VERDICT.REVERTED, body }
}
