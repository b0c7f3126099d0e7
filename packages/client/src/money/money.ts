/**
 * The client's money, put together (DESIGN §7, SPEC §15): slots, the payers of links and tunnels, the shop, what is spent. The only place of this folder where they are
 * wired; in a network where nothing is paid there is none of it.
 * @module
 */
import { isBywayError } from '@byway/protocol/base'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { classWeight, createTokenStock } from '@byway/protocol/payment'
import type { TokenStock } from '@byway/protocol/payment'
import { createPool } from '@byway/protocol/ticket'
import type { Pool } from '@byway/protocol/ticket'
import type { SpendMessage, TunnelTerms } from '@byway/protocol/wire'
import { createEntries } from './entries.ts'
import type { Entries } from './entries.ts'
import { moneyError } from './errors.ts'
import { createHopBook } from './hop-book.ts'
import type { HopBook } from './hop-book.ts'
import { createHopRecords } from './hop-records.ts'
import type { Money, MoneyDeps, MoneyNotice, MoneyStatus } from './money-types.ts'
import { forgetOld } from './old-records.ts'
import { watchProving } from './proving-watch.ts'
import { createReceiptSigner } from './receipts.ts'
import type { ReceiptSigner } from './receipts.ts'
import { createJoiner } from '../returns/joiner.ts'
import type { Joiner } from '../returns/joiner.ts'
import { createReturnQueue } from '../returns/return-queue.ts'
import type { ReturnQueue } from '../returns/return-queue.ts'
import { createShop } from './shop.ts'
import type { Shop } from './shop.ts'
import { createSlotKeeper } from './slot-keeper.ts'
import type { SlotKeeper } from './slot-keeper-types.ts'
import { createSpending } from './spending.ts'
import type { Spending } from './spending.ts'
import { MAX_PRICE_STEP, poolTerms, tariffOf } from './tariff.ts'
import type { Tariff } from './tariff.ts'
import { createTunnelPayer } from './tunnel-payer.ts'
import type { TunnelPayer } from './tunnel-payer.ts'
import { Upkeep } from './upkeep.ts'
import { createVisits } from './visits.ts'
import type { Visits } from './visits.ts'

// Local limit (tunable): docs/LIMITS.md.
/** So long applications are told that there is nothing to pay an entry with; then it is tried anew, for there may have been a top-up. */
const NO_DEPOSIT_MS = 10_000
/** A chain that does not answer at the start does not keep the user waiting for longer. */
const FIRST_LOOK_MS = 10_000

/** Puts it together. */
export function createMoney(deps: MoneyDeps): Money {
  return new ClientMoney(deps)
}

class ClientMoney implements Money {
  readonly #deps: MoneyDeps
  readonly #pool: Pool
  readonly #closing = new AbortController()
  readonly #slots: SlotKeeper
  readonly #spending: Spending
  readonly #hops: HopBook
  readonly #stock: TokenStock
  readonly #records = createHopRecords()
  readonly #shop: Shop
  readonly #returns: ReturnQueue | undefined
  readonly #joiner: Joiner | undefined
  readonly #receipts: ReceiptSigner | undefined
  readonly #entries: Entries
  readonly #visits: Visits
  readonly #upkeep: Upkeep
  /** The last time that no slot was left for an entry. */
  #noDeposit: { readonly error: Error; readonly atMs: number } | undefined

  constructor(deps: MoneyDeps) {
    this.#deps = deps
    this.#pool = createPool(deps.ticketCrypto, poolTerms(deps.parameters))
    this.#spending = this.#createSpending()
    this.#returns = this.#createReturns()
    this.#joiner = this.#createJoiner()
    this.#slots = createSlotKeeper({
      ...deps,
      isReturning: (nullifier) => this.#returns?.has(nullifier) ?? false,
      onShown: (hop, nullifier) => this.#spending.onSlotShown(hop, nullifier),
      facts: deps.returns?.facts,
      onOlder: (unrecorded) => this.#onOlderRecords(unrecorded),
      onUnknown: (slots) => this.#notice({ type: 'slotsUnknown', slots }),
      onLow: (unshown) => this.#notice({ type: 'depositLow', unshown }),
      closing: this.#closing.signal,
    })
    this.#upkeep = new Upkeep({
      ...deps,
      slots: this.#slots,
      queue: this.#returns,
      joiner: this.#joiner,
      pool: this.#pool,
      closing: this.#closing.signal,
      spending: this.#spending,
      onUnpayable: (error) => this.#onUnpayable(error),
      onReturnsDelayed: (error) => this.#notice({ type: 'returnsDelayed', code: codeOf(error) }),
    })
    this.#hops = createHopBook({
      slots: this.#slots,
      nodeOf: deps.nodeOf,
      isStocked: (key) => this.#shop.isStocked(key),
      tariffOf: this.#tariffOf,
      maxPriceStep: deps.maxPriceStep ?? MAX_PRICE_STEP,
      nowMs: deps.monotonicMs,
    })
    this.#receipts = this.#createReceipts()
    this.#stock = this.#createTokenStock()
    this.#visits = this.#createVisits(this.#stock)
    this.#shop = this.#createShop(this.#stock)
    this.#entries = this.#createEntries()
  }

  get status(): MoneyStatus {
    const slots = this.#slots.counts
    const unshownValue = BigInt(slots.unshown) * this.#pool.slotValue
    const returns = this.#returns?.counts ?? { waiting: 0, asked: 0 }
    const paths = this.#deps.paths()
    const { areReady } = this.#entries
    return {
      ...this.#spending.status,
      slots,
      unshownValue,
      returns,
      small: this.#joiner?.status,
      canBegin: paths.some((path) => this.isProvided(path)) && (areReady || slots.ready > 0),
      isProvided: paths.length > 0 && areReady && paths.every((path) => this.isProvided(path)),
    }
  }

  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#slots.load(), this.#spending.load(), this.#returns?.load()])
    await this.#upkeep.look(AbortSignal.any([signal, AbortSignal.timeout(FIRST_LOOK_MS)]))
    signal.throwIfAborted()
    this.#shop.start()
    this.#entries.start()
    this.#returns?.start()
    watchProving({
      counts: () => this.#slots.counts,
      onProving: (proved, wanted) => this.#notice({ type: 'proving', proved, wanted }),
      timers: this.#deps.timers,
      closing: this.#closing.signal,
    })
  }

  meter(link: Link, guard: NodeKey): Link {
    return this.#entries.meter(link, guard)
  }

  get hops(): Money['hops'] {
    return this.#hops
  }

  isProvided(path: readonly PathNode[]): boolean {
    return path.slice(1).every((hop) => !this.#tariffOf(hop) || this.#shop.isStocked(hop.key))
  }

  requireFunds(): void {
    this.#spending.requireLeft(1n)
    const { error, atMs } = this.#noDeposit ?? { error: undefined, atMs: 0 }
    if (error && this.#deps.monotonicMs() - atMs < NO_DEPOSIT_MS) throw error
  }

  requireSlots(): void {
    const { unshown, total } = this.#slots.counts
    if (unshown === 0) throw moneyError('DEPOSIT_SPENT', { slots: total })
  }

  async openTunnel(
    path: readonly PathNode[],
    terms: TunnelTerms,
    signal: AbortSignal,
  ): Promise<TunnelPayer> {
    this.requireFunds()
    const exit = path.at(-1)
    const provided = this.#provide(path, signal)
    // Waited for below, unless the exit refuses before.
    provided.catch(() => {})
    const admission = exit && path.length > 1 ? await this.#admission(exit, signal) : undefined
    await provided
    this.requireFunds()
    return createTunnelPayer(
      {
        shop: this.#shop,
        spending: this.#spending,
        records: this.#records,
        isPaid: (node) => this.#tariffOf(node) !== undefined,
        onFault: (key) => this.#onFault(key),
        nowMs: this.#deps.monotonicMs,
      },
      admission,
      classWeight(terms),
    )
  }

  giveBack(isAll: boolean): Promise<number> {
    return this.#upkeep.giveBack(isAll)
  }

  flushBooks(): Promise<void> {
    return this.#spending.flush()
  }

  async signOff(): Promise<void> {
    this.#closing.abort()
    this.#upkeep.stop()
    await this.#shop.stop()
    await this.#returns?.stop()
    await this.#entries.finish()
    await this.#visits.left()
  }

  async stop(): Promise<void> {
    await this.#spending.stop()
  }

  async #admission(exit: PathNode, signal: AbortSignal): Promise<SpendMessage | undefined> {
    return this.#tariffOf(exit) ? await this.#shop.admission(exit, signal) : undefined
  }

  /** A proof takes a second where none is ready: who must be paid is ready for it before anything goes over the path, or it would be held and ended unpaid. */
  async #provide(path: readonly PathNode[], signal: AbortSignal): Promise<void> {
    const [entry, ...others] = path
    const middles = others.slice(0, -1).filter((node) => this.#tariffOf(node))
    await Promise.all([
      entry && this.#entries.ready(entry.key, signal),
      ...middles.map((node) => this.#shop.provided(node, signal)),
    ])
  }

  #tariffOfKey(key: NodeKey): Tariff | undefined {
    const node = this.#deps.nodeOf(key)
    return node && this.#tariffOf(node)
  }

  readonly #tariffOf = (node: PathNode): Tariff | undefined => tariffOf(this.#pool, node)

  #createSpending(): Spending {
    const { parameters, budget, book, record, random, nowMs, timers } = this.#deps
    return createSpending({
      winValue: parameters.winValue,
      slotValue: this.#pool.slotValue,
      budget,
      book,
      record,
      run: `${nowMs().toString(36)}${Math.floor(random() * 2 ** 32).toString(36)}`,
      nowMs,
      onBudgetSpent: (error) => {
        this.#notice({ type: 'budgetSpent' })
        this.#deps.onStopped(error)
      },
      timers,
    })
  }

  #createReceipts(): ReceiptSigner | undefined {
    const { receipts: keys, parameters, nowMs } = this.#deps
    const { epochS } = parameters.proofs ?? {}
    if (!keys || epochS === undefined) return undefined
    return createReceiptSigner({ keys, pool: this.#pool, epochS, nowMs })
  }

  #createTokenStock(): TokenStock {
    const { provider: hash, blindTokens: scheme, tokens: records, randomBytes } = this.#deps
    return createTokenStock({ scheme, hash, records, random: randomBytes })
  }

  #createVisits(stock: TokenStock): Visits {
    const { provider, source, parameters, nowMs } = this.#deps
    return createVisits({
      ...this.#sessionDeps(),
      provider,
      source,
      stock,
      tariffOf: this.#tariffOf,
      issueDelayMs: parameters.issueDelayS * 1000,
      onFault: ({ key }) => this.#onFault(key),
      nowMs,
    })
  }

  #createShop(stock: TokenStock): Shop {
    const { nowMs, timers } = this.#deps
    return createShop({
      stock,
      visit: (hop, orders, onStocked, signal) => this.#visits.visit(hop, orders, onStocked, signal),
      isLeft: (key) => this.#hops.isLeft(key),
      hopsInUse: () => this.#hopsInUse(),
      spending: this.#spending,
      nowMs,
      onFailed: (hop, error) => this.#onVisitFailed(hop, error),
      timers,
    })
  }

  #createEntries(): Entries {
    return createEntries({
      ...this.#sessionDeps(),
      slots: this.#slots,
      tariffOf: (key) => this.#tariffOfKey(key),
      isGuard: this.#deps.isGuard,
      nowMs: this.#deps.monotonicMs,
      onFault: (key) => this.#onFault(key),
      onUnpayable: (error) => this.#onEntryUnpayable(error),
      closing: this.#closing.signal,
    })
  }

  #createReturns(): ReturnQueue | undefined {
    const { returns, authoriser, ticketCrypto, timers } = this.#deps
    if (!returns) return undefined
    return createReturnQueue({
      ...returns,
      crypto: ticketCrypto,
      pool: this.#pool,
      authoriser,
      relays: this.#deps.nodes,
      open: (node, within) => this.#visits.open(node, within),
      closing: this.#closing.signal,
      onFailed: (error) => this.#upkeep.tellDelayed(error),
      timers,
    })
  }

  #createJoiner(): Joiner | undefined {
    const { returns, authoriser, random } = this.#deps
    const [pool, queue] = [this.#pool, this.#returns]
    if (!queue || !returns) return undefined
    return createJoiner({ authoriser, queue, facts: returns.facts, pool, random })
  }

  #sessionDeps() {
    const { ticketCrypto, randomBytes, timers } = this.#deps
    return {
      slots: this.#slots,
      spending: this.#spending,
      crypto: ticketCrypto,
      pool: this.#pool,
      randomBytes,
      receipts: this.#receipts,
      records: this.#records,
      timers,
    }
  }

  /** Paid hops after the entry, path by path, so that the first path is soon whole; nearest first: a farther hop is bought from through the nearer ones. */
  #hopsInUse(): readonly PathNode[] {
    return this.#deps
      .paths()
      .flatMap((path) => path.slice(1).filter((node) => this.#tariffOf(node)))
  }

  async #onOlderRecords(unrecorded: readonly Uint8Array[]): Promise<void> {
    const { forgetPast } = this.#deps
    const parts = { spending: this.#spending, stock: this.#stock, returns: this.#returns }
    await forgetOld({ ...parts, forgetPast }, unrecorded)
    this.#notice({ type: 'recordsLost' })
  }

  #onVisitFailed(hop: NodeKey, error: unknown): void {
    if (isBywayError(error) && error.code === 'PAYMENT_REFUSED') {
      this.#hops.avoid(hop)
      this.#deps.onHopFailed(hop)
    }
    this.#onUnpayable(error)
  }

  #onFault(hop: NodeKey): void {
    this.#hops.shun(hop)
    this.#deps.onHopFailed(hop)
    this.#notice({ type: 'cheated', hop })
  }

  /** Without a slot for the entry nothing can go on: applications are told instead of waiting for what the entry gives for nothing. */
  #onEntryUnpayable(error: unknown): void {
    if (isBywayError(error) && error.code === 'DEPOSIT_SPENT') {
      this.#noDeposit = { error, atMs: this.#deps.monotonicMs() }
      this.#deps.onStopped(error)
    }
    this.#onUnpayable(error)
  }

  #onUnpayable(error: unknown): void {
    this.#notice({ type: 'unpayable', code: codeOf(error) })
  }

  #notice(notice: MoneyNotice): void {
    this.#deps.onNotice?.(notice)
  }
}

function codeOf(error: unknown): string {
  return isBywayError(error) ? error.code : 'UNKNOWN'
}
