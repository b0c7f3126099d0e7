/**
 * A client's stock of tokens, hop by hop (SPEC §16): whose keys may be trusted, when to buy how many, and handing out. It does no I/O: the driver carries the messages over
 * control circuits, with tickets before them.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { BlindTokenScheme, RandomBytes } from '@byway/protocol/crypto'
import {
  PAY,
  TOKEN_KIND,
  VERDICT,
  type BuyMessage,
  type KeysMessage,
  type SoldMessage,
  type SpendMessage,
  type TokenKind,
  type Verdict,
} from '@byway/protocol/wire'
import { TokenOffer, type KeysVerdict } from './token-offer.ts'
import { finishPurchase, preparePurchase } from './token-purchase.ts'
import {
  AdmissionQuota,
  isLow,
  isShort,
  isShortOnVisit,
  orderFor,
  roomOf,
  TokenUse,
  unitsOf,
  type Hop,
  type Lane,
  type TokenOrder,
} from './token-plan.ts'
import { RestockClock } from './token-restock.ts'
import { TokenShelf, type HeldTokenRecords, type TokenCount } from './token-shelf.ts'
import { TOKEN_KINDS, unitsOfToken, type TokenHash } from './token-terms.ts'

/**
 * What a purchase came to. `bad`: so many signatures did not hold: the hop cheats, buy nothing there again. `refused`: nothing came, the verdict says why; the purchase is
 * still open with TRY_LATER and may be repeated. `unasked`: no purchase with that request is open.
 */
export type PurchaseResult =
  | {
      readonly type: 'stocked'
      readonly kind: TokenKind
      readonly count: number
      readonly bad: number
      /** What it cost. */
      readonly units: number
    }
  | {
      readonly type: 'refused'
      readonly kind: TokenKind
      readonly count: number
      readonly verdict: Verdict
    }
  | { readonly type: 'unasked' }

/** A client's tokens. Nodes are named by their 32-byte ids. */
export interface TokenStock {
  /** Begins with a hop: reads what an earlier run has left of its tokens. An exit takes every kind, a relay no admission. Idempotent. */
  open(node: Uint8Array, kinds: readonly TokenKind[], nowMs: number): Promise<void>
  /** Judges a hop's KEYS against the hash in its newest descriptor. */
  acceptKeys(
    node: Uint8Array,
    keys: KeysMessage,
    descriptorHash: Uint8Array,
    nowMs: number,
  ): KeysVerdict
  /** True when KEYS must be asked for before the next purchase. */
  needsKeys(node: Uint8Array, kind: TokenKind, nowMs: number): boolean
  /** The hop is shown another slot from now on: it gives away anew what it gives away for each. Open purchases are given up, and requests numbered anew: asked for again, or numbered on, they would say whose slot the next one is. */
  onNewSlot(node: Uint8Array, nowMs: number): void
  /** What so many tokens cost now, in units. */
  priceOf(node: Uint8Array, kind: TokenKind, count: number, nowMs: number): number
  /** Whether this client's slot is locked or bound at the hop: then more is kept in stock. */
  setLocked(node: Uint8Array, isLocked: boolean): void
  /** What {@link TokenStock.setLocked} said last of the slot in use there. */
  isLocked(node: Uint8Array): boolean
  /** What to buy now, of all hops in use whose time has come: bandwidth before admission, as its tickets come first. Draws their next times. */
  orders(nowMs: number): readonly TokenOrder[]
  /** Of bandwidth and bulk, what to buy besides while the hop is visited: another batch, where the stock is low and used up soon. Undefined when there is enough, or nothing was bought there yet. */
  moreOf(node: Uint8Array, nowMs: number): TokenOrder | undefined
  /** True when bandwidth of a hop that has sold some is used up soon, or is by now: somebody may be waiting for it. */
  isShort(node: Uint8Array, nowMs: number): boolean
  /** How much more bandwidth may be in stock, with what is paid for, in tokens. */
  roomOf(node: Uint8Array, nowMs: number): number
  /** When to ask for orders next; undefined when no hop is in use. */
  wakeAtMs(): number | undefined
  /** Makes the message for an order; undefined without a key, with a purchase of that kind open, or when the key is malformed. */
  startPurchase(order: TokenOrder, nowMs: number): BuyMessage | undefined
  /** An open purchase's message again: after TRY_LATER, or on another circuit when the answer was lost. */
  repeatPurchase(node: Uint8Array, kind: TokenKind): BuyMessage | undefined
  /** Takes SOLD. Rejects when the tokens could not be kept; then they are gone. */
  finishPurchase(node: Uint8Array, sold: SoldMessage, nowMs: number): Promise<PurchaseResult>
  /** Gives an open purchase up; what was paid for it stays at the hop as balance. */
  abandonPurchase(node: Uint8Array, kind: TokenKind): void
  /** Tokens of a hop, in memory and on disk. */
  held(node: Uint8Array, kind: TokenKind): number
  /** Those of them that are in memory, for `spend`. */
  atHand(node: Uint8Array, kind: TokenKind): number
  /** Hands a token out, once and for good. Undefined when none is in memory: wait for `refill`, buy, or both. */
  spend(node: Uint8Array, kind: TokenKind, nowMs: number): SpendMessage | undefined
  /** Somebody will want bulk tokens of a hop soon: a few are bought ahead. */
  wantSoon(node: Uint8Array, nowMs: number): void
  /** Resolves when a block of tokens is in memory, or there is none to load. */
  refill(node: Uint8Array, kind: TokenKind): Promise<void>
  /** Tokens of a hop dropped because their key lapsed, since the last call. For the ledger. */
  takeLapsed(node: Uint8Array, kind: TokenKind): number
  /** Ends with a hop: no more orders, unspent tokens back on disk. */
  close(node: Uint8Array): Promise<void>
  /** Gives up every token in memory and on disk, of hops in use or not: they may have been spent by somebody who forgot it. Gives how many. */
  forgetAll(): Promise<readonly TokenCount[]>
  /** Ends with all of them. */
  closeAll(): Promise<void>
}

export type TokenStockDeps = {
  readonly scheme: Pick<BlindTokenScheme, 'publicKey' | 'blind' | 'finalise'>
  readonly hash: TokenHash
  readonly records: HeldTokenRecords
  readonly random: RandomBytes
}

/** Creates an empty stock. */
export function createTokenStock(deps: TokenStockDeps): TokenStock {
  return new Stock(deps)
}

class Stock implements TokenStock {
  readonly #deps: TokenStockDeps
  readonly #hops = new Map<string, Hop>()

  constructor(deps: TokenStockDeps) {
    this.#deps = deps
  }

  async open(node: Uint8Array, kinds: readonly TokenKind[], nowMs: number): Promise<void> {
    const name = toHex(node)
    if (this.#hops.has(name)) return
    const hop = this.#createHop(node.slice(), kinds, nowMs)
    this.#hops.set(name, hop)
    await Promise.all(hop.lanes.map(({ shelf }) => shelf.open()))
  }

  acceptKeys(
    node: Uint8Array,
    keys: KeysMessage,
    descriptorHash: Uint8Array,
    nowMs: number,
  ): KeysVerdict {
    const hop = this.#hop(node)
    const verdict = hop?.offer.accept(keys, descriptorHash, nowMs) ?? 'malformed'
    if (hop && verdict === 'second') hop.isCheat = true
    return verdict
  }

  needsKeys(node: Uint8Array, kind: TokenKind, nowMs: number): boolean {
    return this.#hop(node)?.offer.current(kind, nowMs) === undefined
  }

  onNewSlot(node: Uint8Array, nowMs: number): void {
    const hop = this.#hop(node)
    if (!hop) return
    hop.wasLocked ||= hop.isLocked
    hop.quota = new AdmissionQuota()
    hop.isLocked = false
    hop.lastRequest = 0
    for (const lane of hop.lanes) lane.purchase = undefined
    // What is in stock bridges the time until the next slot is held, if that begins now.
    if (this.isShort(node, nowMs)) hop.clock.hurry(nowMs)
  }

  priceOf(node: Uint8Array, kind: TokenKind, count: number, nowMs: number): number {
    const hop = this.#hop(node)
    return hop ? unitsOf(hop, kind, count, nowMs) : 0
  }

  setLocked(node: Uint8Array, isLocked: boolean): void {
    const hop = this.#hop(node)
    if (hop) hop.isLocked = isLocked
  }

  isLocked(node: Uint8Array): boolean {
    return this.#hop(node)?.isLocked ?? false
  }

  orders(nowMs: number): readonly TokenOrder[] {
    const orders: TokenOrder[] = []
    for (const hop of this.#hops.values()) {
      if (nowMs < hop.clock.atMs) continue
      hop.clock.draw(nowMs)
      if (hop.isCheat) continue
      for (const lane of hop.lanes) {
        // Of bulk no stock is laid in.
        const isWanted = lane.kind !== TOKEN_KIND.BULK || isShort(hop, lane, nowMs)
        if (isWanted) orders.push(...orderFor(hop, lane, nowMs))
      }
    }
    return orders
  }

  moreOf(node: Uint8Array, nowMs: number): TokenOrder | undefined {
    const hop = this.#hop(node)
    if (!hop?.isProven || hop.isCheat) return undefined
    for (const kind of [TOKEN_KIND.BULK, TOKEN_KIND.BANDWIDTH]) {
      const lane = this.#lane(node, kind)
      const [order] = lane && isShortOnVisit(hop, lane, nowMs) ? orderFor(hop, lane, nowMs) : []
      if (order) return order
    }
    return undefined
  }

  isShort(node: Uint8Array, nowMs: number): boolean {
    const hop = this.#hop(node)
    const lane = this.#lane(node, TOKEN_KIND.BANDWIDTH)
    return hop?.isProven === true && lane !== undefined && isShort(hop, lane, nowMs)
  }

  roomOf(node: Uint8Array, nowMs: number): number {
    const hop = this.#hop(node)
    const lane = this.#lane(node, TOKEN_KIND.BANDWIDTH)
    return hop && lane ? roomOf(hop, lane, nowMs) : 0
  }

  wakeAtMs(): number | undefined {
    const times = [...this.#hops.values()].map(({ clock }) => clock.atMs)
    return times.length > 0 ? Math.min(...times) : undefined
  }

  startPurchase({ node, kind, count }: TokenOrder, nowMs: number): BuyMessage | undefined {
    const hop = this.#hop(node)
    const lane = this.#lane(node, kind)
    const key = hop?.offer.current(kind, nowMs)
    if (!hop || !lane || !key || lane.purchase || hop.isCheat) return undefined
    hop.lastRequest = (hop.lastRequest + 1) & 0xffff
    lane.purchase = preparePurchase(this.#deps, key, hop.lastRequest, count)
    if (!lane.purchase) hop.isCheat = true
    return lane.purchase?.message
  }

  repeatPurchase(node: Uint8Array, kind: TokenKind): BuyMessage | undefined {
    return this.#lane(node, kind)?.purchase?.message
  }

  async finishPurchase(
    node: Uint8Array,
    sold: SoldMessage,
    nowMs: number,
  ): Promise<PurchaseResult> {
    const hop = this.#hop(node)
    const lane = hop?.lanes.find(({ purchase }) => purchase?.message.request === sold.request)
    if (!hop || !lane?.purchase) return { type: 'unasked' }
    const { kind, purchase } = lane
    const { verdict } = sold
    const asked = purchase.nonces.length
    if (verdict !== VERDICT.TRY_LATER) lane.purchase = undefined
    if (verdict === VERDICT.NOT_PAID && kind === TOKEN_KIND.ADMISSION) hop.quota.exhaust(nowMs)
    if (verdict !== VERDICT.OK) return { type: 'refused', kind, count: asked, verdict }
    const tokens = finishPurchase(this.#deps, purchase, sold, hop.node)
    const bad = asked - tokens.length
    if (bad > 0) hop.isCheat = true
    else hop.isProven = true
    const units = unitsOf(hop, kind, asked, nowMs)
    if (kind === TOKEN_KIND.ADMISSION) hop.quota.use(asked, nowMs)
    if (kind === TOKEN_KIND.BANDWIDTH) hop.use.onBought()
    await lane.shelf.add(tokens)
    return { type: 'stocked', kind, count: tokens.length, bad, units }
  }

  abandonPurchase(node: Uint8Array, kind: TokenKind): void {
    const lane = this.#lane(node, kind)
    if (lane) lane.purchase = undefined
  }

  held(node: Uint8Array, kind: TokenKind): number {
    return this.#lane(node, kind)?.shelf.held ?? 0
  }

  atHand(node: Uint8Array, kind: TokenKind): number {
    return this.#lane(node, kind)?.shelf.atHand ?? 0
  }

  spend(node: Uint8Array, kind: TokenKind, nowMs: number): SpendMessage | undefined {
    const hop = this.#hop(node)
    const lane = this.#lane(node, kind)
    if (lane) lane.wantedAtMs = nowMs
    const held = lane?.shelf.take(nowMs)
    if (hop && lane && isLow(hop, lane, nowMs)) hop.clock.hurry(nowMs)
    if (!held && kind === TOKEN_KIND.BANDWIDTH && lane?.shelf.held === 0) hop?.use.onMissed()
    if (!held) return undefined
    if (kind !== TOKEN_KIND.ADMISSION) hop?.use.onSpent(unitsOfToken(kind), nowMs)
    const { keyId, nonce, token } = held
    return { kind: PAY.SPEND, tokenKind: kind, keyId, nonce, token }
  }

  wantSoon(node: Uint8Array, nowMs: number): void {
    const hop = this.#hop(node)
    const lane = this.#lane(node, TOKEN_KIND.BULK)
    if (!hop || !lane) return
    lane.soonAtMs = nowMs
    if (isLow(hop, lane, nowMs)) hop.clock.hurry(nowMs)
  }

  async refill(node: Uint8Array, kind: TokenKind): Promise<void> {
    await this.#lane(node, kind)?.shelf.refill()
  }

  takeLapsed(node: Uint8Array, kind: TokenKind): number {
    return this.#lane(node, kind)?.shelf.takeLapsed() ?? 0
  }

  async close(node: Uint8Array): Promise<void> {
    const hop = this.#hop(node)
    if (!hop) return
    this.#hops.delete(toHex(node))
    await Promise.all(hop.lanes.map(({ shelf }) => shelf.close()))
  }

  async forgetAll(): Promise<readonly TokenCount[]> {
    const atHand: TokenCount[] = []
    for (const { node, lanes } of this.#hops.values())
      for (const { kind, shelf } of lanes) atHand.push({ node, kind, count: await shelf.forget() })
    const onDisk = await this.#deps.records.forgetAll()
    return [...atHand, ...onDisk].filter(({ count }) => count > 0)
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#hops.values()].map(({ node }) => this.close(node)))
  }

  #createHop(node: Uint8Array, kinds: readonly TokenKind[], nowMs: number): Hop {
    const { records, random } = this.#deps
    const lane = (kind: TokenKind): Lane => {
      const shelf = new TokenShelf(records, node, kind)
      return {
        kind,
        shelf,
        purchase: undefined,
        wantedAtMs: Number.NEGATIVE_INFINITY,
        soonAtMs: Number.NEGATIVE_INFINITY,
      }
    }
    return {
      node,
      offer: new TokenOffer(this.#deps, node),
      lanes: TOKEN_KINDS.filter((kind) => kinds.includes(kind)).map(lane),
      use: new TokenUse(nowMs),
      clock: new RestockClock(random, nowMs),
      quota: new AdmissionQuota(),
      lastRequest: 0,
      isLocked: false,
      wasLocked: false,
      isProven: false,
      isCheat: false,
    }
  }

  #hop(node: Uint8Array): Hop | undefined {
    return this.#hops.get(toHex(node))
  }

  #lane(node: Uint8Array, kind: TokenKind): Lane | undefined {
    return this.#hop(node)?.lanes.find((lane) => lane.kind === kind)
  }
}
