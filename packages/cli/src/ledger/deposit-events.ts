/** What the client's ledger is told of its deposits: they are made and taken back by commands, by vouchers or before a restore, so the chain is the witness. */
import { toHex } from '@byway/protocol/base'
import type { ClientMoneyEvent } from '@byway/protocol/ledger'
import type { FoundDeposit } from '@byway/purse'
import { leafName } from './follow-slots.ts'
import type { Retold } from './retold.ts'

/**
 * Tells the ledger of deposits found on the chain, each once; a voucher that was given away is not ours any more. Resolves when it has them, with the names of what was told of each leaf.
 * @param returned - leaves that were made of what was left in slots of ours: their money did not come from outside
 * @param joined - what was in the rests of leaves that a leaf was made of, all of them ours
 */
export async function recordDeposits(
  ledger: Pick<Retold, 'record'>,
  deposits: readonly Pick<FoundDeposit, 'kind' | 'leafIndex' | 'limit'>[],
  {
    unit,
    nowMs,
    returned,
    joined,
  }: {
    readonly unit: bigint
    readonly nowMs: number
    readonly returned: ReadonlySet<number>
    readonly joined: ReadonlyMap<number, bigint>
  },
): Promise<ReadonlyMap<number, readonly string[]>> {
  const own = deposits.filter(({ kind }) => kind !== 'voucher')
  const told = own.map(({ leafIndex, limit }): readonly [number, readonly ClientMoneyEvent[]] => {
    const amount = BigInt(limit) * unit
    const deposited = { id: `leaf:${leafIndex}`, atMs: nowMs, type: 'deposited', amount } as const
    if (returned.has(leafIndex)) return [leafIndex, [deposited]]
    const head = { id: leafName(leafIndex), atMs: nowMs }
    const all = joined.get(leafIndex)
    const came: ClientMoneyEvent =
      all === undefined
        ? { ...head, type: 'purse-received', amount }
        : { ...head, type: 'leaves-joined', amount: all, fee: all - amount }
    return [leafIndex, [came, deposited]]
  })
  await recordAll(
    ledger,
    told.flatMap(([, events]) => events),
  )
  return new Map(told.map(([index, events]) => [index, events.map(({ id }) => id)]))
}

/** Tells the ledger of slots that were never shown and have been paid back to an address outside. */
export async function recordWithdrawn(
  ledger: Pick<Retold, 'record'>,
  nullifiers: readonly Uint8Array[],
  slotValue: bigint,
  nowMs: number,
): Promise<void> {
  await recordAll(
    ledger,
    nullifiers.flatMap((nullifier): readonly ClientMoneyEvent[] => {
      const head = { id: `withdrawn:${toHex(nullifier)}`, atMs: nowMs }
      return [
        { ...head, type: 'withdrawn-unused', amount: slotValue, fee: 0n },
        { id: `${head.id}:out`, atMs: nowMs, type: 'purse-sent', amount: slotValue },
      ]
    }),
  )
}

async function recordAll(
  ledger: Pick<Retold, 'record'>,
  events: readonly ClientMoneyEvent[],
): Promise<void> {
  await Promise.all(events.map((event) => ledger.record(event)))
}
