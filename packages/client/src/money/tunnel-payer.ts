/**
 * Pays the hops after the entry for one tunnel (SPEC §15.4): tokens to each by the client's own count, admission at the exit before anything is asked of it. A relay's
 * account is the leg's and begins anew with each; the exit's goes with the tunnel. Where tokens come from is the shop's.
 * @module
 */
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import {
  createAllowance,
  createPaddingWatch,
  SAME_PRICE,
  TOKEN_BYTES,
} from '@byway/protocol/payment'
import type { Allowance, ClassWeight, PaddingWatch } from '@byway/protocol/payment'
import { PAY, VERDICT } from '@byway/protocol/wire'
import type { ClientPayMessage, PayMessage, SpendMessage } from '@byway/protocol/wire'
import { createRateMeter } from './rate-meter.ts'
import type { Shop } from './shop.ts'
import type { Spending } from './spending.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Half of what a hop serves for nothing: a short page costs nothing, and a long one has its token there in time. */
const UNPAID_BYTES = 128 * 1024
/** A token sent longer ago has arrived, or its leg was silent and is given up for that. */
const UNDER_WAY_MS = 15_000
/** Tokens that are paid once more for one leg that died, at most. */
const MAX_UNDER_WAY = 4

export type TunnelPayerDeps = {
  readonly shop: Pick<Shop, 'spend' | 'restocked'>
  readonly spending: Pick<Spending, 'onTokens' | 'onPaidLost' | 'follow'>
  /** This hop took pay and broke its side of it. */
  readonly onFault: (hop: NodeKey) => void
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
  /** When the latest tokens were sent: those of the last moments before a leg dies may not have arrived. */
  readonly sentAtMs: number[]
  /** So many of them may be lost with an earlier leg. */
  lostAtMost: number
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
    for (const account of this.#accounts) if (account !== exit) account.book.close()
    if (exit) exit.lostAtMost = this.#underWay(exit)
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
    if (pay.kind !== PAY.REFUSED) return false
    account.allowance.unpaid(1)
    this.#deps.spending.onPaidLost(account.node.key, 'tokens', TOKEN_BYTES)
    // A token that its own hop sold and now does not know was sold for nothing. A key may lapse under way.
    const isHarmless = pay.verdict === VERDICT.UNKNOWN_KEY || pay.verdict === VERDICT.TRY_LATER
    if (!isHarmless) this.#deps.onFault(account.node.key)
    return isHarmless
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    for (const { book } of this.#accounts) book.close()
  }

  #count(cellBytes: number): void {
    const isNewRate = this.#rate.count(cellBytes, this.#deps.nowMs())
    const rttMs = isNewRate ? (this.#leg?.rttMs() ?? 0) : 0
    for (const account of this.#accounts) {
      if (isNewRate) account.allowance.setBdp(this.#rate.perMs * rttMs)
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
    const lost = Math.min(account.lostAtMost, Math.round(missingBytes / TOKEN_BYTES))
    account.lostAtMost -= lost
    account.allowance.unpaid(lost)
    this.#deps.spending.onPaidLost(account.node.key, 'tokens', lost * TOKEN_BYTES)
    this.#pay(account)
    return true
  }

  #underWay({ sentAtMs }: Account): number {
    const sinceMs = this.#deps.nowMs() - UNDER_WAY_MS
    return sentAtMs.filter((atMs) => atMs >= sinceMs).length
  }

  #pay(account: Account): void {
    const { allowance, node, place } = account
    if (this.#isStopped || account.isWaiting || allowance.carriedBytes < UNPAID_BYTES) return
    for (let due = allowance.dueGrains(); due > 0; due--) {
      const message = this.#deps.shop.spend(node)
      if (!message) {
        void this.#payLater(account)
        return
      }
      if (this.#leg?.send(message, place) !== true) return
      allowance.paid(1)
      account.sentAtMs.push(this.#deps.nowMs())
      account.sentAtMs.splice(0, account.sentAtMs.length - MAX_UNDER_WAY)
      this.#deps.spending.onTokens('tokens-spent', node.key, 'bandwidth', 1)
    }
  }

  async #payLater(account: Account): Promise<void> {
    account.isWaiting = true
    await this.#deps.shop.restocked(account.node)
    account.isWaiting = false
    if (this.#accounts.includes(account)) this.#pay(account)
  }

  #open(node: PathNode, place: number | undefined): Account {
    const allowance = createAllowance(TOKEN_BYTES, place === undefined ? this.#weight : SAME_PRICE)
    const book = this.#deps.spending.follow(node.key, 'tokens', allowance)
    return { node, place, allowance, book, isWaiting: false, sentAtMs: [], lostAtMost: 0 }
  }
}
