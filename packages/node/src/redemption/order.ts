/** Between batches, orders (SPEC §15.7) and calls of the pool (SPEC §14.5). */
import { createHash } from 'node:crypto'
import type { CallTerms, PoolCalls, ProofCalls } from '@byway/chain'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import type { ContractCall } from '@byway/protocol/payment'
import { commitOf, ticketDigest, type Pool } from '@byway/protocol/ticket'
import {
  decodeOpening,
  decodeRedeemOrder,
  encodeClaimSlots,
  MAX_REDEEM_BYTES,
  MAX_REDEEM_ENTRIES,
  REDEEM_KIND,
  isProofEntries,
  type ProofEntries,
  redeemBindBytes,
  type RedeemOrder,
  type WinEntries,
} from '@byway/protocol/wire'
import type { Batch, BatchKind } from './batching.ts'
import { slotsOf } from './batching.ts'

/** Room for an order's head and for the longest claim beside it. */
const HEAD_BYTES = 256

/** A batch in pieces that fit an order each. */
export function orderEntries({
  kind,
  winners,
}: Pick<Batch, 'kind' | 'winners'>): readonly WinEntries[] {
  switch (kind) {
    case 'lock':
      return pieces(slotsOf(winners), () => 32).map((nullifiers) => {
        return { kind: REDEEM_KIND.LOCK, nullifiers }
      })
    case 'bind': {
      const binds = winners.map((ticket) => ({ opening: decodeOpening(ticket.opening), ticket }))
      return pieces(binds, ({ opening }) => redeemBindBytes(opening)).map((some) => {
        return { kind: REDEEM_KIND.BIND, binds: some }
      })
    }
    case 'claim': {
      const claims = winners.map((ticket) => ({ nullifier: ticket.nullifier, ticket }))
      return pieces(claims, () => HEAD_BYTES).map((some) => {
        return { kind: REDEEM_KIND.CLAIM, claims: some }
      })
    }
  }
}

function pieces<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): readonly (readonly Item[])[] {
  const all: Item[][] = []
  let open: Item[] = []
  let bytes = HEAD_BYTES
  for (const item of items) {
    if (open.length === MAX_REDEEM_ENTRIES || bytes + bytesOf(item) > MAX_REDEEM_BYTES) {
      all.push(open)
      open = []
      bytes = HEAD_BYTES
    }
    open.push(item)
    bytes += bytesOf(item)
  }
  return open.length === 0 ? all : [...all, open]
}

/** What the provider's key signs for a piece: its kind, and the hash of its items (SPEC §14.5). */
export function orderTerms(
  entries: WinEntries,
  provider: Uint8Array,
  pool: Pool,
): { readonly kind: BatchKind; readonly items: Uint8Array } {
  const hash = createHash('sha256')
  for (const item of itemsOf(entries, provider, pool)) hash.update(item)
  const kinds = { 1: 'lock', 2: 'bind', 3: 'claim' } as const
  return { kind: kinds[entries.kind], items: new Uint8Array(hash.digest()) }
}

function itemsOf(entries: WinEntries, provider: Uint8Array, pool: Pool): readonly Uint8Array[] {
  switch (entries.kind) {
    case REDEEM_KIND.LOCK:
      return entries.nullifiers
    case REDEEM_KIND.BIND:
      return entries.binds.map(({ opening: { nullifier }, ticket }) => {
        const commit = commitOf(nodeTicketCrypto, ticket.reveal)
        return ticketDigest(nodeTicketCrypto, { pool, provider, nullifier }, { ...ticket, commit })
      })
    case REDEEM_KIND.CLAIM:
      return [encodeClaimSlots(entries.claims)]
  }
}

/** The contracts that orders are about; the second where the network has one. */
export type OrderCalls = Pick<PoolCalls, 'lock' | 'bind' | 'claimMore'> & {
  readonly proofs?: Pick<ProofCalls, 'commit' | 'answer' | 'settle'> | undefined
}

/** The call that carries orders of one kind out together, steps of service proofs one by one; undefined in a network without the contract that they are about. */
export function orderCall(
  orders: readonly [RedeemOrder, ...RedeemOrder[]],
  calls: OrderCalls,
): ContractCall | undefined {
  const [{ provider, fee, signature, entries }] = orders
  if (isProofEntries(entries))
    return calls.proofs && proofCall(provider, { fee, signature }, entries, calls.proofs)
  switch (entries.kind) {
    case REDEEM_KIND.LOCK:
      return calls.lock(batchesOf(orders, entries.kind))
    case REDEEM_KIND.BIND:
      return calls.bind(batchesOf(orders, entries.kind))
    case REDEEM_KIND.CLAIM:
      return calls.claimMore(batchesOf(orders, entries.kind))
  }
}

/** A batch for each order of the kind. */
function batchesOf<Kind extends WinEntries['kind']>(
  orders: readonly RedeemOrder[],
  kind: Kind,
): (Extract<WinEntries, { readonly kind: Kind }> & Party)[] {
  return orders.flatMap(({ provider, fee, deadlineS, signature, entries }) => {
    if (entries.kind !== kind) return []
    const terms = { fee, deadlineS, signature }
    return [{ ...(entries as Extract<WinEntries, { readonly kind: Kind }>), provider, terms }]
  })
}

type Party = { readonly provider: Uint8Array; readonly terms: CallTerms }

function proofCall(
  provider: Uint8Array,
  terms: Pick<RedeemOrder, 'fee' | 'signature'>,
  entries: ProofEntries,
  calls: NonNullable<OrderCalls['proofs']>,
): ContractCall {
  switch (entries.kind) {
    case REDEEM_KIND.COMMIT:
      return calls.commit(provider, entries.epoch, entries, terms)
    case REDEEM_KIND.ANSWER:
      return calls.answer(provider, entries.epoch, entries)
    case REDEEM_KIND.SETTLE:
      return calls.settle(provider, entries.epoch)
  }
}

/** An order as it was kept or came; undefined when it is none. */
export function decodedOrder(bytes: Uint8Array): RedeemOrder | undefined {
  try {
    return decodeRedeemOrder(bytes)
  } catch {
    return undefined
  }
}
