/**
 * Payment of one node put together: tolls, tokens, slots, desk, books. This is the only place of the folder where they are wired.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { ChainAnswerer, ChainView } from '@byway/chain'
import { systemRuntime } from '@byway/net'
import type { Logger } from '@byway/protocol/base'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { MoneyEventSink } from '@byway/protocol/ledger'
import { createNodeBlindSigner, nodeBlindTokens } from '@byway/protocol/node-blind'
import { nodeCrypto } from '@byway/protocol/node-crypto'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import {
  classWeight,
  createCircuitFree,
  createFreePrefixes,
  createPayeeSlot,
  createTokenIssuer,
  createTokenKeyring,
  createTokenRedeemer,
} from '@byway/protocol/payment'
import type {
  BalanceRecords,
  ClassWeight,
  ReceiptCrypto,
  TokenIssuer,
  TokenKeyring,
  TokenKeyRecords,
  TokenRedeemer,
} from '@byway/protocol/payment'
import {
  createPool,
  maxSlotUnits,
  openingHolds,
  UNIT_BYTES,
  unitPrice,
} from '@byway/protocol/ticket'
import type { Pool, SlotVerifier } from '@byway/protocol/ticket'
import type {
  CommitKeyRecords,
  OpeningRecords,
  ReceiptRecords,
  SlotWordRecords,
  SpentTokenRecords,
  StoredSlotWord,
  StoreHealth,
  Winner,
  WinnerRecords,
} from '@byway/store'
import type { Opening } from '@byway/protocol/wire'
import type { ExitMoney } from '../exit/exit-service.ts'
import type { LinkMoney } from '../node-links.ts'
import type { ProofShelf } from '../redemption/proof-links.ts'
import type { RedeemerService } from '../redemption/redeemer-service.ts'
import type { Relayer } from '../redemption/relayer.ts'
import type { RelayMoney } from '../relay/ports.ts'
import { createBooks } from './books.ts'
import type { Books, MoneyTotals } from './books.ts'
import { createBulkSlots, unitsOfBulk } from './bulk-slots.ts'
import { createCircuitToll } from './circuit-toll.ts'
import { openCommitKeys, SLOT_LIFE_MS } from './commit-keys.ts'
import type { CommitKeys } from './commit-keys.ts'
import { createControlCircuits } from './control-circuits.ts'
import type { ControlCircuits } from './control-circuits.ts'
import { createLinkAccounts } from './link-accounts.ts'
import type { LinkAccounts } from './link-accounts.ts'
import { createReceiptBook } from './receipt-book.ts'
import type { ReceiptBook } from './receipt-book.ts'
import { createSlotBook } from './slot-book.ts'
import type { SlotBook } from './slot-book.ts'
import { createSlotJudge } from './slot-judge.ts'
import { createTokenDesk, tokenKindName } from './token-desk.ts'
import type { TokenIntake } from './token-intake.ts'
import { createMeterWatch, TURN_MS } from './meter-watch.ts'
import type { MeterWatch } from './meter-watch.ts'
import { createTunnelToll } from './tunnel-toll.ts'

/** What a paid node's money needs of the store. */
export type MoneyStore = {
  readonly commitKeys: CommitKeyRecords
  readonly openings: OpeningRecords
  readonly slotWords: SlotWordRecords
  readonly winners: WinnerRecords
  readonly spentTokens: SpentTokenRecords
  readonly tokenKeys: TokenKeyRecords
  readonly balances: BalanceRecords
  /** Wanted where {@link NodePaymentOptions.receipts} is. */
  readonly receipts?: ReceiptRecords
  readonly ledger: MoneyEventSink
  /** Asked at each ticket. */
  readonly health: StoreHealth
}

/** How a node is paid. */
export type NodePaymentOptions = {
  readonly chain: Pick<ChainView, 'head' | 'slot' | 'publishedRoot'>
  readonly store: MoneyStore
  /** Judges slot proofs, off the event loop. */
  readonly verifier: SlotVerifier
  /** The address under which the node is registered, 20 bytes (SPEC §13.1). */
  readonly provider: Uint8Array
  /** SPEC §13.1, 0 to 8; 0 is free: then nothing is held and no token asked for. */
  readonly priceStep: number
  /** A winning ticket is on disk: lock its slot. Must not throw. */
  readonly onWin?: ((winner: Winner) => void) | undefined
  /** A slot pays so much that it will win soon: lock it ahead (DESIGN §7.1). Called once for a slot; must not throw. */
  readonly onBulk?: ((slot: Pick<Opening, 'nullifier'>) => void) | undefined
  /** Checks clients' receipts, in a network with service proofs. */
  readonly receipts?: Pick<ReceiptCrypto, 'isOf'> | undefined
  /** Sends others' claims for a fee (SPEC §15.7); absent where the node does not. */
  readonly redeemer?: Pick<RedeemerService, 'take'> | undefined
  /** Sends slots back to their owners for a fee (SPEC §15.8); absent where the node does not. */
  readonly relayer?: Pick<Relayer, 'ask' | 'take'> | undefined
  /** Tells clients what the chain says (SPEC §15.9); absent where the node does not. */
  readonly chainAnswers?: ChainAnswerer | undefined
  /** Service proofs to show (SPEC §17.6); absent in a network without them. */
  readonly proofs?: ProofShelf | undefined
}

/** What the descriptor says of payment (SPEC §10.1). */
export type MoneyFacts = {
  readonly provider: Uint8Array | undefined
  readonly priceStep: number
  readonly tokenKeysHash: Uint8Array | undefined
}

/** Numbers only. */
export type MoneyStatus = MoneyTotals & {
  /** Links, circuits and tunnels at which something waits for pay. */
  readonly held: number
  readonly heldBytes: number
  readonly slots: number
  readonly controlCircuits: number
  /** Of clients about the chain, answered or refused. */
  readonly chainQuestions: number
}

/** Payment of a running node. */
export interface NodeMoney extends AsyncDisposable {
  readonly relay: RelayMoney
  readonly exit: ExitMoney
  readonly links: LinkMoney
  readonly facts: MoneyFacts
  readonly status: MoneyStatus
  /** Tells the ledger what was added up since it was told last. Resolves when it has it. */
  flushBooks(): Promise<void>
}

export type NodeMoneyDeps = NodePaymentOptions & {
  readonly parameters: PaymentParameters
  /** The token keys have changed: a new edition of the descriptor is due. */
  readonly onKeysChanged: () => void
  readonly log: Logger
}

// Local limits (tunable): docs/LIMITS.md.
/** Slots are asked about, silent circuits ended and keys replaced this often: a payer who takes his deposit back is noticed within it. */
const UPKEEP_MS = 20_000
/** Openings are remembered a month past a slot's life, so that an expired one is told from a new one. */
const OPENING_MEMORY_MS = 2 * SLOT_LIFE_MS
/** How often the ledger is told. */
const FLUSH_MS = 60_000
/** Opens the node's money: reads keys and balances. @throws what the store rejects with */
export async function openNodeMoney(deps: NodeMoneyDeps): Promise<NodeMoney> {
  const { store } = deps
  const hash = nodeCrypto
  const damaged = await store.spentTokens.damagedKeys()
  const keyring = createTokenKeyring({
    scheme: nodeBlindTokens,
    hash,
    records: store.tokenKeys,
    damaged,
  })
  await keyring.rotate(Date.now())
  const signer = createNodeBlindSigner()
  const issuer = createTokenIssuer({
    keyring,
    signer,
    hash,
    records: store.balances,
    issueDelayMs: deps.parameters.issueDelayS * 1000,
  })
  await issuer.load(Date.now())
  const commitKeys = await openCommitKeys(store.commitKeys, randomBytes, Date.now())
  const slotWords = await store.slotWords.all()
  return new Money(deps, { keyring, signer, issuer, commitKeys, slotWords })
}

type Opened = {
  readonly keyring: TokenKeyring
  readonly signer: AsyncDisposable
  readonly issuer: TokenIssuer
  readonly commitKeys: CommitKeys
  /** What the chain said of slots in an earlier run. */
  readonly slotWords: readonly StoredSlotWord[]
}

class Money implements NodeMoney {
  readonly relay: RelayMoney
  readonly exit: ExitMoney
  readonly links: LinkAccounts
  readonly #deps: NodeMoneyDeps
  readonly #opened: Opened
  readonly #pool: Pool
  readonly #watch: MeterWatch = createMeterWatch(systemRuntime)
  readonly #turns: MeterWatch = createMeterWatch(systemRuntime, TURN_MS)
  readonly #books: Books
  readonly #redeemer: TokenRedeemer
  readonly #tokens: TokenIntake
  readonly #slots: SlotBook
  readonly #receipts: ReceiptBook | undefined
  readonly #desk: ControlCircuits
  readonly #timers: readonly NodeJS.Timeout[]

  constructor(deps: NodeMoneyDeps, opened: Opened) {
    this.#deps = deps
    this.#opened = opened
    const { parameters, store, provider, priceStep } = deps
    const { keyring, issuer } = opened
    this.#pool = createPool(nodeTicketCrypto, { ...parameters, faceValue: parameters.winValue })
    this.#books = createBooks({
      sink: store.ledger,
      nowMs: Date.now,
      winValue: parameters.winValue,
      unitBytes: UNIT_BYTES,
      onFailed: () => this.#onStoreFailed(),
    })
    this.#redeemer = createTokenRedeemer({
      scheme: nodeBlindTokens,
      hash: nodeCrypto,
      keyring,
      spent: store.spentTokens,
      random: randomBytes,
    })
    const books = this.#books
    this.#tokens = createTokenDesk({
      redeemer: this.#redeemer,
      keyring,
      books,
      nowMs: Date.now,
    })
    this.#slots = this.#createSlots()
    this.#receipts = this.#createReceipts()
    const receipts = this.#receipts
    const session = {
      slots: this.#slots,
      books,
      provider,
      priceStep,
      receipts,
      bulk: createBulkSlots({
        leastUnits: unitsOfBulk(parameters.winValue, unitPrice(this.#pool, priceStep)),
        nowMs: () => this.#watch.nowMs(),
        onBulk: (opening) => deps.onBulk?.(opening),
      }),
      tokens: this.#tokens,
    }
    this.#desk = createControlCircuits({
      ...session,
      issuer,
      relayer: deps.relayer,
      chainAnswers: deps.chainAnswers,
      nowMs: () => this.#watch.nowMs(),
      wallMs: Date.now,
    })
    const free = createFreePrefixes()
    this.links = createLinkAccounts({
      ...session,
      watch: this.#watch,
      turns: this.#turns,
      free,
      unitBytes: UNIT_BYTES,
    })
    this.relay = this.#relayMoney()
    this.exit = this.#exitMoney()
    this.#timers = [
      setInterval(() => void this.#upkeep(), UPKEEP_MS).unref(),
      setInterval(() => void this.#books.flush(), FLUSH_MS).unref(),
    ]
  }

  get facts(): MoneyFacts {
    const { provider, priceStep } = this.#deps
    return { provider, priceStep, tokenKeysHash: this.#opened.keyring.hash() }
  }

  get status(): MoneyStatus {
    return {
      ...this.#books.totals,
      held: this.#watch.size,
      heldBytes: this.links.heldBytes,
      slots: this.#slots.size,
      controlCircuits: this.#desk.size,
      chainQuestions: this.#desk.chainQuestions,
    }
  }

  flushBooks(): Promise<void> {
    return this.#books.flush()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#watch.stop()
    this.#turns.stop()
    await this.#books.flush()
    await this.#opened.signer[Symbol.asyncDispose]()
  }

  #createSlots(): SlotBook {
    const { store, chain, verifier, provider, priceStep, parameters, onWin } = this.#deps
    const { domain } = this.#pool
    const price = unitPrice(this.#pool, priceStep)
    const terms = { crypto: nodeTicketCrypto, pool: this.#pool, provider, price }
    return createSlotBook({
      records: store,
      keys: this.#opened.commitKeys,
      judge: createSlotJudge({
        ...parameters,
        chain,
        hash: nodeCrypto,
        provider,
        records: store.slotWords,
        stored: this.#opened.slotWords,
        nowMs: () => this.#watch.nowMs(),
        wallMs: Date.now,
      }),
      holds: (opening) => openingHolds(nodeTicketCrypto, verifier, domain, opening),
      createPayee: (options) => createPayeeSlot(terms, options),
      provider,
      nowMs: Date.now,
      onWin: (winner) => {
        const { nullifier, index, receivedAtMs: atMs } = winner
        void this.#books.won({ nullifier, index, atMs })
        onWin?.(winner)
      },
      onStoreFailed: () => this.#onStoreFailed(),
    })
  }

  #createReceipts(): ReceiptBook | undefined {
    const { receipts: crypto, store, provider, priceStep, parameters } = this.#deps
    if (!crypto || !store.receipts || !parameters.proofs) return undefined
    return createReceiptBook({
      crypto,
      records: store.receipts,
      provider,
      epochS: parameters.proofs.epochS,
      maxUnits: maxSlotUnits(this.#pool, unitPrice(this.#pool, priceStep)),
      nowMs: Date.now,
      onStoreFailed: () => this.#onStoreFailed(),
    })
  }

  #relayMoney(): RelayMoney {
    const isFree = this.#isFree()
    return {
      linkToll: (link) => (isFree ? undefined : this.links.tollOf(link)),
      openCircuit: (host) => {
        if (isFree) return undefined
        const deps = this.#tollDeps()
        const paid = createCircuitToll({ ...deps, onClosed: () => book.close() }, host)
        const book = this.#books.openToll('relay', paid.toll)
        return paid
      },
    }
  }

  #exitMoney(): ExitMoney {
    const isFree = this.#isFree()
    return {
      desk: this.#desk,
      // SPEC §15.4: a circuit that ends at its entry is paid on the link alone.
      openTunnel: (position, terms, host) => {
        if (isFree || position === 1) return undefined
        const weight = classWeight(terms)
        const deps = { ...this.#tollDeps(weight), weight }
        const paid = createTunnelToll({ ...deps, onClosed: () => book.close() }, host)
        const book = this.#books.openToll('exit', paid)
        return paid
      },
    }
  }

  #tollDeps(weight?: ClassWeight) {
    const free = createCircuitFree(this.#watch.nowMs(), weight)
    return { watch: this.#watch, tokens: this.#tokens, free }
  }

  #isFree(): boolean {
    return unitPrice(this.#pool, this.#deps.priceStep) === 0n
  }

  async #upkeep(): Promise<void> {
    const nowMs = Date.now()
    this.#desk.sweep()
    this.#books.unitsLapsed(this.#opened.issuer.sweep(nowMs))
    try {
      await this.#opened.commitKeys.rotate(nowMs)
      // A slot that was first shown longer ago is refused as expired (SPEC §15.6).
      await this.#deps.store.openings.forgetBefore(nowMs - OPENING_MEMORY_MS)
      await this.#deps.store.slotWords.forgetBefore(nowMs)
      if (this.#opened.keyring.isDue(nowMs)) await this.#rotateTokenKeys(nowMs)
    } catch {
      this.#onStoreFailed()
    }
    await this.#receipts?.sweep()
    await this.#slots.recheck()
  }

  async #rotateTokenKeys(nowMs: number): Promise<void> {
    const gone = await this.#opened.keyring.rotate(nowMs)
    this.#redeemer.forget(gone)
    for (const { kind, unspent } of gone) {
      if (unspent > 0) this.#books.tokensLapsed(tokenKindName(kind), unspent)
    }
    this.#deps.onKeysChanged()
  }

  #onStoreFailed(): void {
    this.#deps.log.error('the store of payment failed')
  }
}
