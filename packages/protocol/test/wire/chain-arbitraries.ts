/** Arbitrary questions about the chain, and what answers are made of (SPEC §15.9). */
import fc from 'fast-check'
import {
  CHAIN_QUESTION,
  CHAIN_VERDICT,
  type ChainHeader,
  type ChainLog,
  type ChainQuestion,
  type ChainReceipt,
  MAX_AMOUNT,
  PAY,
  type PayMessage,
} from '@byway/protocol/wire'
import { bytes, record, someBytes, u16, u32, u64 } from './basic-arbitraries.ts'

const contract = fc.integer({ min: 0, max: 3 }) as fc.Arbitrary<0 | 1 | 2 | 3>
const contracts = fc.integer({ min: 1, max: 7 })
const block = fc.integer({ min: 0, max: 2 ** 48 })
const chainQuestion: fc.Arbitrary<ChainQuestion> = fc.oneof(
  record<ChainQuestion>({ kind: fc.constant(CHAIN_QUESTION.HEAD) }),
  record<ChainQuestion>({ kind: fc.constant(CHAIN_QUESTION.BLOCK), number: u64 }),
  fc
    .tuple(contracts, block, fc.integer({ min: 0, max: 4999 }), u32)
    .map(([asked, from, more, skip]): ChainQuestion => {
      return { kind: CHAIN_QUESTION.LOGS, contracts: asked, from, to: from + more, skip }
    }),
  record<ChainQuestion>({
    kind: fc.constant(CHAIN_QUESTION.LOGS_OF),
    contracts,
    blockHash: bytes(32),
    skip: u32,
  }),
  record<ChainQuestion>({
    kind: fc.constant(CHAIN_QUESTION.CALL),
    contract,
    blockHash: bytes(32),
    data: someBytes(1, 300),
  }),
  record<ChainQuestion>({ kind: fc.constant(CHAIN_QUESTION.RECEIPT), transaction: bytes(32) }),
  record<ChainQuestion>({
    kind: fc.constantFrom(CHAIN_QUESTION.BALANCE, CHAIN_QUESTION.NONCE),
    account: bytes(20),
    blockHash: bytes(32),
  }),
  record<ChainQuestion>({
    kind: fc.constant(CHAIN_QUESTION.GAS),
    account: bytes(20),
    contract,
    data: someBytes(1, 300),
  }),
  record<ChainQuestion>({ kind: fc.constant(CHAIN_QUESTION.SEND), transaction: someBytes(1, 300) }),
)
export const chainLog: fc.Arbitrary<ChainLog> = record<ChainLog>({
  address: bytes(20),
  topics: fc.array(bytes(32), { maxLength: 4 }),
  block: u64,
  blockHash: bytes(32),
  transaction: bytes(32),
  logIndex: u32,
  data: someBytes(0, 100),
})

const u96 = fc.bigInt({ min: 0n, max: MAX_AMOUNT })
export const chainHeader: fc.Arbitrary<ChainHeader> = record<ChainHeader>({
  number: u64,
  hash: bytes(32),
  parentHash: bytes(32),
  timeS: u64,
  baseFee: u96,
})
export const chainReceipt: fc.Arbitrary<ChainReceipt> = record<ChainReceipt>({
  hash: bytes(32),
  from: bytes(20),
  block: u64,
  blockHash: bytes(32),
  isSuccess: fc.boolean(),
  gasUsed: u64,
  gasPrice: u96,
  logs: fc.array(chainLog, { maxLength: 3 }),
})

/** CHAIN and TOLD. */
export const chainPay: fc.Arbitrary<PayMessage> = fc.oneof(
  record<PayMessage>({ kind: fc.constant(PAY.CHAIN), request: u16, question: chainQuestion }),
  record<PayMessage>({
    kind: fc.constant(PAY.TOLD),
    request: u16,
    verdict: fc.constantFrom(CHAIN_VERDICT.OK, CHAIN_VERDICT.REVERTED),
    isLast: fc.boolean(),
    part: someBytes(0, 300),
  }),
  record<PayMessage>({
    kind: fc.constant(PAY.TOLD),
    request: u16,
    verdict: fc.constantFrom(
      CHAIN_VERDICT.NONE,
      CHAIN_VERDICT.TRY_LATER,
      CHAIN_VERDICT.TOO_LARGE,
      CHAIN_VERDICT.NOT_ALLOWED,
      CHAIN_VERDICT.CHAIN_AWAY,
    ),
    isLast: fc.constant(true),
    part: fc.constant(new Uint8Array(0)),
  }),
)
