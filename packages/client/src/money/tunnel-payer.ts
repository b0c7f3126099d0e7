/**
 * Pays the hops after the entry for one tunnel (SPEC §15.4): tokens to each by the client's own count, admission at the exit before anything is asked of it. A relay's
 * account is the leg's and begins anew with each; the exit's goes with the tunnel. Where tokens come from is the shop's.
 * @module
 */
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import {
  bytesOfToken,
  createAllowance,
  createPaddingWatch,
  SAME_PRICE,
  TOKEN_KINDS,
} from '@byway/protocol/payment'
import type { Allowance, ClassWeight, PaddingWatch, PaymentSizes } from '@byway/protocol/payment'
import { PAY, TOKEN_KIND, VERDICT } from '@byway/protocol/wire'
import type {
  ClientPayMessage,
  PayMessage,
  RefusedMessage,
  SpendMessage,
} from '@byway/protocol/wire'
import { kindName } from './kind-name.ts'
import type { HopRecords } from './hop-records.ts'
import { createRateMeter } from './rate-meter.ts'
import type { Shop } from './shop.ts'
import type { Spending } from './spending.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Half of what a hop serves for nothing: a short page costs nothing, and a long one has its token there in time. */
const UNPAID_BYTES = 128 * 1024
/** A token sent longer ago has arrived, or its leg was silent and is given up for that. */
const UNDER_WAY_MS = 15_000
const TOKEN_BYTES = bytesOfToken(TOKEN_KIND.BANDWIDTH)
const SIZES: PaymentSizes = [TOKEN_BYTES, bytesOfToken(TOKEN_KIND.BULK)]
/** What a token is worth whose refusal names this kind (SPEC §15.4). */
const WORTH: ReadonlyMap<number, number> = new Map(
  TOKEN_KINDS.map((kind) => [kind, bytesOfToken(kind)]),
)
/** What is paid once more for one leg that died, at most; a single token in any case. */
const MAX_UNDER_WAY_BYTES = 16 * 1024 * 1024
/** What is paid once more to one hop on one tunnel at its word: sixteen bandwidth tokens, */
const MAX_FORGIVEN_BYTES = 64 * 1024 * 1024
/** and such a part of what it served: as much as it can gain by stopping (SPEC §15.3). */
const FORGIVEN_PARTS = 16

export type TunnelPayerDeps = {
  readonly shop: Pick<Shop, 'spend' | 'restocked'>
  readonly spending: Pick<Spending, 'onTokens' | 'onPaidLost' | 'follow'>
  /** This hop took pay and broke its side of it. */
  readonly onFault: (hop: NodeKey) => void
  readonly records: HopRecords
  /** True for a hop that is paid; the others serve for nothing. */
  readonly isPaid: (hop: PathNode) => boolean
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/** The leg that the tunnel rides on, as its payer sees it. */
export type PaidLeg = {
  /** Entry first. */
  readonly path: readonly PathNode[]
  /** Round trip to the exit in milliseconds; 0 while unknown. */
  readonly rttMs: () => number
  /** Sends to a hop from 0, or to the exit; false when too much waits. */
  readonly send: (message: ClientPayMessage, hop: number | undefined) => boolean
}

/** Pays for one tunnel. */
export interface TunnelPayer {
  /** The tunnel rides on this leg from now on. */
  onLeg(leg: PaidLeg): void
  /** Something is about to be asked of the exit: the first time admission goes before it. */
  admit(): void
  /** What admitted the tunnel has not arrived, and nothing else: it goes once more. */
  admitAgain(): void
  onSent(cellBytes: number): void
  /** A cell came. False when the exit sends more than it was asked for: the circuit must go. */
  onReceived(cellBytes: number, usefulBytes: number, isActive: boolean): boolean
  /** A hop of the present leg says something; undefined is the exit. False when it may not. */
  onPay(pay: PayMessage, hop: number | undefined): boolean
  stop(): void
}

/**
 * Creates the payer of a tunnel.
 *
 * @param admission - to its exit; undefined at one that asks for nothing
 * @param weight - of the tunnel's class at the exit (SPEC §15.4); the hops before it know of no class
 */
export function createTunnelPayer(
  deps: TunnelPayerDeps,
  admission: SpendMessage | undefined,
  weight: ClassWeight = SAME_PRICE,
): TunnelPayer {
  return new Payer(deps, admission, weight)
}

type Account = {
  readonly node: PathNode
  /** Its place on the leg; undefined is the exit. */
  readonly place: number | undefined
  readonly allowance: Allowance
  isWaiting: boolean
  /** The latest tokens: those of the last moments before a leg dies may not have arrived. */
  readonly sent: { readonly atMs: number; readonly bytes: number }[]
  /** How many of each kind were sent and not refused. */
  readonly unrefused: Map<number, number>
  /** So much of them may be lost with an earlier leg. */
  lostAtMostBytes: number
  /** What was paid once more in all because the hop said that it had not come, or did not count. */
  forgivenBytes: number
  /** What of it the books know. */
  readonly book: { close(): void }
}

class Payer implements TunnelPayer {
  readonly #deps: TunnelPayerDeps
  readonly #rate = createRateMeter()
  readonly #padding: PaddingWatch
  readonly #weight: ClassWeight
  #admission: SpendMessage | undefined
  #sentAdmission: SpendMessage | undefined
  #leg: PaidLeg | undefined
  #accounts: readonly Account[] = []
  #isStopped = false

  constructor(deps: TunnelPayerDeps, admission: SpendMessage | undefined, weight: ClassWeight) {
    this.#deps = deps
    this.#weight = weight
    this.#admission = admission
    this.#padding = createPaddingWatch(deps.nowMs())
  }

  onLeg(leg: PaidLeg): void {
    const exit = this.#accounts.find(({ place }) => place === undefined)
    for (const account of this.#accounts) if (account !== exit) end(account)
    if (exit) exit.lostAtMostBytes = this.#underWay(exit)
    this.#leg = leg
    const last = leg.path.length - 1
    this.#accounts = leg.path.flatMap((node, i) => {
      if (i === 0 || !this.#deps.isPaid(node)) return []
      return i === last ? (exit ?? this.#open(node, undefined)) : this.#open(node, i)
    })
  }

  admit(): void {
    const message = this.#admission
    if (!message || this.#leg?.send(message, undefined) !== true) return
    this.#admission = undefined
    this.#sentAdmission = message
    const exit = this.#leg.path.at(-1)
    if (exit) this.#deps.spending.onTokens('tokens-spent', exit.key, 'admission', 1)
  }

  admitAgain(): void {
    if (this.#sentAdmission) this.#leg?.send(this.#sentAdmission, undefined)
  }

  onSent(cellBytes: number): void {
    this.#padding.onSent(cellBytes)
    this.#count(cellBytes)
  }

  onReceived(cellBytes: number, usefulBytes: number, isActive: boolean): boolean {
    const isAsked = this.#padding.onCell(cellBytes, usefulBytes, this.#deps.nowMs(), isActive)
    const exit = this.#leg?.path.at(-1)
    if (!isAsked && exit) this.#deps.onFault(exit.key)
    // What was not asked for is not paid for.
    if (isAsked) this.#count(cellBytes)
    return isAsked
  }

  onPay(pay: PayMessage, hop: number | undefined): boolean {
    const account = this.#accounts.find(({ place }) => place === hop)
    if (!account) return false
    if (pay.kind === PAY.DUE) return this.#onDue(account, pay)
    return pay.kind === PAY.REFUSED && this.#onRefused(account, pay)
  }

  #onRefused(account: Account, pay: RefusedMessage): boolean {
    const bytes = WORTH.get(pay.index)
    if (bytes === undefined) return false
    // What admits the tunnel pays for nothing.
    if (bytes === 0) return this.#sentAdmission !== undefined && account.place === undefined
    const sent = account.unrefused.get(pay.index) ?? 0
    account.unrefused.set(pay.index, sent - 1)
    if (sent === 0 || !this.#forgive(account, bytes)) {
      this.#deps.onFault(account.node.key)
      return false
    }
    // A token that its own hop sold and now does not know was sold for nothing. A key may lapse under way.
    const isHarmless = pay.verdict === VERDICT.UNKNOWN_KEY || pay.verdict === VERDICT.TRY_LATER
    if (!isHarmless) this.#deps.onFault(account.node.key)
    return isHarmless
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    for (const account of this.#accounts) end(account)
  }

  #count(cellBytes: number): void {
    const isNewRate = this.#rate.count(cellBytes, this.#deps.nowMs())
    const rttMs = isNewRate ? (this.#leg?.rttMs() ?? 0) : 0
    for (const account of this.#accounts) {
      if (isNewRate) account.allowance.setRate(this.#rate, rttMs)
      if (account.allowance.count(cellBytes)) this.#pay(account)
    }
  }

  #onDue(account: Account, due: { countedBytes: number; paidBytes: number }): boolean {
    const { isOvercounted, missingBytes } = account.allowance.onDue(due)
    if (isOvercounted) {
      this.#deps.onFault(account.node.key)
      return false
    }
    // What was on its way when a leg died is paid once more, and nothing else is because a hop says so.
    const tokens = Math.round(missingBytes / TOKEN_BYTES)
    const lostBytes = Math.min(account.lostAtMostBytes, tokens * TOKEN_BYTES)
    account.lostAtMostBytes -= lostBytes
    if (!this.#forgive(account, lostBytes)) {
      this.#deps.onFault(account.node.key)
      return false
    }
    this.#pay(account)
    return true
  }

  /** Has so much paid once more; false when that is more than an honest hop can come to. */
  #forgive(account: Account, bytes: number): boolean {
    const { allowance, node } = account
    account.forgivenBytes += bytes
    if (account.forgivenBytes > MAX_FORGIVEN_BYTES + allowance.countedBytes / FORGIVEN_PARTS)
      return false
    allowance.unpaid(bytes)
    this.#deps.spending.onPaidLost(node.key, 'tokens', bytes)
    return true
  }

  /** Bytes of the newest tokens: as many as a leg may have under way, or one. */
  #underWay({ sent }: Account): number {
    const sinceMs = this.#deps.nowMs() - UNDER_WAY_MS
    let underWay = 0
    for (const { atMs, bytes } of sent.toReversed()) {
      if (atMs < sinceMs || (underWay > 0 && underWay + bytes > MAX_UNDER_WAY_BYTES)) break
      underWay += bytes
    }
    return underWay
  }

  #pay(account: Account): void {
    const { allowance, node, place } = account
    if (this.#isStopped || account.isWaiting || allowance.carriedBytes < UNPAID_BYTES) return
    for (let due = allowance.dueBytes(); due > 0; due = allowance.dueBytes()) {
      const message = this.#deps.shop.spend(node, due, allowance.soonBytes)
      if (!message) {
        void this.#payLater(account)
        return
      }
      if (this.#leg?.send(message, place) !== true) return
      const bytes = bytesOfToken(message.tokenKind)
      allowance.paid(bytes)
      account.sent.push({ atMs: this.#deps.nowMs(), bytes })
      account.sent.splice(0, account.sent.length - MAX_UNDER_WAY_BYTES / TOKEN_BYTES)
      const unrefused = account.unrefused.get(message.tokenKind) ?? 0
      account.unrefused.set(message.tokenKind, unrefused + 1)
      this.#deps.spending.onTokens('tokens-spent', node.key, kindName(message.tokenKind), 1)
    }
  }

  async #payLater(account: Account): Promise<void> {
    account.isWaiting = true
    await this.#deps.shop.restocked(account.node)
    account.isWaiting = false
    if (this.#accounts.includes(account)) this.#pay(account)
  }

  #open(node: PathNode, place: number | undefined): Account {
    const weight = place === undefined ? this.#weight : SAME_PRICE
    const allowance = createAllowance(SIZES, weight, this.#deps.records.of(node.key))
    const book = this.#deps.spending.follow(node.key, 'tokens', allowance)
    return {
      node,
      place,
      allowance,
      book,
      isWaiting: false,
      sent: [],
      unrefused: new Map(),
      lostAtMostBytes: 0,
      forgivenBytes: 0,
    }
  }
}

function end({ book, allowance }: Account): void {
  book.close()
  allowance.end()
}
