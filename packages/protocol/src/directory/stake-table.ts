/**
 * Who has a stake, as the registry's events tell it (SPEC §14.7). Pure: the chain's follower feeds it, and takes back what a reorganisation took back. Answers
 * whether a descriptor counts, and how much of all stake a set of descriptors covers.
 * @module
 */
import { equalBytes, toHex } from '@byway/protocol/base'
import type { Descriptor } from '@byway/protocol/wire'
import { withProven, type ProvenEpoch } from './proven-service.ts'

/** What an event of the registry says of one provider. */
export type StakeChange =
  | {
      readonly type: 'registered'
      readonly nodeId: Uint8Array
      /** Who put the stake down, 20 bytes. */
      readonly owner: Uint8Array
      readonly stake: bigint
    }
  /** Added to or slashed: what it is from now on. */
  | { readonly type: 'stake'; readonly stake: bigint }
  | { readonly type: 'unbonding' }
  | { readonly type: 'left' }

/** What the service proofs say of one provider: an epoch's service stood. */
export type ProvenChange = { readonly type: 'proven' } & ProvenEpoch

/** A provider's registration. */
export type StakeRecord = {
  /** 20 bytes. */
  readonly provider: Uint8Array
  readonly nodeId: Uint8Array
  /** Who put the stake down, 20 bytes. */
  readonly owner: Uint8Array
  readonly stake: bigint
  readonly isUnbonding: boolean
  /** The block of its registration. */
  readonly sinceBlock: number
  /** The newest epochs whose service stood, oldest first. */
  readonly proven: readonly ProvenEpoch[]
}

/** What a descriptor must name to count. */
export type StakeClaim = Pick<Descriptor, 'nodeId' | 'provider'>

/** The registry as it is now. */
export interface StakeView {
  /** Of all active registrations together. */
  readonly activeStake: bigint
  /** Active registrations. */
  readonly activeCount: number
  /** The stake that stands behind a descriptor; 0n when none does. A provider's stake counts for the one node id it registered. */
  stakeOf(claim: StakeClaim): bigint
  /** Who put down the stake behind a descriptor, 20 bytes; undefined when none stands behind it. */
  ownerOf(claim: StakeClaim): Uint8Array | undefined
  /** The block in which the stake behind a descriptor was registered; undefined when none stands behind it. */
  sinceBlockOf(claim: StakeClaim): number | undefined
  /** The epochs in which the provider behind a descriptor proved its service; none when no stake stands behind it. */
  provenOf(claim: StakeClaim): readonly ProvenEpoch[]
  /** True for the node id of an active registration. */
  hasNode(nodeId: Uint8Array): boolean
  records(): readonly StakeRecord[]
}

/** A view that others follow. */
export interface StakeSource {
  readonly view: StakeView
  /** Calls back after each change; returns how to stop that. */
  onChange(listener: () => void): () => void
}

/** Who put down the stake behind a descriptor. */
export type OwnerOf = (claim: StakeClaim) => Uint8Array | undefined

/** As the registry says it, looked up once for each descriptor until the registry changes; nothing in a network without one. */
export function ownersIn(
  stakes: (Pick<StakeSource, 'view'> & Partial<Pick<StakeSource, 'onChange'>>) | undefined,
): OwnerOf | undefined {
  if (!stakes) return undefined
  let known = new WeakMap<StakeClaim, { readonly owner: Uint8Array | undefined }>()
  stakes.onChange?.(() => void (known = new WeakMap()))
  return (claim) => {
    const found = known.get(claim) ?? { owner: stakes.view.ownerOf(claim) }
    known.set(claim, found)
    return found.owner
  }
}

/** The view with the hands that change it. */
export interface StakeTable extends StakeView {
  /** Takes an event of a block in. */
  apply(provider: Uint8Array, change: StakeChange | ProvenChange, block: number): void
  /** Takes the newest event of a provider back. */
  undo(provider: Uint8Array): void
  /** Nothing below this block will be taken back: what is kept for that is forgotten. */
  settle(block: number): void
}

/**
 * Creates a table.
 * @param minStake - of the contract; nine tenths of it are enough to stay active (SPEC §14.7)
 * @param stored - records from before
 */
export function createStakeTable(
  minStake: bigint,
  stored: readonly StakeRecord[] = [],
): StakeTable {
  return new Table(minStake - minStake / 10n, stored)
}

type Version = {
  readonly record: StakeRecord | undefined
  readonly block: number
  readonly before: Version | undefined
}

class Table implements StakeTable {
  activeStake = 0n
  activeCount = 0
  readonly #leastStake: bigint
  readonly #newest = new Map<string, Version>()
  /** Providers with something that may be taken back. */
  readonly #unsettled = new Set<string>()
  /** How many active registrations name a node id. */
  readonly #nodes = new Map<string, number>()

  constructor(leastStake: bigint, stored: readonly StakeRecord[]) {
    this.#leastStake = leastStake
    for (const record of stored) {
      const version = { record, block: 0, before: undefined }
      this.#put(toHex(record.provider), version)
    }
  }

  stakeOf(claim: StakeClaim): bigint {
    return this.#activeOf(claim)?.stake ?? 0n
  }

  ownerOf(claim: StakeClaim): Uint8Array | undefined {
    return this.#activeOf(claim)?.owner
  }

  sinceBlockOf(claim: StakeClaim): number | undefined {
    return this.#activeOf(claim)?.sinceBlock
  }

  provenOf(claim: StakeClaim): readonly ProvenEpoch[] {
    return this.#activeOf(claim)?.proven ?? []
  }

  hasNode(nodeId: Uint8Array): boolean {
    return this.#nodes.has(toHex(nodeId))
  }

  records(): readonly StakeRecord[] {
    return [...this.#newest.values()].flatMap(({ record }) => record ?? [])
  }

  apply(provider: Uint8Array, change: StakeChange | ProvenChange, block: number): void {
    const key = toHex(provider)
    const before = this.#newest.get(key)
    this.#unsettled.add(key)
    this.#put(key, { record: changed(provider, before?.record, change, block), block, before })
  }

  undo(provider: Uint8Array): void {
    const key = toHex(provider)
    const newest = this.#newest.get(key)
    if (newest) this.#put(key, newest.before ?? { ...newest, record: undefined })
  }

  settle(block: number): void {
    for (const key of this.#unsettled) {
      const newest = this.#newest.get(key)
      const kept = newest && settled(newest, block)
      if (kept) this.#newest.set(key, kept)
      if (!kept?.before) this.#unsettled.delete(key)
      if (kept && !kept.before && !kept.record && kept.block <= block) this.#newest.delete(key)
    }
  }

  #activeOf({ provider, nodeId }: StakeClaim): StakeRecord | undefined {
    const record = provider && this.#newest.get(toHex(provider))?.record
    const isActive = record && this.#isActive(record) && equalBytes(record.nodeId, nodeId)
    return isActive ? record : undefined
  }

  #put(key: string, version: Version): void {
    this.#count(this.#newest.get(key)?.record, -1)
    this.#newest.set(key, version)
    this.#count(version.record, 1)
  }

  #count(record: StakeRecord | undefined, sign: 1 | -1): void {
    if (!record || !this.#isActive(record)) return
    this.activeStake += BigInt(sign) * record.stake
    this.activeCount += sign
    const node = toHex(record.nodeId)
    const count = (this.#nodes.get(node) ?? 0) + sign
    if (count > 0) this.#nodes.set(node, count)
    else this.#nodes.delete(node)
  }

  #isActive({ stake, isUnbonding }: StakeRecord): boolean {
    return stake >= this.#leastStake && !isUnbonding
  }
}

/** Events for somebody who is not registered cannot be: history was held back, and the record stays as it was. */
function changed(
  provider: Uint8Array,
  record: StakeRecord | undefined,
  change: StakeChange | ProvenChange,
  block: number,
): StakeRecord | undefined {
  switch (change.type) {
    case 'registered':
      return {
        provider,
        nodeId: change.nodeId,
        owner: change.owner,
        stake: change.stake,
        isUnbonding: false,
        sinceBlock: block,
        proven: [],
      }
    case 'stake':
      return record && { ...record, stake: change.stake }
    case 'unbonding':
      return record && { ...record, isUnbonding: true }
    case 'left':
      return undefined
    case 'proven': {
      const { epoch, fees } = change
      return record && { ...record, proven: withProven(record.proven, { epoch, fees }) }
    }
  }
}

/** Cuts off what lies before the newest settled version. */
function settled(version: Version, block: number): Version {
  if (version.block <= block) return { ...version, before: undefined }
  return { ...version, before: version.before && settled(version.before, block) }
}
