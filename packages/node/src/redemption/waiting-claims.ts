/** Later wins that a sleeping provider has left together with the bind of their slot: a redeemer sends them once the bind is there. */
import type { TriedCall } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import { REDEEM_KIND, type RedeemOrder } from '@byway/protocol/wire'
import type { HandOver } from '@byway/store'
import { decodedOrder } from './order.ts'

/** Slots that open orders bind, by provider. */
export function bindingSlots(open: readonly HandOver[]): ReadonlySet<string> {
  const orders = open.flatMap(({ body }) => decodedOrder(body) ?? [])
  return new Set(
    orders.flatMap(({ provider, entries }) => {
      if (entries.kind !== REDEEM_KIND.BIND) return []
      return entries.binds.map(({ opening }) => slotOf(provider, opening.nullifier))
    }),
  )
}

/** Later wins of a slot that an open order has still to bind: sent before it, they would be skipped. */
export function isWaiting(
  { provider, entries }: RedeemOrder,
  binding: ReadonlySet<string>,
): boolean {
  if (entries.kind !== REDEEM_KIND.CLAIM) return false
  return entries.claims.some(({ nullifier }) => binding.has(slotOf(provider, nullifier)))
}

function slotOf(provider: Uint8Array, nullifier: Uint8Array): string {
  return `${toHex(provider)}:${toHex(nullifier)}`
}

/** What the claims of an order will cost and come to when their slots are bound. */
export function afterBind({ entries }: RedeemOrder, tried: TriedCall): TriedCall {
  const done = entries.kind === REDEEM_KIND.CLAIM ? BigInt(entries.claims.length) : tried.done
  return { ...tried, done, gas: tried.gas + done * CLAIM_GAS }
}

/** Of one later win, rounded up (PAYMENTS §5.4). */
const CLAIM_GAS = 46_000n
