/** Puts slots into the queue of those that are asked back, each with a delay of its own. @module */
import { toHex } from '@byway/protocol/base'
import type { ReturnOrder, ReturnRecords } from './ports.ts'

/** What both the running client and a command have. */
export type OrderDeps = {
  readonly records: ReturnRecords
  /** Sets so many numbers of deposits aside, for good, and gives the first. */
  readonly reserveOwners: (count: number) => Promise<number>
  /** Of the exponential delay before a slot is asked back. */
  readonly meanDelayMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Wall clock. */
  readonly nowMs: () => number
}

// Local limit (tunable): docs/LIMITS.md.
/** Slots on their way back at once: the search for deposits passes over so many whose leaf is still to come. */
export const MAX_RETURNS_AT_ONCE = 64

/** Queues slots; those that are in the queue stay as they are. Gives how many were added: no more than there is room for. */
export async function orderReturns(
  deps: OrderDeps,
  orders: readonly ReturnOrder[],
): Promise<number> {
  const { records, reserveOwners, meanDelayMs, random, nowMs } = deps
  const known = new Set((await records.all()).map(({ nullifier }) => toHex(nullifier)))
  const fresh = orders
    .filter(({ nullifier }) => !known.has(toHex(nullifier)))
    .slice(0, Math.max(0, MAX_RETURNS_AT_ONCE - known.size))
  const leaves = fresh.filter(({ kind }) => kind === 'back').length
  let owner = leaves === 0 ? 0 : await reserveOwners(leaves)
  for (const order of fresh) {
    const isBack = order.kind === 'back'
    await records.put({
      nullifier: order.nullifier,
      kind: order.kind,
      owner: isBack ? owner++ : -1,
      to: isBack ? new Uint8Array() : order.to,
      state: 'waiting',
      dueMs: nowMs() + exponential(meanDelayMs, random),
      relay: undefined,
      body: new Uint8Array(),
    })
  }
  return fresh.length
}

/** A delay without memory: when one slot comes says nothing of the next. */
export function exponential(meanMs: number, random: () => number): number {
  return Math.round(-Math.log(1 - random()) * meanMs)
}
