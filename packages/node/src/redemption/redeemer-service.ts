/**
 * The role of a redeemer (SPEC §15.7): takes others' signed claims and steps of service proofs, sends them, and is paid the fee by the contract. An order is on the disk before it is acknowledged; what is
 * promised is sent after any restart, or its time ends.
 * @module
 */
import { createHash } from 'node:crypto'
import type {
  ChainEvent,
  ChainView,
  LaneTransaction,
  TransactionLane,
  TriedCall,
} from '@byway/chain'
import { equalBytes, isBywayError, toHex } from '@byway/protocol/base'
import type { MoneyEventSink } from '@byway/protocol/ledger'
import type {
  ChainHead,
  ContractCall,
  StoredTransaction,
  TransactionReceipt,
} from '@byway/protocol/payment'
import { REDEEM_ANSWER, type RedeemAnswer, type RedeemOrder } from '@byway/protocol/wire'
import type { HandOver, HandOverRecords, Store } from '@byway/store'
import { decodedOrder, type OrderCalls, orderCall } from './order.ts'
import { isChainAway, isPassing } from './passing.ts'
import { afterBind, bindingSlots, isWaiting } from './waiting-claims.ts'
import { earnedBy, earningOf, gasInCompany, sum } from './order-earnings.ts'
import {
  dueGroups,
  type OpenOrder,
  orderKey,
  orderName,
  ordersOfKey,
  slotsOfOrder,
  subjectsOf,
} from './shared-orders.ts'

export type RedeemerServiceDeps = {
  readonly records: HandOverRecords
  readonly events: MoneyEventSink
  readonly chain: Pick<ChainView, 'head' | 'gasBalance' | 'eventsOf'>
  readonly lane: Pick<TransactionLane, 'send' | 'account'>
  /** Of the lane's account among others. */
  readonly transactions: Pick<Store['transactions'], 'pending' | 'settled'>
  readonly calls: OrderCalls
  /** Tries a call from the lane's account without sending it; nothing when the contract refuses it. @throws what the chain throws */
  readonly tryCall: (call: ContractCall, signal: AbortSignal) => Promise<TriedCall | undefined>
  /** The token's smallest parts that 10^18 wei are worth, as the operator says. */
  readonly coinPrice: bigint
  /** A bind or a later win waits so long for others to share its transaction with. */
  readonly companyMs: number
  readonly nowMs: () => number
  /** An order is on the disk: look soon. Must not throw. */
  readonly onTaken?: (() => void) | undefined
}

/** A redeemer at work. */
export interface RedeemerService {
  /** Orders are open, as of the last look and since. */
  readonly isBusy: boolean
  /** Judges and keeps an order. Never rejects. */
  take(peer: Uint8Array, order: Uint8Array, signal: AbortSignal): Promise<RedeemAnswer>
  /** Sends what is kept and not sent, ends what is done or too late; gives how many orders are open. @throws what the store throws */
  look(signal: AbortSignal): Promise<number>
}

// Local limits (tunable): docs/LIMITS.md.
/** Orders that are judged at the same time; each asks the chain. */
const MAX_JUDGED_ORDERS = 8
/** Open orders, of all and of one node. */
const MAX_OPEN_ORDERS = 512
const MAX_OPEN_ORDERS_OF_PEER = 64
/** An order must leave so much time to be mined, and ends within a month. */
const MIN_DEADLINE_S = 60
const MAX_DEADLINE_S = 30 * 24 * 3600
/** Ended orders are kept for a week, for whoever asks what became of one. */
const KEEP_ENDED_MS = 7 * 24 * 3_600_000

/** One that pays for its gas in company alone is kept no longer than this: there may be none. */
const MAX_COMPANY_S = 2 * 3600

/** An order that would bring nothing now is kept for so many blocks: a reorganisation may undo what others did. */
const IDLE_BLOCKS = 32
/** And tried anew this often meanwhile. */
const IDLE_RETRY_BLOCKS = 4

/** The price of gas may rise between judging an order and sending it. */
const COIN_ROOM = 3n

const WEI_PER_COIN = 10n ** 18n

/** Orders that were sent, and what became of them. */
type Landed = { readonly all: readonly OpenOrder[]; readonly receipt: TransactionReceipt }

/** An order that is worth its gas alone. */
type Worthy = OpenOrder & { readonly tried: TriedCall }

/** Creates the service; {@link RedeemerService.look} takes up what an earlier run has kept. */
export function createRedeemerService(deps: RedeemerServiceDeps): RedeemerService {
  return new Service(deps)
}

class Service implements RedeemerService {
  /** Until the first look nobody knows. */
  isBusy = true
  readonly #deps: RedeemerServiceDeps
  #judging = 0
  /** Orders whose transaction is in the lane, with the slots that they are about. */
  readonly #tracked = new Map<string, readonly string[]>()
  /** Orders whose shared transaction has failed. */
  readonly #alone = new Set<string>()
  /** Shared transactions of an earlier run were taken up. */
  #isResumed = false
  readonly #done: Landed[] = []
  /** Orders that would bring nothing, by key: since which block, and when that was found last. */
  readonly #idle = new Map<string, { readonly since: number; readonly tried: number }>()
  /** Groups whose fees do not cover the gas just now, or that cannot be paid for, by the lane's key: when that was found. */
  readonly #dear = new Map<string, number>()

  constructor(deps: RedeemerServiceDeps) {
    this.#deps = deps
  }

  async take(peer: Uint8Array, bytes: Uint8Array, signal: AbortSignal): Promise<RedeemAnswer> {
    if (this.#judging >= MAX_JUDGED_ORDERS) return REDEEM_ANSWER.TRY_LATER
    this.#judging++
    try {
      return await this.#judge(peer, Uint8Array.from(bytes), signal)
    } catch {
      // The chain or the disk cannot be asked now.
      return REDEEM_ANSWER.TRY_LATER
    } finally {
      this.#judging--
    }
  }

  async look(signal: AbortSignal): Promise<number> {
    const { records, chain, lane, nowMs } = this.#deps
    await this.#landAll(signal)
    const open = await records.list('taken', 'open')
    if (open.length === 0) {
      this.isBusy = false
      return 0
    }
    try {
      const head = await chain.head(signal)
      await this.#resume(open, signal)
      const fresh = await this.#sendable(open, head)
      const { companyMs: waitMs } = this.#deps
      const partOf = ({ id }: Pick<HandOver, 'id'>): number => partOfWait(id, lane.account)
      const moment = { nowMs: nowMs(), timeS: head.timeS, waitMs, partOf, alone: this.#alone }
      for (const group of this.#dearLast(dueGroups(fresh, moment), head))
        await this.#send(group, head, signal)
    } catch (error) {
      if (!isChainAway(error)) throw error
    }
    await records.forgetBefore(nowMs() - KEEP_ENDED_MS)
    const left = (await records.list('taken', 'open')).length
    this.isBusy = left > 0
    return left
  }

  /** Groups that were not found too dear just now: gas has to become cheaper for them, or their company larger. */
  #dearLast(
    groups: readonly (readonly OpenOrder[])[],
    { number }: ChainHead,
  ): readonly (readonly OpenOrder[])[] {
    const keys = groups.map((group) => orderKey(group.map(({ handOver }) => handOver)))
    for (const key of this.#dear.keys()) if (!keys.includes(key)) this.#dear.delete(key)
    return groups.filter((_group, at) => {
      const block = this.#dear.get(keys[at] ?? '')
      return block === undefined || Math.abs(number - block) >= IDLE_RETRY_BLOCKS
    })
  }

  /** Those that can be carried out now, are not on their way, and are not known to bring nothing. What is over is ended. */
  async #sendable(open: readonly HandOver[], head: ChainHead): Promise<readonly OpenOrder[]> {
    const binding = bindingSlots(open)
    const all: OpenOrder[] = []
    for (const handOver of open) {
      if (this.#tracked.has(orderName(handOver))) continue
      const order = decodedOrder(handOver.body)
      const idle = this.#idle.get(orderName(handOver))
      const isResting = idle && Math.abs(head.number - idle.tried) < IDLE_RETRY_BLOCKS
      if (!order || handOver.deadlineS <= head.timeS) await this.#end(handOver)
      else if (!isResting && !isWaiting(order, binding)) all.push({ handOver, order })
    }
    return all
  }

  /**
   * Transactions of an earlier run go on under their keys: put together anew, orders of a shared one might be in two, and what was mined meanwhile would stand in no books, for then there is
   * nothing in it any more, or its time is over.
   */
  async #resume(open: readonly HandOver[], signal: AbortSignal): Promise<void> {
    if (this.#isResumed) return
    const { lane, transactions } = this.#deps
    const orders = open.flatMap((handOver): readonly OpenOrder[] => {
      const order = decodedOrder(handOver.body)
      return order ? [{ handOver, order }] : []
    })
    const isOurs = ({ account, receipt }: StoredTransaction): boolean =>
      equalBytes(account, lane.account) && receipt?.isSuccess === true
    const mined = (await transactions.settled()).filter(isOurs)
    for (const { key, call } of [...(await transactions.pending(lane.account)), ...mined]) {
      const all = ordersOfKey(key, orders)
      if (all.length > 0) this.#track(all, await lane.send({ ...call, key }, signal))
    }
    this.#isResumed = true
  }

  /** What cannot be dealt with now stays for the next look. */
  async #landAll(signal: AbortSignal): Promise<void> {
    try {
      for (let landed = this.#done[0]; landed; landed = this.#done[0]) {
        await this.#land(landed, signal)
        this.#done.shift()
      }
    } catch (error) {
      if (!isChainAway(error)) throw error
    }
  }

  /** Books what orders brought, once: the receipt names it. */
  async #land({ all, receipt }: Landed, signal: AbortSignal): Promise<void> {
    const { records, chain, events, lane, nowMs } = this.#deps
    const { hash } = receipt
    const told: readonly ChainEvent[] | undefined = await chain.eventsOf(hash, signal)
    const amount = sum(all.map(({ order }) => earnedBy(order, told ?? [], lane.account)))
    const atMs = nowMs()
    if (amount > 0n) await events.record({ id: `fee:${hash}`, atMs, type: 'fee-earned', amount })
    for (const { handOver } of all) {
      await records.end(handOver, 'done')
      this.#tracked.delete(orderName(handOver))
    }
  }

  async #judge(peer: Uint8Array, bytes: Uint8Array, signal: AbortSignal): Promise<RedeemAnswer> {
    const order = decodedOrder(bytes)
    if (!order) return REDEEM_ANSWER.BAD_ORDER
    const { records, chain, calls, tryCall, nowMs } = this.#deps
    const open = await records.list('taken', 'open')
    const ofPeer = open.filter((one) => toHex(one.peer) === toHex(peer)).length
    if (open.length >= MAX_OPEN_ORDERS || ofPeer >= MAX_OPEN_ORDERS_OF_PEER)
      return REDEEM_ANSWER.TRY_LATER
    const { timeS } = await chain.head(signal)
    const leftS = order.deadlineS - timeS
    if (leftS < MIN_DEADLINE_S || leftS > MAX_DEADLINE_S) return REDEEM_ANSWER.BAD_ORDER
    const call = orderCall([order], calls)
    const tried = call && (await tryCall(call, signal))
    if (!tried) return REDEEM_ANSWER.BAD_ORDER
    const expected = isWaiting(order, bindingSlots(open)) ? afterBind(order, tried) : tried
    const gas = leftS <= MAX_COMPANY_S ? gasInCompany(order, expected) : expected.gas
    const feeCap = this.#feeCap(earningOf(order, expected), gas)
    if (feeCap === 0n || feeCap < tried.baseFee) return REDEEM_ANSWER.FEE_TOO_LOW
    // A promise that no coin stands behind would keep the provider from others for minutes.
    const coin = await chain.gasBalance(this.#deps.lane.account, signal)
    if (coin < expected.gas * tried.baseFee * COIN_ROOM) return REDEEM_ANSWER.NO_REDEEMER
    const id = new Uint8Array(createHash('sha256').update(bytes).digest())
    const { deadlineS } = order
    const head = { side: 'taken', state: 'open' } as const
    await records.add({ ...head, id, peer, body: bytes, deadlineS, atMs: nowMs() })
    this.isBusy = true
    this.#deps.onTaken?.()
    return REDEEM_ANSWER.TAKEN
  }

  /** The most that a unit of gas may cost for what is earned to cover it, wei. */
  #feeCap(earning: bigint, gas: bigint): bigint {
    return (earning * WEI_PER_COIN) / (this.#deps.coinPrice * gas)
  }

  /**
   * Sends a group in one transaction; one by one where they cannot be carried out together. Of orders about the same win one goes, and the others are looked at again once it is mined: a
   * provider signs as many as it likes, each would be carried out alone, and only one pays.
   */
  async #send(group: readonly OpenOrder[], head: ChainHead, signal: AbortSignal): Promise<void> {
    const { calls, tryCall } = this.#deps
    const worthy: Worthy[] = []
    const subjects = new Set<string>()
    for (const one of group) {
      const own = subjectsOf(one.order)
      if (this.#isUnderWay(one.order) || own.some((subject) => subjects.has(subject))) continue
      const call = orderCall([one.order], calls)
      const tried = call && (await tryCall(call, signal))
      const isWorth = tried && this.#feeCap(earningOf(one.order, tried), tried.gas) > 0n
      if (isWorth) {
        worthy.push({ ...one, tried })
        for (const subject of own) subjects.add(subject)
      } else await this.#rest(one.handOver, head)
    }
    if (worthy.length > 1 && (await this.#submit(worthy, head, signal))) return
    for (const one of worthy) {
      if (this.#isUnderWay(one.order)) continue
      if (!(await this.#submit([one], head, signal))) await this.#rest(one.handOver, head)
    }
  }

  /** Is another of its slots' transactions in the lane? What that leaves of them is seen when it is mined. */
  #isUnderWay(order: RedeemOrder): boolean {
    const busy = new Set([...this.#tracked.values()].flat())
    return slotsOfOrder(order).some((slot) => busy.has(slot))
  }

  /** False where the contract refuses the call, or would leave out in company what it carries out alone. */
  async #submit(
    some: readonly Worthy[],
    { number }: ChainHead,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { lane, calls, tryCall } = this.#deps
    const [first, ...others] = some
    if (!first) return true
    const call = orderCall([first.order, ...others.map(({ order }) => order)], calls)
    const tried = others.length === 0 ? first.tried : call && (await tryCall(call, signal))
    if (!call || !tried || tried.done < sum(some.map((one) => one.tried.done))) return false
    const earning = sum(some.map((one) => earningOf(one.order, one.tried)))
    const key = orderKey(some.map(({ handOver }) => handOver))
    const feeCap = this.#feeCap(earning, tried.gas)
    try {
      this.#track(some, await lane.send({ ...call, key, feeCap }, signal))
      return true
    } catch (error) {
      if (!isBywayError(error) || !isPassing(error)) throw error
      if (COSTLY.has(error.code)) this.#dear.set(key, number)
      return error.code !== 'CHAIN_REVERTED'
    }
  }

  #track(all: readonly OpenOrder[], { confirmed }: LaneTransaction): void {
    const names = all.map(({ handOver }) => orderName(handOver))
    for (const name of names) this.#idle.delete(name)
    for (const { handOver, order } of all)
      this.#tracked.set(orderName(handOver), slotsOfOrder(order))
    confirmed.then(
      (receipt) => this.#done.push({ all, receipt }),
      () => {
        for (const name of names) {
          this.#tracked.delete(name)
          if (names.length > 1) this.#alone.add(name)
        }
      },
    )
  }

  /** Done by another, most likely: there is no fee in it any more, unless the chain takes that back. */
  async #rest(handOver: HandOver, { number }: ChainHead): Promise<void> {
    const key = orderName(handOver)
    const since = Math.min(this.#idle.get(key)?.since ?? number, number)
    this.#idle.set(key, { since, tried: number })
    if (number - since >= IDLE_BLOCKS) await this.#end(handOver)
  }

  async #end(handOver: HandOver): Promise<void> {
    this.#idle.delete(orderName(handOver))
    this.#alone.delete(orderName(handOver))
    await this.#deps.records.end(handOver, 'ended')
  }
}

/** With these the same group is not tried again for some blocks. */
const COSTLY: ReadonlySet<string> = new Set(['CHAIN_GAS_DEAR', 'CHAIN_NO_COIN', 'CHAIN_UNSIGNED'])

/** Of the wait for company: from half on, another one at each redeemer. */
function partOfWait(id: Uint8Array, account: Uint8Array): number {
  const [drawn = 0] = createHash('sha256').update(id).update(account).digest()
  return (1 + drawn / 255) / 2
}
