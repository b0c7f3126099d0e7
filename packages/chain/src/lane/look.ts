/** One look of a lane at the chain: what was mined is settled, what was forgotten is sent again, what is stuck is replaced, what is missing is filled. */
import { isBywayError } from '@byway/protocol/base'
import type { Hex, StoredTransaction, TransactionReceipt } from '@byway/protocol/payment'
import { hexOf } from '../contracts/bytes.ts'
import { chainError } from '../errors.ts'
import type { BlockHeader } from '../rpc/parse.ts'
import type { LaneStatus } from '../transaction-lane.ts'
import type { LaneState, Unsigned } from './lane-state.ts'
import { firstFees, gweiOf, higherFees, type Fees } from './fees.ts'

// Local limit (tunable): docs/LIMITS.md. Blocks for which a transaction whose nonce is used must be in none before it counts as lost.
const MISSING_BLOCKS = 2

/** What a transfer of nothing to oneself takes. */
const FILLER_GAS = 21_000n

/** What a look leaves for the next. */
export type Looked = { readonly status: LaneStatus; readonly headHash: Hex | undefined }

/** Does one look. @throws the signal's reason, and what the store throws */
export async function lookAtChain(
  state: LaneState,
  before: Looked,
  signal: AbortSignal,
): Promise<Looked> {
  const { reader, pending, signer } = state
  if (pending.size === 0) return NOTHING_SEEN
  try {
    const head = await reader.freshHead(signal)
    const chainNonce = await reader.nonce(hexOf(signer.address), head, signal)
    const all = pending.all()
    for (const each of all.filter(({ nonce }) => nonce < chainNonce)) {
      await settle(state, each, head, signal)
    }
    const waiting = all.filter(({ nonce }) => nonce >= chainNonce)
    for (const { nonce } of waiting) pending.noteFound(nonce)
    const now = { head, chainNonce, isNewHead: before.headHash !== head.hash }
    const isWaitingForGas = await urge(state, waiting, now, signal)
    await fillGaps(state, waiting, now, signal)
    const oldestBlocks = Math.max(0, ...pending.all().map((each) => head.number - firstSent(each)))
    const status = { pending: pending.size, oldestBlocks, isWaitingForGas, isChainAway: false }
    return { status, headHash: head.hash }
  } catch (error) {
    signal.throwIfAborted()
    if (!isBywayError(error) || error.kind !== 'chain') throw error
    const status = { ...before.status, pending: pending.size, isChainAway: true }
    return { ...before, status }
  }
}

/** Its nonce was used: by one of its forms, or by another transaction. */
async function settle(
  state: LaneState,
  transaction: StoredTransaction,
  head: BlockHeader,
  signal: AbortSignal,
): Promise<void> {
  const { store, pending, confirmations } = state
  const receipt = await findReceipt(state, transaction, signal)
  if (receipt) {
    pending.noteFound(transaction.nonce)
    pending.noteMined(transaction.nonce, head.number)
    if (head.number - receipt.block + 1 < confirmations) return
    await store.put({ ...transaction, state: 'done', receipt })
    const failed = chainError('CHAIN_TRANSACTION_FAILED', { block: receipt.block })
    pending.settle(transaction.nonce, receipt.isSuccess ? receipt : failed)
    return
  }
  if (!(await isLost(state, transaction, head, signal))) return
  await store.put({ ...transaction, state: 'lost' })
  state.onAlert({ type: 'lost', nonce: transaction.nonce })
  const { nonce } = transaction
  pending.settle(nonce, chainError('CHAIN_TRANSACTION_LOST', { nonce }))
}

async function findReceipt(
  { reader }: LaneState,
  { forms }: StoredTransaction,
  signal: AbortSignal,
): Promise<TransactionReceipt | undefined> {
  for (const { hash } of forms.toReversed()) {
    const found = await reader.receipt(hash, signal)
    if (!found) continue
    const { block, blockHash, isSuccess, gasUsed, gasPrice } = found
    const now = await reader.block(block, signal)
    if (now?.hash === blockHash) return { hash, block, blockHash, isSuccess, gasUsed, gasPrice }
  }
  return undefined
}

/**
 * Lost only when the foreign transaction is as deep as ours would have to be, and ours has not come up some blocks later: an endpoint that is adding a block counts its
 * transactions before it has their receipts.
 */
async function isLost(
  { reader, signer, pending, confirmations }: LaneState,
  { nonce }: StoredTransaction,
  head: BlockHeader,
  signal: AbortSignal,
): Promise<boolean> {
  if (head.number - pending.noteMissing(nonce, head.number) < MISSING_BLOCKS) return false
  const deep = await reader.block(Math.max(0, head.number - confirmations + 1), signal)
  return deep !== undefined && (await reader.nonce(hexOf(signer.address), deep, signal)) > nonce
}

type Now = {
  readonly head: BlockHeader
  readonly chainNonce: number
  /** The chain has moved since the last look. */
  readonly isNewHead: boolean
}

/** Sends what is not mined again, and replaces the first at a higher fee when it is stuck: the others wait behind it. True when gas is too dear for that. */
async function urge(
  state: LaneState,
  waiting: readonly StoredTransaction[],
  { head, chainNonce, isNewHead }: Now,
  signal: AbortSignal,
): Promise<boolean> {
  let isWaitingForGas = false
  for (const transaction of waiting) {
    const newest = transaction.forms.at(-1)
    if (!newest) continue
    const blocks = head.number - state.pending.waitingSince(transaction)
    const isStuck = transaction.nonce === chainNonce && blocks >= state.stuckBlocks
    if (isStuck) {
      state.onAlert({ type: 'stuck', nonce: transaction.nonce, blocks })
      const fees = higherFees(newest, head.baseFee, state.tip, transaction.feeCap)
      if (fees && (await submitted(state, transaction, { fees, head }, signal))) continue
      if (!fees) {
        isWaitingForGas = true
        const [baseFeeGwei, feeCapGwei] = [gweiOf(head.baseFee), gweiOf(transaction.feeCap)]
        state.onAlert({ type: 'gas-dear', baseFeeGwei, feeCapGwei })
      }
    }
    // A node that restarts, or a reorg, forgets what was sent.
    if (isNewHead || state.unsent.has(newest.hash)) await state.broadcast(newest, signal)
  }
  return isWaitingForGas
}

/** A nonce that nobody uses holds up all above it: a transfer of nothing to oneself takes it. */
async function fillGaps(
  state: LaneState,
  waiting: readonly StoredTransaction[],
  { head, chainNonce }: Now,
  signal: AbortSignal,
): Promise<void> {
  const highest = waiting.at(-1)?.nonce ?? chainNonce
  for (let nonce = chainNonce; nonce < highest; nonce++) {
    if (state.pending.has(nonce)) continue
    state.onAlert({ type: 'nonce-gap', nonce })
    const fees = firstFees(head.baseFee, state.tip, state.feeCap)
    if (!fees) return
    const call = {
      to: state.signer.address,
      data: new Uint8Array(0),
      value: 0n,
      gasCap: FILLER_GAS,
    }
    const key = `gap:${nonce}`
    const filler = { nonce, key, call, feeCap: state.feeCap, gas: FILLER_GAS, forms: [] }
    if (!(await submitted(state, filler, { fees, head }, signal))) return
  }
}

/** False, and told, where the signer signs nothing now: a later look tries again. @throws what the store throws */
async function submitted(
  state: LaneState,
  transaction: Unsigned,
  { fees, head }: { readonly fees: Fees; readonly head: BlockHeader },
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await state.submit(transaction, fees, head, signal)
    return true
  } catch (error) {
    if (!isBywayError(error) || error.code !== 'CHAIN_UNSIGNED') throw error
    state.onAlert({ type: 'unsigned', nonce: transaction.nonce })
    return false
  }
}

function firstSent({ forms }: StoredTransaction): number {
  return forms[0]?.sentAtBlock ?? 0
}

/** Before the first look, and with nothing pending. */
export const NOTHING_SEEN: Looked = {
  status: { pending: 0, oldestBlocks: 0, isWaitingForGas: false, isChainAway: false },
  headHash: undefined,
}
