/** The chain's side of a client's books: its deposits, and what became of its slots, told together so that money that came back is not taken for money from outside. */
import type { ChainView } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import { nodeTicketCrypto } from '@byway/protocol/node-ticket'
import { restNullifier, restUnits, u256Bytes } from '@byway/protocol/ticket'
import type { PaymentParameters } from '@byway/protocol/directory'
import type { FoundDeposit } from '@byway/purse'
import type { Store } from '@byway/store'
import { recordDeposits } from './deposit-events.ts'
import { followSlots, type SeenLeaves } from './follow-slots.ts'
import { createRetold } from './retold.ts'

export type ClientBooksDeps = {
  readonly ledger: Store['ledger']
  readonly chain: Pick<ChainView, 'events'>
  readonly payment: PaymentParameters
  readonly nowMs: () => number
}

export interface ClientBooks {
  /** Deposits of ours that the chain has; told once the follower has come to them. */
  found(deposits: readonly FoundDeposit[]): void
  /** Follows the chain until the signal aborts, or until this block. @throws as `followSlots` */
  follow(signal: AbortSignal, untilBlock?: number): Promise<void>
}

/** Creates them; nothing is told before `follow`. */
export function createClientBooks({ ledger, chain, payment, nowMs }: ClientBooksDeps): ClientBooks {
  let known: readonly FoundDeposit[] = []
  let seen: SeenLeaves = { count: 0, madeOf: new Map(), returned: new Set(), block: 0 }
  const { unit } = payment
  const unitsPerSlot = Number(
    (payment.winValue * BigInt(payment.winsPerSlot) + payment.bond) / unit,
  )
  const retold = createRetold(ledger)
  /** By leaf, under which names. */
  const told = new Map<number, readonly string[]>()
  let telling: Promise<void> = Promise.resolve()
  const tellNow = async (): Promise<void> => {
    const gone = [...told].filter(([index]) => index >= seen.count)
    for (const [index, names] of gone) {
      told.delete(index)
      for (const name of names.toReversed()) await retold.undo(name, nowMs())
    }
    // Which of the leaves that come instead are ours is still to be found.
    if (gone.length > 0) known = known.filter(({ leafIndex }) => leafIndex < seen.count)
    const news = known.filter(({ leafIndex }) => leafIndex < seen.count && !told.has(leafIndex))
    const joined = news.length === 0 ? NONE : joinedOf(known, seen.madeOf, { unit, unitsPerSlot })
    const names = await recordDeposits(retold, news, { unit, nowMs: nowMs(), ...seen, joined })
    for (const { leafIndex } of news) told.set(leafIndex, names.get(leafIndex) ?? [])
  }
  const tell = (): Promise<void> => {
    telling = telling.catch(() => {}).then(tellNow)
    return telling
  }
  return {
    found(deposits) {
      known = deposits
      // The store says by its health why it was not told; what can be spent does not hang on it.
      tell().catch(() => {})
    },
    async follow(signal, untilBlock = Number.POSITIVE_INFINITY) {
      const done = new AbortController()
      const { deployBlock: fromBlock, confirmations, winValue, winsPerSlot, bond } = payment
      const onHead = async (now: SeenLeaves): Promise<void> => {
        seen = now
        await tell()
        if (now.block >= untilBlock) done.abort()
      }
      const terms = { fromBlock, confirmations, winValue, winsPerSlot, bond, unit, nowMs }
      const either = AbortSignal.any([signal, done.signal])
      await followSlots({ ledger, retold, chain, ...terms, onHead }, either)
    },
  }
}

const NONE: ReadonlyMap<number, bigint> = new Map()

/** By leaf: what was in the rests of ours that it was made of. */
function joinedOf(
  known: readonly FoundDeposit[],
  madeOf: SeenLeaves['madeOf'],
  size: { readonly unit: bigint; readonly unitsPerSlot: number },
): ReadonlyMap<number, bigint> {
  const rests = new Map(known.map((each) => [restOf(each), restUnits(size, each.limit)] as const))
  const joined = new Map<number, bigint>()
  for (const [index, names] of madeOf) {
    const units = names.map((name) => rests.get(toHex(name)))
    const isOurs = units.every((each) => each !== undefined)
    if (isOurs) joined.set(index, BigInt(units.reduce((sum, each) => sum + each, 0)) * size.unit)
  }
  return joined
}

/** A hash of half a millisecond, and deposits are found again and again. */
function restOf({ owner }: FoundDeposit): string {
  const name = RESTS.get(owner) ?? toHex(u256Bytes(restNullifier(nodeTicketCrypto, owner.secret)))
  RESTS.set(owner, name)
  return name
}

const RESTS = new WeakMap<FoundDeposit['owner'], string>()
