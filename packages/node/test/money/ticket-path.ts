/** The node's ticket path on a real store and a real chain, as `openNodeMoney` puts it together, without links: slots, books, tokens, and redemption behind them. */
import { randomBytes } from 'node:crypto'
import { createNodeBlindSigner, nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import {
  createPayeeSlot,
  createTokenIssuer,
  createTokenKeyring,
  createTokenRedeemer,
  type TokenIssuer,
  type TokenKeyring,
  type TokenRedeemer,
} from '@byway/protocol/payment'
import { createPool, unitPrice, UNIT_BYTES, type Pool } from '@byway/protocol/ticket'
import { decodeOpening, type Opening } from '@byway/protocol/wire'
import { hexToBytes, type Hex } from 'viem'
import { keyOf } from '../../../../contracts/test/kit/keys.ts'
import { createBooks, type Books } from '../../src/money/books.ts'
import { openCommitKeys } from '../../src/money/commit-keys.ts'
import { createSlotBook, type SlotBook } from '../../src/money/slot-book.ts'
import { createSlotJudge } from '../../src/money/slot-judge.ts'
import {
  openProvider,
  paymentOf,
  secretOf,
  type RedeemerSettings,
  type RunningProvider,
} from '../redemption/redeeming-world.ts'
import type { TestSlot } from './paying-client.ts'

/** Where it runs and who pays it: what a child process needs, too. */
export type PathSettings = {
  readonly redeemer: RedeemerSettings
  /** As it is shown. */
  readonly opening: Hex
  /** Name of the session key in the contracts' test kit. */
  readonly session: string
}

export type TicketPath = AsyncDisposable & {
  readonly provider: RunningProvider
  readonly book: SlotBook
  readonly books: Books
  readonly keyring: TokenKeyring
  readonly issuer: TokenIssuer
  readonly redeemer: TokenRedeemer
  readonly pool: Pool
  readonly price: bigint
  /** 20 bytes. */
  readonly address: Uint8Array
}

const PRICE_STEP = 4

/** Opens the store of an earlier life, or the first. */
export async function openTicketPath(settings: PathSettings): Promise<TicketPath> {
  const provider = await openProvider(settings.redeemer)
  const { store, chain } = provider
  const payment = paymentOf(settings.redeemer)
  const pool = createPool(nodeTicketCrypto, { ...payment, faceValue: payment.winValue })
  const price = unitPrice(pool, PRICE_STEP)
  const address = hexToBytes(keyOf(settings.redeemer.name).address)
  const onStoreFailed = (): never => {
    throw new Error('the store failed')
  }
  const hash = nodeCrypto
  const keyring = createTokenKeyring({
    scheme: nodeBlindTokens,
    hash,
    records: store.tokenKeys,
    nodeId: new Uint8Array(32),
  })
  await keyring.rotate(Date.now())
  const signer = createNodeBlindSigner()
  const records = store.balances
  const issuer = createTokenIssuer({ keyring, signer, hash, records, issueDelayMs: 0 })
  await issuer.load(Date.now())
  const books = createBooks({
    sink: store.ledger,
    nowMs: Date.now,
    winValue: payment.winValue,
    unitBytes: UNIT_BYTES,
    onFailed: onStoreFailed,
  })
  const judge = createSlotJudge({
    ...payment,
    chain: chain.view,
    hash,
    provider: address,
    records: store.slotWords,
    stored: await store.slotWords.all(),
    nowMs: () => performance.now(),
    wallMs: Date.now,
  })
  const terms = { crypto: nodeTicketCrypto, pool, provider: address, price }
  const book = createSlotBook({
    records: store,
    keys: await openCommitKeys(store.commitKeys, randomBytes, Date.now()),
    judge,
    // The scene's proofs are plain signatures, which its contract checks.
    holds: () => Promise.resolve(true),
    createPayee: (options) => createPayeeSlot(terms, options),
    provider: address,
    nowMs: Date.now,
    onWin: ({ nullifier, index, receivedAtMs: atMs }) => void books.won({ nullifier, index, atMs }),
    onStoreFailed,
  })
  const spent = store.spentTokens
  const redeemer = createTokenRedeemer({
    scheme: nodeBlindTokens,
    hash,
    keyring,
    spent,
    random: randomBytes,
  })
  return {
    provider,
    book,
    books,
    keyring,
    issuer,
    redeemer,
    pool,
    price,
    address,
    async [Symbol.asyncDispose]() {
      await signer[Symbol.asyncDispose]()
      await provider[Symbol.asyncDispose]()
    },
  }
}

export function openingIn({ opening }: PathSettings): Opening {
  return decodeOpening(hexToBytes(opening))
}

/** The slot in its payer's hands. */
export function slotOf(settings: PathSettings): Pick<TestSlot, 'opening' | 'sessionSecret'> {
  return { opening: openingIn(settings), sessionSecret: secretOf(settings.session) }
}
