/** Between what a reader gives and what travels (SPEC §15.9). */
import type { ChainHeader, ChainLog, ChainReceipt } from '@byway/protocol/wire'
import { bytesOf, hexOf } from '../contracts/bytes.ts'
import type { BlockHeader, RawLog } from '../rpc/parse.ts'
import type { Receipt } from '../rpc/parse-receipt.ts'

export function toHeader({ number, hash, parentHash, timeS, baseFee }: BlockHeader): ChainHeader {
  return { number, hash: bytesOf(hash), parentHash: bytesOf(parentHash), timeS, baseFee }
}

export function toLog({ address, topics, data, block, ...log }: RawLog): ChainLog {
  return {
    address: bytesOf(address),
    topics: topics.map(bytesOf),
    data: bytesOf(data),
    block,
    blockHash: bytesOf(log.blockHash),
    transaction: bytesOf(log.transaction),
    logIndex: log.logIndex,
  }
}

export function toReceipt({
  hash,
  from,
  blockHash,
  gasUsed,
  logs,
  ...rest
}: Receipt): ChainReceipt {
  const { block, isSuccess, gasPrice } = rest
  return {
    hash: bytesOf(hash),
    from: bytesOf(from),
    block,
    blockHash: bytesOf(blockHash),
    isSuccess,
    gasUsed: Number(gasUsed),
    gasPrice,
    logs: logs.map(toLog),
  }
}

/** As an endpoint writes a block. */
export function headerJson({ number, hash, parentHash, timeS, baseFee }: ChainHeader): unknown {
  return {
    number: quantity(number),
    hash: hexOf(hash),
    parentHash: hexOf(parentHash),
    timestamp: quantity(timeS),
    baseFeePerGas: quantity(baseFee),
  }
}

/** As an endpoint writes a log. */
export function logJson(log: ChainLog): unknown {
  return {
    address: hexOf(log.address),
    topics: log.topics.map(hexOf),
    data: hexOf(log.data),
    blockNumber: quantity(log.block),
    blockHash: hexOf(log.blockHash),
    transactionHash: hexOf(log.transaction),
    logIndex: quantity(log.logIndex),
  }
}

/** As an endpoint writes a receipt. */
export function receiptJson(receipt: ChainReceipt): unknown {
  return {
    transactionHash: hexOf(receipt.hash),
    from: hexOf(receipt.from),
    blockNumber: quantity(receipt.block),
    blockHash: hexOf(receipt.blockHash),
    status: receipt.isSuccess ? '0x1' : '0x0',
    gasUsed: quantity(receipt.gasUsed),
    effectiveGasPrice: quantity(receipt.gasPrice),
    logs: receipt.logs.map(logJson),
  }
}

export function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`
}
