/** What a reader asks, as a question that a node takes (SPEC §15.9). */
import type { Hex } from '@byway/protocol/payment'
import { CHAIN_QUESTION, type ChainQuestion } from '@byway/protocol/wire'
import { bytesOf } from '../contracts/bytes.ts'
import { addressOf, field, hashOf, numberOf, parseHex } from '../rpc/parse.ts'
import type { NetworkContracts } from './network-contracts.ts'

/** Undefined for what no node is asked: another method, another contract, a part of the logs. */
export function questionOf(
  method: string,
  params: readonly unknown[],
  contracts: NetworkContracts,
): ChainQuestion | undefined {
  const [first, second] = params
  switch (method) {
    case 'eth_getBlockByNumber':
      return blockQuestion(first)
    case 'eth_getLogs':
      return logsQuestion(first, contracts)
    case 'eth_call':
      return callQuestion(first, second, contracts)
    case 'eth_getTransactionReceipt': {
      const transaction = hashOf(first)
      return transaction && { kind: CHAIN_QUESTION.RECEIPT, transaction: bytesOf(transaction) }
    }
    case 'eth_getBalance':
      return accountQuestion(CHAIN_QUESTION.BALANCE, first, second)
    case 'eth_getTransactionCount':
      return accountQuestion(CHAIN_QUESTION.NONCE, first, second)
    case 'eth_estimateGas':
      return gasQuestion(first, contracts)
    case 'eth_sendRawTransaction': {
      const transaction = parseHex(first)
      return transaction && { kind: CHAIN_QUESTION.SEND, transaction: bytesOf(transaction) }
    }
    default:
      return undefined
  }
}

function blockQuestion(tag: unknown): ChainQuestion | undefined {
  if (tag === 'latest') return { kind: CHAIN_QUESTION.HEAD }
  const number = numberOf(tag)
  return number === undefined ? undefined : { kind: CHAIN_QUESTION.BLOCK, number }
}

function logsQuestion(filter: unknown, contracts: NetworkContracts): ChainQuestion | undefined {
  const asked = field(filter, 'address')
  const addresses = Array.isArray(asked) ? asked.map(addressOf) : []
  const known = addresses.filter((address): address is Hex => address !== undefined)
  const bits = contracts.bitsOf(known)
  const isWhole = known.length === addresses.length && field(filter, 'topics') === undefined
  if (!bits || !isWhole) return undefined
  const blockHash = hashOf(field(filter, 'blockHash'))
  const [from, to] = [numberOf(field(filter, 'fromBlock')), numberOf(field(filter, 'toBlock'))]
  if (blockHash) {
    const hash = bytesOf(blockHash)
    return { kind: CHAIN_QUESTION.LOGS_OF, contracts: bits, blockHash: hash, skip: 0 }
  }
  if (from === undefined || to === undefined) return undefined
  return { kind: CHAIN_QUESTION.LOGS, contracts: bits, from, to, skip: 0 }
}

function callQuestion(
  request: unknown,
  at: unknown,
  contracts: NetworkContracts,
): ChainQuestion | undefined {
  const contract = contracts.contractAt(addressOf(field(request, 'to')) ?? '')
  const data = parseHex(field(request, 'data'))
  const blockHash = hashOf(field(at, 'blockHash'))
  // A call in somebody's name is not a question about the network.
  const isPlain = field(request, 'from') === undefined
  if (contract === undefined || !data || !blockHash || !isPlain) return undefined
  const [hash, bytes] = [bytesOf(blockHash), bytesOf(data)]
  return { kind: CHAIN_QUESTION.CALL, contract, blockHash: hash, data: bytes }
}

function accountQuestion(
  kind: (typeof CHAIN_QUESTION)['BALANCE' | 'NONCE'],
  account: unknown,
  at: unknown,
): ChainQuestion | undefined {
  const [address, blockHash] = [addressOf(account), hashOf(field(at, 'blockHash'))]
  if (!address || !blockHash) return undefined
  return { kind, account: bytesOf(address), blockHash: bytesOf(blockHash) }
}

function gasQuestion(request: unknown, contracts: NetworkContracts): ChainQuestion | undefined {
  const account = addressOf(field(request, 'from'))
  const contract = contracts.contractAt(addressOf(field(request, 'to')) ?? '')
  const data = parseHex(field(request, 'data'))
  const isFree = numberOf(field(request, 'value')) === 0
  if (!account || contract === undefined || !data || !isFree) return undefined
  return { kind: CHAIN_QUESTION.GAS, account: bytesOf(account), contract, data: bytesOf(data) }
}
