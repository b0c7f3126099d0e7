/**
 * Which nodes came to this node's own port while they were asked to (SPEC §10.5): who says that it reached us has made a link, with a proof of who it is, and we have seen it.
 * @module
 */
import { nodeKeyOf, type NodeKey } from '@byway/protocol/directory'
import type { Link } from '@byway/protocol/link'

// Local limit (tunable): docs/LIMITS.md.
/** The answer may overtake the link that it tells of: both are handled in turns of one event loop, or two. */
const ARRIVAL_MS = 2000

/** The links that come in. */
export interface Arrivals {
  /** Somebody has dialled this node, and proved who it is. */
  note(link: Pick<Link, 'peer'>): void
  /** Looks out for a node from now on, until it is disposed of. */
  watch(nodeId: Uint8Array): ArrivalWatch
}

export interface ArrivalWatch extends Disposable {
  /** True when it has come since, or comes within two seconds. Never rejects. */
  hasCome(signal: AbortSignal): Promise<boolean>
}

/** Creates it; what comes while nobody looks out is not remembered. */
export function createArrivals(): Arrivals {
  const watched = new Map<NodeKey, Set<() => void>>()

  function watch(nodeId: Uint8Array): ArrivalWatch {
    const key = nodeKeyOf(nodeId)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const onCome = (): void => resolve(true)
    const all = watched.get(key) ?? new Set<() => void>()
    watched.set(key, all.add(onCome))
    let timer: NodeJS.Timeout | undefined
    const onEnd = (): void => resolve(false)
    return {
      async hasCome(signal) {
        timer = setTimeout(onEnd, ARRIVAL_MS)
        signal.addEventListener('abort', onEnd, { once: true })
        if (signal.aborted) onEnd()
        const hasCome = await promise
        signal.removeEventListener('abort', onEnd)
        return hasCome
      },
      [Symbol.dispose]() {
        clearTimeout(timer)
        all.delete(onCome)
        if (all.size === 0) watched.delete(key)
      },
    }
  }

  return {
    note({ peer }) {
      if (peer.role !== 'node') return
      for (const onCome of watched.get(nodeKeyOf(peer.nodeId)) ?? []) onCome()
    },
    watch,
  }
}
