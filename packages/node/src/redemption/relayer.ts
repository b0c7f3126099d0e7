/**
 * The role of a relayer (SPEC §15.8): takes slots that clients ask back, one a circuit, sends those of several owners together, ends them after their delay, and is paid one unit of each by
 * the contract. A request is on the disk before it is acknowledged.
 * @module
 */
import { createHash } from 'node:crypto'
import type { ChainEvent, ChainView, TransactionLane, TriedCall } from '@byway/chain'
import { equalBytes } from '@byway/protocol/base'
import type { MoneyEventSink } from '@byway/protocol/ledger'
import type { ContractCall, SlotWord, TransactionReceipt } from '@byway/protocol/payment'
import {
  encodePayMessage,
  PAY,
  REDEEM_ANSWER,
  RETURN_KIND,
  returnFeeTo,
  returnNullifier,
  type RedeemAnswer,
  type ReturnRequest,
} from '@byway/protocol/wire'
import { JOIN_FEE_UNITS, type Pool } from '@byway/protocol/ticket'
import type { HandOver, HandOverRecords, Store } from '@byway/store'
import { isPassing } from './passing.ts'
import {
  isFinishOurs,
  isSameSlot,
  isSettled,
  requestOf,
  returnCall,
  stepOf,
  type ReturnCalls,
} from './return-steps.ts'

export type RelayerDeps = {
  readonly records: HandOverRecords
  readonly transactions: Pick<Store['transactions'], 'pending' | 'settled'>
  readonly events: MoneyEventSink
  readonly chain: Pick<ChainView, 'head' | 'slot' | 'gasBalance' | 'eventsOf'>
  /** Of the account that pays the gas and gets the fees. */
  readonly lane: Pick<TransactionLane, 'send' | 'account'>
  readonly calls: ReturnCalls
  /** Tries a call from the lane's account without sending it; nothing when the contract refuses it. @throws what the chain throws */
  readonly tryCall: (call: ContractCall, signal: AbortSignal) => Promise<TriedCall | undefined>
  /** Of a unit of gas in the newest block, wei. @throws what the chain throws */
  readonly readBaseFee: (signal: AbortSignal) => Promise<bigint>
  /** What the contract pays for a slot, the token's smallest parts. */
  readonly fee: bigint
  /** The token's smallest parts that 10^18 wei are worth, as the operator says. */
  readonly coinPrice: bigint
  readonly pool: Pick<Pool, 'chainId' | 'pool'>
  readonly lockS: number
  readonly refundDelayS: number
  readonly closeDelayS: number
  /** So long the first of a batch waits for company. */
  readonly batchWaitS: number
  readonly nowMs: () => number
}

/** A relayer at work. */
export interface Relayer {
  /** Whether a request would be taken now, before one is seen. Never rejects. */
  ask(signal: AbortSignal): Promise<RedeemAnswer>
  /** Judges and keeps a request. Never rejects. */
  take(request: ReturnRequest, signal: AbortSignal): Promise<RedeemAnswer>
  /** Sends what is due; gives how many requests are open. @throws what the store throws */
  look(signal: AbortSignal): Promise<number>
}

/** SPEC §15.8. */
const MAX_BATCH = 16

// Local limits (tunable): docs/LIMITS.md.
/** Requests that are judged at the same time; each asks the chain. */
const MAX_JUDGED_RETURNS = 8
const MAX_OPEN_RETURNS = 1024
/** A slot that is not back by then is given up. */
const MAX_RETURN_AGE_S = 30 * 24 * 3600
/** Ended requests are kept for a week. */
const KEEP_ENDED_MS = 7 * 24 * 3_600_000
/** Gas of both steps for one slot in small company (contracts/GAS.md), with some room. */
const STEPS_GAS: Readonly<Record<ReturnRequest['kind'], bigint>> = {
  [RETURN_KIND.REFUND]: 250_000n,
  [RETURN_KIND.CLOSE]: 130_000n,
  [RETURN_KIND.WITHDRAW]: 180_000n,
  [RETURN_KIND.JOIN]: 490_000n,
}
/** The price of gas may rise between judging and the end of the delay. */
const COIN_ROOM = 3n

const WEI_PER_COIN = 10n ** 18n
const KEY_HEAD = 'return:'
/** Nobody is known on the other side of a control circuit. */
const NOBODY = new Uint8Array(32)

type Open = {
  readonly handOver: HandOver
  readonly request: ReturnRequest
  readonly word: SlotWord
}
type Due = {
  readonly step: 'begin' | 'finish'
  readonly kind: ReturnRequest['kind']
  readonly all: Open[]
}

/** Creates the service; {@link Relayer.look} takes up what an earlier run has kept. */
export function createRelayer(deps: RelayerDeps): Relayer {
  return new Service(deps)
}

class Service implements Relayer {
  readonly #deps: RelayerDeps
  #judging = 0
  /** Found good, and not on the disk yet. */
  readonly #keeping = new Set<ReturnRequest>()
  /** Requests that were kept by this run: while none is open, nobody asks the disk for them each second. */
  #kept = 0
  #emptyAtKept = -1
  /** What an earlier run sent, and was settled before that could book it, is booked. */
  #isResumed = false
  /** Transactions of ours whose end will be booked. */
  readonly #tracked = new Set<string>()

  constructor(deps: RelayerDeps) {
    this.#deps = deps
  }

  async take(request: ReturnRequest, signal: AbortSignal): Promise<RedeemAnswer> {
    if (this.#judging >= MAX_JUDGED_RETURNS) return REDEEM_ANSWER.TRY_LATER
    this.#judging++
    try {
      return await this.#judge(request, signal)
    } catch {
      // The chain or the disk cannot be asked now.
      return REDEEM_ANSWER.TRY_LATER
    } finally {
      this.#judging--
    }
  }

  async ask(signal: AbortSignal): Promise<RedeemAnswer> {
    const { records, chain, lane, readBaseFee } = this.#deps
    try {
      const open = await records.list('return', 'open')
      if (open.length >= MAX_OPEN_RETURNS) return REDEEM_ANSWER.TRY_LATER
      const gas = STEPS_GAS[RETURN_KIND.REFUND] * (await readBaseFee(signal))
      if (!this.#covers(gas, RETURN_KIND.REFUND)) return REDEEM_ANSWER.FEE_TOO_LOW
      const coin = await chain.gasBalance(lane.account, signal)
      return coin < gas * COIN_ROOM ? REDEEM_ANSWER.NO_REDEEMER : REDEEM_ANSWER.TAKEN
    } catch {
      return REDEEM_ANSWER.TRY_LATER
    }
  }

  async look(signal: AbortSignal): Promise<number> {
    const { records, chain, nowMs } = this.#deps
    const kept = this.#kept
    if (kept === this.#emptyAtKept) return 0
    const open = await records.list('return', 'open')
    if (open.length === 0) this.#emptyAtKept = kept
    if (open.length === 0) return 0
    await records.forgetBefore(nowMs() - KEEP_ENDED_MS)
    // One transaction at a time, over restarts too: what it changes is seen before the next is put together.
    if (await this.#isSending(signal)) return open.length
    try {
      await this.#resume()
      const { timeS } = await chain.head(signal)
      for (const due of await this.#due(open, timeS, signal)) {
        if (await this.#send(due, signal)) break
      }
    } catch (error) {
      // Away, gas is dear, or there is no coin for it: the same at a later look.
      if (!isPassing(error)) throw error
    }
    return open.length
  }

  async #judge(request: ReturnRequest, signal: AbortSignal): Promise<RedeemAnswer> {
    const { records, chain, lane } = this.#deps
    if (!equalBytes(returnFeeTo(request), lane.account)) return REDEEM_ANSWER.BAD_ORDER
    const body = encodePayMessage({ kind: PAY.RETURN, request })
    const open = await records.list('return', 'open')
    if (open.some((one) => equalBytes(one.body, body))) return REDEEM_ANSWER.TAKEN
    if (open.length >= MAX_OPEN_RETURNS) return REDEEM_ANSWER.TRY_LATER
    const baseFee = await this.#priceOf(request, signal)
    if (baseFee === undefined) return REDEEM_ANSWER.BAD_ORDER
    const gas = STEPS_GAS[request.kind] * baseFee
    if (!this.#covers(gas, request.kind)) return REDEEM_ANSWER.FEE_TOO_LOW
    const coin = await chain.gasBalance(lane.account, signal)
    if (coin < gas * COIN_ROOM) return REDEEM_ANSWER.NO_REDEEMER
    return await this.#keep(request, body, signal)
  }

  /** Nothing else is looked at here than what only the owner can have sent: nobody learns of a slot that he has seen whether it is on its way. */
  async #keep(
    request: ReturnRequest,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<RedeemAnswer> {
    const { records, chain, nowMs } = this.#deps
    for (const other of this.#keeping)
      if (isSameSlot(other, request)) return REDEEM_ANSWER.TRY_LATER
    this.#keeping.add(request)
    try {
      const { timeS } = await chain.head(signal)
      if (await this.#isInHand(request, timeS, signal)) return REDEEM_ANSWER.TRY_LATER
      const id = new Uint8Array(createHash('sha256').update(body).digest())
      const head = { side: 'return', state: 'open', peer: NOBODY } as const
      const handOver = { ...head, id, body, deadlineS: timeS + MAX_RETURN_AGE_S, atMs: nowMs() }
      // Ended before, and yet there is something to do: a reorganisation undid what we saw.
      if ((await records.add(handOver)) === 'known') await records.reopen(handOver)
      this.#kept++
      return REDEEM_ANSWER.TAKEN
    } finally {
      this.#keeping.delete(request)
    }
  }

  /**
   * Is another request for this slot still to be carried out? Each alone would be, and of all of them in one call only the first: an owner could have a relayer pay for many and be paid
   * for one, without a proof of its own for each, for proofs can be written in other bytes.
   */
  async #isInHand(request: ReturnRequest, nowS: number, signal: AbortSignal): Promise<boolean> {
    const open = await this.#deps.records.list('return', 'open')
    for (const other of open.flatMap((one) => requestOf(one) ?? [])) {
      if (!isSameSlot(other, request)) continue
      const word = await this.#deps.chain.slot(returnNullifier(other), signal)
      if (stepOf(other, this.#at(word, nowS)) !== 'over') return true
    }
    return false
  }

  /** Does the fee of one request pay for so much gas, in wei? */
  #covers(gas: bigint, kind: ReturnRequest['kind']): boolean {
    return this.#feeOf(kind) * WEI_PER_COIN >= this.#deps.coinPrice * gas
  }

  #feeOf(kind: ReturnRequest['kind']): bigint {
    // Everything else pays one unit.
    return BigInt(kind === RETURN_KIND.JOIN ? JOIN_FEE_UNITS : 1) * this.#deps.fee
  }

  /** Of a unit of gas, wei; nothing for a request that would change nothing. What another relayer has begun is ended all the same. */
  async #priceOf(request: ReturnRequest, signal: AbortSignal): Promise<bigint | undefined> {
    const { chain, pool, calls, tryCall } = this.#deps
    const word = await chain.slot(returnNullifier(request), signal)
    const isBegun = stepOf(request, word) === 'finish'
    if (isBegun && !isFinishOurs(pool, request, word)) return undefined
    // Tried alone: what it does there it does in any company. An end that is not due does nothing yet.
    const step = isBegun ? 'finish' : 'begin'
    const tried = await tryCall(returnCall(calls, step, [request]), signal)
    return isBegun || tried?.done === 1n ? tried?.baseFee : undefined
  }

  /** What can be sent now, by kind and step. What is over, or too old, is ended. */
  async #due(open: readonly HandOver[], nowS: number, signal: AbortSignal): Promise<Due[]> {
    const { records, chain, batchWaitS, nowMs } = this.#deps
    const groups = new Map<string, Due & { isRipe: boolean }>()
    for (const handOver of open) {
      const request = requestOf(handOver)
      const word = request && (await chain.slot(returnNullifier(request), signal))
      const step = request && word ? stepOf(request, this.#at(word, nowS)) : 'over'
      if (!request || !word || handOver.deadlineS < nowS) {
        await records.end(handOver, 'ended')
        continue
      }
      if (step === 'over') {
        if (isSettled(word, nowS)) await records.end(handOver, 'done')
        continue
      }
      if (step === 'wait') continue
      const sinceS = step === 'begin' ? 0 : nowS - word.timeS - this.#delayOf(request)
      if (sinceS < 0) continue
      const waitedS = step === 'begin' ? (nowMs() - handOver.atMs) / 1000 : sinceS
      const { kind } = request
      const key = `${kind}-${step}`
      const group = groups.get(key) ?? { step, kind, all: [], isRipe: false }
      groups.set(key, group)
      if (group.all.length === MAX_BATCH) continue
      group.all.push({ handOver, request, word })
      group.isRipe ||= waitedS >= batchWaitS || group.all.length === MAX_BATCH
    }
    return [...groups.values()].filter(({ isRipe }) => isRipe)
  }

  /** A lock whose time is over has lapsed, whether or not its word says so (SPEC §14.2). */
  #at(word: SlotWord, nowS: number): SlotWord {
    const hasLapsed = word.state === 'locked' && nowS >= word.timeS + this.#deps.lockS
    return hasLapsed ? { ...word, state: 'lapsed' } : word
  }

  #delayOf({ kind }: ReturnRequest): number {
    const { refundDelayS, closeDelayS } = this.#deps
    return kind === RETURN_KIND.CLOSE ? closeDelayS : refundDelayS
  }

  /** Sends a batch; false when there is nothing in it that would be done and pays for its gas. */
  async #send(due: Due, signal: AbortSignal): Promise<boolean> {
    const { calls, coinPrice, nowMs } = this.#deps
    const good = await this.#sound(due, signal)
    if (good.length === 0) return false
    const requests = good.map(({ request }) => request)
    const call = returnCall(calls, due.step, requests)
    // Both steps are paid by one fee: a begin that uses up all of it would never be ended.
    const steps = STEPS_GAS[due.kind] * BigInt(good.length)
    const fees = this.#feeOf(due.kind) * BigInt(good.length)
    const feeCap = (fees * WEI_PER_COIN) / (coinPrice * steps)
    const hash = createHash('sha256')
    for (const { handOver } of good) hash.update(handOver.id)
    const name = `${due.kind}-${due.step}:${hash.digest('hex').slice(0, 16)}:${nowMs()}`
    await this.#track({ ...call, key: `${KEY_HEAD}${name}`, feeCap }, signal)
    return true
  }

  /** Those that would be carried out. One that would not, though its slot is in the right state, never will. */
  async #sound({ step, all }: Due, signal: AbortSignal): Promise<readonly Open[]> {
    const { records, calls, tryCall } = this.#deps
    const together = await tryCall(
      returnCall(
        calls,
        step,
        all.map(({ request }) => request),
      ),
      signal,
    )
    if (together?.done === BigInt(all.length)) return all
    const good: Open[] = []
    for (const one of all) {
      const alone = await tryCall(returnCall(calls, step, [one.request]), signal)
      if (alone?.done === 1n) good.push(one)
      else await records.end(one.handOver, 'ended')
    }
    return good
  }

  /** True while a transaction of ours is on its way; one of an earlier run is taken up. */
  async #isSending(signal: AbortSignal): Promise<boolean> {
    const { transactions, lane } = this.#deps
    const pending = await transactions.pending(lane.account)
    const own = pending.filter(({ key }) => key.startsWith(KEY_HEAD))
    for (const { key, call } of own) {
      if (!this.#tracked.has(key)) await this.#track({ ...call, key }, signal)
    }
    return own.length > 0
  }

  /** The same as booked before is dropped. @throws what the chain throws */
  async #resume(): Promise<void> {
    if (this.#isResumed) return
    const { transactions, lane } = this.#deps
    for (const { key, account, receipt } of await transactions.settled()) {
      const isOwn = key.startsWith(KEY_HEAD) && equalBytes(account, lane.account)
      if (isOwn && receipt?.isSuccess && this.#isRecent(key)) await this.#book(receipt, key)
    }
    this.#isResumed = true
  }

  /** A key ends with when it was made. Who was away for longer than a request may be open books nothing more. */
  #isRecent(key: string): boolean {
    const sentMs = Number(key.slice(key.lastIndexOf(':') + 1))
    return this.#deps.nowMs() - sentMs < KEEP_ENDED_MS
  }

  async #track(call: Parameters<TransactionLane['send']>[0], signal: AbortSignal): Promise<void> {
    const sent = await this.#deps.lane.send(call, signal)
    this.#tracked.add(call.key)
    sent.confirmed
      .then((receipt) => this.#book(receipt, call.key))
      // Lost, or the lane stops: the next look sees what became of the slots. A store that failed is noticed by redemption.
      .catch(() => {})
      .finally(() => this.#tracked.delete(call.key))
  }

  /** Books what a transaction brought, once: its receipt names it. */
  async #book(receipt: TransactionReceipt, key: string): Promise<void> {
    const { chain, events, nowMs } = this.#deps
    const atMs = nowMs()
    const { hash } = receipt
    const told = (await chain.eventsOf(hash, AbortSignal.timeout(BOOK_TIMEOUT_MS))) ?? []
    // A joining ends up to four rests for one fee, and makes one leaf.
    const isJoin = key.startsWith(`${KEY_HEAD}${RETURN_KIND.JOIN}-`)
    const isPaid = (event: ChainEvent): boolean =>
      isJoin ? event.name === 'leaf' : event.name === 'slot' && ENDS.has(event.state)
    const ended = told.filter(isPaid).length
    const amount = this.#feeOf(isJoin ? RETURN_KIND.JOIN : RETURN_KIND.REFUND) * BigInt(ended)
    if (amount > 0n) await events.record({ id: `fee:${hash}`, atMs, type: 'fee-earned', amount })
  }
}

/** A chain that does not say by then what a transaction did is not waited for: the fee stands in its events for whoever asks later. */
const BOOK_TIMEOUT_MS = 60_000
const ENDS: ReadonlySet<string> = new Set(['refunded', 'closed', 'withdrawn'])
