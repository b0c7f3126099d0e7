/**
 * The slots that the client asks back (DESIGN §7.1, SPEC §15.8): each over a circuit of its own, at its own exponential delay, through a relayer that sends those of several owners
 * together. What is under way is on the disk and goes on after a restart; a slot is asked back again only in ways that cost nothing.
 * @module
 */
import { equalBytes, toHex } from '@byway/protocol/base'
import type { NodeKey, PathNode } from '@byway/protocol/directory'
import { encodePayMessage, PAY, REDEEM_ANSWER, returnFeeTo } from '@byway/protocol/wire'
import type { ReturnRequest } from '@byway/protocol/wire'
import type { PayCarrier } from '../money/carrier.ts'
import { systemTimers } from '../proxy/timers.ts'
import type { Timers } from '../proxy/timers.ts'
import { makeRequest, requestIn, withdrawalAgain, type MakeRequestDeps } from './make-request.ts'
import { exponential, orderReturns, type OrderDeps } from './order-returns.ts'
import type { ReturnOrder, ReturnRecord, SlotFact, SlotFacts } from './ports.ts'
import { leaveReturn } from './relay-visit.ts'
import { factOf, isOver, isUnderWay } from './return-fact.ts'

/** What comes from the program around the client. */
export type ReturnPorts = OrderDeps &
  Pick<MakeRequestDeps, 'ownerSecret' | 'isPublished'> & {
    readonly facts: SlotFacts
    /** What a relayer gets of a slot, the token's smallest parts. */
    readonly fee: bigint
    /** A relayer that has a slot for longer than this and has not begun is asked no more. */
    readonly patienceMs: number
    /** How long a relayer lets the first of a batch wait for company. */
    readonly batchWaitMs: number
    /** `T_refund` or `T_close`, whichever is longer. */
    readonly longestDelayMs: number
  }

export type ReturnQueueDeps = ReturnPorts &
  MakeRequestDeps & {
    /** Hops that may be relayers. */
    readonly relays: () => readonly PathNode[]
    /** Opens a control circuit to a hop. */
    readonly open: (hop: PathNode, signal: AbortSignal) => Promise<PayCarrier>
    /** Aborted when the client stops. */
    readonly closing: AbortSignal
    /** A slot could not be asked back now: tried again later. */
    readonly onFailed: (error: unknown) => void
    /** @default the system's */
    readonly timers?: Timers | undefined
  }

/** How many slots are on their way back. */
export type ReturnCounts = {
  readonly waiting: number
  /** With a relayer, or in the contract's delay. */
  readonly asked: number
}

/** The queue of a running client. */
export interface ReturnQueue {
  readonly counts: ReturnCounts
  /** True for a slot that is in the queue. */
  has(nullifier: Uint8Array): boolean
  /** Joinings in the queue. */
  readonly joinings: readonly ReturnRecord[]
  /** Reads what the disk has. */
  load(): Promise<void>
  /** Begins. */
  start(): void
  /** Adds slots; see `orderReturns`. */
  add(orders: readonly ReturnOrder[]): Promise<number>
  /**
   * Gives withdrawals up that nobody was told: in an older copy of the records they may have been told since, and two proofs of a slot for different receivers burn its bond.
   * @throws what the disk throws
   */
  forgetUntold(): Promise<void>
  /** Ends once the slot that is being asked back is. Never rejects. */
  stop(): Promise<void>
}

// Local limits (tunable): docs/LIMITS.md.
/** Between looks, and a part of the mean delay where that is short. */
const LOOK_MS = 30_000
const LOOKS_PER_DELAY = 8
/** So long an order is kept after the chain has shown its end, or the mean delay where that is short: a reorganisation may undo it, and then the same relayer is told the same. */
const SETTLED_MS = 600_000
/** What was due while the client was off, asleep or could not read the chain is drawn anew, shorter: or all of it would go one after the other. */
const OVERDUE_PART = 6
/** So many waits of a batch a relayer is told of no second order: then neither the beginnings nor the ends of the two fall into one batch. */
const REST_WAITS = 3
/** What is late by more looks than this was held up with others. */
const OVERDUE_LOOKS = 4

/** Creates a queue that does nothing yet. */
export function createReturnQueue(deps: ReturnQueueDeps): ReturnQueue {
  return new Queue(deps)
}

class Queue implements ReturnQueue {
  readonly #deps: ReturnQueueDeps
  readonly #records = new Map<string, ReturnRecord>()
  /** Since when the chain has shown the end of an order. */
  readonly #overSinceMs = new Map<string, number>()
  #cancelLook: () => void = () => {}
  #work: Promise<void> = Promise.resolve()

  constructor(deps: ReturnQueueDeps) {
    this.#deps = deps
  }

  get counts(): ReturnCounts {
    const all = [...this.#records.values()]
    const asked = all.filter(({ state }) => state === 'asked').length
    return { asked, waiting: all.length - asked }
  }

  has(nullifier: Uint8Array): boolean {
    return this.#records.has(toHex(nullifier))
  }

  get joinings(): readonly ReturnRecord[] {
    return [...this.#records.values()].filter(({ kind }) => kind === 'join')
  }

  async load(): Promise<void> {
    const nowMs = this.#deps.nowMs()
    for (const record of await this.#deps.records.all()) {
      const isOverdue = record.dueMs <= nowMs
      await this.#put(isOverdue ? { ...record, dueMs: this.#soon() } : record)
    }
  }

  start(): void {
    this.#next()
  }

  async add(orders: readonly ReturnOrder[]): Promise<number> {
    const added = await orderReturns(this.#deps, orders)
    for (const record of await this.#deps.records.all()) {
      const key = toHex(record.nullifier)
      if (!this.#records.has(key)) this.#records.set(key, record)
    }
    return added
  }

  async forgetUntold(): Promise<void> {
    for (const { kind, body, nullifier } of this.#records.values()) {
      if (kind !== 'withdraw' || body.length > 0) continue
      await this.#deps.records.remove(nullifier)
      this.#records.delete(toHex(nullifier))
    }
  }

  async stop(): Promise<void> {
    this.#cancelLook()
    await this.#work
  }

  #next(): void {
    const { closing, timers = systemTimers } = this.#deps
    if (closing.aborted) return
    this.#cancelLook = timers.after(this.#lookMs, () => {
      this.#work = this.#look().finally(() => this.#next())
    })
  }

  get #lookMs(): number {
    return Math.min(LOOK_MS, Math.max(1, this.#deps.meanDelayMs / LOOKS_PER_DELAY))
  }

  /** One slot a look: two at once would be known to be of one client. */
  async #look(): Promise<void> {
    const nowMs = this.#deps.nowMs()
    const due = [...this.#records.values()]
      .filter(({ dueMs }) => dueMs <= nowMs)
      .toSorted((a, b) => a.dueMs - b.dueMs)
    for (const record of due) {
      try {
        if (await this.#advance(record)) return
      } catch (error) {
        if (this.#deps.closing.aborted) return
        this.#deps.onFailed(error)
        return
      }
    }
  }

  /** Does what is due for a slot; true when a circuit was used for it. */
  async #advance(record: ReturnRecord): Promise<boolean> {
    const { facts, longestDelayMs, patienceMs, nowMs } = this.#deps
    const fact = factOf(facts, record)
    // The chain is not read up to now: what waits for it must not go together once it is.
    if (!fact) return await this.#putOff(record)
    if (isOver(fact)) return await this.#settle(record)
    this.#overSinceMs.delete(toHex(record.nullifier))
    if (isUnderWay(record, fact) && record.state === 'asked' && record.relay !== undefined) {
      // Begun: the relayer ends it. Once that is long over, another is asked to.
      const dueMs = nowMs() + longestDelayMs + patienceMs
      await this.#put({ ...record, dueMs, relay: undefined })
      return false
    }
    if (record.kind === 'withdraw' && fact.state !== 'none' && fact.state !== 'lapsed') {
      // Locked by somebody, or begun: there is only one proof, and its relayer has it.
      return await this.#putOff(record)
    }
    // Nobody looked when it was due: the machine slept, or an earlier order took long.
    if (nowMs() - record.dueMs > OVERDUE_LOOKS * this.#lookMs) return await this.#putOff(record)
    return await this.#leave(record, fact)
  }

  /** False when nobody could be asked now. */
  async #leave(record: ReturnRecord, fact: SlotFact): Promise<boolean> {
    const { open, closing, timers, patienceMs, nowMs } = this.#deps
    const relay = this.#relayFor(record)
    // If it fails on the way it is tried again at a time that says nothing of this one.
    const again = { ...record, state: 'waiting', dueMs: this.#soon() } as const
    await this.#put({ ...again, relay: relay?.key ?? record.relay })
    if (!relay) return false
    let left: ReturnRecord = again
    const carrier = await open(relay, closing)
    const answer = await leaveReturn(
      carrier,
      async () => {
        const request = await this.#requestOf(record, fact, relay)
        if (!request) return undefined
        const body = encodePayMessage({ kind: PAY.RETURN, request })
        left = { ...again, state: 'asked', relay: relay.key, body, dueMs: nowMs() + patienceMs }
        await this.#put(left)
        return request
      },
      closing,
      timers,
    )
    if (answer === REDEEM_ANSWER.TAKEN || left.state === 'waiting') return true
    await this.#put({ ...left, state: 'waiting', relay: undefined, dueMs: this.#soon() })
    return true
  }

  /** A withdrawal that was told to somebody is told to nobody else, and for nobody else. */
  async #requestOf(
    record: ReturnRecord,
    fact: SlotFact,
    relay: PathNode,
  ): Promise<ReturnRequest | undefined> {
    const { closing } = this.#deps
    if (record.kind === 'withdraw' && record.body.length > 0)
      return await withdrawalAgain(this.#deps, record, closing)
    const feeTo = relay.entry.descriptor.provider
    return feeTo && (await makeRequest(this.#deps, record, fact, feeTo, closing))
  }

  /** One that was told of no other slot lately; nobody while there is none, for two slots in one batch would be known as one owner's. */
  #relayFor(record: ReturnRecord): PathNode | undefined {
    const { relays, random, nowMs, batchWaitMs } = this.#deps
    const { kind, body, relay: last } = record
    const all = relays().filter(({ entry }) => entry.descriptor.provider !== undefined)
    const restedSinceMs = nowMs() - REST_WAITS * batchWaitMs
    const hasRested = ({ key }: PathNode) => (this.#toldAtMs(key, record) ?? 0) < restedSinceMs
    if (kind === 'withdraw' && body.length > 0) {
      const only = relayOf(all, body)
      return only && hasRested(only) ? only : undefined
    }
    const others = all.filter(({ key }) => key !== last)
    const rested = (others.length > 0 ? others : all).filter(hasRested)
    // One that has none of them at all holds none back that its next batch would have.
    const unused = rested.filter(({ key }) => this.#toldAtMs(key, record) === undefined)
    const from = unused.length > 0 ? unused : rested
    return from[Math.floor(random() * from.length)]
  }

  /** When a relayer was told last of another order that it has; undefined when it has none. */
  #toldAtMs(relay: NodeKey, record: ReturnRecord): number | undefined {
    const own = toHex(record.nullifier)
    const told = [...this.#records]
      .filter(([name, one]) => name !== own && one.state === 'asked' && one.relay === relay)
      .map(([, { dueMs }]) => dueMs - this.#deps.patienceMs)
    return told.length === 0 ? undefined : Math.max(...told)
  }

  /** A fresh delay for what did not work, or could not be done when it was due. */
  #soon(): number {
    const { meanDelayMs, random, nowMs } = this.#deps
    return nowMs() + exponential(meanDelayMs / OVERDUE_PART, random)
  }

  async #putOff(record: ReturnRecord): Promise<false> {
    await this.#put({ ...record, dueMs: this.#soon() })
    return false
  }

  async #put(record: ReturnRecord): Promise<void> {
    await this.#deps.records.put(record)
    this.#records.set(toHex(record.nullifier), record)
  }

  /** Forgets an order once its end has stood for long enough. */
  async #settle({ nullifier }: ReturnRecord): Promise<boolean> {
    const { nowMs, meanDelayMs, records } = this.#deps
    const name = toHex(nullifier)
    const sinceMs = this.#overSinceMs.get(name) ?? nowMs()
    this.#overSinceMs.set(name, sinceMs)
    if (nowMs() - sinceMs < Math.min(SETTLED_MS, meanDelayMs)) return false
    await records.remove(nullifier)
    this.#records.delete(name)
    this.#overSinceMs.delete(name)
    return false
  }
}

/** Whom the proof in this request pays: nobody else has any use for it. */
function relayOf(relays: readonly PathNode[], body: Uint8Array): PathNode | undefined {
  const request = requestIn(body)
  if (!request) return undefined
  const feeTo = returnFeeTo(request)
  return relays.find(({ entry: { descriptor } }) => {
    return descriptor.provider !== undefined && equalBytes(descriptor.provider, feeTo)
  })
}
