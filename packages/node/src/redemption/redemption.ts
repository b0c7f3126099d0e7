/**
 * Turns winning tickets into money: locks at once, binds and claims in batches, until the chain has paid each one and the payment is deep enough (DESIGN §7.1,
 * §7.4). Everything it knows is in the store and on the chain; it can be killed at any point and goes on.
 * @module
 */
import { toHex as hex } from '@byway/protocol/base'
import type { ChainHead } from '@byway/protocol/payment'
import type { StoredWinner } from '@byway/store'
import { AheadLocks } from './ahead-locks.ts'
import { dueBatches, isLate, type Batch, type Candidate } from './batching.ts'
import { carrierOf, isLaneCarrier } from './carrier.ts'
import { CompanyOffers } from './company-offers.ts'
import { DrawnWaits } from './drawn-waits.ts'
import { Conflicts } from './conflicts.ts'
import { fatesOf, type SlotCase } from './fate.ts'
import { toLeave, winnerName } from './leaving.ts'
import { isChainAway } from './passing.ts'
import type { RedemptionAlert, RedemptionDeps } from './ports.ts'
import type { Offer } from './redeemers.ts'
import { Sender, type Landed, type SendResult } from './sender.ts'
import { slotsOf } from './batching.ts'
import { Settlement, type Settled } from './settlement.ts'
import { SlotCases } from './slot-cases.ts'
import { statusOf, type RedemptionStatus } from './status.ts'

export type { RedemptionStatus } from './status.ts'

/** A provider's redemption. Whatever is asked of it happens one after the other. */
export interface Redemption {
  /**
   * Looks at all winners once: settles, sends what is due. Called with each new block or so, and soon after a win. Never throws for a chain that cannot be asked.
   * @throws what the store throws: then nothing can be done
   */
  look(signal: AbortSignal): Promise<RedemptionStatus>
  /** Wants a slot locked before it wins: done with the next look, where there is gas for it. */
  lockAhead(nullifier: Uint8Array): void
  /** Leaves everything that is open and was not left before with redeemers, due or not: before a shutdown. Gives how many winners they have taken. */
  leave(signal: AbortSignal): Promise<number>
}

// Local limits (tunable): docs/LIMITS.md.
/** A redeemer that has not done it by then, and by what it may wait for company on top, is given up for others. */
const REDEEMER_PATIENCE_MS = 180_000
/** How long a redeemer may send a batch of ours. */
const PROMISE_S = 3600
/** The same of one whose time runs out: it is sent at once. */
const URGENT_PROMISE_S = 480
/** The same for what is left before a shutdown: a home may sleep for a weekend. */
const LEFT_PROMISE_S = 72 * 3600

/** Reasons of the contract that no second try can change. */
const FOR_GOOD: ReadonlySet<string> = new Set([
  'unknown-root',
  'bad-amount',
  'bad-signature',
  'not-a-win',
  'bad-proof',
])

/** Of a lock that the stake does not cover. */
const OF_STAKE: ReadonlySet<string> = new Set(['not-active', 'fee-not-covered'])

/** Creates it; nothing is done before the first look. */
export function createRedemption(deps: RedemptionDeps): Redemption {
  return new Redeeming(deps)
}

class Redeeming implements Redemption {
  readonly #deps: RedemptionDeps
  readonly #cases: SlotCases
  readonly #settlement: Settlement
  readonly #sender: Sender
  readonly #ahead: AheadLocks
  readonly #conflicts: Conflicts
  readonly #waits: DrawnWaits
  readonly #offers: CompanyOffers | undefined
  readonly #told = new Set<RedemptionAlert['type']>()
  /** Locks on their way, by slot: when they were handed to redeemers, or never for a transaction of ours, which lands by itself. */
  readonly #locksGiven = new Map<string, number>()
  /** Winners that were left with redeemers in this run, by slot and index. */
  readonly #left = new Set<string>()
  #attempts = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(deps: RedemptionDeps) {
    this.#deps = deps
    this.#cases = new SlotCases(deps)
    this.#settlement = new Settlement(deps)
    this.#sender = new Sender(deps)
    this.#ahead = new AheadLocks(deps)
    this.#conflicts = new Conflicts(deps)
    this.#waits = new DrawnWaits(deps.random)
    const { redeemers, baseFee } = deps
    this.#offers = redeemers && baseFee && new CompanyOffers({ ...deps, baseFee })
  }

  lockAhead(nullifier: Uint8Array): void {
    this.#ahead.want(nullifier)
  }

  look(signal: AbortSignal): Promise<RedemptionStatus> {
    return this.#inTurn(() => this.#lookOrWait(signal))
  }

  leave(signal: AbortSignal): Promise<number> {
    return this.#inTurn(() => this.#leave(signal))
  }

  /** One thing at a time: what a look has under way, nothing else touches. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #lookOrWait(signal: AbortSignal): Promise<RedemptionStatus> {
    try {
      const status = await this.#look(signal)
      this.#tellOver('chain-unreachable')
      return status
    } catch (error) {
      if (!isChainAway(error)) throw error
      this.#tell({ type: 'chain-unreachable' })
      const open = await this.#deps.store.winners.list(['received', 'queued', 'sent'])
      return { open: open.length, deadlineS: undefined, isChainAway: true }
    }
  }

  async #leave(signal: AbortSignal): Promise<number> {
    const { redeemers, chain, store } = this.#deps
    const open = await store.winners.list(['received', 'queued', 'sent'])
    if (!redeemers || open.length === 0) return 0
    const head = await chain.head(signal)
    const cases = await this.#cases.read(head.number, signal)
    const candidates = toLeave(cases, this.#deps.winsPerSlot).filter(({ winners }) =>
      winners.some((winner) => !this.#left.has(winnerName(winner))),
    )
    let left = 0
    // Nobody is there to follow a lock with its bind; a bind needs no lock.
    this.#locksGiven.clear()
    for (const batch of this.#due(candidates, head, 0)) {
      const taken = await this.#give(batch, head.timeS + LEFT_PROMISE_S, signal)
      left += taken
      if (taken > 0) for (const winner of batch.winners) this.#left.add(winnerName(winner))
    }
    return left
  }

  async #look(signal: AbortSignal): Promise<RedemptionStatus> {
    const head = await this.#deps.chain.head(signal)
    for (let landed = this.#sender.landed; landed; landed = this.#sender.landed) {
      await this.#land(landed, signal)
      this.#sender.shiftLanded()
    }
    const before = await this.#cases.read(head.number, signal)
    const settled = await this.#settlement.settle(before, head.number, signal)
    await this.#tellSettled(settled)
    const moving = underWay(before)
    await this.#sender.resume(moving, signal)
    await this.#sender.hurry(this.#late(before, head))
    const isSame = settled.length === 0 && moving.length === 0
    const cases = isSame ? before : await this.#cases.read(head.number, signal)
    await this.#takeBackFromRedeemers(cases, head)
    const candidates = await this.#candidates(cases)
    for (const each of [this.#waits, this.#offers])
      each?.keepOnly(cases.flatMap(({ winners }) => winners))
    for (const batch of this.#due(candidates, head)) await this.#send(batch, head, signal)
    const won = new Set(cases.map(({ nullifier }) => hex(nullifier)))
    await this.#ahead.look((name) => won.has(name), signal)
    await this.#conflicts.look(cases, signal)
    return this.#statusOf(cases, head)
  }

  /** What is under way and runs out of time, with all that goes with it. */
  #late(cases: readonly SlotCase[], { timeS }: ChainHead): readonly StoredWinner[] {
    const { delays } = this.#deps.policy
    const late = underWay(cases.filter((slot) => isLate(slot, delays, timeS)))
    const carriers = new Set(late.map(({ carrier }) => carrier))
    return underWay(cases).filter(({ carrier }) => carriers.has(carrier))
  }

  /** A transaction is mined: what it skipped for good is lost, the rest the next look settles or sends again. */
  async #land({ batch, carrier, receipt }: Landed, signal: AbortSignal): Promise<void> {
    const { chain, store } = this.#deps
    // Nothing: it failed, or a reorganisation deeper than our patience took it out of the chain again.
    const told = receipt && (await chain.eventsOf(receipt.hash, signal))
    this.#sender.forget(carrier)
    const skipped = new Map<string, string>()
    for (const event of told ?? [])
      if (event.name === 'skipped') skipped.set(hex(event.nullifier), event.reason)
    for (const { nullifier, index } of batch.winners) {
      const reason = skipped.get(hex(nullifier))
      if (batch.kind === 'lock') this.#locksGiven.delete(hex(nullifier))
      if (batch.kind === 'lock' && (reason !== undefined || !told)) this.#cases.lockTried(nullifier)
      if (reason !== undefined && OF_STAKE.has(reason)) this.#tell({ type: 'stake-low' })
      else if (batch.kind === 'lock' && told) this.#tellOver('stake-low')
      const winner = await store.winners.get({ nullifier, index })
      if (winner?.carrier !== carrier) continue
      if (reason !== undefined && FOR_GOOD.has(reason)) await this.#settlement.refuse(winner)
      else if (reason !== undefined || !told)
        await this.#sender.move([winner], ['queued', 'sent'], 'received')
    }
  }

  async #candidates(cases: readonly SlotCase[]): Promise<readonly Candidate[]> {
    return cases.map((slot) => {
      const open = fatesOf(slot, this.#deps.winsPerSlot)
        .filter(({ fate, winner }) => fate === 'open' && winner.reason === undefined)
        .map(({ winner }) => winner)
      // One batch of a slot at a time: its indices must rise.
      const isUnderWay = open.some(({ state }) => state !== 'received')
      return { slot, winners: isUnderWay ? [] : open }
    })
  }

  #due(candidates: readonly Candidate[], head: ChainHead, waitMs?: number): readonly Batch[] {
    const { policy, nowMs } = this.#deps
    const patience = waitMs === undefined ? {} : { bindWaitMs: waitMs, claimWaitMs: waitMs }
    return dueBatches(
      candidates.filter(({ slot }) => slot.isLockTried || !this.#isLockGiven(slot)),
      { ...policy, ...patience },
      {
        nowMs: nowMs(),
        chainNowS: head.timeS,
        partOf: (winner) => this.#waits.partOf(winner),
      },
    )
  }

  /** A lock is on its way through redeemers, or in a transaction of ours. */
  #isLockGiven({ nullifier, word }: SlotCase): boolean {
    if (word.state === 'none' && this.#ahead.isPending(hex(nullifier))) return true
    const givenMs = this.#locksGiven.get(hex(nullifier))
    if (givenMs === undefined) return false
    const isWaiting = word.state === 'none' && this.#deps.nowMs() - givenMs < REDEEMER_PATIENCE_MS
    if (!isWaiting) this.#locksGiven.delete(hex(nullifier))
    return isWaiting
  }

  async #send(batch: Batch, head: ChainHead, signal: AbortSignal): Promise<void> {
    const { lane, redeemers, nowMs } = this.#deps
    let result: SendResult = 'no-coin'
    if (lane && (await this.#offer(batch, head, signal))) return
    if (lane) result = await this.#sender.send(batch, this.#attempt(batch), signal)
    const isOurs = result === 'sent'
    if ((result === 'no-coin' || result === 'unsigned') && redeemers) {
      const promiseS = batch.isUrgent ? URGENT_PROMISE_S : PROMISE_S
      const taken = await this.#give(batch, head.timeS + promiseS, signal)
      if (taken > 0) result = 'sent'
    }
    if (batch.kind === 'lock') this.#noteLock(batch, result, isOurs ? Infinity : nowMs())
    const winners = batch.winners.length
    if (result === 'gas-dear') this.#tell({ type: 'gas-dear', winners })
    if (result === 'no-coin') this.#tell({ type: 'no-sender', winners })
    if (result === 'unsigned') this.#tell({ type: 'unsigned', winners })
    if (result === 'sent')
      for (const type of ['gas-dear', 'no-sender', 'unsigned'] as const) this.#tellOver(type)
  }

  /** Leaves a batch that we could send ourselves with redeemers, for less than that costs; false where none takes it. */
  async #offer(batch: Batch, { timeS }: ChainHead, signal: AbortSignal): Promise<boolean> {
    const offer = await this.#offers?.offerFor(batch, signal)
    if (!offer) return false
    const taken = await this.#give(batch, timeS + PROMISE_S, signal, offer)
    this.#offers?.note(batch, taken)
    return taken > 0
  }

  /** Names of batches differ even within a millisecond; a lock that is asked for again after a restart keeps its name for an hour. */
  #attempt({ kind }: Batch): number {
    const nowMs = this.#deps.nowMs()
    return kind === 'lock'
      ? Math.floor(nowMs / 3_600_000)
      : nowMs * 1000 + (this.#attempts++ % 1000)
  }

  #noteLock({ winners }: Batch, result: SendResult, givenMs: number): void {
    for (const nullifier of slotsOf(winners)) {
      if (result === 'sent') this.#locksGiven.set(hex(nullifier), givenMs)
      if (result === 'reverted') this.#cases.lockTried(nullifier)
    }
  }

  /** Leaves a batch with redeemers; gives how many of its winners they took. */
  async #give(
    batch: Batch,
    deadlineS: number,
    signal: AbortSignal,
    offer?: Offer,
  ): Promise<number> {
    const { redeemers, nowMs } = this.#deps
    if (!redeemers) return 0
    const { kind, winners } = batch
    if (kind === 'lock') return redeemers.handOver(batch, deadlineS, signal)
    const carrier = carrierOf(kind, winners, nowMs(), offer?.fee ?? redeemers.fee)
    await this.#sender.move(winners, ['received'], 'queued', carrier)
    const taken = await redeemers.handOver(batch, deadlineS, signal, offer)
    if (taken === 0) await this.#sender.move(winners, ['queued'], 'received')
    else await this.#sender.move(winners, ['queued'], 'sent', carrier)
    return taken === 0 ? 0 : winners.length
  }

  /** What redeemers have not done in time, or what was being handed over when we were killed, is open again. */
  async #takeBackFromRedeemers(cases: readonly SlotCase[], { timeS }: ChainHead): Promise<void> {
    const nowMs = this.#deps.nowMs()
    const { companyMs, delays } = this.#deps.policy
    const isOver = (slot: SlotCase, { carrier, changedAtMs, state }: StoredWinner): boolean => {
      if (carrier === undefined || isLaneCarrier(carrier)) return false
      const waitMs = isLate(slot, delays, timeS) ? 0 : companyMs
      return state === 'queued' || nowMs - changedAtMs >= REDEEMER_PATIENCE_MS + waitMs
    }
    const late = cases.flatMap((slot) => underWay([slot]).filter((winner) => isOver(slot, winner)))
    if (late.length > 0) await this.#sender.move(late, ['queued', 'sent'], 'received')
  }

  async #tellSettled(settled: readonly Settled[]): Promise<void> {
    for (const { winner } of settled) await this.#cases.watch(winner.nullifier)
    const lost = Map.groupBy(settled, ({ reason }) => reason)
    for (const [reason, some] of lost)
      if (reason !== undefined)
        this.#deps.onAlert({ type: 'win-lost', winners: some.length, reason })
  }

  #statusOf(cases: readonly SlotCase[], head: ChainHead): RedemptionStatus {
    const { policy, winsPerSlot } = this.#deps
    const { delays } = policy
    const { status, isAtRisk } = statusOf(cases, { winsPerSlot, delays }, head.timeS)
    const { open: winners, deadlineS } = status
    if (isAtRisk && deadlineS !== undefined) this.#tell({ type: 'win-at-risk', winners, deadlineS })
    else this.#tellOver('win-at-risk')
    return status
  }

  #tellOver(type: RedemptionAlert['type']): void {
    if (this.#told.delete(type)) this.#deps.onAlertOver?.(type)
  }

  /** Tells an alert when it begins. */
  #tell(alert: RedemptionAlert): void {
    if (this.#told.has(alert.type)) return
    this.#told.add(alert.type)
    this.#deps.onAlert(alert)
  }
}

function underWay(cases: readonly SlotCase[]): readonly StoredWinner[] {
  const winners = cases.flatMap((slot) => slot.winners)
  return winners.filter(({ state }) => state === 'queued' || state === 'sent')
}
