/** Slots that were shown and not won, and how they come back (SPEC §14.4). */
import { nextAttempt, requestIn } from '@byway/client'
import { equalBytes, toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { numberOf, refundTo, u256Bytes } from '@byway/protocol/ticket'
import { encodePayMessage, PAY, RETURN_KIND, type RefundRequest } from '@byway/protocol/wire'
import type { Store, StoredReturn } from '@byway/store'
import { commitmentOf, NOBODY } from './destinations.ts'
import type { Queued, Returnable, ReturnSending, ReturnWay } from './direct-returns.ts'
import type { Wallet } from './open-wallet.ts'
import { proveSlots } from './prove-slots.ts'
import { isWithdrawnRecord } from './prove-withdrawals.ts'
import { toldSlotsOf } from './slots-of.ts'
import { unknownRecord } from './unknown-slots.ts'

/** Measured (contracts/GAS.md), with room: asking and finishing one slot. */
const RETURN_GAS = 450_000n

/** How they come back: each proof says where its slot goes. */
export const REFUND: ReturnWay<Returnable> = {
  find: findReturnable,
  delayS: ({ refundDelayS }) => refundDelayS,
  begin: { name: 'refund', call: beginRefunds },
  finish: { name: 'finishRefund', call: finishRefunds, whose: whoseOf },
}

async function beginRefunds(
  wallet: Wallet,
  batch: readonly Queued<Returnable>[],
  signal: AbortSignal,
): Promise<ReturnSending> {
  const { chain, poolCalls } = wallet
  const wanted = await Promise.all(
    batch.map(async ({ slot: { slot }, order }) => {
      const begun = await chain.view.slot(slot.nullifier, signal)
      const after = begun.state === 'refunding' ? begun.lastIndex + 1 : 0
      const idc = await commitmentOf(wallet, order)
      return {
        slot,
        order,
        terms: { idc, feeTo: NOBODY, attempt: Math.max(after, nextAttempt(order)) },
      }
    }),
  )
  const bound = wanted.map(({ slot, terms }) => ({ slot, x: refundTo(nodeTicketCrypto, terms).x }))
  const proofs = await proveSlots(wallet, bound, { signal })
  const proven = wanted.flatMap(({ slot: { nullifier }, order, terms }, i) => {
    const proof = proofs[i]
    return proof ? [{ order, refund: { nullifier, ...terms, ...proof } }] : []
  })
  const orders = proven.map(({ order, refund }) => {
    const request = { kind: RETURN_KIND.REFUND, ...refund, idc: u256Bytes(refund.idc) }
    return { ...order, body: encodePayMessage({ kind: PAY.RETURN, request }) }
  })
  return { call: poolCalls.refund(proven.map(({ refund }) => refund)), orders }
}

async function finishRefunds(
  { poolCalls }: Wallet,
  batch: readonly Queued<Returnable>[],
): Promise<ReturnSending> {
  const told = batch.flatMap(({ order }) => toldRefund(order) ?? [])
  const refunds = told.map((each) => ({ ...each, idc: numberOf(each.idc) }))
  return { call: poolCalls.finishRefund(refunds), orders: [] }
}

/** Ours also where a running client had a relayer begin it, which then has its fee. */
async function whoseOf(
  { chain, payment }: Wallet,
  { order }: Queued<Returnable>,
  signal: AbortSignal,
): Promise<'ours' | 'gone' | 'elsewhere'> {
  const { holder, timeS: sinceS } = await chain.view.slot(order.nullifier, signal)
  const told = toldRefund(order)
  const named = told && refundTo(nodeTicketCrypto, { ...told, idc: numberOf(told.idc) })
  if (named && equalBytes(named.holder, holder)) return 'ours'
  const { timeS } = await chain.view.head(signal)
  return timeS < sinceS + 2 * payment.refundDelayS ? 'elsewhere' : 'gone'
}

function toldRefund({ body }: StoredReturn): RefundRequest | undefined {
  const told = body.length > 0 ? requestIn(body) : undefined
  return told?.kind === RETURN_KIND.REFUND ? told : undefined
}

/** Coin for the gas of both steps of so many slots, wei, at the present price. */
export async function refundCostWei(
  { chain }: Pick<Wallet, 'chain'>,
  slots: number,
  signal: AbortSignal,
): Promise<bigint> {
  const { baseFee } = await chain.reader.freshHead(signal)
  return RETURN_GAS * BigInt(slots) * baseFee
}

/** What can come back, now or later. @throws STORE_LOCKED while the client runs */
export async function findReturnable(
  wallet: Wallet,
  store: Pick<Store, 'slots'>,
  signal: AbortSignal,
): Promise<readonly Returnable[]> {
  const { chain, payment } = wallet
  const records = new Map(
    (await store.slots.all()).map((record) => [toHex(record.nullifier), record]),
  )
  const { timeS } = await chain.view.head(signal)
  const slots = await toldSlotsOf(wallet, signal)
  return slots.flatMap((slot): readonly Returnable[] => {
    const record = records.get(toHex(slot.nullifier)) ?? unknownRecord(slot)
    if (!record || isWithdrawnRecord(record)) return []
    const isInUse = record.standing === 'shown'
    const head = { slot, record, isInUse }
    const { state, timeS: sinceS } = slot.story
    if (state === 'none' || state === 'lapsed') return [{ ...head, step: 'ask', dueAtS: undefined }]
    if (state === 'locked') return [{ ...head, step: 'locked', dueAtS: sinceS + payment.lockS }]
    if (state !== 'refunding') return []
    const dueAtS = sinceS + payment.refundDelayS
    return [{ ...head, step: timeS >= dueAtS ? 'finish' : 'wait', dueAtS }]
  })
}
