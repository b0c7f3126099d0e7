/** Puts slots into the queue of those that are asked back, each with a delay of its own. @module */
import { toHex } from '@byway/protocol/base'
import type { ReturnOrder, ReturnRecord, ReturnRecords } from './ports.ts'

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

/** Queues slots and joinings; those that are in the queue stay as they are. Gives how many were added: no more than there is room for. */
export async function orderReturns(
  deps: OrderDeps,
  orders: readonly ReturnOrder[],
): Promise<number> {
  const { records, reserveOwners, meanDelayMs, random, nowMs } = deps
  const before = await records.all()
  const known = new Set(before.flatMap(namesOf))
  const fresh = orders
    .filter((order) => !namesOf(order).some((name) => known.has(name)))
    .slice(0, Math.max(0, MAX_RETURNS_AT_ONCE - before.length))
  const leaves = fresh.filter(({ kind }) => kind !== 'withdraw').length
  let owner = leaves === 0 ? 0 : await reserveOwners(leaves)
  for (const order of fresh) {
    await records.put({
      nullifier: order.nullifier,
      kind: order.kind,
      owner: order.kind === 'withdraw' ? -1 : owner++,
      to: order.kind === 'withdraw' ? order.to : new Uint8Array(),
      rests: order.kind === 'join' ? order.rests : [],
      state: 'waiting',
      dueMs: nowMs() + exponential(meanDelayMs, random),
      relay: undefined,
      body: new Uint8Array(),
    })
  }
  return fresh.length
}

/** The slot, or each of the leaves, in hexadecimal digits. */
function namesOf(one: ReturnOrder | ReturnRecord): readonly string[] {
  return one.kind === 'join' ? one.rests.map(toHex) : [toHex(one.nullifier)]
}

/** A delay without memory: when one slot comes says nothing of the next. */
export function exponential(meanMs: number, random: () => number): number {
  return Math.round(-Math.log(1 - random()) * meanMs)
}
