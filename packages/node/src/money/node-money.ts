/**
 * Payment of one node put together: tolls, tokens, slots, desk, books. This is the only place of the folder where they are wired.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { systemRuntime } from '@byway/net'
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
import type { ClassWeight, TokenIssuer, TokenKeyring, TokenRedeemer } from '@byway/protocol/payment'
import {
  createPool,
  maxSlotUnits,
  openingHolds,
  UNIT_BYTES,
  unitPrice,
} from '@byway/protocol/ticket'
import type { Pool } from '@byway/protocol/ticket'
import type { StoredSlotWord } from '@byway/store'
import type { ExitMoney } from '../exit/exit-service.ts'
import type { RelayMoney } from '../relay/ports.ts'
import { createBooks } from './books.ts'
import type { Books } from './books.ts'
import { createBulkSlots, unitsOfBulk } from './bulk-slots.ts'
import { createCircuitToll } from './circuit-toll.ts'
import { openCommitKeys, SLOT_LIFE_MS } from './commit-keys.ts'
import type { CommitKeys } from './commit-keys.ts'
import { createControlCircuits } from './control-circuits.ts'
import type { ControlCircuits } from './control-circuits.ts'
import { createLinkAccounts } from './link-accounts.ts'
import type { LinkAccounts } from './link-accounts.ts'
import type { MoneyFacts, MoneyStatus, NodeMoney, NodeMoneyDeps } from './node-money-types.ts'
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
    nodeId: deps.nodeId,
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
    await this.#books.close()
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
        const paid = createCircuitToll(
          { ...deps, onTaken: (token) => book.taken(token), onClosed: () => book.close() },
          host,
        )
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
        const paid = createTunnelToll(
          { ...deps, onTaken: (token) => book.taken(token), onClosed: () => book.close() },
          host,
        )
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
