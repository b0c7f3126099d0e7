/** Of what the contract made each leaf: it tells of the slot that came back, or of the leaves that were joined, and then of the new leaf, in one transaction. */
import type { ChainEvent } from '@byway/chain'

export type Leaf = Extract<ChainEvent, { readonly name: 'leaf' }>
export type SlotEvent = Extract<ChainEvent, { readonly nullifier: Uint8Array }>
/** Something that happened to a slot, and the leaf that was made of what was left. */
export type Happened = { readonly event: SlotEvent; leaf: Leaf | undefined }

/** The leaves of the chain as far as it was followed. */
export interface MadeLeaves {
  /** By index, for leaves that no deposit made. */
  readonly madeOf: ReadonlyMap<number, readonly Uint8Array[]>
  /** @param happened - what the leaf that may follow is told to */
  take(event: ChainEvent, happened: Happened | undefined): void
  /** The chain took it back. */
  undo(event: ChainEvent): void
  /** How many leaves there were at this block. */
  countAt(block: number): number
}

/** Creates them without leaves. */
export function createMadeLeaves(): MadeLeaves {
  const madeOf = new Map<number, readonly Uint8Array[]>()
  /** Not as deep as they were asked for. */
  let young: Leaf[] = []
  let count = 0
  /** What came back since the last leaf. */
  let back: Happened[] = []
  return {
    madeOf,
    take(event, happened) {
      if (back[0] && back[0].event.transaction !== event.transaction) back = []
      if (happened && isBack(happened.event)) back.push(happened)
      if (event.name !== 'leaf') return
      young.push(event)
      const last = back.at(-1)
      if (last) last.leaf = event
      if (last)
        madeOf.set(
          event.index,
          back.map((one) => one.event.nullifier),
        )
      back = []
    },
    undo(event) {
      back = []
      if (event.name !== 'leaf') return
      madeOf.delete(event.index)
      young = young.filter(({ index }) => index < event.index)
      count = Math.min(count, event.index)
    },
    countAt(block) {
      for (const leaf of young) if (leaf.block <= block) count = Math.max(count, leaf.index + 1)
      young = young.filter((leaf) => leaf.block > block)
      return count
    },
  }
}

/** True when this is the end of a slot's life, or of a leaf's. */
export function isBack(event: SlotEvent): boolean {
  return event.name === 'slot' && (event.state === 'refunded' || event.state === 'closed')
}
