/**
 * When open winners are sent, together with which others, and what a unit of gas may cost (DESIGN §7.1, §7.4). Pure.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import type { StoredWinner } from '@byway/store'
import { deadlineOf, wantOf, type SlotCase, type SlotDelays } from './fate.ts'

/** One slot's share of a batch. */
export type Candidate = {
  readonly slot: SlotCase
  /** Still open, by rising index; none of them is under way. */
  readonly winners: readonly StoredWinner[]
}

export type BatchKind = 'lock' | 'bind' | 'claim'

/** Winners that go out in one transaction. */
export type Batch = {
  readonly kind: BatchKind
  readonly winners: readonly StoredWinner[]
  /** A deadline is near: gas may cost more. */
  readonly isUrgent: boolean
}

/** How patient a node is. */
export type BatchPolicy = {
  /** A bind waits so long at most for others to share its transaction, ms. */
  readonly bindWaitMs: number
  /** A later win of a bound slot waits so long at most, ms. */
  readonly claimWaitMs: number
  /** What a redeemer may wait on top for the wins of other providers, ms. */
  readonly companyMs: number
  /** Of this part of a deadline's span the last quarter is urgent. */
  readonly delays: SlotDelays
}

// Local limits (tunable): docs/LIMITS.md.
/** Entries of one transaction: more save little gas (PAYMENTS §5.4) and risk more. */
export const BATCH_MAX_ENTRIES = 16
const URGENT_QUARTERS = 3

/** What it is now, and which part of its longest wait a win waits. */
export type BatchMoment = {
  readonly nowMs: number
  readonly chainNowS: number
  readonly partOf: (winner: StoredWinner) => number
}

/** The batches that are due. What is left waits for company. */
export function dueBatches(
  candidates: readonly Candidate[],
  policy: BatchPolicy,
  moment: BatchMoment,
): readonly Batch[] {
  const byKind = (kind: BatchKind): Ready[] =>
    candidates
      .filter(({ slot, winners }) => winners.length > 0 && wantOf(slot) === kind)
      .map((candidate) => ready(candidate, kind, policy, moment))
  return [
    // A lock never waits: until it is there, others may take the slot.
    ...split('lock', byKind('lock'), true),
    ...split('bind', byKind('bind'), false),
    ...split('claim', byKind('claim'), false),
  ]
}

type Ready = {
  readonly winners: readonly StoredWinner[]
  readonly isDue: boolean
  readonly isUrgent: boolean
}

function ready(
  { slot, winners }: Candidate,
  kind: BatchKind,
  { bindWaitMs, claimWaitMs, delays }: BatchPolicy,
  { nowMs, chainNowS, partOf }: BatchMoment,
): Ready {
  const isUrgent = isLate(slot, delays, chainNowS)
  const waitMs = kind === 'bind' ? bindWaitMs : claimWaitMs
  const isAsked = ['refunding', 'withdrawing', 'closing', 'lapsed'].includes(slot.word.state)
  // A clock that was set back must not make a win wait for ever.
  const isOld = winners.some((winner) => {
    const ageMs = nowMs - winner.receivedAtMs
    return ageMs < 0 || ageMs >= waitMs * partOf(winner)
  })
  // A bind takes the slot's first winner only; the rest are later wins. A slot's claims go out together: of two batches the later ones could close the earlier ones' indices.
  const own = winners.slice(0, kind === 'claim' ? BATCH_MAX_ENTRIES : 1)
  return { winners: own, isUrgent, isDue: isUrgent || isAsked || isOld }
}

/** Time runs out: for the last quarter of a deadline's span, and always where no lock keeps others from the slot any more. */
export function isLate(slot: SlotCase, delays: SlotDelays, chainNowS: number): boolean {
  const { state } = slot.word
  if (state === 'lapsed' || (state === 'none' && slot.isLockTried)) return true
  const deadlineS = deadlineOf(slot, delays)
  if (deadlineS === undefined) return false
  const spanS = deadlineS - slot.word.timeS
  return chainNowS >= slot.word.timeS + (spanS * URGENT_QUARTERS) / 4
}

/** Whole batches go out at once; a part of one when one of its entries is due. Entries that are due go first. */
function split(kind: BatchKind, all: readonly Ready[], isAlwaysDue: boolean): readonly Batch[] {
  const sorted = all.toSorted((a, b) => Number(b.isUrgent) - Number(a.isUrgent) || due(b) - due(a))
  const batches: Batch[] = []
  let open: Ready[] = []
  const close = (): void => {
    const winners = open.flatMap((one) => one.winners)
    const isFull = winners.length >= BATCH_MAX_ENTRIES
    const isDue = isAlwaysDue || isFull || open.some((one) => one.isDue)
    const isUrgent = open.some((one) => one.isUrgent)
    if (winners.length > 0 && isDue) batches.push({ kind, winners, isUrgent })
    open = []
  }
  for (const one of sorted) {
    const length = open.reduce((sum, { winners }) => sum + winners.length, 0)
    if (length + one.winners.length > BATCH_MAX_ENTRIES) close()
    open.push(one)
  }
  close()
  return batches
}

function due({ isDue }: Ready): number {
  return Number(isDue)
}

/** What gas is worth to whoever redeems. */
export type GasWorth = {
  /** What a win pays, in the token's smallest parts. */
  readonly winValue: bigint
  /** The token's smallest parts that 10^18 wei are worth, as the operator says. */
  readonly coinPrice: bigint
}

// Local limits (tunable): docs/LIMITS.md.
/**
 * A win may cost these parts of itself, in thousandths, while there is time. A bind alone as much as the contract lets a redeemer take: at the start values (V of 0.1,
 * coin of 3000, 0.01 gwei) it takes 9 %, in company 3 %. A lock is the beginning of a win and as urgent as one that runs out.
 */
const PATIENT_PER_MILLE: Readonly<Record<BatchKind, bigint>> = {
  lock: 500n,
  bind: 120n,
  claim: 30n,
}
/** And this when its time runs out. */
const URGENT_PER_MILLE = 500n

/** Gas of a batch, and of each entry in it: what contracts/GAS.md has for 1 and for 16 slots, slot proofs included, as a line through both. Wins of one slot are cheaper. */
const BATCH_GAS: Readonly<Record<BatchKind, { readonly base: bigint; readonly entry: bigint }>> = {
  lock: { base: 28_600n, entry: 24_850n },
  bind: { base: 204_400n, entry: 92_300n },
  claim: { base: 28_700n, entry: 15_950n },
}

/** What the signed terms of another provider add to a bind, rounded up (*bind 8, of 8 providers* in contracts/GAS.md). */
const BIND_TERMS_GAS = 1100n

/** Gas of a batch with so many entries in a transaction of its own. */
export function aloneGasOf(kind: BatchKind, entries: number): bigint {
  const { base, entry } = BATCH_GAS[kind]
  return base + entry * BigInt(entries)
}

/** Gas of so many binds of one provider as their share of a full transaction of several. */
export function bindShareGas(entries: number): bigint {
  const { base, entry } = BATCH_GAS.bind
  const count = BigInt(entries)
  return BIND_TERMS_GAS + entry * count + (base * count) / BigInt(BATCH_MAX_ENTRIES)
}

const WEI_PER_COIN = 10n ** 18n

/** The most that a unit of gas may cost in a batch with so many entries, wei. */
export function feeCapOf(
  { kind, isUrgent }: Pick<Batch, 'kind' | 'isUrgent'>,
  entries: number,
  { winValue, coinPrice }: GasWorth,
): bigint {
  const share = isUrgent ? URGENT_PER_MILLE : PATIENT_PER_MILLE[kind]
  const budget = winValue * share * BigInt(entries) * WEI_PER_COIN
  return budget / (1000n * coinPrice * aloneGasOf(kind, entries))
}

/** Each slot once. */
export function slotsOf(winners: readonly StoredWinner[]): readonly Uint8Array[] {
  return [...new Map(winners.map(({ nullifier }) => [toHex(nullifier), nullifier])).values()]
}
