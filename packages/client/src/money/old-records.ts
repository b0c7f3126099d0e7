/**
 * Records that are older than the chain: a copy of the state folder was put back, and what was done since is in nobody's memory. Then every slot that nobody bound counts as shown, as after
 * lost records (DESIGN §7.1). Told from all events of the chain, so that nobody is asked about a slot.
 * @module
 */
import { nodeKeyOf, type NodeKey } from '@byway/protocol/directory'
import type { TokenStock } from '@byway/protocol/payment'
import type { SlotFacts } from '../returns/ports.ts'
import type { ReturnQueue } from '../returns/return-queue.ts'
import { kindName } from './kind-name.ts'
import type { Slot, SlotRecord } from './ports.ts'
import type { Spending } from './spending.ts'

/** What the chain says more than the records. */
export type Newer = {
  /** True when the records are older than the chain. */
  readonly isFound: boolean
  /** Nullifiers of slots that were used and have no record. */
  readonly unrecorded: readonly Uint8Array[]
}

/**
 * Compares. A slot's record is on the disk before anybody is shown it, and the floor before an index below it is signed: so the chain can never be ahead of whole records.
 *
 * @param unrecorded - slots that count as never shown. Those on their way back are not looked at: their relayer may do as it likes with the name
 * @param floors - of each record: indices below were signed, or may have been
 */
export function findNewer(
  unrecorded: Iterable<Slot>,
  floors: Iterable<readonly [SlotRecord, number]>,
  facts: SlotFacts,
): Newer {
  const found: Uint8Array[] = []
  for (const { nullifier, isOwnersAlone } of unrecorded) {
    const state = facts.of(nullifier)?.state ?? 'none'
    // What was withdrawn has left no record here, and no hop was shown it.
    const isUsed = state !== 'none' && state !== 'withdrawing' && state !== 'withdrawn'
    if (isOwnersAlone && isUsed) found.push(nullifier)
  }
  let isFound = found.length > 0
  for (const [{ nullifier }, floor] of floors) {
    const { lastWin } = facts.of(nullifier) ?? {}
    if (lastWin !== undefined && lastWin >= floor) isFound = true
  }
  return { isFound, unrecorded: found }
}

export type ForgetDeps = {
  readonly spending: Pick<Spending, 'onSlotShown' | 'onTokens' | 'flush'>
  readonly stock: Pick<TokenStock, 'forgetAll'>
  readonly returns: Pick<ReturnQueue, 'forgetUntold'> | undefined
  /** Has the purse vouch for no deposit of until now. */
  readonly forgetPast: (() => Promise<void>) | undefined
}

/**
 * Gives up what an older copy cannot be trusted with: tokens, which may have been spent, for twice would show a hop that two circuits are one client's; and withdrawals that may
 * have been told to a relayer since. The books have it. The purse is told last: whoever dies before that finds the same again.
 * @throws what the disk throws
 */
export async function forgetOld(
  { spending, stock, returns, forgetPast }: ForgetDeps,
  unrecorded: readonly Uint8Array[],
): Promise<void> {
  for (const nullifier of unrecorded) spending.onSlotShown(UNKNOWN_HOP, nullifier)
  for (const { node, kind, count } of await stock.forgetAll())
    spending.onTokens('tokens-lost', nodeKeyOf(node), kindName(kind), count)
  await returns?.forgetUntold()
  await spending.flush()
  await forgetPast?.()
}

/** In the books: nobody knows to whom it was shown. */
export const UNKNOWN_HOP: NodeKey = nodeKeyOf(new Uint8Array(32))
