/**
 * Binds of a node that could send them itself, offered to redeemers for less than a bind alone costs (SPEC §15.7): in company with those of others it takes a third of the gas. What nobody has
 * sent in its time the node sends itself. Later wins are not offered: with others' they take three quarters of what one alone does.
 */
import type { StoredWinner } from '@byway/store'
import {
  aloneGasOf,
  BATCH_MAX_ENTRIES,
  bindShareGas,
  type Batch,
  type GasWorth,
} from './batching.ts'
import { winnerName } from './leaving.ts'
import type { Offer } from './redeemers.ts'

export type CompanyOffersDeps = {
  readonly worth: GasWorth
  /** Of a unit of gas in the newest block, wei. @throws what the chain throws */
  readonly baseFee: (signal: AbortSignal) => Promise<bigint>
  /** Wall clock. */
  readonly nowMs: () => number
}

// Local limits (tunable): docs/LIMITS.md.
/** Redeemers that are asked for one offer: the node can do without. */
const MAX_ASKED_FOR_COMPANY = 8
/** Where nobody took an offer, none is made for so long. */
const NO_COMPANY_MS = 3_600_000
/** An offer saves at least a tenth of what the bind costs alone. */
const LEAST_SAVING_PARTS = 10n

/** The contract allows no higher fee, in hundredths of a win (SPEC §14.5). */
const MAX_FEE_PERCENT = 12n
const WEI_PER_COIN = 10n ** 18n

/** What is offered, and to whom no more. */
export class CompanyOffers {
  readonly #deps: CompanyOffersDeps
  readonly #offered = new Set<string>()
  #restUntilMs = Number.NEGATIVE_INFINITY

  constructor(deps: CompanyOffersDeps) {
    this.#deps = deps
  }

  /** What to offer for a batch; undefined for one that is to be sent alone. */
  async offerFor(
    { kind, winners, isUrgent }: Batch,
    signal: AbortSignal,
  ): Promise<Offer | undefined> {
    const { worth, baseFee, nowMs } = this.#deps
    if (kind !== 'bind' || isUrgent || winners.length >= BATCH_MAX_ENTRIES) return undefined
    if (nowMs() < this.#restUntilMs) return undefined
    if (winners.some((winner) => this.#offered.has(winnerName(winner)))) return undefined
    const fee = companyFee(winners.length, worth, await baseFee(signal))
    return fee === undefined ? undefined : { fee, mostAsked: MAX_ASKED_FOR_COMPANY }
  }

  /** It was offered. @param taken - by how many */
  note({ winners }: Pick<Batch, 'winners'>, taken: number): void {
    for (const winner of winners) this.#offered.add(winnerName(winner))
    if (taken === 0) this.#restUntilMs = this.#deps.nowMs() + NO_COMPANY_MS
  }

  /** Forgets those of all other wins. */
  keepOnly(open: readonly StoredWinner[]): void {
    const names = new Set(open.map(winnerName))
    for (const name of this.#offered) if (!names.has(name)) this.#offered.delete(name)
  }
}

/**
 * The fee for each bind of a batch with so many: half way between its share of a full transaction and what it costs alone, so that two such batches pay for their gas together.
 * Undefined where that saves too little, or is more than the contract allows.
 */
export function companyFee(
  entries: number,
  { winValue, coinPrice }: GasWorth,
  baseFee: bigint,
): bigint | undefined {
  const count = BigInt(entries)
  const priceOf = (gas: bigint): bigint => (gas * baseFee * coinPrice) / (WEI_PER_COIN * count)
  const [share, alone] = [priceOf(bindShareGas(entries)), priceOf(aloneGasOf('bind', entries))]
  const middle = (share + alone) / 2n
  const most = (winValue * MAX_FEE_PERCENT) / 100n
  const fee = middle < most ? middle : most
  const isSaving = fee * LEAST_SAVING_PARTS <= alone * (LEAST_SAVING_PARTS - 1n)
  return isSaving && fee > share ? fee : undefined
}
