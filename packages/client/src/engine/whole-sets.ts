/**
 * What guards show of the network when they are asked for all of it, one held against another (SPEC §10.2): a guard that hides nodes is found out by the next one that does not.
 * @module
 */
import { nodeKeyOf } from '@byway/protocol/directory'
import type { DescriptorSet, NodeKey, OfferResult } from '@byway/protocol/directory'
import { decodeDescriptor } from '@byway/protocol/wire'

// Local limits (tunable): docs/LIMITS.md.
/** Two sets that were taken so far apart are of one network. */
const COMPARABLE_MS = 3_600_000
/** News takes so long from one guard to another. */
const SPREAD_S = 1200
/** So large a part may be missing: editions run out and stakes come and go while one asks. */
const HARMLESS_PART = 0.05
/** And so many in a small network. */
const HARMLESS_NODES = 1

/** What one guard does not show of what it or another shows. */
export type HiddenNodes = { readonly hidden: number; readonly of: number }

/** The last two whole sets, each of another guard. */
export interface WholeSets {
  /** A whole set begins; returns a set to offer its descriptors to, and how to say that it was whole. */
  begin(
    guard: NodeKey,
    set: DescriptorSet,
  ): { readonly taking: Pick<DescriptorSet, 'offer'>; end(nowMs: number): void }
  /** The guard whose set nobody else's was held against yet. */
  uncompared(): NodeKey | undefined
}

type Shown = {
  readonly guard: NodeKey
  readonly keys: ReadonlySet<NodeKey>
  readonly atMs: number
}

/** Creates it. @param onHidden - told of each comparison in which one guard showed clearly less */
export function createWholeSets(onHidden: (facts: HiddenNodes) => void): WholeSets {
  let last: Shown | undefined
  let isCompared = true

  function compare(first: Shown, second: Shown, set: DescriptorSet): void {
    const isOld = (key: NodeKey): boolean => {
      const publishedS = set.get(key)?.descriptor.publishedS
      return publishedS !== undefined && publishedS < second.atMs / 1000 - SPREAD_S
    }
    const all = [...new Set([...first.keys, ...second.keys])].filter(isOld)
    const hiddenBy = ({ keys }: Shown): number => all.filter((key) => !keys.has(key)).length
    const hidden = Math.max(hiddenBy(first), hiddenBy(second))
    if (hidden > Math.max(HARMLESS_NODES, HARMLESS_PART * all.length)) {
      onHidden({ hidden, of: all.length })
    }
  }

  return {
    begin(guard, set) {
      const keys = new Set<NodeKey>()
      const taking = {
        offer(bytes: Uint8Array, nowMs: number): OfferResult {
          const offered = set.offer(bytes, nowMs)
          const key = keyOf(offered, bytes)
          if (key !== undefined) keys.add(key)
          return offered
        },
      }
      return {
        taking,
        end(atMs) {
          const shown = { guard, keys, atMs }
          const other = last?.guard === guard ? undefined : last
          isCompared = other !== undefined && Math.abs(atMs - other.atMs) <= COMPARABLE_MS
          if (other && isCompared) compare(other, shown, set)
          last = shown
        },
      }
    },
    uncompared: () => (isCompared ? undefined : last?.guard),
  }
}

/** The node of a descriptor that counts, or of an edition before the one that does. */
function keyOf(offered: OfferResult, bytes: Uint8Array): NodeKey | undefined {
  if (offered.result !== 'refused') return offered.entry.key
  if (offered.reason !== 'OLDER') return undefined
  return nodeKeyOf(decodeDescriptor(bytes).descriptor.nodeId)
}
