/**
 * Pays an entry for all circuits of its link (SPEC §15.3): tickets over one unit each, or over more where much passes, ahead of what the client itself counts. Shows its slot when the link is first
 * used in earnest, or when it is told to; a link that is only kept warm is paid nothing.
 * @module
 */
import type { NodeKey } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'
import { createAllowance, SAME_PRICE } from '@byway/protocol/payment'
import type { Allowance, PaymentSizes } from '@byway/protocol/payment'
import { UNIT_BYTES } from '@byway/protocol/ticket'
import { LINK_MESSAGE, PAY } from '@byway/protocol/wire'
import type { ClientPayMessage, DueMessage, PayMessage } from '@byway/protocol/wire'
import { delay } from '../engine/abort.ts'
import { createBulkWatch } from './bulk-watch.ts'
import type { PaySender } from './carrier.ts'
import type { LinkPayer } from './metered-link.ts'
import { isPutOff, isRefused } from './errors.ts'
import type { HopRecords } from './hop-records.ts'
import { createRateMeter } from './rate-meter.ts'
import { createSlotSession } from './slot-session.ts'
import type { SlotSession, SlotSessionDeps } from './slot-session.ts'
import type { Spending } from './spending.ts'
import type { Tariff } from './tariff.ts'

// Local limits (tunable): docs/LIMITS.md.
/** Control circuits and the first page may use so much of what an entry gives for nothing; then the first ticket goes. */
const UNPAID_BYTES = 128 * 1024
/** The slot is shown by then, so that the first ticket can go at once. */
const SHOW_BYTES = 32 * 1024
/** What a ticket covers: a signature and its check for each unit are a good part of what payment costs on a fast line. */
const TICKET_BYTES: PaymentSizes = [
  UNIT_BYTES,
  2 * UNIT_BYTES,
  4 * UNIT_BYTES,
  8 * UNIT_BYTES,
  16 * UNIT_BYTES,
  32 * UNIT_BYTES,
  64 * UNIT_BYTES,
]
/** Between tries to show a slot. */
const RETRY_MS = [250, 1000, 2500] as const
/** Before an entry that did not answer, or put it off, is tried anew. */
const REST_MS = 10_000
/** Before the next try where it was not for the entry: no slot could be shown, for want of the chain, the disk or a deposit. */
const OWN_REST_MS = 1000

export type EntryPayerDeps = Omit<SlotSessionDeps, 'spending'> & {
  readonly spending: Pick<Spending, 'onTicket' | 'onVoid' | 'requireLeft' | 'isLeft' | 'follow'>
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  readonly records: HopRecords
  /** The entry took pay and broke its side of it, or cannot be paid: its link is closed. */
  readonly onFault: (entry: NodeKey) => void
  /** It cannot be paid now: no slot, no budget, no answer. */
  readonly onUnpayable: (error: unknown) => void
  /** The link is gone. */
  readonly onGone: () => void
  readonly closing: AbortSignal
}

/** Whose link it is. */
export type PaidEntry = {
  readonly key: NodeKey
  /** What it asks; undefined while its descriptor is not known (a first contact), or when it serves for nothing. */
  readonly tariff: () => Tariff | undefined
}

/** Pays an entry. */
export interface EntryPayer extends LinkPayer {
  /** The entry has taken a slot, and it is not over. */
  readonly isOpen: boolean
  /**
   * Shows a slot, if none is shown: resolves when the entry has taken it, or takes none now.
   * @throws why there is no slot to be shown: what the chain, the disk or the authoriser throws, or DEPOSIT_SPENT
   */
  ready(): Promise<void>
  /** Signs for what is not signed yet: to be waited for before the link is closed. Never rejects; takes seconds only where the entry does not answer. */
  finish(): Promise<void>
}

/** Creates the payer of a fresh link. `link` is what the PAY messages go over. */
export function createEntryPayer(
  deps: EntryPayerDeps,
  entry: PaidEntry,
  link: Pick<Link, 'send' | 'close' | 'isClosed' | 'rttMs'>,
): EntryPayer {
  return new Payer(deps, entry, link)
}

class Payer implements EntryPayer, PaySender {
  readonly #deps: EntryPayerDeps
  readonly #entry: PaidEntry
  readonly #link: Pick<Link, 'send' | 'close' | 'isClosed' | 'rttMs'>
  #session: SlotSession | undefined
  readonly #allowance: Allowance
  readonly #rate = createRateMeter()
  readonly #bulk = createBulkWatch()
  readonly #gone = new AbortController()
  #opening: Promise<void> | undefined
  isOpen = false
  readonly #account: { close(): void }
  /** What it gives for nothing is used up, by this client or its neighbours. */
  #isWanted = false
  #restUntilMs = 0
  /** Why there was no slot to be shown at the last try. */
  #want: Error | undefined

  constructor(
    deps: EntryPayerDeps,
    entry: PaidEntry,
    link: Pick<Link, 'send' | 'close' | 'isClosed' | 'rttMs'>,
  ) {
    this.#deps = deps
    this.#entry = entry
    this.#link = link
    this.#allowance = createAllowance(TICKET_BYTES, SAME_PRICE, deps.records.of(entry.key))
    this.#account = deps.spending.follow(entry.key, 'link', this.#allowance)
  }

  get isClosed(): boolean {
    return this.#link.isClosed
  }

  async ready(): Promise<void> {
    await this.#show()
    if (!this.isOpen && this.#want) throw this.#want
  }

  onCounted(bytes: number): void {
    const isNewRate = this.#rate.count(bytes, this.#deps.nowMs())
    if (isNewRate) this.#allowance.setRate(this.#rate, this.#link.rttMs)
    const isDue = this.#allowance.count(bytes)
    if (isDue && this.#allowance.countedBytes >= SHOW_BYTES) this.#pay()
  }

  onPay(pay: PayMessage): void {
    if (this.#session?.onPay(pay) === true) return
    if (pay.kind === PAY.DUE) this.#onDue(pay)
    else this.#leave()
  }

  async finish(): Promise<void> {
    await this.#session?.finish()
  }

  onClosed(): void {
    this.#gone.abort()
    this.#session?.onClosed()
    this.#account.close()
    this.#allowance.end()
    this.#deps.onGone()
  }

  /** For the session. */
  send(messages: readonly ClientPayMessage[]): void {
    for (const pay of messages) this.#link.send({ type: LINK_MESSAGE.PAY, pay })
  }

  #onDue(due: DueMessage): void {
    const { isOvercounted } = this.#allowance.onDue(due)
    this.#isWanted = true
    if (isOvercounted) this.#leave()
    else this.#pay()
  }

  #pay(): void {
    if (!this.isOpen || !this.#session) {
      void this.#show()
      return
    }
    if (!this.#isWanted && this.#allowance.countedBytes < UNPAID_BYTES) return
    try {
      for (;;) {
        const units = this.#affordable(this.#allowance.dueBytes() / UNIT_BYTES)
        if (units === 0 || !this.#session.pay(units)) return
        this.#allowance.paid(units * UNIT_BYTES)
        if (this.#bulk.paid(units, this.#deps.nowMs())) void this.#session.sayNext()
      }
    } catch (error) {
      this.#deps.onUnpayable(error)
    }
  }

  /** So many units, or as many as the budget leaves: its last ones are spent, and one that is too many says so. */
  #affordable(units: number): number {
    const price = this.#entry.tariff()?.unitPrice ?? 0n
    let count = units
    while (count > 1 && !this.#deps.spending.isLeft(BigInt(count) * price)) count /= 2
    return count
  }

  /** One showing at a time; who asks meanwhile waits for the same one. Never rejects. */
  #show(): Promise<void> {
    if (this.isOpen) return Promise.resolve()
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  /** Shows a slot, and tries again when the entry cannot look at it now. */
  async #open(): Promise<void> {
    if (this.isClosed || this.#deps.nowMs() < this.#restUntilMs) return
    const session = (this.#session ??= this.#createSession())
    if (!session) return
    const signal = AbortSignal.any([this.#deps.closing, this.#gone.signal])
    let lastError: unknown
    for (const retryMs of [0, ...RETRY_MS]) {
      try {
        await delay(retryMs, signal, this.#deps.timers)
        await session.open(this, signal)
        this.isOpen = true
        this.#want = undefined
        break
      } catch (error) {
        lastError = error
        if (signal.aborted || isTurnedDown(error)) break
      }
    }
    if (this.isOpen) this.#pay()
    else if (!signal.aborted) this.#onUnshown(lastError)
  }

  #createSession(): SlotSession | undefined {
    const { key } = this.#entry
    const tariff = this.#entry.tariff()
    if (!tariff) return undefined
    return createSlotSession(
      this.#deps,
      { key, use: 'link', tariff },
      {
        onReady: () => this.#pay(),
        onVoid: (units) => this.#allowance.unpaid(units * UNIT_BYTES),
        onSlotOver: (_why, isInUse) => {
          this.isOpen = false
          if (isInUse) void this.#show()
        },
        onFault: () => this.#leave(),
      },
    )
  }

  #onUnshown(error: unknown): void {
    const isEntrys = isRefused(error)
    this.#want = !isEntrys && error instanceof Error ? error : undefined
    this.#restUntilMs = this.#deps.nowMs() + (isEntrys ? REST_MS : OWN_REST_MS)
    this.#deps.onUnpayable(error)
    if (isTurnedDown(error)) this.#leave()
  }

  #leave(): void {
    this.#deps.onFault(this.#entry.key)
    this.#link.close('protocol')
  }
}

/** The entry has turned down as many slots as one hop may: more are not risked on it. */
function isTurnedDown(error: unknown): boolean {
  return isRefused(error) && !isPutOff(error)
}
