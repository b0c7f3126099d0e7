/**
 * Which orders of a redeemer go out in one transaction (DESIGN §7.1: batches shared among providers), and what the lane knows it by. A bind in company costs a third of one alone.
 * Pure.
 * @module
 */
import { toHex } from '@byway/protocol/base'
import { isProofEntries, REDEEM_KIND, type RedeemOrder } from '@byway/protocol/wire'
import type { HandOver } from '@byway/store'
import { BATCH_MAX_ENTRIES } from './batching.ts'

/** An order that we promised to send. */
export type OpenOrder = { readonly handOver: HandOver; readonly order: RedeemOrder }

/** When it is looked at. */
export type ShareMoment = {
  /** Wall clock. */
  readonly nowMs: number
  /** The chain's clock, seconds. */
  readonly timeS: number
  /** A bind or a later win waits so long for company at most. */
  readonly waitMs: number
  /** Which part of it an order waits: two redeemers that hold the same one should not send it in the same moment. */
  readonly partOf: (handOver: Pick<HandOver, 'id'>) => number
  /** Names of orders that failed in company. */
  readonly alone: ReadonlySet<string>
}

// Local limits (tunable): docs/LIMITS.md.
/** What ends sooner goes alone: past its deadline it would take the others down with it. */
const SHARE_MARGIN_S = 600
/** None waits longer than such a part of the time from its taking to its deadline. */
const PROMISE_PARTS = 4

/** What is to be sent now, each group in one transaction. What is in none waits for company. */
export function dueGroups<One extends OpenOrder>(
  open: readonly One[],
  moment: ShareMoment,
): readonly (readonly One[])[] {
  const single = open.filter((one) => isSingle(one, moment))
  const rest = open.filter((one) => !isSingle(one, moment))
  const byKind = Map.groupBy(rest, ({ order }) => order.entries.kind)
  const shared = [...byKind.values()]
    .flatMap((some) => filled(some))
    .filter(({ all, isFull }) => isFull || all.some((one) => isRipe(one, moment)))
    .map(({ all }) => all)
  return [...single.map((one) => [one]), ...shared]
}

/** Names orders within a run. */
export function orderName({ id }: Pick<HandOver, 'id'>): string {
  return toHex(id)
}

/** The lane's key of a transaction that carries these; in company by the first bytes of their names. */
export function orderKey(handOvers: readonly HandOver[]): string {
  const names = handOvers.map(orderName)
  if (names.length === 1) return SINGLE_HEAD + names.join('')
  return SHARED_HEAD + handOvers.map(shortName).join('')
}

/** Those of the open orders that a transaction carries, by its key. */
export function ordersOfKey<One extends OpenOrder>(
  key: string,
  open: readonly One[],
): readonly One[] {
  if (key.startsWith(SINGLE_HEAD))
    return open.filter(({ handOver }) => orderKey([handOver]) === key)
  if (!key.startsWith(SHARED_HEAD)) return []
  const names = new Set(key.slice(SHARED_HEAD.length).match(SHORT_NAMES))
  return open.filter(({ handOver }) => names.has(shortName(handOver)))
}

/** Four bytes in six letters, so that sixteen fit a key: two of 512 open orders are alike once in 30 000 times. */
function shortName({ id }: Pick<HandOver, 'id'>): string {
  return Buffer.from(id.subarray(0, 4)).toString('base64url')
}

/** What an order is about; of two that name the same, one is carried out at most. Of later wins each is one. */
export function subjectsOf({ provider, entries }: RedeemOrder): readonly string[] {
  if (entries.kind !== REDEEM_KIND.CLAIM) return slotsOfOrder({ provider, entries })
  return entries.claims.map(
    ({ nullifier, ticket }) => `${entries.kind}:${toHex(nullifier)}:${ticket.index}`,
  )
}

/** The same by slots: of later wins of one slot in two transactions no more may be paid than the slot holds. A step of a service proof is its provider's, of one epoch. */
export function slotsOfOrder({
  provider,
  entries,
}: Pick<RedeemOrder, 'provider' | 'entries'>): readonly string[] {
  const named = (nullifiers: readonly Uint8Array[]): readonly string[] =>
    nullifiers.map((nullifier) => `${entries.kind}:${toHex(nullifier)}`)
  if (isProofEntries(entries)) return [`${entries.kind}:${toHex(provider)}:${entries.epoch}`]
  switch (entries.kind) {
    case REDEEM_KIND.LOCK:
      return named(entries.nullifiers)
    case REDEEM_KIND.BIND:
      return named(entries.binds.map(({ opening }) => opening.nullifier))
    case REDEEM_KIND.CLAIM:
      return named(entries.claims.map(({ nullifier }) => nullifier))
  }
}

function isSingle({ handOver, order }: OpenOrder, { timeS, alone }: ShareMoment): boolean {
  if (isProofEntries(order.entries) || alone.has(orderName(handOver))) return true
  return order.deadlineS - timeS < SHARE_MARGIN_S
}

/** A lock never waits: until it is there, others may take the slot. */
function isRipe(
  { handOver, order }: OpenOrder,
  { nowMs, timeS, waitMs, partOf }: ShareMoment,
): boolean {
  if (order.entries.kind === REDEEM_KIND.LOCK) return true
  const waitedMs = Math.abs(nowMs - handOver.atMs)
  const leftMs = (order.deadlineS - timeS) * 1000
  const isLate = waitedMs * (PROMISE_PARTS - 1) >= leftMs
  return isLate || waitedMs >= waitMs * partOf(handOver)
}

type Group<One> = { readonly all: One[]; entries: number; isFull: boolean }

/** In the order in which they came. */
function filled<One extends OpenOrder>(some: readonly One[]): readonly Group<One>[] {
  const groups: Group<One>[] = []
  for (const one of some) {
    const count = entriesOf(one.order)
    const last = groups.at(-1)
    const isRoom = last && !last.isFull && last.entries + count <= BATCH_MAX_ENTRIES
    if (last && !isRoom) last.isFull = true
    const group = isRoom ? last : { all: [], entries: 0, isFull: false }
    if (!isRoom) groups.push(group)
    group.all.push(one)
    group.entries += count
    group.isFull = group.entries === BATCH_MAX_ENTRIES
  }
  return groups
}

function entriesOf({ entries }: RedeemOrder): number {
  if (entries.kind === REDEEM_KIND.LOCK) return entries.nullifiers.length
  if (entries.kind === REDEEM_KIND.BIND) return entries.binds.length
  return entries.kind === REDEEM_KIND.CLAIM ? entries.claims.length : 1
}

const SINGLE_HEAD = 'redeem:'
const SHARED_HEAD = 'redeem-shared:'
const SHORT_NAMES = /.{6}/g
