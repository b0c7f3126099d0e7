/**
 * What the client's ledger is told of its slots: wins of hops, what came back, bonds that were burned. The chain is the witness. All events of the pool are read, never one slot: who
 * asks for a slot tells whose it is.
 */
import type { ChainEvent, ChainView } from '@byway/chain'
import { toHex } from '@byway/protocol/base'
import type { ClientMoneyEvent } from '@byway/protocol/ledger'
import type { Store } from '@byway/store'
import {
  createMadeLeaves,
  isBack,
  type Happened,
  type Leaf,
  type SlotEvent,
} from './made-leaves.ts'
import type { Retold } from './retold.ts'

export type SlotsDeps = {
  readonly ledger: Pick<Store['ledger'], 'read'>
  /** Tells that ledger. */
  readonly retold: Retold
  readonly chain: Pick<ChainView, 'events'>
  /** Where the pool begins. What was told before is told again, and the ledger has it once. */
  readonly fromBlock: number
  /** Blocks after which an event counts. */
  readonly confirmations: number
  /** What a win takes out of a slot: `V`. */
  readonly winValue: bigint
  /** `K`. */
  readonly winsPerSlot: number
  /** `b`. */
  readonly bond: bigint
  /** `u`: what a leaf's limit counts. */
  readonly unit: bigint
  readonly nowMs: () => number
  /** Told after each head that was followed. */
  readonly onHead?: ((seen: SeenLeaves) => Promise<void>) | undefined
}

/** The leaves that the follower has seen so far. */
export type SeenLeaves = {
  /** All below this index; they are as deep as `confirmations` asks. */
  readonly count: number
  /** What names the slot, or the joined leaves, of which each was made, whosever it is. */
  readonly madeOf: ReadonlyMap<number, readonly Uint8Array[]>
  /** Those that came out of slots of ours: no money from outside. */
  readonly returned: ReadonlySet<number>
  /** The block up to which all was told. */
  readonly block: number
}

/**
 * Tells the ledger of the client's slots until the signal aborts.
 * @throws CHAIN_REORG_DEPTH, and what the ledger rejects with
 */
export async function followSlots(deps: SlotsDeps, signal: AbortSignal): Promise<void> {
  const slots = createShownSlots(deps.ledger)
  const young = new Map<string, Happened>()
  const made = createMadeLeaves()
  const sums = createSlotSums(deps)
  for await (const news of deps.chain.events(deps.fromBlock, signal)) {
    if (news.type === 'event') take(news.event)
    if (news.type === 'removed') await undo(news.event)
    if (news.type !== 'head') continue
    const deepBlock = news.head.number - deps.confirmations + 1
    for (const [id, happened] of young) {
      if (happened.event.block > deepBlock) continue
      young.delete(id)
      const hop = await slots.hopOf(happened.event.nullifier)
      if (hop === undefined) continue
      for (const told of sums.eventsOf(happened, hop)) await deps.retold.record(told)
    }
    const count = made.countAt(deepBlock)
    const returned = await ofOurs()
    await deps.onHead?.({ count, madeOf: made.madeOf, returned, block: news.head.number })
  }

  function take(event: ChainEvent): void {
    const happened = isOfInterest(event) ? { event, leaf: undefined } : undefined
    if (happened) young.set(idOf(event), happened)
    made.take(event, happened)
  }

  async function undo(event: ChainEvent): Promise<void> {
    made.undo(event)
    if (!isOfInterest(event) || young.delete(idOf(event))) return
    for (const id of sums.undo(event)) await deps.retold.undo(id, deps.nowMs())
  }

  async function ofOurs(): Promise<ReadonlySet<number>> {
    const own = new Set<number>()
    for (const [index, names] of made.madeOf) {
      const slot = names.at(-1)
      if (slot && (await slots.hopOf(slot)) !== undefined) own.add(index)
    }
    return own
  }
}

function isOfInterest(event: ChainEvent): event is SlotEvent {
  if (event.name === 'won' || event.name === 'bond-burned') return true
  return event.name === 'slot' && isBack(event)
}

/** What is left in each slot, so that what came back is told from what its sender got. */
function createSlotSums({ winValue, winsPerSlot, bond, unit, nowMs }: SlotsDeps): {
  eventsOf(happened: Happened, hop: string): readonly ClientMoneyEvent[]
  /** The ids of what was told of an event. */
  undo(event: SlotEvent): readonly string[]
} {
  const left = new Map<string, bigint>()
  const told = new Map<string, { readonly id: string; readonly amount: bigint }>()
  const whole = BigInt(winsPerSlot) * winValue + bond
  return {
    eventsOf({ event, leaf }, hop) {
      const slot = toHex(event.nullifier)
      const rest = left.get(slot) ?? whole
      const one = eventOf(event, leaf, rest, hop)
      if (!one) return []
      left.set(slot, rest - one.amount)
      told.set(idOf(event), one)
      return [one]
    },
    undo(event) {
      const one = told.get(idOf(event))
      if (!one) return []
      const slot = toHex(event.nullifier)
      told.delete(idOf(event))
      left.set(slot, (left.get(slot) ?? 0n) + one.amount)
      return [one.id]
    },
  }

  function eventOf(event: SlotEvent, leaf: Leaf | undefined, rest: bigint, hop: string) {
    const head = { atMs: nowMs(), hop }
    const id = idOf(event)
    if (event.name === 'won')
      return { ...head, id, type: 'slot-won', wins: 1, amount: winValue } as const
    if (event.name === 'bond-burned')
      return { ...head, id, type: 'bond-burned', amount: bond } as const
    if (!leaf) return undefined
    const fee = rest - BigInt(leaf.limit) * unit
    // The leaf is found among the deposits as well: under this name its money comes in once.
    return { ...head, id: leafName(leaf.index), type: 'slot-returned', amount: rest, fee } as const
  }
}

/** The ledger's name of the money that a leaf was made of. */
export function leafName(index: number): string {
  return `leaf:${index}:in`
}

/** The same event in another block is another one. */
function idOf({ blockHash, logIndex }: ChainEvent): string {
  return `log:${blockHash}:${logIndex}`
}

/** The hops to which slots were shown, as the ledger has them. It is read on from where it was read last. */
function createShownSlots(ledger: SlotsDeps['ledger']): {
  hopOf(nullifier: Uint8Array): Promise<string | undefined>
} {
  const hops = new Map<string, string>()
  let after = 0
  return {
    async hopOf(nullifier) {
      const id = `slot:${toHex(nullifier)}`
      if (hops.has(id)) return hops.get(id)
      for await (const { sequence, event } of ledger.read(after)) {
        after = sequence
        if (event.type === 'slot-shown') hops.set(event.id, event.hop)
      }
      return hops.get(id)
    },
  }
}
