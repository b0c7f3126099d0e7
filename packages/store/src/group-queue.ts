/**
 * Group commit: what arrives while the disk is busy waits and is written together, in one transaction with one fsync. Nothing waits when the disk is idle, so
 * there is no timer. Order is kept. The plain version, a transaction for each operation, is slower by the number of operations that arrive
 * during an fsync (ADR-0015).
 */
import type { Given, Operation, Submit, Verb } from './operation.ts'
import { errorFrom, type Group, type GroupResult } from './protocol.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Groups that may wait for the disk. Further ones are refused. */
const MAX_WAITING_GROUPS = 8192
/** Groups of one transaction. */
const MAX_BATCH_GROUPS = 512
/** Between transactions for nothing but what may wait: of it a crash forgets this much more. */
const SOON_MS = 250

/** Time, for what may wait. */
export type QueueClock = {
  /** Monotonic. */
  readonly nowMs: () => number
  /** Calls once, later. Returns what calls it off. */
  readonly after: (ms: number, run: () => void) => () => void
}

type Waiting = {
  readonly group: Group
  readonly settle: (result: GroupResult) => void
}

/** Sends batches, one at a time. */
export class GroupQueue {
  readonly #send: (groups: readonly Group[]) => void
  readonly #clock: QueueClock
  readonly #waiting: Waiting[] = []
  #underWay: readonly Waiting[] = []
  #isScheduled = false
  /** Some of what waits may not wait for more. */
  #isUrgent = false
  #sentAtMs = Number.NEGATIVE_INFINITY
  #cancelSoon: (() => void) | undefined
  #refusal: (() => GroupResult) | undefined
  #onIdle: (() => void) | undefined

  /** @param send - hands a batch to the worker; its results come back through {@link settle} */
  constructor(send: (groups: readonly Group[]) => void, clock: QueueClock = systemClock) {
    this.#send = send
    this.#clock = clock
  }

  /** Does one operation. */
  readonly submit: Submit = async <V extends Verb>(operation: Operation<V>): Promise<Given<V>> => {
    const [given] = await this.#add([operation as Operation])
    return given as Given<V>
  }

  /** Does one operation, at once where nothing was done for a moment, else together with what comes until then. */
  readonly submitSoon: Submit = async <V extends Verb>(
    operation: Operation<V>,
  ): Promise<Given<V>> => {
    const [given] = await this.#add([operation as Operation], true)
    return given as Given<V>
  }

  /** Does what `run` submits, all or none. Where none was done only this promise rejects; theirs stay as they are, so nobody has to watch each. */
  async submitAll(run: (submit: Submit) => void): Promise<void> {
    const group: Operation[] = []
    const settled = Promise.withResolvers<readonly unknown[]>()
    run(async <V extends Verb>(operation: Operation<V>): Promise<Given<V>> => {
      const at = group.push(operation as Operation) - 1
      return (await settled.promise)[at] as Given<V>
    })
    if (group.length > 0) settled.resolve(await this.#add(group))
  }

  /** Takes the results of the batch under way and sends the next one. */
  settle(results: readonly GroupResult[]): void {
    const done = this.#underWay
    this.#underWay = []
    done.forEach((waiting, at) => waiting.settle(results[at] ?? lost()))
    if (this.#waiting.length === 0) this.#onIdle?.()
    else if (this.#isUrgent) this.#sendBatch()
    else this.#sendSoon()
  }

  /** Refuses all that comes from now on; resolves when what was accepted is settled. */
  async drain(): Promise<void> {
    this.#refusal = closed
    if (this.#underWay.length === 0 && this.#waiting.length === 0) return
    this.#isUrgent = true
    if (this.#underWay.length === 0) this.#sendBatch()
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  /** Fails what waits and all that comes: the worker is gone. */
  fail(): void {
    this.#refusal ??= lost
    this.#cancelSoon?.()
    for (const waiting of [...this.#underWay, ...this.#waiting.splice(0)]) waiting.settle(lost())
    this.#underWay = []
    this.#onIdle?.()
  }

  #add(group: Group, mayWait = false): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      const settle = (result: GroupResult): void =>
        'given' in result ? resolve(result.given) : reject(errorFrom(result.error))
      const refused = this.#refusal?.() ?? (this.#isFull() ? busy() : undefined)
      if (refused) return settle(refused)
      this.#waiting.push({ group, settle })
      this.#isUrgent ||= !mayWait
      if (this.#isUrgent) this.#schedule()
      else this.#sendSoon()
    })
  }

  #isFull(): boolean {
    return this.#waiting.length >= MAX_WAITING_GROUPS
  }

  /** What is submitted in one turn goes out together. */
  #schedule(): void {
    if (this.#isScheduled || this.#underWay.length > 0) return
    this.#isScheduled = true
    queueMicrotask(() => {
      this.#isScheduled = false
      if (this.#underWay.length === 0 && this.#waiting.length > 0) this.#sendBatch()
    })
  }

  /** What may wait goes out in a moment, or with whatever comes before. */
  #sendSoon(): void {
    if (this.#cancelSoon || this.#underWay.length > 0) return
    const waitMs = this.#sentAtMs + SOON_MS - this.#clock.nowMs()
    if (waitMs <= 0) this.#schedule()
    else this.#cancelSoon = this.#clock.after(waitMs, () => this.#onSoon())
  }

  #onSoon(): void {
    this.#cancelSoon = undefined
    if (this.#underWay.length === 0 && this.#waiting.length > 0) this.#sendBatch()
  }

  #sendBatch(): void {
    this.#cancelSoon?.()
    this.#cancelSoon = undefined
    this.#sentAtMs = this.#clock.nowMs()
    this.#underWay = this.#waiting.splice(0, MAX_BATCH_GROUPS)
    this.#isUrgent &&= this.#waiting.length > 0
    this.#send(this.#underWay.map(({ group }) => group))
  }
}

const systemClock: QueueClock = {
  nowMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

function closed(): GroupResult {
  return { error: { code: 'STORE_CLOSED', context: {} } }
}

function busy(): GroupResult {
  return { error: { code: 'STORE_BUSY', context: { limit: MAX_WAITING_GROUPS } } }
}

function lost(): GroupResult {
  return { error: { code: 'STORE_FAILED', context: { errno: 'worker' } } }
}
