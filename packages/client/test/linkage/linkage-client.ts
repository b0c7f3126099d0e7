/** One client of the linkage test: its keys, all out of the seed, its deposits and what pays for it. */
import { createLeafTree, nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { ReceiptCrypto } from '@byway/protocol/payment'
import { u256Bytes } from '@byway/protocol/ticket'
import { createStampProver } from '../../../protocol/test/ticket/stamp-proofs.ts'
import { receiptBodyOf, receiptOf, signedReceiptOf } from '../../../zk/src/receipt-form.ts'
import {
  isSignedReceipt,
  receiptKeyOf,
  receiptPublicKey,
  signReceipt,
} from '../../../zk/src/receipt.ts'
import type { SlotAuthoriser } from '../../src/money/ports.ts'
import { createProofAuthoriser } from '../../src/money/proof-authoriser.ts'
import { createReceiptKeys } from '../../src/money/receipt-keys.ts'
import { createReceiptSigner, type ReceiptSigner } from '../../src/money/receipts.ts'
import { createTestJournal, type TestJournal } from '../money/money-world.ts'
import { POOL } from '../money/test-hop.ts'
import type { ChainList, Deposit } from './chain-list.ts'
import { createKeyStream } from './key-stream.ts'

/** A week, as in the real network. */
const EPOCH_S = 7 * 86_400

/** What stays with a client from one life to the next. */
export type ClientKeys = {
  readonly number: number
  readonly journal: TestJournal
  readonly authoriser: SlotAuthoriser
  readonly deposits: Deposit[]
  readonly randomBytes: (count: number) => Uint8Array
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** The same for what is asked about the chain. */
  readonly asking: Pick<ClientKeys, 'randomBytes' | 'random'>
  /** Signs receipts of one life. */
  createReceipts(): ReceiptSigner
}

/** What is the same for all clients. */
export type ClientWorld = {
  readonly seed: number
  readonly chain: ChainList
  readonly nowMs: () => number
}

export function createClientKeys({ seed, chain, nowMs }: ClientWorld, number: number): ClientKeys {
  const { randomBytes, random } = createSource(seed, `client ${number}`)
  const sessionSecret = randomBytes(32)
  const crypto = nodeTicketCrypto
  const keys = createReceiptKeys({ receipts: RECEIPTS, crypto, sessionSecret })
  const deposits: Deposit[] = []
  const authoriser = createProofAuthoriser({
    crypto,
    createTree: createLeafTree,
    pool: POOL,
    chain: {
      leaves: (from) => Promise.resolve(chain.leaves.slice(from)),
      newestRoot: () =>
        Promise.resolve({
          root: u256Bytes(chain.root),
          publishedAtS: 1,
          supersededAtS: undefined,
        }),
    },
    deposits: () => Promise.resolve(deposits),
    sessionSecret,
    receipts: keys,
    prover: createStampProver(POOL),
    random,
    nowMs,
  })
  return {
    number,
    journal: createTestJournal(),
    authoriser,
    deposits,
    randomBytes,
    random,
    asking: createSource(seed, `client ${number} asking`),
    createReceipts: () => createReceiptSigner({ keys, pool: POOL, epochS: EPOCH_S, nowMs }),
  }
}

function createSource(seed: number, label: string): ClientKeys['asking'] {
  const randomBytes = createKeyStream(seed, label)
  return { randomBytes, random: () => Buffer.from(randomBytes(4)).readUInt32BE() / 2 ** 32 }
}

/** Real receipts, signed at once: a thread's answers would come at another time in each run. */
const RECEIPTS: Pick<ReceiptCrypto, 'keyOf' | 'sign' | 'isOwn'> = {
  keyOf: (secret) => Promise.resolve(u256Bytes(receiptKeyOf(receiptPublicKey(secret)))),
  sign: (secret, body) =>
    Promise.resolve(signedReceiptOf(body, signReceipt(secret, receiptBodyOf(body)))),
  isOwn(secret, body, signature) {
    const publicKey = Uint8Array.from(receiptPublicKey(secret).flatMap((x) => [...u256Bytes(x)]))
    return Promise.resolve(isSignedReceipt(receiptOf({ ...body, publicKey, signature })))
  },
}
