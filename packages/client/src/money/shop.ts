/**
 * The client's dealings in tokens (SPEC §16): keeps those of the hops in use in stock, visits hops on control circuits when their time has come, nearest first,
 * and hands tokens out. When to buy how many is `TokenStock`'s, what is said on a visit visit.ts's.
 * @module
 */
import { isBywayError } from '@byway/protocol/base'
import { nodeKeyOf } from '@byway/protocol/directory'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { bytesOfToken, unitsOfToken } from '@byway/protocol/payment'
import type { TokenOrder, TokenStock } from '@byway/protocol/payment'
import { TOKEN_KIND } from '@byway/protocol/wire'
import type { SpendMessage, TokenKind } from '@byway/protocol/wire'
import { untilAborted } from '../engine/abort.ts'
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import { isPutOff, moneyError } from './errors.ts'
import { kindName } from './kind-name.ts'
import type { Spending } from './spending.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Between looks at what is due. */
const LOOK_MS = 500
/** Visits at a time: those of a tunnel and of the circuits in stock, while an entry's links carry no crowd of control circuits. */
const MAX_VISITS = 6
/** Between visits that fail at one hop, doubling. */
const RETRY_MIN_MS = 1000
const RETRY_MAX_MS = 300_000
/** The most where a tunnel stands still meanwhile: its exit holds it for a minute and no longer (SPEC §15.4). */
const RETRY_WAITED_MS = 4000
/** A hop that is on no circuit any more keeps its place for so long; then its tokens go back to the disk. */
const IDLE_MS = 600_000
/** Four tokens are one ticket of 16 units. */
const LEAST_TOKENS = 4
const LEAST_ADMISSIONS = 8
/** Visits for one tunnel's admission before another exit is tried. */
const MAX_ATTEMPTS = 2

export type ShopDeps = {
  readonly stock: TokenStock
  /** Buys at a hop on a control circuit what it has little of, and tells each time when there is more; resolves when the hop is left again. */
  readonly visit: (
    hop: PathNode,
    orders: readonly TokenOrder[],
    onStocked: () => void,
    signal: AbortSignal,
  ) => Promise<void>
  /** This hop is left alone now: nothing is bought there but what somebody waits for. */
  readonly isLeft: (hop: NodeKey) => boolean
  /** The hops after the entry of warm circuits and tunnels, nearest first. */
  readonly hopsInUse: () => readonly PathNode[]
  readonly spending: Pick<Spending, 'onTokens'>
  /** Wall clock. */
  readonly nowMs: () => number
  /** A visit failed, or the disk did. */
  readonly onFailed: (hop: NodeKey, error: unknown) => void
  /** @default the system's */
  readonly timers?: Timers | undefined
}

/** Buys and hands out. */
export interface Shop {
  start(): void
  /** A token of this hop to send, worth no more than so many bytes if it can be: a bulk token or a bandwidth token. Undefined when none is at hand: more are fetched or bought. `soonBytes`: what one may be worth soon, so that it is at hand by then. */
  spend(hop: PathNode, mostBytes: number, soonBytes?: number): SpendMessage | undefined
  /** True when nothing needs to be bought before a tunnel goes through this hop. */
  isStocked(hop: NodeKey): boolean
  /** Resolves when there may be tokens of this hop that were not there before. Somebody stands still until then. */
  restocked(hop: PathNode): Promise<void>
  /**
   * What admits a tunnel to this exit, bought first if need be.
   * @throws PAYMENT_REFUSED when the exit sells none, DEPOSIT_SPENT, BUDGET_SPENT, or the signal's reason
   */
  admission(exit: PathNode, signal: AbortSignal): Promise<SpendMessage>
  /** Resolves when this hop sells tokens and has sold some, or cannot be bought from now. @throws the signal's reason */
  provided(hop: PathNode, signal: AbortSignal): Promise<void>
  /** Ends all visits and puts tokens back on the disk. */
  stop(): Promise<void>
}

/** Creates a shop that does nothing yet. */
export function createShop(deps: ShopDeps): Shop {
  return new TokenShop(deps)
}

type Hop = {
  node: PathNode
  readonly opened: Promise<void>
  usedAtMs: number
  /** What the stock said to buy and nobody has yet. */
  orders: readonly TokenOrder[]
  visit: Promise<void> | undefined
  /** Who stands still for want of its tokens. */
  waiting: number
  /** Of the last visit, when that failed; the next one waits for so long. */
  failedAtMs: number
  restMs: number
  lastError: Error | undefined
  changed: PromiseWithResolvers<void>
}

class TokenShop implements Shop {
  readonly #deps: ShopDeps
  readonly #hops = new Map<NodeKey, Hop>()
  readonly #closing = new AbortController()
  #cancelLook: () => void = () => {}

  constructor(deps: ShopDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#look()
  }

  spend(node: PathNode, mostBytes: number, soonBytes = 0): SpendMessage | undefined {
    const hop = this.#hopOf(node)
    if (soonBytes >= bytesOfToken(TOKEN_KIND.BULK))
      this.#deps.stock.wantSoon(nodeIdOf(node), this.#deps.nowMs())
    const isBulk = mostBytes >= bytesOfToken(TOKEN_KIND.BULK)
    const bulk = isBulk ? this.#takeBulk(hop) : undefined
    const message = bulk ?? this.#take(hop, TOKEN_KIND.BANDWIDTH)
    if (!message) void this.#refill(hop)
    return message
  }

  async restocked(node: PathNode): Promise<void> {
    const hop = this.#hopOf(node)
    hop.waiting++
    await hop.changed.promise
    hop.waiting--
  }

  isStocked(key: NodeKey): boolean {
    const hop = this.#hops.get(key)
    return hop !== undefined && neededKinds(hop.node).every((kind) => this.#held(hop, kind) > 0)
  }

  async admission(exit: PathNode, signal: AbortSignal): Promise<SpendMessage> {
    const hop = this.#hopOf(exit)
    await untilAborted(hop.opened, signal)
    for (let attempt = 0; ; attempt++) {
      const message = this.#take(hop, TOKEN_KIND.ADMISSION)
      if (message) return message
      if (attempt === MAX_ATTEMPTS) break
      await untilAborted(this.#provide(hop), signal)
      // A circuit that failed on the way says nothing about the exit: another one may not.
      if (hop.lastError !== undefined && !isCircuitFailed(hop.lastError)) throw hop.lastError
    }
    throw hop.lastError ?? moneyError('PAYMENT_REFUSED', { verdict: 'NO_ADMISSION' })
  }

  async provided(node: PathNode, signal: AbortSignal): Promise<void> {
    const hop = this.#hopOf(node)
    await untilAborted(hop.opened, signal)
    if (this.#held(hop, TOKEN_KIND.BANDWIDTH) > 0) return
    if (!this.#isResting(hop)) await untilAborted(this.#visit(hop), signal)
  }

  async stop(): Promise<void> {
    this.#closing.abort(moneyError('PAYMENT_REFUSED', { verdict: 'CLOSED' }))
    this.#cancelLook()
    await Promise.allSettled([...this.#hops.values()].flatMap(({ visit }) => visit ?? []))
    await this.#deps.stock.closeAll()
  }

  /** Takes the hops in use in, forgets those that are not, and visits whose time has come. */
  readonly #look = (): void => {
    if (this.#closing.signal.aborted) return
    const { timers = systemTimers, stock, hopsInUse } = this.#deps
    const nowMs = this.#deps.nowMs()
    for (const node of hopsInUse()) this.#hopOf(node).usedAtMs = nowMs
    for (const hop of this.#hops.values()) if (nowMs - hop.usedAtMs > IDLE_MS) this.#forget(hop)
    for (const order of stock.orders(nowMs)) this.#note(order)
    for (const hop of this.#hops.values()) {
      const isWanted = hop.orders.length > 0 || hop.waiting > 0
      if (isWanted && this.#mayVisit(hop)) void this.#visit(hop)
    }
    this.#cancelLook = timers.after(LOOK_MS, this.#look)
  }

  #note(order: TokenOrder): void {
    const hop = this.#hops.get(nodeKeyOf(order.node))
    if (hop) hop.orders = [...hop.orders.filter(({ kind }) => kind !== order.kind), order]
  }

  #mayVisit(hop: Hop): boolean {
    // Who stands still waits for a hop that is left alone, unless slots would be lost on it.
    const isNeeded = hop.waiting > 0 && isHarmless(hop.lastError)
    if (!isNeeded && this.#deps.isLeft(hop.node.key)) return false
    const visits = [...this.#hops.values()].filter(({ visit }) => visit !== undefined).length
    return !hop.visit && visits < MAX_VISITS && !this.#isResting(hop)
  }

  #isResting({ failedAtMs, restMs, waiting, lastError }: Hop): boolean {
    const isNeeded = waiting > 0 && isHarmless(lastError)
    const forMs = isNeeded ? Math.min(restMs, RETRY_WAITED_MS) : restMs
    return this.#deps.nowMs() < failedAtMs + forMs
  }

  #hopOf(node: PathNode): Hop {
    const known = this.#hops.get(node.key)
    if (known) {
      known.node = node
      return known
    }
    const nowMs = this.#deps.nowMs()
    const hop: Hop = {
      node,
      opened: this.#deps.stock.open(nodeIdOf(node), kindsOf(node), nowMs),
      usedAtMs: nowMs,
      orders: [],
      visit: undefined,
      waiting: 0,
      failedAtMs: 0,
      restMs: 0,
      lastError: undefined,
      changed: Promise.withResolvers(),
    }
    this.#hops.set(node.key, hop)
    // The disk's fault is its own to report; there are no tokens then.
    hop.opened.then(
      () => this.#tell(hop),
      () => {},
    )
    return hop
  }

  #forget(hop: Hop): void {
    if (hop.visit) return
    this.#hops.delete(hop.node.key)
    hop.changed.resolve()
    this.#deps.stock
      .close(nodeIdOf(hop.node))
      .catch((error: unknown) => this.#deps.onFailed(hop.node.key, error))
  }

  #take({ node }: Hop, kind: TokenKind): SpendMessage | undefined {
    const { stock, spending } = this.#deps
    const message = stock.spend(nodeIdOf(node), kind, this.#deps.nowMs())
    const lapsed = stock.takeLapsed(nodeIdOf(node), kind)
    spending.onTokens('tokens-lost', node.key, kindName(kind), lapsed)
    return message
  }

  /** Nobody waits for one: a bandwidth token does as well. */
  #takeBulk(hop: Hop): SpendMessage | undefined {
    const message = this.#take(hop, TOKEN_KIND.BULK)
    if (!message && this.#held(hop, TOKEN_KIND.BULK) > 0)
      this.#deps.stock
        .refill(nodeIdOf(hop.node), TOKEN_KIND.BULK)
        .catch((error: unknown) => this.#deps.onFailed(hop.node.key, error))
    return message
  }

  /** Loads what the disk has; buys when that is nothing. */
  async #provide(hop: Hop): Promise<void> {
    hop.lastError = undefined
    await this.#deps.stock.refill(nodeIdOf(hop.node), TOKEN_KIND.ADMISSION)
    if (this.#held(hop, TOKEN_KIND.ADMISSION) === 0) await this.#visit(hop)
  }

  async #refill(hop: Hop): Promise<void> {
    try {
      await this.#deps.stock.refill(nodeIdOf(hop.node), TOKEN_KIND.BANDWIDTH)
    } catch (error) {
      this.#deps.onFailed(hop.node.key, error)
      return
    }
    // A shop that is closing loads nothing any more: who is told in vain asks at once again, without end.
    if (this.#deps.stock.atHand(nodeIdOf(hop.node), TOKEN_KIND.BANDWIDTH) > 0) this.#tell(hop)
  }

  /** One visit at a time; who asks meanwhile waits for the same one. */
  #visit(hop: Hop): Promise<void> {
    hop.visit ??= this.#visitOnce(hop).finally(() => (hop.visit = undefined))
    return hop.visit
  }

  async #visitOnce(hop: Hop): Promise<void> {
    const orders = this.#ordersFor(hop)
    hop.orders = []
    try {
      await this.#deps.visit(hop.node, orders, () => this.#tell(hop), this.#closing.signal)
      hop.restMs = 0
      hop.lastError = undefined
    } catch (error) {
      hop.lastError = error instanceof Error ? error : undefined
      hop.orders = orders
      hop.restMs = Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, hop.restMs * 2))
      hop.failedAtMs = this.#deps.nowMs()
      if (!this.#closing.signal.aborted) this.#deps.onFailed(hop.node.key, error)
    }
    this.#tell(hop)
  }

  /** What the stock says, and the least that a tunnel needs to begin and to go on. Tickets for bandwidth go first: they open the account. */
  #ordersFor({ node, orders }: Hop): readonly TokenOrder[] {
    const nodeId = nodeIdOf(node)
    const order = (kind: TokenKind, count: number, units: number): readonly TokenOrder[] => {
      const asked = orders.find((one) => one.kind === kind)
      if (asked) return [asked]
      const isShort = this.#deps.stock.held(nodeId, kind) < count / 2
      return isShort ? [{ node: nodeId, kind, count, units }] : []
    }
    const bandwidth = order(
      TOKEN_KIND.BANDWIDTH,
      LEAST_TOKENS,
      LEAST_TOKENS * unitsOfToken(TOKEN_KIND.BANDWIDTH),
    )
    const admission = order(TOKEN_KIND.ADMISSION, LEAST_ADMISSIONS, LEAST_ADMISSIONS)
    const bulk = orders.filter(({ kind }) => kind === TOKEN_KIND.BULK)
    return node.isExit ? [...bandwidth, ...admission, ...bulk] : [...bandwidth, ...bulk]
  }

  #held({ node }: Hop, kind: TokenKind): number {
    return this.#deps.stock.held(nodeIdOf(node), kind)
  }

  #tell(hop: Hop): void {
    const { changed } = hop
    hop.changed = Promise.withResolvers()
    changed.resolve()
  }
}

/** The way to the hop broke, or it put the visit off: another one risks no slot. */
function isHarmless(error: Error | undefined): boolean {
  return error !== undefined && (isCircuitFailed(error) || isPutOff(error))
}

function isCircuitFailed(error: Error): boolean {
  return isBywayError(error) && error.code === 'CIRCUIT_FAILED'
}

/** Without which no tunnel goes through it. */
function neededKinds({ isExit }: PathNode): readonly TokenKind[] {
  return isExit ? [TOKEN_KIND.BANDWIDTH, TOKEN_KIND.ADMISSION] : [TOKEN_KIND.BANDWIDTH]
}

function kindsOf(node: PathNode): readonly TokenKind[] {
  return [...neededKinds(node), TOKEN_KIND.BULK]
}

function nodeIdOf({ entry }: PathNode): Uint8Array {
  return entry.descriptor.nodeId
}
