/**
 * A provider's side of redeemers (SPEC §14.5, §15.7): signs its claims, and leaves them and steps of its service proofs with two others at once.
 * @module
 */
import { isBywayError, toHex } from '@byway/protocol/base'
import type { Pool } from '@byway/protocol/ticket'
import {
  encodeRedeemOrder,
  type ProofEntries,
  REDEEM_ANSWER,
  REDEEM_KIND,
  type RedeemAnswer,
  type RedeemOrder,
  TICKET_SIGNATURE_BYTES,
  type WinEntries,
} from '@byway/protocol/wire'
import type { Batch, BatchKind } from './batching.ts'
import { orderEntries, orderTerms } from './order.ts'

/** Others who send our claims. */
export interface Redeemers {
  /** What each win costs, in the token's smallest parts; at most 12 % of it. */
  readonly fee: bigint
  /** What each lock costs on top, out of earlier wins or the stake (SPEC §14.5). */
  readonly lockFee: bigint
  /**
   * Signs a batch and leaves it with two of them, others than the last time where there are any. Gives how many have it on their disk; never rejects for a redeemer
   * that does not answer, nor for a signer that signs nothing now.
   *
   * @param deadlineS - of the promise, by the chain's clock
   * @param offer - to others than all that are known, for another fee than `fee` or `lockFee`
   */
  handOver(batch: Batch, deadlineS: number, signal: AbortSignal, offer?: Offer): Promise<number>
  /** The same for a step of a service proof, signed where it has to be. */
  handOverProof(step: ProofStep, deadlineS: number, signal: AbortSignal): Promise<number>
}

/** For each win, and to how many redeemers it is shown at most. */
export type Offer = { readonly fee: bigint; readonly mostAsked: number }

/** A step, and of a commitment what its sender gets: as much goes to who settles (SPEC §17.5). */
export type ProofStep =
  | { readonly entries: Exclude<ProofEntries, CommitEntries> }
  | { readonly entries: CommitEntries; readonly fee: bigint }

/** What a provider commits to. */
export type CommitEntries = Extract<ProofEntries, { readonly kind: (typeof REDEEM_KIND)['COMMIT'] }>

/** What the purse signs (SPEC §14.5). */
export type OrderTerms = {
  readonly kind: BatchKind
  readonly items: Uint8Array
  readonly fee: bigint
  readonly deadlineS: number
}

export type RedeemersDeps = {
  readonly pool: Pool
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly fee: bigint
  readonly lockFee: bigint
  /** 65 bytes by the provider's key. */
  readonly sign: (terms: OrderTerms) => Promise<Uint8Array>
  /** The same, of a commitment and the fee for who sends it. */
  readonly signCommitment: (
    commitment: CommitEntries & { readonly fee: bigint },
  ) => Promise<Uint8Array>
  /** Node ids of those that may do it, in any order. */
  readonly candidates: () => readonly Uint8Array[]
  /** Asks one of them; nothing when it does not answer. Never rejects. */
  readonly ask: (
    nodeId: Uint8Array,
    order: Uint8Array,
    signal: AbortSignal,
  ) => Promise<RedeemAnswer | undefined>
}

/** DESIGN §7.4. */
const AT_ONCE = 2

// Local limits (tunable): docs/LIMITS.md.
/** Nodes that are asked for one order, two at a time. */
const MAX_ASKED_REDEEMERS = 64
/** Nodes that are known to redeem for nobody; beyond that the oldest are asked again. */
const MAX_KNOWN_OTHERS = 4096

/** Creates the provider's side. */
export function createRedeemers(deps: RedeemersDeps): Redeemers {
  /** Where to go on asking, so that one who takes orders and does nothing is not asked again at once. */
  let turn = 0
  /** Those that said they are no redeemers: they are asked last. */
  const others = new Set<string>()
  const ask = async (
    nodeId: Uint8Array,
    order: Uint8Array,
    signal: AbortSignal,
  ): Promise<boolean> => {
    const answer = await deps.ask(nodeId, order, signal)
    if (answer === REDEEM_ANSWER.TAKEN) others.delete(toHex(nodeId))
    if (answer === REDEEM_ANSWER.NO_REDEEMER) noteOther(others, toHex(nodeId))
    return answer === REDEEM_ANSWER.TAKEN
  }
  /** Everybody once, from where the last round ended; others than redeemers at the end. */
  const inOrder = (): readonly Uint8Array[] => {
    const all = deps.candidates()
    const start = all.length === 0 ? 0 : turn % all.length
    const round = [...all.slice(start), ...all.slice(0, start)]
    const isOther = (nodeId: Uint8Array): boolean => others.has(toHex(nodeId))
    return [...round.filter((id) => !isOther(id)), ...round.filter(isOther)]
  }
  const signed = async (
    entries: WinEntries,
    deadlineS: number,
    offer: Offer | undefined,
  ): Promise<RedeemOrder | undefined> => {
    const { provider, pool } = deps
    const fee = offer?.fee ?? (entries.kind === REDEEM_KIND.LOCK ? deps.lockFee : deps.fee)
    const terms = { ...orderTerms(entries, provider, pool), fee, deadlineS }
    const signature = await signedNow(deps.sign(terms))
    return signature && { provider, fee, deadlineS, signature, entries }
  }
  const leave = async (
    whole: RedeemOrder,
    signal: AbortSignal,
    mostAsked = MAX_ASKED_REDEEMERS,
  ): Promise<number> => {
    const order = encodeRedeemOrder(whole)
    const candidates = inOrder().slice(0, mostAsked)
    let taken = 0
    for (let at = 0; at < candidates.length && taken < AT_ONCE && !signal.aborted;) {
      const some = candidates.slice(at, at + AT_ONCE - taken)
      at += some.length
      turn += some.length
      const answers = await Promise.all(some.map((id) => ask(id, order, signal)))
      taken += answers.filter(Boolean).length
    }
    return taken
  }
  return {
    fee: deps.fee,
    lockFee: deps.lockFee,
    async handOver(batch, deadlineS, signal, offer) {
      let least = AT_ONCE
      for (const entries of orderEntries(batch)) {
        const order = await signed(entries, deadlineS, offer)
        if (!order) return 0
        least = Math.min(least, await leave(order, signal, offer?.mostAsked))
      }
      return least
    },
    async handOverProof(step, deadlineS, signal) {
      const { provider } = deps
      const terms = await proofTerms(step, deps)
      return terms ? await leave({ provider, deadlineS, ...terms }, signal) : 0
    },
  }
}

/** Undefined where the signer signs nothing now. */
async function proofTerms(
  step: ProofStep,
  { signCommitment }: Pick<RedeemersDeps, 'signCommitment'>,
): Promise<Pick<RedeemOrder, 'entries' | 'fee' | 'signature'> | undefined> {
  if (!('fee' in step)) return { ...NO_TERMS, entries: step.entries }
  const { entries, fee } = step
  const signature = await signedNow(signCommitment({ ...entries, fee }))
  return signature && { entries, fee, signature }
}

/** Nothing where the signer is being started again, or keeps to its rules. */
async function signedNow(signature: Promise<Uint8Array>): Promise<Uint8Array | undefined> {
  try {
    return await signature
  } catch (error) {
    if (!isBywayError(error) || error.kind === 'bug') throw error
    return undefined
  }
}

/** Anybody may answer or settle: what it brings stands in the contract (SPEC §17.5). */
const NO_TERMS = { fee: 0n, signature: new Uint8Array(TICKET_SIGNATURE_BYTES) } as const

function noteOther(others: Set<string>, name: string): void {
  others.delete(name)
  others.add(name)
  const [oldest] = others
  if (others.size > MAX_KNOWN_OTHERS && oldest !== undefined) others.delete(oldest)
}
