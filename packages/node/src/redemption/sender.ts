/** Sends batches through our own lane: winners are marked before the lane has them, so that a restart finds every batch again under the same key. */
import { isBywayError } from '@byway/protocol/base'
import { OWN_TERMS, type CallTerms, type LaneTransaction } from '@byway/chain'
import type { ContractCall, TransactionReceipt } from '@byway/protocol/payment'
import { decodeOpening } from '@byway/protocol/wire'
import type { StoredWinner, WinnerState } from '@byway/store'
import { feeCapOf, type Batch } from './batching.ts'
import { carrierOf, isLaneCarrier, kindOfCarrier } from './carrier.ts'
import type { RedemptionDeps } from './ports.ts'
import { slotsOf } from './batching.ts'

/** Why a batch was not sent. `later`: the chain could not be asked; the winners keep their carrier. `unsigned`: the signer signs nothing now. */
export type SendResult =
  | 'sent'
  | 'later'
  | 'gas-dear'
  | 'no-coin'
  | 'unsigned'
  | 'reverted'
  | 'full'

/** A transaction that was mined deep enough. */
export type Landed = {
  readonly batch: Batch
  readonly carrier: string
  /** Nothing when it failed or its nonce was lost. */
  readonly receipt: TransactionReceipt | undefined
}

export class Sender {
  readonly #deps: RedemptionDeps
  readonly #tracked = new Set<string>()
  /** Of these, those that may cost what is urgent by now. */
  readonly #hurried = new Set<string>()
  readonly #landed: Landed[] = []

  constructor(deps: RedemptionDeps) {
    this.#deps = deps
  }

  /** What has landed and was not dealt with, the first of it. */
  get landed(): Landed | undefined {
    return this.#landed[0]
  }

  /** It was dealt with: an error on the way leaves it for the next look. */
  shiftLanded(): void {
    this.#landed.shift()
  }

  /** True while a transaction of ours carries it. */
  isTracked(carrier: string): boolean {
    return this.#tracked.has(carrier)
  }

  /** Sends a fresh batch. */
  async send(batch: Batch, attempt: number, signal: AbortSignal): Promise<SendResult> {
    const carrier = carrierOf(batch.kind, batch.winners, attempt)
    if (batch.kind !== 'lock') await this.move(batch.winners, ['received'], 'queued', carrier)
    const result = await this.#submit(batch, carrier, signal)
    if (result !== 'sent' && result !== 'later' && batch.kind !== 'lock')
      await this.move(batch.winners, ['queued'], 'received')
    return result
  }

  /** Finds the transactions of an earlier run, and those that could not be sent, under their old keys. */
  async resume(winners: readonly StoredWinner[], signal: AbortSignal): Promise<void> {
    for (const { batch, carrier } of sentBy(winners)) {
      if (this.#tracked.has(carrier)) continue
      const result = await this.#submit(batch, carrier, signal)
      if (result !== 'sent' && result !== 'later')
        await this.move(batch.winners, ['queued', 'sent'], 'received')
    }
  }

  /** What was patient when it was sent may cost what is urgent from now on. */
  async hurry(winners: readonly StoredWinner[]): Promise<void> {
    const { lane, worth } = this.#deps
    for (const { batch, carrier } of sentBy(winners)) {
      if (!this.#tracked.has(carrier) || this.#hurried.has(carrier)) continue
      const feeCap = feeCapOf({ ...batch, isUrgent: true }, batch.winners.length, worth)
      await lane?.raise(carrier, feeCap)
      this.#hurried.add(carrier)
    }
  }

  /** Moves winners together; those that are in none of the states stay. */
  async move(
    winners: readonly StoredWinner[],
    from: readonly WinnerState[],
    to: WinnerState,
    carrier?: string,
  ): Promise<void> {
    const atMs = this.#deps.nowMs()
    await this.#deps.store.atomically((records) => {
      for (const id of winners)
        void records.winners.move({ id, from, to, atMs, ...(carrier ? { carrier } : {}) })
    })
  }

  async #submit(batch: Batch, carrier: string, signal: AbortSignal): Promise<SendResult> {
    const { lane, calls, worth, provider } = this.#deps
    if (!lane) return 'no-coin'
    const call = callOf(batch, calls, provider, OWN_TERMS)
    try {
      const feeCap = feeCapOf(batch, batch.winners.length, worth)
      const transaction = await lane.send({ ...call, key: carrier, feeCap }, signal)
      if (batch.kind !== 'lock') await this.move(batch.winners, ['queued', 'sent'], 'sent', carrier)
      this.#track(batch, carrier, transaction)
      return 'sent'
    } catch (error) {
      return sendResultOf(error)
    }
  }

  #track(batch: Batch, carrier: string, { confirmed }: LaneTransaction): void {
    if (this.#tracked.has(carrier)) return
    this.#tracked.add(carrier)
    confirmed.then(
      (receipt) => this.#landed.push({ batch, carrier, receipt }),
      (error: unknown) => {
        const isStopped = isBywayError(error) && error.code === 'CHAIN_LANE_STOPPED'
        if (!isStopped) this.#landed.push({ batch, carrier, receipt: undefined })
      },
    )
  }

  /** Forgets a transaction that was dealt with. */
  forget(carrier: string): void {
    this.#tracked.delete(carrier)
    this.#hurried.delete(carrier)
  }
}

type Sent = { readonly batch: Batch; readonly carrier: string }

/** The batches that our own lane carries. */
function sentBy(winners: readonly StoredWinner[]): readonly Sent[] {
  const byCarrier = Map.groupBy(winners, ({ carrier }) => carrier ?? '')
  return [...byCarrier].flatMap(([carrier, some]) => {
    const kind = kindOfCarrier(carrier)
    if (kind === undefined || !isLaneCarrier(carrier)) return []
    return [{ batch: { kind, winners: some, isUrgent: false }, carrier }]
  })
}

/** Encodes a batch. */
export function callOf(
  { kind, winners }: Pick<Batch, 'kind' | 'winners'>,
  calls: RedemptionDeps['calls'],
  provider: Uint8Array,
  terms: CallTerms,
): ContractCall {
  switch (kind) {
    case 'lock':
      return calls.lock([{ provider, nullifiers: slotsOf(winners), terms }])
    case 'bind': {
      const binds = winners.map((ticket) => ({ opening: decodeOpening(ticket.opening), ticket }))
      return calls.bind([{ provider, binds, terms }])
    }
    case 'claim': {
      const claims = winners.map((ticket) => ({ nullifier: ticket.nullifier, ticket }))
      return calls.claimMore([{ provider, claims, terms }])
    }
  }
}

/** Errors of the lane that leave nothing sent. @throws others: they are bugs or the store's */
export function sendResultOf(error: unknown): SendResult {
  switch (isBywayError(error) ? error.code : '') {
    case 'CHAIN_GAS_DEAR':
      return 'gas-dear'
    case 'CHAIN_NO_COIN':
      return 'no-coin'
    case 'CHAIN_UNSIGNED':
      return 'unsigned'
    case 'CHAIN_REVERTED':
    case 'CHAIN_GAS_CAP':
      return 'reverted'
    case 'CHAIN_LANE_FULL':
      return 'full'
    case 'CHAIN_UNREACHABLE':
    case 'CHAIN_DISAGREE':
    case 'CHAIN_LANE_STOPPED':
      return 'later'
    default:
      throw error
  }
}
