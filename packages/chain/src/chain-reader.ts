/** Reading at the block that the endpoints agree on: calls, logs, blocks, receipts. Knows no contract. */
import type { ChainHead, Hex } from '@byway/protocol/payment'
import { chainError } from './errors.ts'
import { encodeHeader } from './contracts/block-header.ts'
import { revertedError } from './contracts/reverts.ts'
import { commonHead } from './rpc/common-head.ts'
import {
  parseBlock,
  parseHex,
  parseLogs,
  parseQuantity,
  type BlockHeader,
  type RawLog,
} from './rpc/parse.ts'
import { parseCall, parseReceipt, type Receipt, type TransactionCall } from './rpc/parse-receipt.ts'
import type { Parse, Quorum } from './rpc/quorum.ts'
import { shareLook } from './rpc/shared-look.ts'

export interface ChainReader {
  readonly quorum: Quorum
  /** Looked up anew when the last look is older than the poll interval. */
  head(signal: AbortSignal): Promise<BlockHeader>
  /** Looked up anew in any case. */
  freshHead(signal: AbortSignal): Promise<BlockHeader>
  /** Looked up anew when the last look is older than this: one look for all who follow the chain. */
  recentHead(maxAgeMs: number, signal: AbortSignal): Promise<BlockHeader>
  /** A block of the chain by number; undefined when it has none yet. */
  block(number: number, signal: AbortSignal): Promise<BlockHeader | undefined>
  /** A block's header in RLP; undefined when there is none yet. */
  header(number: number, signal: AbortSignal): Promise<Hex | undefined>
  /** What a contract answers at a block. @throws CHAIN_REVERTED as well */
  call(to: Hex, data: Hex, at: ChainHead, signal: AbortSignal): Promise<Hex>
  /** Logs of contracts in blocks `from` to `to`, both included; with `topics`, those that begin with them, or with one of several at a place. */
  logs(
    addresses: readonly Hex[],
    from: number,
    to: number,
    signal: AbortSignal,
    topics?: readonly (Hex | readonly Hex[])[],
  ): Promise<readonly RawLog[]>
  /** Logs of contracts in one block, by its hash: of no other, whatever happens to the chain meanwhile. */
  logsOf(
    addresses: readonly Hex[],
    block: ChainHead,
    signal: AbortSignal,
  ): Promise<readonly RawLog[]>
  /** What a transaction of a block called; undefined when it is in no block. */
  callOf(transaction: Hex, signal: AbortSignal): Promise<TransactionCall | undefined>
  /** undefined when the transaction is in no block. */
  receipt(transaction: Hex, signal: AbortSignal): Promise<Receipt | undefined>
  /** Native coin, wei. */
  balance(account: Hex, at: ChainHead, signal: AbortSignal): Promise<bigint>
  /** Transactions of an account that are in blocks up to this one: its next nonce. */
  nonce(account: Hex, at: ChainHead, signal: AbortSignal): Promise<number>
}

export type ReaderOptions = {
  readonly quorum: Quorum
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  readonly pollMs: number
}

/** Creates a reader. */
export function createChainReader({ quorum, nowMs, pollMs }: ReaderOptions): ChainReader {
  const { freshHead, recentHead } = createHeads(quorum, nowMs)
  const ask = async <Value>(
    method: string,
    params: readonly unknown[],
    parse: Parse<Value>,
    signal: AbortSignal,
  ): Promise<Value> => {
    const answer = await quorum.agree({ method, params, parse }, signal)
    if (answer.type === 'revert') throw revertedError(answer.data)
    return answer.value
  }
  const at = ({ hash }: ChainHead): { readonly blockHash: Hex } => ({ blockHash: hash })
  return {
    quorum,
    freshHead,
    recentHead,
    head: (signal) => recentHead(pollMs, signal),
    block: async (number, signal) => {
      const found = await ask(
        'eth_getBlockByNumber',
        [tagOf(number), false],
        orNull(parseBlock),
        signal,
      )
      return found ?? undefined
    },
    header: async (number, signal) => {
      const params = [tagOf(number), false]
      const found = await ask('eth_getBlockByNumber', params, orNull(encodeHeader), signal)
      return found ?? undefined
    },
    call: (to, data, head, signal) => ask('eth_call', [{ to, data }, at(head)], parseHex, signal),
    logs: (address, from, to, signal, topics) =>
      ask(
        'eth_getLogs',
        [{ address, fromBlock: tagOf(from), toBlock: tagOf(to), ...(topics ? { topics } : {}) }],
        parseLogs,
        signal,
      ),
    logsOf: (address, block, signal) =>
      ask('eth_getLogs', [{ address, ...at(block) }], parseLogs, signal),
    callOf: async (transaction, signal) => {
      const found = await ask('eth_getTransactionByHash', [transaction], orNull(parseCall), signal)
      return found?.blockHash === undefined ? undefined : found
    },
    receipt: async (transaction, signal) => {
      const found = await ask(
        'eth_getTransactionReceipt',
        [transaction],
        orNull(parseReceipt),
        signal,
      )
      return found ?? undefined
    },
    balance: (account, head, signal) =>
      ask('eth_getBalance', [account, at(head)], parseQuantity, signal),
    nonce: async (account, head, signal) => {
      const count = await ask('eth_getTransactionCount', [account, at(head)], parseQuantity, signal)
      if (count > MAX_NONCE)
        throw chainError('CHAIN_DISAGREE', { method: 'eth_getTransactionCount', answers: 1 })
      return Number(count)
    },
  }
}

/** The looks at the newest block. */
function createHeads(
  quorum: Quorum,
  nowMs: () => number,
): Pick<ChainReader, 'freshHead' | 'recentHead'> {
  let last: { readonly head: BlockHeader; readonly atMs: number } | undefined
  const freshHead = async (signal: AbortSignal): Promise<BlockHeader> => {
    const head = await commonHead(quorum, signal, last?.head)
    last = { head, atMs: nowMs() }
    return head
  }
  const sharedHead = shareLook(freshHead)
  return {
    freshHead,
    recentHead: async (maxAgeMs, signal) =>
      last && nowMs() - last.atMs < maxAgeMs ? last.head : sharedHead(signal),
  }
}

/** Where `null` says that there is no such thing. */
function orNull<Value>(parse: Parse<Value>): Parse<Value | null> {
  return (result) => (result === null ? null : parse(result))
}

function tagOf(block: number): Hex {
  return `0x${block.toString(16)}`
}

/** EIP-2681 allows more; no account sends as many. */
const MAX_NONCE = 2n ** 48n
