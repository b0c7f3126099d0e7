/** Slots that were shown and not won, and how they come back (SPEC §14.4). */
import { toHex } from '@byway/protocol/base'
import type { Store } from '@byway/store'
import type { Returnable, ReturnWay } from './direct-returns.ts'
import type { Wallet } from './open-wallet.ts'
import { isWithdrawnRecord } from './prove-withdrawals.ts'
import { toldSlotsOf } from './slots-of.ts'

/** Measured (contracts/GAS.md), with room: asking and finishing one slot. */
const RETURN_GAS = 450_000n

/** How they come back. */
export const REFUND: ReturnWay<Returnable> = {
  find: findReturnable,
  delayS: ({ refundDelayS }) => refundDelayS,
  begin: {
    name: 'refund',
    call: ({ poolCalls }, batch, destinations) =>
      poolCalls.refund(
        batch.map(({ record }) => record.opening),
        destinations,
      ),
  },
  finish: {
    name: 'finishRefund',
    call: ({ poolCalls }, batch, destinations) =>
      poolCalls.finishRefund(
        batch.map(({ slot }) => slot.nullifier),
        destinations,
      ),
  },
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
    const record = records.get(toHex(slot.nullifier))
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
