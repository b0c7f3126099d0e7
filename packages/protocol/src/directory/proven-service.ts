/**
 * What a node's proven service adds to its weight (SPEC §10.3): the fees that were burned for wins of epochs that it proved, as the chain tells it. Receipts of colluding clients are
 * free and count for nothing; fees are money that is gone, so that each part of weight that is got in this way has its price. Pure.
 * @module
 */

/** What the chain told of one epoch of a provider: its commitment stood or was proven, and what was held back of its wins was paid. */
export type ProvenEpoch = {
  readonly epoch: number
  /** Burned for the wins of this epoch, the token's smallest parts. */
  readonly fees: bigint
}

/** What of that counts now. */
export type ProvenService = {
  /** Of the window. */
  readonly epochs: number
  /** Burned for them, as far as each epoch counts: the token's smallest parts. */
  readonly fees: bigint
  /** What the weight is multiplied by: from 1 up to below 2. */
  readonly factor: number
}

/** So many epochs back from the current one are counted. The newest two or three cannot be settled yet. */
export const PROVEN_WINDOW_EPOCHS = 8

// Local limits (tunable): docs/LIMITS.md.
/** Burned fees that add half of the weight, in wins' values: at a fee of 5 % those of a hundred wins. */
const HALF_WINS = 5n
/** What one epoch counts at most, in halves of a win's value: a burst of one week buys no more than a third of the weight. */
const EPOCH_HALF_WINS = 5n

/** Returns the epochs with a new one, as many as can ever count. Each epoch is told once. */
export function withProven(
  proven: readonly ProvenEpoch[],
  added: ProvenEpoch,
): readonly ProvenEpoch[] {
  return [...proven, added].slice(-PROVEN_WINDOW_EPOCHS)
}

/**
 * Returns what counts in an epoch. The factor rises ever more slowly, so that whoever splits fees over many nodes, or takes them from others, gets no more weight out of them than
 * {@link HALF_WINS} say: one node's whole measured weight for five wins' values burned within the window.
 * @param winValue - what a win pays, the token's smallest parts
 */
export function provenService(
  proven: readonly ProvenEpoch[],
  currentEpoch: number,
  winValue: bigint,
): ProvenService {
  const counted = proven.filter(
    ({ epoch }) => epoch <= currentEpoch && epoch > currentEpoch - PROVEN_WINDOW_EPOCHS,
  )
  const most = (EPOCH_HALF_WINS * winValue) / 2n
  const fees = counted.reduce((sum, each) => sum + (each.fees < most ? each.fees : most), 0n)
  const half = Number(HALF_WINS * winValue)
  const factor = half > 0 ? 1 + Number(fees) / (Number(fees) + half) : 1
  return { epochs: counted.length, fees, factor }
}
