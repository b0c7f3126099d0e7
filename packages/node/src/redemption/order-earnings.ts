/** What orders bring to whoever sends them. Pure. @module */
import type { ChainEvent, TriedCall } from '@byway/chain'
import { equalBytes, toHex } from '@byway/protocol/base'
import {
  isProofEntries,
  REDEEM_KIND,
  type RedeemEntries,
  type RedeemOrder,
} from '@byway/protocol/wire'
import { aloneGasOf, bindShareGas } from './batching.ts'

/** What an order brings where so much of it is carried out. A step of a service proof answers what it pays. */
export function earningOf({ fee, entries }: RedeemOrder, { done }: TriedCall): bigint {
  return isProofEntries(entries) ? done : fee * done
}

/** The gas of an order that may wait for company: of binds their share of a full transaction, of all else what it takes alone. */
export function gasInCompany({ entries }: RedeemOrder, { gas }: TriedCall): bigint {
  if (entries.kind !== REDEEM_KIND.BIND) return gas
  const count = entries.binds.length
  return (gas * bindShareGas(count)) / aloneGasOf('bind', count)
}

/** What the transaction that carried an order out brought us by it: there may be others of its provider in it. */
export function earnedBy(
  { provider, fee, entries }: RedeemOrder,
  events: readonly ChainEvent[],
  account: Uint8Array,
): bigint {
  const names = namesIn(entries)
  let earned = 0n
  for (const event of events) {
    if (!('provider' in event) || !equalBytes(event.provider, provider)) continue
    if (event.name === 'locked' && names.has(toHex(event.nullifier))) earned += fee
    if (event.name === 'won' && names.has(winName(event))) earned += fee
    const isFee = event.name === 'held-fee' || event.name === 'answer-fee'
    if (isFee && isProofEntries(entries) && equalBytes(event.to, account)) earned += event.amount
  }
  return earned
}

/** Slots that it locks, or wins of slots. */
function namesIn(entries: RedeemEntries): ReadonlySet<string> {
  if (entries.kind === REDEEM_KIND.LOCK) return new Set(entries.nullifiers.map(toHex))
  if (entries.kind === REDEEM_KIND.BIND)
    return new Set(
      entries.binds.map(({ opening: { nullifier }, ticket: { index } }) =>
        winName({ nullifier, index }),
      ),
    )
  if (entries.kind !== REDEEM_KIND.CLAIM) return new Set()
  return new Set(
    entries.claims.map(({ nullifier, ticket: { index } }) => winName({ nullifier, index })),
  )
}

function winName({
  nullifier,
  index,
}: {
  readonly nullifier: Uint8Array
  readonly index: number
}): string {
  return `${toHex(nullifier)} ${index}`
}

/** Of amounts. */
export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n)
}
